/* Values: how C data becomes bytes of the record being written. Part of tracer_emit.c.
 *
 * Memory behind a pointer is read only after it is known to be readable, and never beyond it. */

enum {
	V_NULL = 0,
	V_FALSE,
	V_TRUE,
	V_INT,
	V_BIG,
	V_DOUBLE,
	V_STRING,
	V_FLOAT = 0x0b,
	V_UINT,
	V_CHARACTER,
	V_TYPED = 0x10,
	V_SEQUENCE,
	V_RECORD = 0x14,
	V_REFERENCE,
	V_OPAQUE,
	V_ENUM,
	V_POINTER
};

enum { PAGE = 4096, STRING_SCAN = 65536, PATH = 8 };

/* Room for n more bytes. A kept record moves to a new segment; a counted one is given up. */
static OUTLINE int need(u32 n)
{
	if (LIKELY(writer.to && writer.to + n <= writer.bound))
		return 1;
	if (writer.to && writer.kept == KEEP) {
		u8 *old = writer.start;
		size_t length = (size_t)(writer.to - old);
		if (length + n < channel.segment_size / 2 && claim_segment()) {
			writer.start = writer.at;
			copy(writer.start, old, length);
			writer.to = writer.start + length;
			writer.bound = writer.segment_end;
			return 1;
		}
	}
	writer.to = NULL;
	return 0;
}

static OUTLINE void put_byte(u8 byte)
{
	if (need(1))
		*writer.to++ = byte;
}

static OUTLINE void put_number(u64 n)
{
	if (need(10))
		writer.to = put_varint(writer.to, n);
}

static OUTLINE void put_bytes(const void *from, u32 n)
{
	if (need(n)) {
		copy(writer.to, from, n);
		writer.to += n;
	}
}

/* Interned names: a table of the process, keyed by address, since all are literals. */

static const char *names[NAMES];

/* The basic types' names have fixed places before the table's rest. */
enum { N_sc, N_uc, N_h, N_uh, N_l, N_ul, N_ll, N_ull, N_c, N_BASIC, N_NONE = -1 };

static u32 name_number(const char *name)
{
	u32 span = NAMES - N_BASIC;
	u32 at = (u32)(((uintptr_t)name * 0x9e3779b97f4a7c15u) >> 48) % span + N_BASIC;
	for (u32 tries = 0; tries < span; tries++, at = at + 1 < NAMES ? at + 1 : N_BASIC) {
		const char *found = __atomic_load_n(&names[at], __ATOMIC_RELAXED);
		if (!found && __atomic_compare_exchange_n(&names[at], &found, name, 0, __ATOMIC_RELAXED,
		                                          __ATOMIC_RELAXED))
			return at;
		if (found == name)
			return at;
	}
	return NAMES;
}

/* Tells the stream a name, unless it knows it. 0 if there are too many names. */
static OUTLINE u32 intern_at(u32 at, const char *name)
{
	if (at >= NAMES)
		return 0;
	if (LIKELY(writer.interned[at / 64] >> (at % 64) & 1))
		return at + 1;
	u32 length = 0;
	while (name[length] && length < 200)
		length++;
	u8 head[16], *end = put_varint(head, at + 1);
	end = put_varint(end, length);
	u32 size = 1 + (u32)(end - head) + length;
	if (writer.kept == KEEP) {
		/* It stands before the record that uses it. */
		if (!need(size))
			return 0;
		for (u8 *from = writer.to; from > writer.start; from--)
			from[size - 1] = from[-1];
		copy(writer.start + 1, head, (size_t)(end - head));
		copy(writer.start + 1 + (end - head), name, length);
		writer.start[size] = 0;
		BARRIER();
		*writer.start = INTERN;
		writer.start += size;
		writer.to += size;
		writer.at = writer.start;
	} else {
		if (!room(size + 1))
			return 0;
		copy(writer.at + 1, head, (size_t)(end - head));
		copy(writer.at + 1 + (end - head), name, length);
		BARRIER();
		*writer.at = INTERN;
		writer.at += size;
	}
	writer.interned[at / 64] |= (u64)1 << (at % 64);
	return at + 1;
}

static u32 intern(const char *name)
{
	return intern_at(name ? name_number(name) : NAMES, name);
}

static OUTLINE void put_basic(int at, const char *name)
{
	if (at == N_NONE)
		return;
	u32 number = intern_at((u32)at, name);
	put_byte(V_TYPED);
	put_number(number);
}

static OUTLINE void put_typed(const char *name)
{
	u32 number = intern(name);
	put_byte(V_TYPED);
	put_number(number);
}

static OUTLINE void put_int(int64_t n)
{
	put_byte(V_INT);
	if (need(10))
		writer.to = put_zigzag(writer.to, n);
}

static OUTLINE void put_uint(u64 n)
{
	put_byte(V_UINT);
	put_number(n);
}

