/* The probes. Part of tracer_emit.c. */

#define HIDDEN_WRITE(body)                                                                         \
	do {                                                                                           \
		if (writer.to && LIKELY(!writer.nested)) {                                                              \
			body;                                                                                  \
		}                                                                                          \
	} while (0)

/* The call is over, and its OUT is told or counted. */
static inline void left_call(void)
{
	writer.depth--;
	if (UNLIKELY(writer.mute == MUTE_CALL && writer.depth < writer.mute_depth))
		unmute();
}

void _tr_z(void)
{
	if (UNLIKELY(writer.nested)) {
		writer.nested--;
		return;
	}
	if (LIKELY(writer.kept == KEEP && writer.to)) {
		BARRIER();
		*writer.start = writer.op;
		writer.at = writer.to;
		if (writer.left)
			writer.left--;
	} else if (writer.kept == COUNT && writer.to) {
		struct slot *slot = &channel.slots[writer.site];
		slot->sequence = slot->visits;
		BARRIER();
		slot->length = (u8)(writer.to - writer.start);
	}
	BARRIER();
	writer.writing = 0;
	writer.limit = writer.kept == DROP ? writer.limit : open_limit();
	if (writer.leaving) {
		writer.leaving = 0;
		left_call();
	}
}

void _tr_s(_tr_u site)
{
	if (LIKELY(writer.at < writer.limit)) {
		u8 *limit, *to = open_fast(&limit);
		close_fast(STEP, put_varint(to, site), limit);
	} else if (admit(site) == KEEP) {
		close_small(STEP, put_varint(open_small(), site));
	}
}

/* A function that ends without a return gives whatever was computed last, in practice: probes that
 * may stand behind that must keep the register. */
