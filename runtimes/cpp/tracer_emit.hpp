/* What instrumented C++ code calls. Force-included before the first line of every traced file.
 *
 * Everything here starts with _tr_ or lies in a namespace that does. No header is included, so that
 * none leaks into the program, and none has to be compiled. The functions live in tracer_emit_cpp.c;
 * those with several types are one name here and one symbol a type there. */
#ifndef _TR_EMIT_HPP
#define _TR_EMIT_HPP
#pragma GCC system_header

typedef unsigned int _tr_u;
typedef unsigned long _tr_ul;
__extension__ typedef long long _tr_ll;
__extension__ typedef unsigned long long _tr_ull;
typedef const volatile void *_tr_ptr;

#define _tr_quiet __attribute__((__nothrow__))
#define _tr_inline inline __attribute__((__always_inline__, __unused__))

struct _tr_member {
	const char *name;
	_tr_ll value;
};

/* The members of an enumeration; its definition is followed by a function that gives this. */
struct _tr_members {
	const _tr_member *members;
	_tr_u count;
};

struct _tr_frame;

extern "C" {
/* A statement is about to run. */
void _tr_s(_tr_u) _tr_quiet;
/* A function is entered, with values: if this says so, they and _tr_z follow. */
int _tr_in(_tr_u, _tr_u) _tr_quiet;
/* It is left without a guard. */
void _tr_o(_tr_u) _tr_quiet;
/* Branches, as for _tr_in; a condition within an expression; a switch. */
void _tr_b(_tr_u, _tr_u) _tr_quiet;
int _tr_bn(_tr_u, _tr_u, _tr_u) _tr_quiet;
void _tr_k(_tr_u, _tr_u) _tr_quiet;
/* Loops. */
void _tr_le(_tr_u) _tr_quiet;
void _tr_li(_tr_u) _tr_quiet;
int _tr_ln(_tr_u, _tr_u) _tr_quiet;
void _tr_lx(_tr_u) _tr_quiet;
void _tr_g(_tr_u) _tr_quiet;
/* A task is about to be made; something is about to be thrown, or
 * thrown on; a handler was entered. */
void _tr_at(_tr_u) _tr_quiet;
void _tr_th(_tr_u) _tr_quiet;
void _tr_tr(_tr_u) _tr_quiet;
void _tr_ct(_tr_u) _tr_quiet;
void _tr_z(void) _tr_quiet;
/* A coroutine waits here; and goes on. */
void _tr_y(_tr_u) _tr_quiet;
void _tr_yr(_tr_u) _tr_quiet;
_tr_u _tr_dg(void) _tr_quiet;
void _tr_dr(_tr_u) _tr_quiet;
void _tr_pw(void) _tr_quiet;
void _tr_p(void) _tr_quiet;
/* Calls that end with an object of theirs. */
void _tr_fx(_tr_frame *) _tr_quiet;
void _tr_fm(_tr_frame *, _tr_u) _tr_quiet;
int _tr_fr(_tr_frame *, _tr_u) _tr_quiet;
void _tr_frz(_tr_frame *) _tr_quiet;
/* An object before a call that changes it, and after: if it says so, a value and its end follow. */
int _tr_bc(_tr_u) _tr_quiet;
void _tr_bz(void) _tr_quiet;
int _tr_cc(_tr_u) _tr_quiet;
void _tr_cz(void) _tr_quiet;
/* Values by their parts. */
int _tr_vo(_tr_u) _tr_quiet;
void _tr_xo(const char *) _tr_quiet;
void _tr_xskip(void) _tr_quiet;
void _tr_xnull(const char *) _tr_quiet;
void _tr_xe(const char *, const _tr_member *, _tr_u, _tr_ll) _tr_quiet;
void _tr_xs(const char *, _tr_ul, const char *) _tr_quiet;
_tr_u _tr_xq(_tr_u, const char *, _tr_ul, _tr_u) _tr_quiet;
void _tr_xz(void) _tr_quiet;
_tr_u _tr_xat(void) _tr_quiet;
int _tr_xlong(_tr_u) _tr_quiet;
int _tr_xok(_tr_ptr, _tr_ul) _tr_quiet;
int _tr_xbeyond(void) _tr_quiet;
int _tr_xtree(_tr_ptr, _tr_ul, _tr_ul) _tr_quiet;
int _tr_xchain(_tr_ptr, _tr_ul, _tr_ul, int) _tr_quiet;
int _tr_xblocks(_tr_ptr, _tr_ul, _tr_ul) _tr_quiet;
_tr_u _tr_xr(const char *) _tr_quiet;
int _tr_xf(_tr_u, const char *) _tr_quiet;
void _tr_xrz(_tr_u) _tr_quiet;
int _tr_xp(const char *, _tr_ptr, _tr_ul, int, int) _tr_quiet;
void _tr_xpz(int) _tr_quiet;
void _tr_wide(_tr_u, _tr_ll) __asm__("_tr_w") _tr_quiet;
}