static OUTLINE void put_char(char c)
{
	if (c >= 0) {
		put_byte(V_CHARACTER);
		put_number((u64)c);
	} else {
		put_typed("char");
		put_int(c);
	}
}

static OUTLINE void put_double(double d)
{
	put_byte(V_DOUBLE);
	put_bytes(&d, 8);
}

static OUTLINE void put_opaque(const char *type, const char *text)
{
	u32 number = intern(type), length = 0;
	while (text[length])
		length++;
	put_byte(V_OPAQUE);
	put_number(number);
	put_byte(0);
	put_number(length);
	put_bytes(text, length);
}

/* A long double that a double holds exactly is shown as one. Only its bits are looked at: a
 * conversion could raise a floating-point exception. */
static void put_long_double(const long double *value)
{
#if defined __x86_64__
	u64 mantissa;
	u16 high;
	copy((u8 *)&mantissa, value, 8);
	copy((u8 *)&high, (const u8 *)value + 8, 2);
	u64 sign = (u64)(high >> 15) << 63;
	int exponent = high & 0x7fff;
	put_typed("long double");
	if (exponent == 0x7fff)
		sign |= 0x7ff0000000000000u | (mantissa << 1 ? 0x8000000000000u : 0);
	else if (mantissa && exponent > 16383 - 1022 && exponent < 16383 + 1023)
		/* Cut to a double's precision. */
		sign |= (u64)(exponent - 16383 + 1023) << 52 | (mantissa << 1 >> 12);
	put_byte(V_DOUBLE);
	put_bytes(&sign, 8);
#else
	(void)value;
	put_opaque("long double", "");
#endif
}

/* Memory */

#ifdef __wasm__
/* All of a module's memory can be read; below its data nothing of the program's lies. */
static size_t readable(const void *pointer)
{
	enum { DATA = 1024, PAGE_SIZE = 65536 };
	size_t at = (size_t)pointer, size = __builtin_wasm_memory_size(0) * PAGE_SIZE;
	return at < DATA || at >= size ? 0 : size - at;
}
#else
extern char __executable_start[] __attribute__((weak));
extern char _edata[] __attribute__((weak));
extern char _end[] __attribute__((weak));
extern void *__curbrk __attribute__((weak));
extern void *__libc_stack_end __attribute__((weak));

/* The kernel reads 8 bytes at the address before it finds the first argument invalid. */
static int page_readable(uintptr_t at)
{
	enum { EFAULT = 14 };
	return kernel(SYS_rt_sigprocmask, ~0L, (long)(at & ~(uintptr_t)7), 0, 8, 0, 0) != -EFAULT;
}

/* How many bytes from here on, up to the end of the page or of a known region, can be read. */
static size_t readable(const void *pointer)
{
	static uintptr_t heap, image;
	uintptr_t at = (uintptr_t)pointer, here = (uintptr_t)__builtin_frame_address(0);
	if (at < PAGE)
		return 0;
	if (at >= (uintptr_t)_edata && at < (uintptr_t)_end)
		return (uintptr_t)_end - at;
	uintptr_t top = &__libc_stack_end ? (uintptr_t)__libc_stack_end : 0;
	if (at >= here && at < top && top - here < ((uintptr_t)16 << 20))
		return top - at;
	if (!heap)
		heap = (uintptr_t)kernel(SYS_brk, 0, 0, 0, 0, 0, 0) - 1;
	if (&__curbrk && at > heap && at < (uintptr_t)__curbrk)
		return (uintptr_t)__curbrk - at;
	/* The program's image does not change: a page once found readable stays so. */
	if (at >= (uintptr_t)__executable_start && at < image)
		return image - at;
	if (!page_readable(at))
		return 0;
	uintptr_t next = (at & ~(uintptr_t)(PAGE - 1)) + PAGE;
	if (at >= (uintptr_t)__executable_start && at < (uintptr_t)_edata) {
		uintptr_t from = image ? image : (uintptr_t)__executable_start & ~(uintptr_t)(PAGE - 1);
		while (from < (uintptr_t)_edata && page_readable(from))
			from += PAGE;
		image = from < (uintptr_t)_edata ? from : (uintptr_t)_edata;
	}
	return next - at;
}
#endif

static int all_readable(const void *pointer, size_t size)
{
	const u8 *at = pointer;
	while (size) {
		size_t can = readable(at);
		if (!can)
			return 0;
		can = can < size ? can : size;
		at += can;
		size -= can;
	}
	return 1;
}

/* Text: what is up to the terminator, if that is printable UTF-8 and within reach. */
struct text {
	const u8 *at;
	u32 size, characters, shown;
	u64 digest;
	u8 ends;
};