#if defined __x86_64__
#define KEEPS_RESULT(name)                                                                         \
	__asm__(".text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n"                     \
	        "pushq %rax\npushq %rdx\nsubq $8,%rsp\ncall " #name "_\n"                              \
	        "addq $8,%rsp\npopq %rdx\npopq %rax\nret\n.size " #name ",.-" #name);
#define KEPT(name) __attribute__((used)) name##_
#else
#define KEEPS_RESULT(name)
#define KEPT(name) name
#endif
KEEPS_RESULT(_tr_p)
KEEPS_RESULT(_tr_o)
KEEPS_RESULT(_tr_lx)
KEEPS_RESULT(_tr_k)

/* VAR */

/* Scalars of at most 64 bits: their bits can be kept and told later. */
enum { L_NONE, L_ARM, L_SIGNED, L_UNSIGNED, L_BOOL, L_CHAR, L_DOUBLE, L_FLOAT };

static const struct _tr_type *const basic_types[N_BASIC] = {
	&_tr_T_sc, &_tr_T_uc, &_tr_T_h,  &_tr_T_uh, &_tr_T_l,
	&_tr_T_ul, &_tr_T_ll, &_tr_T_ull, &_tr_T_c};

static void put_bits(u32 what, int name, u64 bits)
{
	if (name != N_NONE && what != L_CHAR)
		put_basic(name, basic_types[name]->name);
	switch (what) {
	case L_SIGNED:
		put_int((int64_t)bits);
		break;
	case L_UNSIGNED:
		put_uint(bits);
		break;
	case L_BOOL:
		put_byte(bits ? V_TRUE : V_FALSE);
		break;
	case L_CHAR:
		put_char((char)bits);
		break;
	case L_FLOAT:
		put_byte(V_FLOAT);
		put_bytes(&bits, 4);
		break;
	default:
		put_byte(V_DOUBLE);
		put_bytes(&bits, 8);
	}
}

/* Writes what a site said last into its slot. */
static void remember(u32 site)
{
	struct last *last = &writer.last[site];
	struct slot *slot = &channel.slots[site];
	if (!last->code)
		return;
	u32 what = last->code & 15;
	slot->length = 0;
	writer.kept = COUNT;
	writer.start = slot->record;
	writer.bound = slot->record + SLOT_RECORD;
	*writer.start = what == L_ARM ? BRANCH : VAR;
	writer.to = put_varint(writer.start + 1, site);
	if (what == L_ARM) {
		put_number(last->bits);
		put_byte(0);
	} else {
		put_byte(1);
		put_bits(what, (int)(last->code >> 4) - 1, last->bits);
	}
	if (writer.to) {
		slot->sequence = slot->visits;
		BARRIER();
		slot->length = (u8)(writer.to - writer.start);
	}
	last->code = 0;
}

static OUTLINE void var_slowly(u32 site, u32 what, int name, u64 bits)
{
	if (is_counted(site)) {
		count_scalar(site, bits, what | (u32)(name + 1) << 4);
		/* A crash loses nothing that was recorded; of what is only counted, little. */
		u64 visits = channel.slots[site].visits;
		if (!(visits & (visits - 1)))
			remember(site);
		return;
	}
	if (open_record(site, VAR)) {
		put_byte(1);
		put_bits(what, name, bits);
	}
	_tr_z();
}

static inline void var(u32 site, u32 what, int name, u64 bits)
{
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (LIKELY(visits & (visits + 1))) {
			count_scalar(site, bits, what | (u32)(name + 1) << 4);
			return;
		}
	} else if (LIKELY(writer.at < writer.limit) &&
	           (name == N_NONE || LIKELY(writer.interned[0] >> name & 1)) && what != L_CHAR) {
		u8 *limit, *to = put_varint(open_fast(&limit), site);
		*to++ = 1;
		if (name != N_NONE) {
			*to++ = V_TYPED;
			*to++ = (u8)(name + 1);
		}
		if (what == L_SIGNED) {
			*to++ = V_INT;
			to = put_zigzag(to, (int64_t)bits);
		} else if (what == L_UNSIGNED) {
			*to++ = V_UINT;
			to = put_varint(to, bits);
		} else if (what == L_BOOL) {
			*to++ = bits ? V_TRUE : V_FALSE;
		} else {
			u32 size = what == L_FLOAT ? 4 : 8;
			*to++ = what == L_FLOAT ? V_FLOAT : V_DOUBLE;
			copy(to, &bits, size);
			to += size;
		}
		close_fast(VAR, to, limit);
		return;
	}
	var_slowly(site, what, name, bits);
}

#define SCALAR(code, type, what, name, bits)                                                       \
	void _tr_a_##code(_tr_u unused, type value)                                                    \
	{                                                                                              \
		(void)unused;                                                                              \
		if (writer.to && LIKELY(!writer.nested))                                                   \
			put_bits(what, name, bits);                                                            \
	}                                                                                              \
	void _tr_v_##code(_tr_u site, type value)                                                      \
	{                                                                                              \
		var(site, what, name, bits);                                                               \
	}

static inline u64 double_bits(double value)
{
	u64 bits;
	copy((u8 *)&bits, &value, 8);
	return bits;
}

static inline u64 float_bits(float value)
{
	u64 bits = 0;
	copy((u8 *)&bits, &value, 4);
	return bits;
}

SCALAR(c, _tr_c, L_CHAR, N_c, (u64)value)
SCALAR(sc, _tr_sc, L_SIGNED, N_sc, (u64)value)
SCALAR(uc, _tr_uc, L_UNSIGNED, N_uc, (u64)value)
SCALAR(h, _tr_h, L_SIGNED, N_h, (u64)value)
SCALAR(uh, _tr_uh, L_UNSIGNED, N_uh, (u64)value)
SCALAR(i, _tr_i, L_SIGNED, N_NONE, (u64)(int64_t)value)
SCALAR(u, _tr_u, L_UNSIGNED, N_NONE, (u64)value)
SCALAR(l, _tr_l, L_SIGNED, N_l, (u64)value)
SCALAR(ul, _tr_ul, L_UNSIGNED, N_ul, (u64)value)
SCALAR(ll, _tr_ll, L_SIGNED, N_ll, (u64)value)
SCALAR(ull, _tr_ull, L_UNSIGNED, N_ull, (u64)value)
SCALAR(d, _tr_d, L_DOUBLE, N_NONE, double_bits(value))
SCALAR(f, _tr_f, L_FLOAT, N_NONE, float_bits(value))
SCALAR(b, _tr_bool, L_BOOL, N_NONE, (u64)value)

