/* The probes of functions that may also run while compiling: there they do nothing. Part of
 * tracer_emit.hpp, from C++14 on.
 *
 * Such a function names these in its body, where they hide the others; it has no guard, which would
 * need a destructor, so what it returns is told as it is returned. */

extern "C" int _tr_on(_tr_u) _tr_quiet;

namespace _tr_constant {

#define _tr_now (!__builtin_is_constant_evaluated())
#define _tr_DO(name)                                                                               \
	_tr_inline constexpr void name(_tr_u site)                                                     \
	{                                                                                              \
		if (_tr_now)                                                                               \
			::name(site);                                                                          \
	}
_tr_DO(_tr_s) _tr_DO(_tr_le) _tr_DO(_tr_li) _tr_DO(_tr_lx) _tr_DO(_tr_g) _tr_DO(_tr_th)
_tr_DO(_tr_ct) _tr_DO(_tr_at)

_tr_inline constexpr void _tr_z()
{
	if (_tr_now)
		::_tr_z();
}
_tr_inline constexpr void _tr_p()
{
	if (_tr_now)
		::_tr_p();
}
_tr_inline constexpr int _tr_in(_tr_u site, _tr_u count) { return _tr_now ? ::_tr_in(site, count) : 0; }
_tr_inline constexpr int _tr_ln(_tr_u site, _tr_u count) { return _tr_now ? ::_tr_ln(site, count) : 0; }
_tr_inline constexpr int _tr_bn(_tr_u site, _tr_u arm, _tr_u count)
{
	return _tr_now ? ::_tr_bn(site, arm, count) : 0;
}
_tr_inline constexpr void _tr_b(_tr_u site, _tr_u arm)
{
	if (_tr_now)
		::_tr_b(site, arm);
}
_tr_inline constexpr void _tr_k(_tr_u site, _tr_u arm)
{
	if (_tr_now)
		::_tr_k(site, arm);
}
_tr_inline constexpr bool _tr_t(_tr_u site, bool truth)
{
	if (_tr_now)
		::_tr_b(site, truth);
	return truth;
}
template <class T> constexpr void _tr_v(_tr_u site, const T &value)
{
	if (_tr_now)
		::_tr_v(site, value);
}
template <class T> constexpr void _tr_a(_tr_u unused, const T &value)
{
	if (_tr_now)
		::_tr_a(unused, value);
}
template <class T> constexpr void _tr_cb(_tr_u site, const T &value)
{
	if (_tr_now)
		::_tr_cb(site, value);
}
template <class T> constexpr void _tr_ca(_tr_u site, const T &value)
{
	if (_tr_now)
		::_tr_ca(site, value);
}
template <class T> constexpr void _tr_vp(_tr_u site, const T &value)
{
	if (_tr_now)
		::_tr_vp(site, value);
}
template <class T> constexpr T &&_tr_w(_tr_u site, T &&value)
{
	if (_tr_now)
		::_tr_w(site, value);
	return static_cast<T &&>(value);
}

struct null {
	template <class T> constexpr operator T *() const { return nullptr; }
};
template <class T> constexpr null _tr_d(_tr_u site, const T &value)
{
	_tr_constant::_tr_v(site, value);
	return null();
}
template <class T> constexpr T *_tr_da(_tr_u site, const T &value)
{
	_tr_constant::_tr_v(site, value);
	return nullptr;
}

struct _tr_frame {
	_tr_u in;
	constexpr explicit _tr_frame(_tr_u at) : in(at) {}
	constexpr void at(_tr_u site)
	{
		if (_tr_now)
			::_tr_o(site);
	}
};
constexpr void _tr_fm(_tr_frame *frame, _tr_u site) { frame->at(site); }
template <class T> constexpr void _tr_q(_tr_frame &, _tr_u site, const T &value)
{
	if (_tr_now && ::_tr_on(site)) {
		::_tr_a(0u, value);
		::_tr_z();
	}
}

struct returned {
	_tr_u site;
};
struct written {
	_tr_u site;
};
template <class T> struct changed {
	_tr_u site;
	const T *variable;
};
constexpr returned _tr_r(_tr_frame &, _tr_u site) { return returned{site}; }
constexpr written _tr_n(_tr_u site) { return written{site}; }
template <class T> constexpr changed<T> _tr_c(_tr_u site, const T &variable)
{
	return changed<T>{site, &variable};
}
template <class T> constexpr T &operator,(returned mark, T &value)
{
	_tr_frame none(0);
	_tr_constant::_tr_q(none, mark.site, value);
	return value;
}
template <class T>
constexpr typename _tr_ns::only<_tr_ns::scalar<T>::value, T>::type operator,(returned mark, T &&value)
{
	_tr_frame none(0);
	_tr_constant::_tr_q(none, mark.site, value);
	return value;
}
template <class T> constexpr T &operator,(written mark, T &value)
{
	_tr_constant::_tr_v(mark.site, value);
	return value;
}
template <class T>
constexpr typename _tr_ns::only<_tr_ns::scalar<T>::value, T>::type operator,(written mark, T &&value)
{
	_tr_constant::_tr_v(mark.site, value);
	return value;
}
template <class T, class U>
constexpr typename _tr_ns::only<_tr_ns::scalar<U>::value, U>::type operator,(changed<T> mark, U &&value)
{
	_tr_constant::_tr_v(mark.site, *mark.variable);
	return value;
}
template <class T, class U> constexpr U &operator,(changed<T> mark, U &value)
{
	_tr_constant::_tr_v(mark.site, *mark.variable);
	return value;
}

} // namespace _tr_constant

#define _tr_USE(name) using _tr_constant::name;
#define _tr_CONSTANT                                                                               \
	_tr_USE(_tr_s) _tr_USE(_tr_le) _tr_USE(_tr_li) _tr_USE(_tr_lx) _tr_USE(_tr_g) _tr_USE(_tr_th)  \
	_tr_USE(_tr_ct) _tr_USE(_tr_at) _tr_USE(_tr_z) _tr_USE(_tr_p) _tr_USE(_tr_in) _tr_USE(_tr_ln)  \
	_tr_USE(_tr_bn) _tr_USE(_tr_b) _tr_USE(_tr_k) _tr_USE(_tr_t) _tr_USE(_tr_v) _tr_USE(_tr_a)     \
	_tr_USE(_tr_cb) _tr_USE(_tr_ca) _tr_USE(_tr_vp) _tr_USE(_tr_w) _tr_USE(_tr_d) _tr_USE(_tr_da) _tr_USE(_tr_frame)               \
	_tr_USE(_tr_fm) _tr_USE(_tr_q) _tr_USE(_tr_r) _tr_USE(_tr_n) using _tr_constant::_tr_c
