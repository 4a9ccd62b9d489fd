/* What the Swift half of the emitter calls: the C emitter's recording core with values put one by
 * one, type names kept by type, and tasks told apart.
 *
 * Compiled as one unit with tracer_emit.c. Like that, it calls nothing of the C library. */
#define TRACER_TASK_WRITERS 1
#include "tracer_emit.c"
#include "tasks.h"

/* Probes without values */

void _trs_step(u32 site)
{
	settle();
	_tr_s(site);
}

void _trs_branch(u32 site, u32 arm)
{
	settle();
	_tr_b(site, arm);
}

void _trs_loop(u32 site)
{
	settle();
	_tr_le(site);
}

void _trs_round(u32 site)
{
	settle();
	_tr_li(site);
}

void _trs_over(u32 site)
{
	settle();
	_tr_lx(site);
}

void _trs_out(u32 site)
{
	settle();
	_tr_o(site);
}

/* The call that was entered at this depth ends, if it has not ended before, by an error. */
void _trs_unwind(u32 site, u32 depth)
{
	settle();
	if (writer.depth <= depth)
		return;
	writer.depth = depth + 1;
	before_leaving();
	if (open_record(site, OUT))
		put_byte(2);
	if (!writer.nested)
		writer.leaving = 1;
	_tr_z();
}

u32 _trs_depth(void)
{
	settle();
	return writer.depth;
}

/* Probes with values: if they say so, the values and _tr_z follow. */

u32 _trs_in(u32 site, u32 count)
{
	settle();
	if (!_tr_in(site, count))
		return 0;
	if (!count)
		_tr_z();
	return count;
}

u32 _trs_result(u32 site)
{
	settle();
	return (u32)_tr_on(site);
}

u32 _trs_targets(u32 site, u32 count)
{
	settle();
	return (u32)_tr_ln(site, count);
}

u32 _trs_values(u32 site, u32 count)
{
	settle();
	/* Not worth capturing at every visit. */
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (LIKELY(visits & (visits + 1))) {
			count_visit(site);
			return 0;
		}
	}
	if (open_record(site, VAR)) {
		put_number(count);
		return 1;
	}
	_tr_z();
	return 0;
}

void _trs_var_int(u32 site, int64_t value)
{
	settle();
	var(site, L_SIGNED, N_NONE, (u64)value);
}

void _trs_var_bool(u32 site, _tr_bool value)
{
	settle();
	var(site, L_BOOL, N_NONE, (u64)value);
}

void _trs_var_double(u32 site, double value)
{
	settle();
	var(site, L_DOUBLE, N_NONE, double_bits(value));
}

/* Output, and a depth that an error went back to: the task may have moved since it was last seen. */

void _trs_printed(void)
{
	settle();
	_tr_p();
}

void _trs_caught(u32 depth)
{
	settle();
	_tr_dr(depth);
}

/* Phase 0 raised, 1 caught. A type name and a message value follow. */
u32 _trs_error(u32 site, u32 phase)
{
	settle();
	if (open_record(site, ERR)) {
		put_number(phase);
		return 1;
	}
	_tr_z();
	return 0;
}

/* The frames of an ERR: none are told. */
void _trs_no_frames(void)
{
	HIDDEN_WRITE(put_number(0); put_number(0));
}

/* Values */

/* Bytes that the value in hand may still take. */
int64_t _trs_room(void)
{
	if (!writer.to || writer.nested)
		return -1;
	return (int64_t)channel.value_bytes - (writer.to - writer.start);
}

u32 _trs_limits(u32 which)
{
	return which == 0 ? channel.depth : which == 1 ? channel.elements : channel.characters;
}

void _trs_null(void)
{
	HIDDEN_WRITE(put_byte(V_NULL));
}

void _trs_bool(_tr_bool value)
{
	HIDDEN_WRITE(put_byte(value ? V_TRUE : V_FALSE));
}

void _trs_int(int64_t value)
{
	HIDDEN_WRITE(put_int(value));
}

void _trs_uint(u64 value)
{
	HIDDEN_WRITE(put_uint(value));
}

void _trs_double(double value)
{
	HIDDEN_WRITE(put_double(value));
}

void _trs_float(float value)
{
	HIDDEN_WRITE(put_byte(V_FLOAT); put_bytes(&value, 4));
}

void _trs_character(u32 scalar)
{
	HIDDEN_WRITE(put_byte(V_CHARACTER); put_number(scalar));
}

void _trs_typed(const char *name)
{
	HIDDEN_WRITE(put_typed(name));
}