static int read_text(const void *pointer, u32 limit, struct text *text)
{
	const u8 *at = pointer;
	u32 size = 0, characters = 0, more = 0;
	size_t can = 0;
	u64 digest = 0xcbf29ce484222325u;
	text->at = at;
	text->shown = 0;
	text->ends = 0;
	for (; size < limit; size++) {
		if (!can && !(can = readable(at + size)))
			return 0;
		can--;
		u8 c = at[size];
		if (!c) {
			text->ends = 1;
			break;
		}
		if (more) {
			if ((c & 0xc0) != 0x80)
				return 0;
			more--;
		} else {
			if (c == 0x7f || (c < 0x20 && !((u32)0x08003f80 >> c & 1)))
				return 0;
			if (c >= 0x80) {
				if (c < 0xc2 || c > 0xf4)
					return 0;
				more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
			}
			if (characters++ == channel.characters)
				text->shown = size;
		}
		digest = (digest ^ c) * 0x100000001b3u;
	}
	if (more)
		return 0;
	if (characters <= channel.characters)
		text->shown = size;
	if (text->shown > channel.value_bytes)
		text->shown = channel.value_bytes;
	text->size = size;
	text->characters = characters;
	text->digest = digest;
	return 1;
}

static void put_text(const struct text *text)
{
	u32 cut = text->shown < text->size, shown = text->shown;
	while (cut && shown && (text->at[shown] & 0xc0) == 0x80)
		shown--;
	put_byte(V_STRING);
	put_number(text->characters);
	put_number(shown * 2 | cut);
	put_bytes(text->at, shown);
	if (cut)
		put_bytes(&text->digest, 8);
}

static void put_value(const void *at, const struct _tr_type *type);

/* Objects whose parts are being written, to stop at cycles. */
static __thread const void *path[PATH];

static OUTLINE void put_pointer(const void *pointer, const char *name, const struct _tr_type *to)
{
	u32 number = intern(name);
	struct text text;
	int value = 0;
	if (to && pointer && writer.level < channel.depth) {
		if (to->kind == _tr_K_CHAR)
			value = read_text(pointer, STRING_SCAN, &text) && text.ends;
		else if (to->kind != _tr_K_POINTER && to->kind != _tr_K_OPAQUE)
			value = to->size && all_readable(pointer, to->size);
	}
	put_byte(V_POINTER);
	put_number(number);
	put_number((uintptr_t)pointer);
	put_byte((u8)value);
	if (!value)
		return;
	if (to->kind == _tr_K_CHAR) {
		put_text(&text);
		return;
	}
	for (u32 i = 0; i < writer.path_length; i++)
		if (path[i] == pointer) {
			put_byte(V_REFERENCE);
			put_number((uintptr_t)pointer);
			return;
		}
	u32 length = writer.path_length;
	if (length < PATH)
		path[writer.path_length++] = pointer;
	put_value(pointer, to);
	writer.path_length = length;
}

static int64_t read_int(const void *at, u32 size)
{
	int64_t value = 0;
	copy((u8 *)&value, at, size < 8 ? size : 8);
	u32 spare = 64 - (size < 8 ? size : 8) * 8;
	return (int64_t)((u64)value << spare) >> spare;
}

static void put_integer(int64_t value, const struct _tr_type *type)
{
	switch (type->kind) {
	case _tr_K_BOOL:
		put_byte(value ? V_TRUE : V_FALSE);
		break;
	case _tr_K_CHAR:
		put_char((char)value);
		break;
	case _tr_K_UNSIGNED:
		if (type != &_tr_T_u)
			put_typed(type->name);
		put_uint(type->size >= 8 ? (u64)value : (u64)value & (((u64)1 << type->size * 8) - 1));
		break;
	case _tr_K_ENUM: {
		for (u32 i = 0; i < type->count; i++)
			if (type->members[i].value == value) {
				u32 of = intern(type->name), member = intern(type->members[i].name);
				put_byte(V_ENUM);
				put_number(of);
				put_number(member);
				put_int(value);
				return;
			}
		put_typed(type->name);
		put_int(value);
		break;
	}
	default:
		if (type != &_tr_T_i)
			put_typed(type->name);
		put_int(value);
	}
}

static int too_long(const u8 *began)
{
	return writer.to && writer.to > began && writer.to - began > channel.value_bytes;
}

static void put_array(const u8 *at, const struct _tr_type *type)
{
	struct text text;
	if (type->to && type->to->kind == _tr_K_CHAR && read_text(at, type->count, &text)) {
		put_typed(type->name);
		put_text(&text);
		return;
	}
	u32 number = intern(type->name), shown = type->count;
	if (shown > channel.elements)
		shown = channel.elements;
	if (writer.level >= channel.depth)
		shown = 0;
	u32 cut = shown < type->count;
	u64 digest = 0;
	put_byte(V_SEQUENCE);
	put_number(number);
	put_byte(0);
	put_number(type->count);
	put_byte((u8)cut);
	if (cut)
		put_bytes(&digest, 8);
	put_number(shown);
	writer.level++;
	const u8 *began = writer.to;
	for (u32 i = 0; i < shown; i++)
		if (too_long(began))
			put_opaque(NULL, "");
		else
			put_value(at + (size_t)i * (type->size / type->count), type->to);
	writer.level--;
}