/* Whatever else there is. */
#define VALUE(code, type, action)                                                                  \
	void _tr_a_##code(_tr_u unused, type value)                                                    \
	{                                                                                              \
		(void)unused;                                                                              \
		if (writer.to && LIKELY(!writer.nested)) {                                                 \
			action;                                                                                \
		}                                                                                          \
	}                                                                                              \
	void _tr_v_##code(_tr_u site, type value)                                                      \
	{                                                                                              \
		if (open_record(site, VAR)) {                                                              \
			put_byte(1);                                                                           \
			action;                                                                                \
		}                                                                                          \
		_tr_z();                                                                                   \
	}

VALUE(ld, _tr_ld, put_long_double(&value))
VALUE(cd, _tr_cd, put_complex(value))
VALUE(s, const _tr_c *, put_pointer(value, "char *", &_tr_T_c))
VALUE(p, _tr_ptr, put_pointer((const void *)value, "pointer", NULL))
#ifdef __SIZEOF_INT128__
VALUE(ix, _tr_ix, put_wide(value < 0 ? -(_tr_ux)value : (_tr_ux)value, value < 0, "__int128"))
VALUE(ux, _tr_ux, put_wide(value, 0, "unsigned __int128"))
#endif

void _tr_a_o(_tr_u unused, ...)
{
	(void)unused;
	HIDDEN_WRITE(put_opaque("struct", ""));
}

void _tr_v_o(_tr_u site, ...)
{
	if (open_record(site, VAR)) {
		put_byte(1);
		put_opaque("struct", "");
	}
	_tr_z();
}

void _tr_aq(_tr_ptr value, const _tr_c *name, const struct _tr_type *to)
{
	HIDDEN_WRITE(put_pointer((const void *)value, name, to));
}

void _tr_ar(_tr_ptr at, const struct _tr_type *type)
{
	HIDDEN_WRITE(put_value((const void *)at, type));
}

void _tr_ae(_tr_ll value, const struct _tr_type *type)
{
	HIDDEN_WRITE(put_integer(value, type));
}

void _tr_vq(_tr_u site, _tr_ptr value, const _tr_c *name, const struct _tr_type *to)
{
	if (open_record(site, VAR)) {
		put_byte(1);
		put_pointer((const void *)value, name, to);
	}
	_tr_z();
}

void _tr_vr(_tr_u site, _tr_ptr at, const struct _tr_type *type)
{
	if (open_record(site, VAR)) {
		put_byte(1);
		put_value((const void *)at, type);
	}
	_tr_z();
}

void _tr_ve(_tr_u site, _tr_ll value, const struct _tr_type *type)
{
	if (open_record(site, VAR)) {
		put_byte(1);
		put_integer(value, type);
	}
	_tr_z();
}

/* Functions */

_tr_i _tr_in(_tr_u site, _tr_u count)
{
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (LIKELY(visits & (visits + 1))) {
			count_visit(site);
			writer.depth++;
			return 0;
		}
	}
	if (UNLIKELY(writer.limit && writer.left < writer.scarce)) {
		u8 *entered = site < channel.slot_count ? &channel.entered[site] : NULL;
		if (entered && *entered >= 2) {
			mute(MUTE_CALL, site);
			writer.mute_depth = writer.depth + 1;
		}
	}
	if (LIKELY(channel.state == 1 && site < channel.slot_count) && channel.entered[site] < 2)
		channel.entered[site]++;
	int open = open_record(site, IN);
	if (!writer.nested)
		writer.depth++;
	if (open)
		put_number(count);
	else
		_tr_z();
	return open;
}

