/* Values on their way: what a function returns, what an assignment gives. Part of tracer_emit.hpp.
 *
 * `(mark, value)` tells of a value and gives it on. For scalars and lvalues that is an operator
 * below; for any other type it is the language's own comma, which copies and moves nothing. */

namespace _tr_ns {

struct null {
	template <class T> _tr_inline operator T *() const { return 0; }
};

/* The bits of a scalar, to be told later. */
template <class T> struct bits { static const bool value = false; };
#define _tr_HELD(code, type, sort, spot)                                                           \
	template <> struct bits<type> {                                                                \
		static const bool value = true;                                                            \
		static const int what = sort, name = spot;                                                 \
		static _tr_inline _tr_ull get(type value) { return (_tr_ull)value; }                       \
	};
_tr_BITS(_tr_HELD)
template <> struct bits<double> {
	static const bool value = true;
	static const int what = 6, name = -1;
	static _tr_inline _tr_ull get(double value)
	{
		_tr_ull bits;
		__builtin_memcpy(&bits, &value, 8);
		return bits;
	}
};
template <> struct bits<float> {
	static const bool value = true;
	static const int what = 7, name = -1;
	static _tr_inline _tr_ull get(float value)
	{
		_tr_ull bits = 0;
		__builtin_memcpy(&bits, &value, 4);
		return bits;
	}
};

template <class T, bool = bits<T>::value> struct result {
	static void keep(_tr_frame *frame, _tr_u site, const T &value)
	{
		if (_tr_fr(frame, site)) {
			of<T>::put(value);
			_tr_frz(frame);
		}
	}
};
template <class T> struct result<T, true> {
	static _tr_inline void keep(_tr_frame *frame, _tr_u site, T value)
	{
		frame->site = site;
		frame->state = 2;
		frame->what = bits<T>::what;
		frame->name = bits<T>::name;
		frame->bits = bits<T>::get(value);
	}
};

/* The value of a return statement. */
struct returned {
	_tr_frame *frame;
	_tr_u site;
};
/* A value written, or one of an expression's. */
struct written {
	_tr_u site;
};
/* A variable that the expression changes, whose own value is not the new one. */
template <class T> struct changed {
	_tr_u site;
	const T *variable;
};

template <class T> inline T &operator,(returned mark, T &value)
{
	result<typename bare<T>::type>::keep(mark.frame, mark.site, value);
	return value;
}
template <class T>
inline typename only<scalar<T>::value, T>::type operator,(written mark, const T &value)
{
	_tr_v(mark.site, value);
	return value;
}
template <class T> inline T &operator,(written mark, T &value)
{
	_tr_v(mark.site, value);
	return value;
}
#if __cplusplus >= 201103L
template <class T>
inline typename only<scalar<T>::value, T>::type operator,(returned mark, T &&value)
{
	result<T>::keep(mark.frame, mark.site, value);
	return value;
}
#if __cplusplus >= 201402L
/* Classes that can be moved once more without anyone noticing: the library's that only hand over
 * their memory, and plain data. */
template <class T> constexpr bool passes()
{
	if (sort<T>::value != 2)
		return false;
	switch (shape_of(name<T>())) {
	case STRING:
	case BITS:
	case OWNER:
	case SET:
	case HASHED_SET:
	case MAP:
	case HASHED_MAP:
		return true;
	case BLOCK:
		return !__is_aggregate(T);
	case OWN:
		return __is_aggregate(T) && __is_trivially_copyable(T);
	default:
		return false;
	}
}
template <class T>
inline typename only<passes<T>(), T>::type operator,(returned mark, T &&value)
{
	result<T>::keep(mark.frame, mark.site, value);
	return static_cast<T &&>(value);
}
#endif
template <class T, class U>
inline typename only<scalar<U>::value, U>::type operator,(changed<T> mark, U &&value)
{
	_tr_v(mark.site, *mark.variable);
	return value;
}
#else
template <class T>
inline typename only<scalar<T>::value, T>::type operator,(returned mark, const T &value)
{
	result<T>::keep(mark.frame, mark.site, value);
	return value;
}
template <class T, class U>
inline typename only<scalar<U>::value, U>::type operator,(changed<T> mark, const U &value)
{
	_tr_v(mark.site, *mark.variable);
	return value;
}
#endif
template <class T, class U> inline U &operator,(changed<T> mark, U &value)
{
	_tr_v(mark.site, *mark.variable);
	return value;
}

} // namespace _tr_ns

namespace _tr_told {

/* The marks. A return statement's stands for the case that its value cannot be told, too. */
_tr_inline _tr_ns::returned _tr_r(_tr_frame &frame, _tr_u site)
{
	_tr_fm(&frame, site);
	_tr_ns::returned mark = {&frame, site};
	return mark;
}
_tr_inline _tr_ns::written _tr_n(_tr_u site)
{
	_tr_ns::written mark = {site};
	return mark;
}
template <class T> _tr_inline _tr_ns::changed<T> _tr_c(_tr_u site, const T &variable)
{
	_tr_ns::changed<T> mark = {site, &variable};
	return mark;
}
/* What a return statement gives is known before it. */
template <class T> _tr_inline void _tr_q(_tr_frame &frame, _tr_u site, const T &value)
{
	_tr_ns::result<T>::keep(&frame, site, value);
}

/* A pointer to memory that holds nothing yet. */
template <class T> inline void _tr_vp(_tr_u site, T *value)
{
	if (_tr_vo(site)) {
		_tr_xp(_tr_ns::name<T *>(), (_tr_ptr)value, 0, 0, 0);
		_tr_z();
	}
}
template <class T> inline void _tr_vp(_tr_u site, const T &value) { _tr_v(site, value); }

/* A variable declared in the head of a statement: the probe is a further pointer declared there. */
template <class T> inline _tr_ns::null _tr_d(_tr_u site, const T &value)
{
	_tr_v(site, value);
	return _tr_ns::null();
}
/* One whose type is deduced: the pointer must have the same. */
template <class T> inline T *_tr_da(_tr_u site, const T &value)
{
	_tr_v(site, value);
	return 0;
}

/* The truth of a condition within an expression. */
_tr_inline bool _tr_t(_tr_u site, bool truth)
{
	_tr_b(site, truth);
	return truth;
}

/* What a switch jumps by. */
template <class T> _tr_inline typename _tr_ns::only<_tr_ns::scalar<T>::value, T>::type _tr_w(_tr_u site, T value)
{
	_tr_wide(site, (_tr_ll)value);
	return value;
}
#if __cplusplus >= 201103L
template <class T>
_tr_inline typename _tr_ns::only<_tr_ns::sort<T>::value == 2, T &&>::type _tr_w(_tr_u, T &&value)
{
	return static_cast<T &&>(value);
}
template <class T>
_tr_inline typename _tr_ns::only<_tr_ns::sort<T>::value == 2, T &>::type _tr_w(_tr_u, T &value)
{
	return value;
}
#else
template <class T>
_tr_inline typename _tr_ns::only<_tr_ns::sort<T>::value == 2, const T &>::type _tr_w(_tr_u, const T &value)
{
	return value;
}
#endif

} // namespace _tr_told