/* Basic types: name of the symbol, type, what its bits are and where its name stands (as in
 * tracer_probes.h and tracer_values.h). */
#define _tr_BITS(X)                                                                                \
	X(sc, signed char, 2, 0) X(uc, unsigned char, 3, 1) X(h, short, 2, 2)                          \
	X(uh, unsigned short, 3, 3) X(i, int, 2, -1) X(u, unsigned int, 3, -1) X(l, long, 2, 4)        \
	X(ul, unsigned long, 3, 5) X(ll, _tr_ll, 2, 6) X(ull, _tr_ull, 3, 7) X(b, bool, 4, -1)         \
	X(c, char, 5, 8)
#define _tr_BASIC(X)                                                                               \
	_tr_BITS(X) X(d, double, 6, -1) X(f, float, 7, -1) X(ld, long double, 0, 0)

/* What takes values of the program's types lies where a lookup by these types does not find it: that
 * is what tracer_constant.hpp hides by its own. */
namespace _tr_told {

/* A VAR with one value, and a value of the record being written. */
#define _tr_DECLARE(code, type, what, name)                                                        \
	void _tr_v(_tr_u, type) __asm__("_tr_v_" #code) _tr_quiet;                                     \
	void _tr_a(_tr_u, type) __asm__("_tr_a_" #code) _tr_quiet;
_tr_BASIC(_tr_DECLARE)
#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 _tr_ix;
__extension__ typedef unsigned __int128 _tr_ux;
_tr_DECLARE(ix, _tr_ix, 0, 0) _tr_DECLARE(ux, _tr_ux, 0, 0)
#endif
void _tr_a(_tr_u, wchar_t) __asm__("_tr_xc") _tr_quiet;
#if __cplusplus >= 201103L
_tr_inline void _tr_a(_tr_u unused, char16_t c) { _tr_a(unused, (wchar_t)c); }
_tr_inline void _tr_a(_tr_u unused, char32_t c) { _tr_a(unused, (wchar_t)c); }
#endif
#ifdef __cpp_char8_t
_tr_inline void _tr_a(_tr_u unused, char8_t c) { _tr_a(unused, (wchar_t)c); }
#endif

} // namespace _tr_told
using namespace _tr_told;

/* A function's first local: tells that it is left when it is destroyed. */
struct _tr_frame {
	_tr_u site, state;
	int what, name;
	_tr_ull bits;
	_tr_inline explicit _tr_frame(_tr_u at) : site(at), state(0) {}
	_tr_inline ~_tr_frame() { _tr_fx(this); }
	/* It is about to be left, from this place. */
	_tr_inline void at(_tr_u place) { site = place, state = 1; }
};

#include "tracer_values.hpp"

namespace _tr_told {

/* A VAR or value of any other type. */
template <class _tr_T> inline void _tr_v(_tr_u site, const _tr_T &value)
{
	if (_tr_vo(site)) {
		_tr_ns::of<_tr_T>::put(value);
		_tr_z();
	}
}

template <class _tr_T> inline void _tr_a(_tr_u, const _tr_T &value)
{
	_tr_ns::of<_tr_T>::put(value);
}

/* A TRANSFORM: in front of a call, and behind it. */
template <class _tr_T> inline void _tr_cb(_tr_u site, const _tr_T &value)
{
	if (_tr_bc(site)) {
		_tr_ns::of<_tr_T>::put(value);
		_tr_bz();
	}
}
template <class _tr_T> inline void _tr_ca(_tr_u site, const _tr_T &value)
{
	if (_tr_cc(site)) {
		_tr_ns::of<_tr_T>::put(value);
		_tr_cz();
	}
}

} // namespace _tr_told

#include "tracer_results.hpp"
#if __cplusplus >= 201402L
#include "tracer_constant.hpp"
#endif

#endif
