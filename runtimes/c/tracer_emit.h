/* What instrumented C code calls. Force-included before the first line of every traced file.
 *
 * Everything here starts with _tr_, in macro bodies too: the program may define any other name,
 * keywords included. No header of the C library is included, so that none leaks into the program.
 * The functions live in tracer_emit.c, which is compiled apart from the program. */
#ifndef _TR_EMIT_H
#define _TR_EMIT_H

typedef char _tr_c;
typedef signed char _tr_sc;
typedef unsigned char _tr_uc;
typedef short _tr_h;
typedef unsigned short _tr_uh;
typedef int _tr_i;
typedef unsigned int _tr_u;
typedef long _tr_l;
typedef unsigned long _tr_ul;
__extension__ typedef long long _tr_ll;
__extension__ typedef unsigned long long _tr_ull;
typedef float _tr_f;
typedef double _tr_d;
typedef long double _tr_ld;
typedef _Bool _tr_bool;
__extension__ typedef _Complex float _tr_cf;
__extension__ typedef _Complex double _tr_cd;
__extension__ typedef _Complex long double _tr_cld;
typedef const volatile void *_tr_ptr;
/* Even `const` may be a macro of the program's. */
typedef char *_tr_text;
typedef const char *_tr_constant;
#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 _tr_ix;
__extension__ typedef unsigned __int128 _tr_ux;
#define _tr_WIDE(name) _tr_ix : name##ix, _tr_ux : name##ux,
#else
#define _tr_WIDE(name)
#endif

/* How a value is laid out; a table of these describes the program's own types. */
enum {
	_tr_K_OPAQUE,
	_tr_K_BOOL,
	_tr_K_CHAR,
	_tr_K_SIGNED,
	_tr_K_UNSIGNED,
	_tr_K_FLOAT,
	_tr_K_LONG_DOUBLE,
	_tr_K_COMPLEX,
	_tr_K_POINTER,
	_tr_K_ARRAY,
	_tr_K_STRUCT,
	_tr_K_UNION,
	_tr_K_ENUM
};

struct _tr_type;
struct _tr_field {
	const _tr_c *name;
	const struct _tr_type *type;
	_tr_ul offset;
	/* Bit-fields have no offset: this reads one. */
	_tr_ll (*read)(const void *);
};
struct _tr_member {
	const _tr_c *name;
	_tr_ll value;
};
struct _tr_type {
	const _tr_c *name;
	_tr_u kind;
	_tr_u size;
	/* Elements of an array, fields of a struct, members of an enum. */
	_tr_u count;
	/* Target of a pointer, element of an array. */
	const struct _tr_type *to;
	const struct _tr_field *fields;
	const struct _tr_member *members;
};