static void put_struct(const u8 *at, const struct _tr_type *type)
{
	u32 number = intern(type->name), shown = type->count;
	if (shown > channel.elements)
		shown = channel.elements;
	if (writer.level >= channel.depth)
		shown = 0;
	u32 cut = shown < type->count;
	u64 digest = 0;
	put_byte(V_RECORD);
	put_number(number);
	put_byte(0);
	put_number(type->count);
	put_byte((u8)cut);
	if (cut)
		put_bytes(&digest, 8);
	put_number(shown);
	writer.level++;
	const u8 *began = writer.to;
	for (u32 i = 0; i < shown; i++) {
		const struct _tr_field *field = &type->fields[i];
		put_number(intern(field->name));
		if (too_long(began))
			put_opaque(NULL, "");
		else if (field->read)
			put_integer(field->read(at), field->type);
		else
			put_value(at + field->offset, field->type);
	}
	writer.level--;
}

static void put_value(const void *at, const struct _tr_type *type)
{
	const void *pointer;
	if (!type) {
		put_opaque(NULL, "");
		return;
	}
	switch (type->kind) {
	case _tr_K_BOOL:
	case _tr_K_CHAR:
	case _tr_K_SIGNED:
	case _tr_K_UNSIGNED:
	case _tr_K_ENUM:
		put_integer(read_int(at, type->size), type);
		break;
	case _tr_K_FLOAT:
		if (type != &_tr_T_f && type != &_tr_T_d)
			put_typed(type->name);
		put_byte(type->size == 4 ? V_FLOAT : V_DOUBLE);
		put_bytes(at, type->size == 4 ? 4 : 8);
		break;
	case _tr_K_LONG_DOUBLE:
		put_long_double(at);
		break;
	case _tr_K_POINTER:
		copy((u8 *)&pointer, at, sizeof pointer);
		put_pointer(pointer, type->name, type->to);
		break;
	case _tr_K_ARRAY:
		put_array(at, type);
		break;
	case _tr_K_STRUCT:
	case _tr_K_UNION:
		put_struct(at, type);
		break;
	default:
		put_opaque(type->name, "");
	}
}

#define SCALAR_TYPE(code, text, what, type)                                                        \
	const struct _tr_type _tr_T_##code = {text, what, sizeof(type), 0, NULL, NULL, NULL};
SCALAR_TYPE(c, "char", _tr_K_CHAR, char)
SCALAR_TYPE(sc, "signed char", _tr_K_SIGNED, char)
SCALAR_TYPE(uc, "unsigned char", _tr_K_UNSIGNED, char)
SCALAR_TYPE(h, "short", _tr_K_SIGNED, short)
SCALAR_TYPE(uh, "unsigned short", _tr_K_UNSIGNED, short)
SCALAR_TYPE(i, "int", _tr_K_SIGNED, int)
SCALAR_TYPE(u, "unsigned int", _tr_K_UNSIGNED, int)
SCALAR_TYPE(l, "long", _tr_K_SIGNED, long)
SCALAR_TYPE(ul, "unsigned long", _tr_K_UNSIGNED, long)
SCALAR_TYPE(ll, "long long", _tr_K_SIGNED, long long)
SCALAR_TYPE(ull, "unsigned long long", _tr_K_UNSIGNED, long long)
SCALAR_TYPE(f, "float", _tr_K_FLOAT, float)
SCALAR_TYPE(d, "double", _tr_K_FLOAT, double)
SCALAR_TYPE(ld, "long double", _tr_K_LONG_DOUBLE, long double)
SCALAR_TYPE(b, "_Bool", _tr_K_BOOL, _Bool)

#ifdef __SIZEOF_INT128__
static void put_wide(unsigned __int128 n, int negative, const char *type)
{
	char digits[48];
	u32 at = sizeof digits;
	do
		digits[--at] = (char)('0' + (int)(n % 10));
	while (n /= 10);
	if (negative)
		digits[--at] = '-';
	put_typed(type);
	put_byte(V_BIG);
	put_number(sizeof digits - at);
	put_bytes(digits + at, (u32)sizeof digits - at);
}
#endif

static void put_complex(_tr_cd value)
{
	u32 number = intern("double _Complex"), re = intern("re"), im = intern("im");
	put_byte(V_RECORD);
	put_number(number);
	put_bytes("\0\2\0\2", 4);
	put_number(re);
	put_double(__real__ value);
	put_number(im);
	put_double(__imag__ value);
}