static OUTLINE void drop_loops(void)
{
	while (writer.loop_count && writer.loops[writer.loop_count - 1].depth >= writer.depth)
		writer.loop_count--;
}

static void before_leaving(void)
{
	if (writer.loop_count && UNLIKELY(writer.loops[writer.loop_count - 1].depth >= writer.depth))
		drop_loops();
	if (UNLIKELY(writer.mute == MUTE_LOOP && writer.depth <= writer.mute_depth))
		unmute();
}

_tr_i _tr_on(_tr_u site)
{
	before_leaving();
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (LIKELY(visits & (visits + 1))) {
			count_visit(site);
			left_call();
			return 0;
		}
	}
	int open = open_record(site, OUT);
	if (open)
		put_byte(1);
	if (!writer.nested)
		writer.leaving = 1;
	if (!open)
		_tr_z();
	return open;
}

void KEPT(_tr_o)(_tr_u site)
{
	before_leaving();
	if (open_record(site, OUT))
		put_byte(0);
	if (!writer.nested)
		writer.leaving = 1;
	_tr_z();
}

_tr_u _tr_dg(void)
{
	return writer.depth;
}

void _tr_dr(_tr_u depth)
{
	if (writer.depth == depth)
		return;
	writer.writing = writer.nested = writer.leaving = 0;
	writer.depth = depth;
	while (writer.loop_count && writer.loops[writer.loop_count - 1].depth > depth)
		writer.loop_count--;
	if (writer.mute && writer.mute != MUTE_ALL && depth < writer.mute_depth)
		unmute();
	else if (writer.seen && !writer.mute && room(SMALL))
		write_depth();
	if (writer.seen)
		writer.limit = open_limit();
}

/* Branches */

_tr_i _tr_bn(_tr_u site, _tr_u arm, _tr_u count)
{
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (LIKELY(visits & (visits + 1))) {
			count_scalar(site, arm, L_ARM);
			return 0;
		}
	}
	if (!open_record(site, BRANCH)) {
		_tr_z();
		return 0;
	}
	put_number(arm);
	put_number(count);
	return 1;
}

void _tr_b(_tr_u site, _tr_u arm)
{
	if (LIKELY(writer.at < writer.limit)) {
		u8 *limit, *to = put_varint(put_varint(open_fast(&limit), site), arm);
		*to++ = 0;
		close_fast(BRANCH, to, limit);
		return;
	}
	if (is_counted(site)) {
		count_scalar(site, arm, L_ARM);
		return;
	}
	if (_tr_bn(site, arm, 0))
		_tr_z();
}

_tr_i _tr_t(_tr_u site, _tr_i truth)
{
	_tr_b(site, truth != 0);
	return truth;
}

void _tr_w(_tr_u site, _tr_ll value)
{
	writer.switch_site = site;
	writer.switch_value = value;
}

void KEPT(_tr_k)(_tr_u site, _tr_u arm)
{
	if (writer.switch_site != site)
		return;
	writer.switch_site = 0;
	if (_tr_bn(site, arm, 1)) {
		put_int(writer.switch_value);
		_tr_z();
	}
}

/* Loops */

static struct loop *loop_at(u32 site)
{
	for (u32 i = writer.loop_count; i--;) {
		struct loop *loop = &writer.loops[i];
		if (loop->depth < writer.depth)
			break;
		if (loop->depth == writer.depth && loop->site == site) {
			writer.loop_count = i + 1;
			return loop;
		}
	}
	return NULL;
}

static int loop_record(u32 site, u32 phase, u32 count)
{
	if (LIKELY(writer.at < writer.limit && !count)) {
		u8 *limit, *to = put_varint(open_fast(&limit), site);
		*to++ = (u8)phase;
		*to++ = 0;
		close_fast(LOOP, to, limit);
		return 0;
	}
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (!count || LIKELY(visits & (visits + 1))) {
			count_visit(site);
			return 0;
		}
	}
	int open = open_record(site, LOOP);
	if (open) {
		put_byte((u8)phase);
		put_number(count);
	}
	if (!count || !open)
		_tr_z();
	return open;
}

