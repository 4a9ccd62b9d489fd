/* Exceptions: raised, caught, and those nobody catches. Part of tracer_emit_cpp.c.
 *
 * The C++ runtime's layouts are those of the Itanium ABI and libstdc++. The message of an exception
 * is read from the library's own base class, never by calling what(). */

struct type_info {
	const void *const *vtable;
	const char *name;
};

struct class_info {
	struct type_info info;
	const struct type_info *base; /* of a class with one base at offset 0 */
};

struct base_info {
	const struct type_info *base;
	long flags;
};

struct classes_info {
	struct type_info info;
	unsigned int flags, count;
	struct base_info bases[];
};

/* Their vtables tell the kinds apart. */
extern const void *const _ZTVN10__cxxabiv120__si_class_type_infoE[] __attribute__((weak));
extern const void *const _ZTVN10__cxxabiv121__vmi_class_type_infoE[] __attribute__((weak));

static int is(const struct type_info *type, const char *name)
{
	const char *own = type->name;
	own += *own == '*';
	while (*own && *own == *name)
		own++, name++;
	return *own == *name;
}

/* The part of an object that is of one of the library's classes with a message; `at` moves there. */
static int has_message(const struct type_info *type, const u8 **at)
{
	for (u32 steps = 0; type && steps < 32; steps++) {
		if (is(type, "St13runtime_error") || is(type, "St11logic_error"))
			return 1;
		if (type->vtable == _ZTVN10__cxxabiv120__si_class_type_infoE + 2) {
			type = ((const struct class_info *)type)->base;
		} else if (type->vtable == _ZTVN10__cxxabiv121__vmi_class_type_infoE + 2) {
			const struct classes_info *info = (const struct classes_info *)type;
			/* The first base that has one, if it is not virtual. */
			for (u32 i = 0; i < info->count; i++) {
				const u8 *part = *at + (info->bases[i].flags >> 8);
				if (!(info->bases[i].flags & 1) && has_message(info->bases[i].base, &part)) {
					*at = part;
					return 1;
				}
			}
			return 0;
		} else {
			return 0;
		}
	}
	return 0;
}

static const struct {
	const char *code, *name;
} builtin_types[] = {
	{"i", "int"},
	{"j", "unsigned int"},
	{"l", "long"},
	{"m", "unsigned long"},
	{"x", "long long"},
	{"y", "unsigned long long"},
	{"d", "double"},
	{"f", "float"},
	{"b", "bool"},
	{"c", "char"},
	{"s", "short"},
	{"PKc", "const char*"},
	{"Pc", "char*"},
	{"Pv", "void*"},
	{"Dn", "std::nullptr_t"},
	{"NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE", "std::string"},
	{"St17basic_string_viewIcSt11char_traitsIcEE", "std::string_view"},
};

/* A mangled name as people write it, where it is one of plain classes; else as it is. */
static u32 plain_name(const struct type_info *type, char *to)
{
	const char *at = type->name;
	at += *at == '*';
	for (u32 i = 0; i < sizeof builtin_types / sizeof *builtin_types; i++)
		if (is(type, builtin_types[i].code)) {
			u32 length = 0;
			for (const char *from = builtin_types[i].name; *from;)
				to[length++] = *from++;
			return length;
		}
	const char *mangled = at;
	u32 length = 0, parts = 0, nested = *at == 'N';
	at += nested;
	for (;;) {
		const char *next = begins_with(at, "St");
		const char *part = "";
		u32 size = 0;
		if (next) {
			part = "std";
			size = 3;
			at = next;
		} else if (begins_with(at, "12_GLOBAL__N_1")) {
			at += 14;
			continue;
		} else if (*at >= '1' && *at <= '9') {
			while (*at >= '0' && *at <= '9' && size < NAME)
				size = size * 10 + (u32)(*at++ - '0');
			part = at;
			at += size;
		} else {
			break;
		}
		if (length + size + 2 > NAME)
			break;
		if (parts++) {
			to[length++] = ':';
			to[length++] = ':';
		}
		copy((u8 *)to + length, part, size);
		length += size;
	}
	if (parts && (*at == 0 || (nested && *at == 'E' && !at[1])))
		return length;
	for (length = 0; mangled[length] && length < NAME; length++)
		to[length] = mangled[length];
	return length;
}

