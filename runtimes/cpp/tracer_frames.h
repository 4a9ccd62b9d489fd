/* Calls that end when an object of theirs is destroyed. Part of tracer_emit_cpp.c.
 *
 * A function's first local is such an object, so it is the last to be destroyed, whichever way the
 * function is left. What it returns is known before: it waits here. */

enum { F_RUNS, F_LEFT, F_SCALAR, F_PERHAPS, F_BYTES };
enum { WAITING = 16384, RESUME = 0x10 };

/* As in tracer_emit.hpp. */
struct _tr_frame {
	_tr_u site, state;
	int what, name;
	_tr_ull bits;
};

static __thread u8 waiting[WAITING];
static __thread u32 waiting_length;

struct globals {
	void *caught;
	unsigned int uncaught;
};
extern struct globals *__cxa_get_globals(void) __attribute__((weak));

static u32 uncaught(void)
{
	return __cxa_get_globals ? __cxa_get_globals()->uncaught : 0;
}

/* Whatever follows may still throw, and then it is not left in this way. */
void _tr_fm(struct _tr_frame *frame, _tr_u site)
{
	frame->site = site;
	frame->state = F_PERHAPS;
	frame->bits = uncaught();
}

/* Its result follows if this says so, and then _tr_frz. */
_tr_i _tr_fr(struct _tr_frame *frame, _tr_u site)
{
	frame->site = site;
	frame->state = F_LEFT;
	if (channel.state != 1 || !writer.seen || is_counted(site) || writer.writing ||
	    WAITING - waiting_length < (u32)channel.value_bytes * 2 + 64)
		return 0;
	writer.writing = 1;
	writer.kept = COUNT;
	writer.site = site;
	writer.limit = NULL;
	writer.start = writer.to = waiting + waiting_length;
	writer.bound = waiting + WAITING;
	writer.level = writer.path_length = 0;
	writer.op = OUT;
	beyond = 0;
	return 1;
}

void _tr_frz(struct _tr_frame *frame)
{
	if (writer.nested)
		return;
	if (writer.to) {
		u32 length = (u32)(writer.to - writer.start);
		frame->state = F_BYTES;
		frame->bits = (u64)waiting_length << 32 | length;
		waiting_length += length;
	}
	writer.kept = DROP;
	BARRIER();
	writer.writing = 0;
	writer.limit = open_limit();
}

static OUTLINE void leave(_tr_u site, u32 flags, const struct _tr_frame *frame)
{
	before_leaving();
	if (is_counted(site)) {
		u64 visits = channel.slots[site].visits;
		if (LIKELY(visits & (visits + 1))) {
			count_visit(site);
			left_call();
			return;
		}
	}
	if (open_record(site, OUT)) {
		put_byte((u8)flags);
		if (frame->state == F_SCALAR)
			put_bits((u32)frame->what, frame->name, frame->bits);
		else if (frame->state == F_BYTES)
			put_bytes(waiting + (frame->bits >> 32), (u32)frame->bits);
	}
	if (!writer.nested)
		writer.leaving = 1;
	_tr_z();
}

void _tr_fx(struct _tr_frame *frame)
{
	u32 state = frame->state, flags = 0;
	if (state == F_RUNS || (state == F_PERHAPS && uncaught() > frame->bits))
		flags = 2;
	else if (state == F_SCALAR || state == F_BYTES)
		flags = 1;
	leave(frame->site, flags, frame);
	if (state == F_BYTES)
		waiting_length = (u32)(frame->bits >> 32);
}

/* A coroutine gives up its turn; and goes on. */
void _tr_y(_tr_u site)
{
	enum { SUSPENDED = 4 };
	struct _tr_frame none = {0};
	leave(site, SUSPENDED, &none);
}

void _tr_yr(_tr_u site)
{
	if (open_record(site, RESUME))
		put_byte(0);
	int nested = writer.nested;
	_tr_z();
	if (!nested)
		writer.depth++;
}