/* Picks the function for a scalar's type. Pointers go to p, anything else to o, which ignores it. */
#define _tr_PICK(name, x)                                                                          \
	_Generic((x),                                                                                  \
		_tr_c: name##c, _tr_sc: name##sc, _tr_uc: name##uc, _tr_h: name##h, _tr_uh: name##uh,      \
		_tr_i: name##i, _tr_u: name##u, _tr_l: name##l, _tr_ul: name##ul, _tr_ll: name##ll,        \
		_tr_ull: name##ull, _tr_f: name##f, _tr_d: name##d, _tr_ld: name##ld,                      \
		_tr_bool: name##b, _tr_cf: name##cd, _tr_cd: name##cd, _tr_cld: name##cd,                  \
		_tr_WIDE(name) _tr_text: name##s, _tr_constant: name##s,                                   \
		default: __builtin_choose_expr(__builtin_classify_type(x) == 5, name##p, name##o))

#define _tr_SCALARS(prefix)                                                                        \
	extern void prefix##c(_tr_u, _tr_c);                                                           \
	extern void prefix##sc(_tr_u, _tr_sc);                                                         \
	extern void prefix##uc(_tr_u, _tr_uc);                                                         \
	extern void prefix##h(_tr_u, _tr_h);                                                           \
	extern void prefix##uh(_tr_u, _tr_uh);                                                         \
	extern void prefix##i(_tr_u, _tr_i);                                                           \
	extern void prefix##u(_tr_u, _tr_u);                                                           \
	extern void prefix##l(_tr_u, _tr_l);                                                           \
	extern void prefix##ul(_tr_u, _tr_ul);                                                         \
	extern void prefix##ll(_tr_u, _tr_ll);                                                         \
	extern void prefix##ull(_tr_u, _tr_ull);                                                       \
	extern void prefix##f(_tr_u, _tr_f);                                                           \
	extern void prefix##d(_tr_u, _tr_d);                                                           \
	extern void prefix##ld(_tr_u, _tr_ld);                                                         \
	extern void prefix##b(_tr_u, _tr_bool);                                                        \
	extern void prefix##cd(_tr_u, _tr_cd);                                                         \
	extern void prefix##s(_tr_u, const _tr_c *);                                                   \
	extern void prefix##p(_tr_u, _tr_ptr);                                                         \
	extern void prefix##o(_tr_u, ...);

_tr_SCALARS(_tr_a_)
_tr_SCALARS(_tr_v_)
#ifdef __SIZEOF_INT128__
extern void _tr_a_ix(_tr_u, _tr_ix);
extern void _tr_a_ux(_tr_u, _tr_ux);
extern void _tr_v_ix(_tr_u, _tr_ix);
extern void _tr_v_ux(_tr_u, _tr_ux);
#endif

/* A value of the record being written. */
#define _tr_a(x) _tr_PICK(_tr_a_, x)(0u, x)
/* A VAR with one value. */
#define _tr_v(site, x) _tr_PICK(_tr_v_, x)(site, x)
/* Where the program's own types are known: a pointer and what it points at (none if it is not
 * initialised yet), and anything that has an address. */
extern void _tr_aq(_tr_ptr, const _tr_c *, const struct _tr_type *);
extern void _tr_ar(_tr_ptr, const struct _tr_type *);
extern void _tr_ae(_tr_ll, const struct _tr_type *);
extern void _tr_vq(_tr_u, _tr_ptr, const _tr_c *, const struct _tr_type *);
extern void _tr_vr(_tr_u, _tr_ptr, const struct _tr_type *);
extern void _tr_ve(_tr_u, _tr_ll, const struct _tr_type *);

/* A type that some other file may describe: a scalar, or a struct by its description. */
#define _tr_ISR(x) (__builtin_classify_type(x) == 12 || __builtin_classify_type(x) == 13)
#define _tr_au(x, type) __builtin_choose_expr(_tr_ISR(x), _tr_ar(&(x), type), _tr_a(x))
#define _tr_vu(site, x, type)                                                                      \
	__builtin_choose_expr(_tr_ISR(x), _tr_vr(site, &(x), type), _tr_v(site, x))

/* Descriptions of the basic types. */
extern const struct _tr_type _tr_T_c, _tr_T_sc, _tr_T_uc, _tr_T_h, _tr_T_uh, _tr_T_i, _tr_T_u, _tr_T_l,
	_tr_T_ul, _tr_T_ll, _tr_T_ull, _tr_T_f, _tr_T_d, _tr_T_ld, _tr_T_b;

typedef const struct _tr_type *_tr_description;
/* The description of a basic type by an expression of it; for others, the one given. */
#define _tr_D(x, other)                                                                            \
	_Generic((x),                                                                                  \
		_tr_c: &_tr_T_c, _tr_sc: &_tr_T_sc, _tr_uc: &_tr_T_uc, _tr_h: &_tr_T_h, _tr_uh: &_tr_T_uh, \
		_tr_i: &_tr_T_i, _tr_u: &_tr_T_u, _tr_l: &_tr_T_l, _tr_ul: &_tr_T_ul, _tr_ll: &_tr_T_ll,   \
		_tr_ull: &_tr_T_ull, _tr_f: &_tr_T_f, _tr_d: &_tr_T_d, _tr_ld: &_tr_T_ld,                  \
		_tr_bool: &_tr_T_b, default: (_tr_description)(other))

/* A statement is about to run. */
extern void _tr_s(_tr_u);
/* Names the type that a function returns, by a call of it that is never made. */
#define _tr_Y(call) typedef __typeof__(call) _tr_R
/* A function is entered: if this says so, n values and _tr_z follow. */
extern _tr_i _tr_in(_tr_u, _tr_u);
/* It is left, without and with a value; in the latter case as for _tr_in. */
extern void _tr_o(_tr_u);
extern _tr_i _tr_on(_tr_u);
/* The end of main, which returns 0 from C99 on. */
#if defined __STDC_VERSION__ && __STDC_VERSION__ >= 199901L
#define _tr_om(site) (_tr_on(site) && (_tr_a_i(0u, 0), _tr_z(), 0))
#else
#define _tr_om(site) _tr_o(site)
#endif
/* A probe, inline, behind which the result register still holds what the program left there: what a
 * `void main` ends with is its exit status. Probes that are calls keep it themselves. */
#if defined __x86_64__
#define _tr_keep(probe)                                                                            \
	__extension__({                                                                                \
		_tr_ul _tr_r;                                                                              \
		__asm__ __volatile__("" : "=a"(_tr_r));                                                    \
		probe;                                                                                     \
		__asm__ __volatile__("" : : "a"(_tr_r));                                                   \
	})
#elif defined __aarch64__
#define _tr_keep(probe)                                                                            \
	__extension__({                                                                                \
		register _tr_ul _tr_in0 __asm__("x0");                                                     \
		__asm__ __volatile__("" : "=r"(_tr_in0));                                                  \
		_tr_ul _tr_r = _tr_in0;                                                                    \
		probe;                                                                                     \
		register _tr_ul _tr_out0 __asm__("x0") = _tr_r;                                            \
		__asm__ __volatile__("" : : "r"(_tr_out0));                                                \
	})
#else
#define _tr_keep(probe) (probe)
#endif
/* A branch took an arm; with n operands as for _tr_in. */
extern void _tr_b(_tr_u, _tr_u);
extern _tr_i _tr_bn(_tr_u, _tr_u, _tr_u);
/* A condition within an expression: gives its truth back. */
extern _tr_i _tr_t(_tr_u, _tr_i);
/* A switch is about to jump; the label it lands on; and its end, if it landed nowhere. */
extern void _tr_w(_tr_u, _tr_ll);
extern void _tr_k(_tr_u, _tr_u);
/* A loop: entered, an iteration (with n values as for _tr_in), left. */
extern void _tr_le(_tr_u);
extern void _tr_li(_tr_u);
extern _tr_i _tr_ln(_tr_u, _tr_u);
extern void _tr_lx(_tr_u);
/* A label that a goto may reach, and the loop it stands in (0: none). */
extern void _tr_g(_tr_u);
/* A thread or process is about to be made here. */
extern void _tr_at(_tr_u);
/* The record being written is complete. */
extern void _tr_z(void);
/* Calls on the stack; and back to that many, after setjmp returned again. */
extern _tr_u _tr_dg(void);
extern void _tr_dr(_tr_u);
/* Watch the standard streams from here on; and see whether something was written. */
extern void _tr_pw(void);
extern void _tr_p(void);

#endif