static u64 fnv(const u8 *at, u64 size)
{
	u64 digest = 0xcbf29ce484222325u;
	while (size--)
		digest = (digest ^ *at++) * 0x100000001b3u;
	return digest;
}

void _trs_string(const u8 *at, u64 size)
{
	if (!writer.to || writer.nested)
		return;
	u64 scanned = size < STRING_SCAN ? size : STRING_SCAN, characters = 0, shown = scanned;
	for (u64 i = 0; i < scanned; i++)
		if ((at[i] & 0xc0) != 0x80 && characters++ == channel.characters)
			shown = i;
	if (scanned < size)
		characters += size - scanned;
	int64_t space = _trs_room() - 32;
	if (space < 0)
		space = 0;
	if (shown > (u64)space) {
		shown = (u64)space;
		while (shown && (at[shown] & 0xc0) == 0x80)
			shown--;
	}
	put_byte(V_STRING);
	put_number(characters);
	put_number(shown * 2 + (shown < size));
	put_bytes(at, (u32)shown);
	if (shown < size) {
		u64 digest = scanned == size ? fnv(at, size) : 0;
		put_bytes(&digest, 8);
	}
}

/* A sequence, map, set or record, whose shown parts follow. */
void _trs_container(u32 kind, const char *type, u64 heap, u64 length, u32 shown, u32 flags)
{
	if (!writer.to || writer.nested)
		return;
	u32 number = intern(type);
	put_byte((u8)kind);
	put_number(number);
	put_number(heap);
	put_number(length);
	put_byte((u8)flags);
	if (flags & 1) {
		u64 none = 0;
		put_bytes(&none, 8);
	}
	put_number(shown);
}

void _trs_name(const char *name)
{
	if (!writer.to || writer.nested)
		return;
	u32 number = intern(name);
	put_number(number);
}

void _trs_enum(const char *type, const char *name)
{
	if (!writer.to || writer.nested)
		return;
	u32 number = intern(type), which = intern(name);
	put_byte(V_ENUM);
	put_number(number);
	put_number(which);
}

void _trs_opaque(const char *type, u64 heap)
{
	if (!writer.to || writer.nested)
		return;
	u32 number = intern(type);
	put_byte(V_OPAQUE);
	put_number(number);
	put_number(heap);
	put_byte(0);
}

void _trs_reference(u64 heap)
{
	HIDDEN_WRITE(put_byte(V_REFERENCE); put_number(heap));
}

/* Names by key (a type's metadata, or a text's digest): made once, kept for good, since the core
 * tells names apart by address. */

enum { KEPT_NAMES = 1024, KEPT_BYTES = 1 << 16 };
static struct {
	u64 key;
	const char *name;
} kept[KEPT_NAMES];
static char kept_bytes[KEPT_BYTES];
static u32 kept_used;

const char *_trs_known(u64 key)
{
	for (u32 at = (u32)(key * 0x9e3779b97f4a7c15u >> 54), tries = 0; tries < KEPT_NAMES;
	     tries++, at = (at + 1) % KEPT_NAMES) {
		u64 found = __atomic_load_n(&kept[at].key, __ATOMIC_ACQUIRE);
		if (found == key)
			return __atomic_load_n(&kept[at].name, __ATOMIC_ACQUIRE);
		if (!found)
			return NULL;
	}
	return "…";
}

const char *_trs_keep_name(u64 key, const u8 *text, u64 size)
{
	if (size > 160)
		size = 160;
	u32 place = __atomic_fetch_add(&kept_used, (u32)size + 1, __ATOMIC_RELAXED);
	if (place + size + 1 > KEPT_BYTES)
		return "…";
	copy((u8 *)kept_bytes + place, text, size);
	for (u32 at = (u32)(key * 0x9e3779b97f4a7c15u >> 54), tries = 0; tries < KEPT_NAMES;
	     tries++, at = (at + 1) % KEPT_NAMES) {
		u64 found = 0;
		if (__atomic_compare_exchange_n(&kept[at].key, &found, key, 0, __ATOMIC_ACQ_REL,
		                                __ATOMIC_ACQUIRE) ||
		    found == key) {
			const char *none = NULL;
			__atomic_compare_exchange_n(&kept[at].name, &none, kept_bytes + place, 0,
			                            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
			return __atomic_load_n(&kept[at].name, __ATOMIC_ACQUIRE);
		}
	}
	return "…";
}

/* From here on glibc's count of written bytes is known. */
__attribute__((constructor(102))) static void watch_output(void)
{
	_tr_pw();
}
