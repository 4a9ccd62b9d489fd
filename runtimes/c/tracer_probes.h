/* The probes. Part of tracer_emit.c. */

#define HIDDEN_WRITE(body)                                                                         \
	do {                                                                                           \
		if (LIKELY(!writer.nested)) {                                                              \
			body;                                                                                  \
		}                                                                                          \
	} while (0)

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
		writer.depth--;
		if (UNLIKELY(writer.mute == MUTE_CALL && writer.depth < writer.mute_depth))
			unmute();
	}
}

void _tr_s(_tr_u site)
{
	if (admit(site) != KEEP)
		return;
	u8 *to = open_small();
	close_small(STEP, put_varint(to, site));
}

/* VAR */

#define PUT(code, type, action)                                                                    \
	void _tr_a_##code(_tr_u unused, type value)                                                    \
	{                                                                                              \
		(void)unused;                                                                              \
		HIDDEN_WRITE(action);                                                                      \
	}                                                                                              \
	void _tr_v_##code(_tr_u site, type value)                                                      \
	{                                                                                              \
		if (open_record(site, VAR)) {                                                              \
			put_byte(1);                                                                           \
			action;                                                                                \
		}                                                                                          \
		_tr_z();                                                                                   \
	}

#define PUT_AS(code, type, put) PUT(code, type, put_typed(_tr_T_##code.name); put(value))
PUT(c, _tr_c, put_char(value))
PUT_AS(sc, _tr_sc, put_int)
PUT_AS(uc, _tr_uc, put_uint)
PUT_AS(h, _tr_h, put_int)
PUT_AS(uh, _tr_uh, put_uint)
PUT(u, _tr_u, put_uint(value))
PUT_AS(l, _tr_l, put_int)
PUT_AS(ul, _tr_ul, put_uint)
PUT_AS(ll, _tr_ll, put_int)
PUT_AS(ull, _tr_ull, put_uint)
PUT(d, _tr_d, put_double(value))
PUT(f, _tr_f, put_byte(V_FLOAT); put_bytes(&value, 4))
PUT(ld, _tr_ld, put_long_double(&value))
PUT(b, _tr_bool, put_byte(value ? V_TRUE : V_FALSE))
PUT(cd, _tr_cd, put_complex(value))
PUT(s, const _tr_c *, put_pointer(value, "char *", &_tr_T_c))
PUT(p, _tr_ptr, put_pointer((const void *)value, "pointer", NULL))
#ifdef __SIZEOF_INT128__
PUT(ix, _tr_ix, put_wide(value < 0 ? -(_tr_ux)value : (_tr_ux)value, value < 0, "__int128"))
PUT(ux, _tr_ux, put_wide(value, 0, "unsigned __int128"))
#endif

void _tr_a_i(_tr_u unused, _tr_i value)
{
	(void)unused;
	HIDDEN_WRITE(put_int(value));
}

/* The commonest probe by far gets a way of its own. */
void _tr_v_i(_tr_u site, _tr_i value)
{
	if (LIKELY(writer.at < writer.limit)) {
		u8 *to = put_varint(open_small(), site);
		*to++ = 1;
		*to++ = V_INT;
		close_small(VAR, put_zigzag(to, value));
		return;
	}
	if (open_record(site, VAR)) {
		put_byte(1);
		put_int(value);
	}
	_tr_z();
}

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

void _tr_in(_tr_u site, _tr_u count)
{
	if (UNLIKELY(writer.limit && writer.left < channel.events / 4)) {
		u8 *entered = site < channel.slot_count ? &channel.entered[site] : NULL;
		if (entered && *entered >= 2) {
			mute(MUTE_CALL, site);
			writer.mute_depth = writer.depth + 1;
		}
	}
	if (LIKELY(channel.state == 1 && site < channel.slot_count) && channel.entered[site] < 2)
		channel.entered[site]++;
	if (open_record(site, IN))
		put_number(count);
	if (!writer.nested)
		writer.depth++;
}

static void drop_loops(void)
{
	while (writer.loop_count && writer.loops[writer.loop_count - 1].depth >= writer.depth)
		writer.loop_count--;
}

static void before_leaving(void)
{
	if (UNLIKELY(writer.loop_count))
		drop_loops();
	if (UNLIKELY(writer.mute == MUTE_LOOP && writer.depth <= writer.mute_depth))
		unmute();
}

void _tr_on(_tr_u site)
{
	before_leaving();
	if (open_record(site, OUT))
		put_byte(1);
	if (!writer.nested)
		writer.leaving = 1;
}

void _tr_o(_tr_u site)
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

void _tr_bn(_tr_u site, _tr_u arm, _tr_u count)
{
	if (open_record(site, BRANCH)) {
		put_number(arm);
		put_number(count);
	}
}

void _tr_b(_tr_u site, _tr_u arm)
{
	if (LIKELY(writer.at < writer.limit)) {
		u8 *to = put_varint(put_varint(open_small(), site), arm);
		*to++ = 0;
		close_small(BRANCH, to);
		return;
	}
	_tr_bn(site, arm, 0);
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

void _tr_k(_tr_u site, _tr_u arm)
{
	if (writer.switch_site != site)
		return;
	writer.switch_site = 0;
	_tr_bn(site, arm, 1);
	HIDDEN_WRITE(put_int(writer.switch_value));
	_tr_z();
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

static void loop_record(u32 site, u32 phase, u32 count)
{
	if (LIKELY(writer.at < writer.limit && !count)) {
		u8 *to = put_varint(open_small(), site);
		*to++ = (u8)phase;
		*to++ = 0;
		close_small(LOOP, to);
		return;
	}
	if (open_record(site, LOOP)) {
		put_byte((u8)phase);
		put_number(count);
	}
	if (!count)
		_tr_z();
}

void _tr_le(_tr_u site)
{
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

void _tr_ln(_tr_u site, _tr_u count)
{
	if (LIKELY(!writer.mute)) {
		struct loop *loop = loop_at(site);
		if (LIKELY(loop != NULL) && ++loop->visits > 2) {
			u32 spent = loop->left - writer.left, share = loop->left / 4;
			if (UNLIKELY(spent > (share > 64 ? share : 64)))
				mute(MUTE_LOOP, site);
		}
	}
	loop_record(site, 1, count);
}

void _tr_li(_tr_u site)
{
	_tr_ln(site, 0);
}

static void leave_loop(u32 site)
{
	if (loop_at(site))
		writer.loop_count--;
	if (UNLIKELY(writer.mute == MUTE_LOOP && writer.mute_site == site &&
	             writer.depth == writer.mute_depth))
		unmute();
}

void _tr_lx(_tr_u site)
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

void _tr_p(void)
{
	int64_t now = progress(stdout);
	if (now > (int64_t)written[1])
		output(1, stdout, (u64)now);
	now = progress(stderr);
	if (now > (int64_t)written[2])
		output(2, stderr, (u64)now);
}
#else
void _tr_pw(void) {}
void _tr_p(void) {}
#endif

__attribute__((constructor(101))) static void begin(void)
{
	if (!channel.state)
		open_channel();
}