void _tr_le(_tr_u site)
{
	if (writer.mute) {
		/* No loop can mute what is muted already. */
		loop_record(site, 0, 0);
		return;
	}
	struct loop *loop = loop_at(site);
	if (!loop) {
		if (writer.loop_count < LOOPS)
			loop = &writer.loops[writer.loop_count++];
	}
	loop_record(site, 0, 0);
	if (loop) {
		loop->site = site;
		loop->depth = writer.depth;
		loop->visits = 0;
		loop->left = writer.left;
	}
}

_tr_i _tr_ln(_tr_u site, _tr_u count)
{
	if (LIKELY(!writer.mute)) {
		struct loop *loop = loop_at(site);
		if (LIKELY(loop != NULL) && ++loop->visits > 2) {
			u32 spent = loop->left - writer.left, share = loop->left / 4;
			if (UNLIKELY(spent > (share > 64 ? share : 64)))
				mute(MUTE_LOOP, site);
		}
	}
	return loop_record(site, 1, count);
}

void _tr_li(_tr_u site)
{
	if (is_counted(site))
		count_visit(site);
	else
		_tr_ln(site, 0);
}

static inline void leave_loop(u32 site)
{
	if (writer.mute) {
		if (LIKELY(writer.mute != MUTE_LOOP || writer.mute_site != site ||
		           writer.depth != writer.mute_depth))
			return;
		unmute();
	}
	if (loop_at(site))
		writer.loop_count--;
}

void KEPT(_tr_lx)(_tr_u site)
{
	leave_loop(site);
	loop_record(site, 2, 0);
}

void _tr_g(_tr_u site)
{
	/* Whatever loops of this call lie further in were left by the goto. */
	while (writer.loop_count) {
		struct loop *loop = &writer.loops[writer.loop_count - 1];
		if (loop->depth < writer.depth || loop->site == site)
			break;
		if (site && loop->site < site && writer.loop_count > 1 &&
		    writer.loops[writer.loop_count - 2].depth < writer.depth)
			break;
		leave_loop(loop->site);
	}
}

/* Output */

#ifdef __GLIBC__
extern FILE *stdout __attribute__((weak));
extern FILE *stderr __attribute__((weak));
static u64 written[3];

static int64_t progress(FILE *file)
{
	/* glibc counts flushed bytes where it knows the offset, which _tr_pw told it. */
	if (!file || file->_offset < 0)
		return -1;
	return file->_offset + (file->_IO_write_ptr - file->_IO_write_base);
}

void _tr_pw(void)
{
	if (channel.state != 1)
		return;
	FILE *files[3] = {NULL, &stdout ? stdout : NULL, &stderr ? stderr : NULL};
	for (u32 i = 1; i < 3; i++)
		if (files[i] && files[i]->_offset < 0) {
			files[i]->_offset = 0;
			written[i] = 0;
		}
}

static COLD void output(u32 stream, FILE *file, u64 now)
{
	u64 length = now - written[stream];
	written[stream] = now;
	if (writer.mute || writer.writing || !writer.left || !writer.seen || !room(STDOUT_TEXT + SMALL))
		return;
	u64 pending = (u64)(file->_IO_write_ptr - file->_IO_write_base);
	u32 shown = length > STDOUT_TEXT ? STDOUT_TEXT : (u32)length;
	if (pending < length)
		shown = 0;
	u8 *to = open_small();
	*to++ = (u8)stream;
	to = put_varint(put_varint(to, length), shown);
	copy(to, file->_IO_write_ptr - length, shown);
	close_small(STDOUT, to + shown);
}

