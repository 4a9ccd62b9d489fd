/* Values by their types. Part of tracer_emit.hpp.
 *
 * Containers are known by the names that the compiler gives their types, so that nothing of the
 * standard library has to be declared here; only its own members are called, never the program's. */

namespace _tr_ns {

struct none {};
/* What has no members of its own to tell: a local enumeration, or a library's. */
inline none _tr_e(...) { return none(); }

/* The name of a type, inside what this gives. */
template <class _tr_T>
#if __cplusplus >= 201402L
constexpr
#else
inline
#endif
	const char *name()
{
	return __PRETTY_FUNCTION__;
}

template <class T> struct bare { typedef T type; };
template <class T> struct bare<const T> { typedef T type; };
template <class T> struct bare<volatile T> { typedef T type; };
template <class T> struct bare<const volatile T> { typedef T type; };

template <bool, class T> struct only {};
template <class T> struct only<true, T> { typedef T type; };

/* 1 an enumeration, 2 a class or union, 0 anything else. */
template <class T> struct sort {
	static const int value = __is_enum(T) ? 1 : __is_class(T) || __is_union(T) ? 2 : 0;
};

/* Whether values of a type can be passed on without the program seeing it. */
template <class T> struct scalar { static const bool value = __is_enum(T); };
template <class T> struct scalar<T *> { static const bool value = true; };
template <class T> struct scalar<const T> : scalar<T> {};

/* What is only certain to be an object where it is an argument: 1 a scalar; 2 a pointer, never. */
template <class T> struct plain { static const int value = scalar<T>::value; };
template <class T> struct plain<T *> { static const int value = 2; };

/* Size, 0 for what has none. */
template <class T, class = void> struct size { static const _tr_ul value = 0; };
template <bool> struct yes { typedef void type; };
template <class T> struct size<T, typename yes<(sizeof(T) > 0)>::type> {
	static const _tr_ul value = sizeof(T);
};
template <class T> struct is_function { static const bool value = false; };
#if __cplusplus >= 201103L
template <class R, class... A> struct is_function<R(A...)> { static const bool value = true; };
template <class R, class... A> struct is_function<R(A..., ...)> { static const bool value = true; };
#if __cplusplus >= 201703L
template <class R, class... A> struct is_function<R(A...) noexcept> {
	static const bool value = true;
};
#endif
#endif

template <class T> struct of;
template <class T, int = sort<T>::value> struct general;

inline void put_enum(const char *name, none, _tr_ll value) { _tr_xe(name, 0, 0, value); }
inline void put_enum(const char *name, _tr_members of, _tr_ll value)
{
	_tr_xe(name, of.members, of.count, value);
}

template <class T> struct general<T, 0> {
	template <class U> static void put(const U &) { _tr_xo(name<T>()); }
};
template <class T> struct general<T, 1> {
	static void put(T value) { put_enum(name<T>(), _tr_e((T *)0), (_tr_ll)value); }
};

#define _tr_OF(code, type, what, spot)                                                             \
	template <> struct of<type> {                                                                  \
		static void put(type value) { _tr_a(0u, value); }                                          \
	};                                                                                             \
	template <> struct scalar<type> { static const bool value = true; };
_tr_BASIC(_tr_OF)
_tr_OF(wc, wchar_t, 0, 0)
#ifdef __SIZEOF_INT128__
_tr_OF(ix, _tr_ix, 0, 0) _tr_OF(ux, _tr_ux, 0, 0)
#endif
#if __cplusplus >= 201103L
_tr_OF(c16, char16_t, 0, 0) _tr_OF(c32, char32_t, 0, 0)
#endif
#ifdef __cpp_char8_t
_tr_OF(c8, char8_t, 0, 0)
#endif

template <class T> struct of<const T> : of<T> {};
template <class T> struct of<volatile T> {
	static void put(const volatile T &value) { put_volatile<T>(value); }
	template <class U>
	static typename only<scalar<U>::value, void>::type put_volatile(const volatile U &value)
	{
		of<U>::put(value);
	}
	template <class U>
	static typename only<!scalar<U>::value, void>::type put_volatile(const volatile U &)
	{
		_tr_xo(name<U>());
	}
};
template <class T> struct of<const volatile T> : of<volatile T> {};

/* A pointer that the value before owns shows what it points at; others, what is certain. */
template <class T> inline void put_pointer(T *pointer, int owned)
{
	typedef typename bare<T>::type U;
	if (_tr_xp(name<T *>(), (_tr_ptr)pointer, size<U>::value, plain<U>::value, owned)) {
		of<U>::put(*(const U *)pointer);
		_tr_xpz(owned);
	}
}

template <class T, bool> struct pointer {
	static void put(T *value) { put_pointer(value, 0); }
};
template <class T> struct pointer<T, false> {
	static void put(T *value) { _tr_xp(name<T *>(), (_tr_ptr)value, 0, 0, 0); }
};
template <class T> struct of<T *> {
	static void put(T *value)
	{
		pointer<T, size<T>::value != 0 && !is_function<T>::value>::put(value);
	}
};
extern "C" void _tr_a_s(_tr_u, const char *) _tr_quiet;
template <> struct of<const char *> {
	static void put(const char *value) { _tr_a_s(0, value); }
};
template <> struct of<char *> {
	static void put(const char *value) { _tr_a_s(0, value); }
};
template <> struct of<void *> {
	static void put(void *value) { _tr_xp(name<void *>(), value, 0, 0, 0); }
};
template <> struct of<const void *> {
	static void put(const void *value) { _tr_xp(name<const void *>(), value, 0, 0, 0); }
};

template <class T> inline void put_some(const T *at, _tr_u shown)
{
	_tr_u since = _tr_xat();
	for (_tr_u i = 0; i < shown; i++)
		if (_tr_xlong(since))
			_tr_xskip();
		else
			of<T>::put(at[i]);
}

template <class T, _tr_ul N> struct of<T[N]> {
	static void put(const T (&value)[N])
	{
		put_some<T>(value, _tr_xq(0x11, name<T[N]>(), N, 0));
		_tr_xz();
	}
};
template <class T, _tr_ul N> struct of<const T[N]> : of<T[N]> {};
template <_tr_ul N> struct of<char[N]> {
	static void put(const char (&value)[N])
	{
		_tr_ul length = 0;
		while (length < N && value[length])
			length++;
		_tr_xs(value, length, name<char[N]>());
	}
};
template <_tr_ul N> struct of<const char[N]> : of<char[N]> {};
template <class T> struct of<T[]> {
	template <class U> static void put(const U &) { _tr_xo(name<T[]>()); }
};

#if __cplusplus >= 201402L
#include "tracer_classes.hpp"
#else
template <class T> struct general<T, 2> {
	static void put(const T &) { _tr_xo(name<T>()); }
};
#endif

template <class T> struct of : general<T> {};

} // namespace _tr_ns