static void put_message(const struct type_info *type, const u8 *object)
{
	const u8 *at = object;
	const char *text;
	struct text message;
	int is_constant = is(type, "PKc");
	if (is_constant || is(type, "Pc") || has_message(type, &at)) {
		copy((u8 *)&text, is_constant || is(type, "Pc") ? object : at + sizeof(void *), sizeof text);
		if (text && read_text(text, STRING_SCAN, &message))
			put_text(&message);
		else
			put_byte(V_NULL);
	} else if (is(type, "i")) {
		put_int(*(const int *)object);
	} else if (is(type, "l") || is(type, "x")) {
		put_int(*(const int64_t *)object);
	} else if (is(type, "j")) {
		put_uint(*(const u32 *)object);
	} else if (is(type, "m") || is(type, "y")) {
		put_uint(*(const u64 *)object);
	} else if (is(type, "c")) {
		put_char(*(const char *)object);
	} else if (is(type, "b")) {
		put_byte(*object ? V_TRUE : V_FALSE);
	} else if (is(type, "d")) {
		double value;
		copy((u8 *)&value, object, sizeof value);
		put_double(value);
	} else if (is(type, "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE")) {
		u64 size;
		copy((u8 *)&text, object, sizeof text);
		copy((u8 *)&size, object + sizeof text, sizeof size);
		if (size < STRING_SCAN && all_readable(text, size + 1) && read_text(text, (u32)size, &message))
			put_text(&message);
		else
			put_byte(V_NULL);
	} else {
		put_byte(V_NULL);
	}
}

static void error_record(u32 site, u32 phase, const struct type_info *type, const void *object)
{
	char name[NAME + 8];
	if (open_record(site, ERR)) {
		u32 length = type ? plain_name(type, name) : 0;
		put_byte((u8)phase);
		put_byte(V_STRING);
		put_number(length);
		put_number(length * 2);
		put_bytes(name, length);
		if (type && object)
			put_message(type, object);
		else
			put_byte(V_NULL);
		put_byte(0);
		put_byte(0);
	}
	_tr_z();
}

/* What is thrown at this place, next. */
static __thread u32 throw_site;
static __thread const struct type_info *thrown_type;
static __thread const void *thrown_object;

void _tr_th(_tr_u site)
{
	throw_site = site;
}

typedef void throw_function(void *, struct type_info *, void (*)(void *));

STANDS_IN void __cxa_throw(void *object, struct type_info *type, void (*destroy)(void *))
{
	static throw_function *next;
	if (!next)
		next = (throw_function *)next_definition("__cxa_throw");
	u32 site = throw_site;
	throw_site = 0;
	thrown_type = type;
	thrown_object = object;
	/* Where a library throws there is no place in the program; the statement that it stands at is
	 * the reader's to find. */
	if (site)
		error_record(site, 0, type, object);
	next(object, type, destroy);
	__builtin_unreachable();
}

/* The exception that is being handled: the runtime's own bookkeeping, from the ABI. */
struct exception {
	struct type_info *type;
	void (*destroy)(void *);
	void *unexpected, *terminate;
	struct exception *next;
	int handlers, selector;
	const u8 *action, *table;
	void *landing, *adjusted;
	u64 class;
	u64 private[3];
};

/* What is being handled. */
static void handled_record(u32 site, u32 phase)
{
	enum { DEPENDENT = 1 };
	const struct exception *caught = __cxa_get_globals ? __cxa_get_globals()->caught : NULL;
	const struct type_info *type = NULL;
	const void *object = NULL;
	/* "GNUCC++" and a byte for the kind; an exception of another language is only known to be one. */
	if (caught && caught->class >> 8 == 0x474e5543432b2bu) {
		type = caught->type;
		object = (caught->class & 0xff) == DEPENDENT ? *(void *const *)caught : caught + 1;
		if ((caught->class & 0xff) == DEPENDENT)
			type = ((const struct exception *)object - 1)->type;
	}
	error_record(site, phase, type, object);
}

/* A handler was entered. */
void _tr_ct(_tr_u site)
{
	handled_record(site, 1);
}

/* What it handles is about to be thrown on. */
void _tr_tr(_tr_u site)
{
	handled_record(site, 2);
}

typedef int raise_function(void *);

/* Comes back only if no handler was found: the program is about to end. */
STANDS_IN int _Unwind_RaiseException(void *exception)
{
	static raise_function *next;
	if (!next)
		next = (raise_function *)next_definition("_Unwind_RaiseException");
	const struct type_info *type = thrown_type;
	const void *object = thrown_object;
	int result = next(exception);
	error_record(0, 3, type, object);
	return result;
}