void KEPT(_tr_p)(void)
{
	int64_t now = progress(stdout);
	if (now > (int64_t)written[1])
		output(1, stdout, (u64)now);
	now = progress(stderr);
	if (now > (int64_t)written[2])
		output(2, stderr, (u64)now);
}
#elif defined __wasm__
/* The C library of modules is musl's, whose streams begin with these fields. */
struct stream {
	u32 flags;
	u8 *read_at, *read_end;
	int (*close)(FILE *);
	u8 *write_end, *write_at, *write_base;
	size_t (*read)(FILE *, u8 *, size_t);
	size_t (*write)(FILE *, const u8 *, size_t);
};

typedef size_t writing(FILE *, const u8 *, size_t);
static writing *library[3], *own[3];
static u64 flushed[3], written[3];
/* The beginning of what was flushed and is not told yet. */
static u8 untold[3][STDOUT_TEXT];
static u32 kept_back[3];

static void keep_back(u32 number, const u8 *text, size_t length)
{
	u32 left = STDOUT_TEXT - kept_back[number];
	u32 part = length < left ? (u32)length : left;
	copy(untold[number] + kept_back[number], text, part);
	kept_back[number] += part;
}

/* Stands in for a stream's own function, and notes what it passes on. */
static size_t count_flush(u32 number, FILE *file, const u8 *more, size_t length)
{
	struct stream *stream = (struct stream *)file;
	u64 pending = (u64)(stream->write_at - stream->write_base);
	u64 unsaid = flushed[number] + pending - written[number];
	u64 last = unsaid < pending ? unsaid : pending;
	keep_back(number, stream->write_at - last, (size_t)last);
	keep_back(number, more, length);
	flushed[number] += pending + length;
	size_t result = library[number](file, more, length);
	if (stream->write != own[number]) {
		/* The first write of stdout finds out what it is, and takes another function from then on. */
		library[number] = stream->write;
		stream->write = own[number];
	}
	return result;
}

static size_t flush_stdout(FILE *file, const u8 *more, size_t length)
{
	return count_flush(1, file, more, length);
}

static size_t flush_stderr(FILE *file, const u8 *more, size_t length)
{
	return count_flush(2, file, more, length);
}

static void watch(u32 number, FILE *file, writing *counting)
{
	struct stream *stream = (struct stream *)file;
	if (library[number])
		return;
	library[number] = stream->write;
	stream->write = own[number] = counting;
}

/* Tells what came since the last time. */
static COLD void output(u32 number, FILE *file)
{
	struct stream *stream = (struct stream *)file;
	u64 pending = (u64)(stream->write_at - stream->write_base);
	u64 length = flushed[number] + pending - written[number];
	if (!length)
		return;
	u32 before = kept_back[number];
	kept_back[number] = 0;
	written[number] += length;
	if (writer.mute || writer.writing || !writer.left || !writer.seen || !room(STDOUT_TEXT + SMALL))
		return;
	u64 waiting = length < pending ? length : pending;
	u32 after = STDOUT_TEXT - before < waiting ? STDOUT_TEXT - before : (u32)waiting;
	u8 *to = open_small();
	*to++ = (u8)number;
	to = put_varint(put_varint(to, length), before + after);
	copy(to, untold[number], before);
	copy(to + before, stream->write_at - waiting, after);
	close_small(STDOUT, to + before + after);
}

void _tr_pw(void)
{
	if (channel.state != 1)
		return;
	watch(1, stdout, flush_stdout);
	watch(2, stderr, flush_stderr);
}

void KEPT(_tr_p)(void)
{
	output(1, stdout);
	output(2, stderr);
}
#else
void _tr_pw(void) {}
void KEPT(_tr_p)(void) {}
#endif

__attribute__((constructor(101))) static void begin(void)
{
	if (!channel.state)
		open_channel();
}

/* What was only counted says its last value at a normal end too. */
__attribute__((destructor(101))) static void finish(void)
{
	if (channel.state != 1 || !writer.mute || writer.writing)
		return;
	for (u32 i = 0; i < writer.visited_count; i++)
		if (channel.slots[writer.visited[i]].visits)
			remember(writer.visited[i]);
}
