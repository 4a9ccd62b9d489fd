/* TRANSFORM: what an object held before a call that changes it, kept until the call is over. Part of
 * tracer_emit_cpp.c.
 *
 * Nothing of it is in the channel before: a call that never returns has changed nothing that could
 * be told. Calls nest, so each thread has a stack of them. */

enum { CHANGES = 32, CHANGES_BYTES = 64 << 10 };

struct change {
	u32 site, depth, from, to;
};

static __thread struct {
	u8 *bytes;
	u32 count;
	struct change all[CHANGES];
} changes;

/* A value is about to be kept, behind the others, if this says so. */
static int keep_value(u32 from)
{
	enum { ROOM = 8 };
	if (writer.writing || !writer.seen)
		return 0;
	if (!changes.bytes && !(changes.bytes = map(CHANGES_BYTES, -1)))
		return 0;
	u32 most = 4u * channel.value_bytes + 256, left = CHANGES_BYTES - from;
	if (left < ROOM)
		return 0;
	writer.writing = 1;
	writer.limit = NULL;
	/* Names that it needs go to the channel at once. */
	writer.kept = COUNT;
	writer.op = VAR;
	writer.level = writer.path_length = 0;
	writer.start = writer.to = changes.bytes + from;
	writer.bound = writer.start + (left < most ? left : most);
	beyond = 0;
	BARRIER();
	return 1;
}

/* Where it ends; 0 if it did not fit. */
static u32 kept_value(void)
{
	u32 end = writer.to && !writer.nested ? (u32)(writer.to - changes.bytes) : 0;
	BARRIER();
	writer.writing = writer.nested = 0;
	writer.limit = open_limit();
	return end;
}

/* Forgets what calls that are over have left behind. */
static void forget_left(void)
{
	while (changes.count && changes.all[changes.count - 1].depth > writer.depth)
		changes.count--;
}

/* Which of them, from 1, this site of the running call began. */
static u32 change_of(u32 site)
{
	u32 at = changes.count;
	while (at && (changes.all[at - 1].site != site || changes.all[at - 1].depth != writer.depth))
		at--;
	return at;
}

/* An object may be changed: its value follows if this says so, and then _tr_bz. */
_tr_i _tr_bc(_tr_u site)
{
	/* What is only counted is told by its last visits, without what was before. */
	if (channel.state != 1 || is_counted(site) || (!writer.left && !writer.mute))
		return 0;
	forget_left();
	/* A statement of a call is not begun again before it ends: an error left it. */
	u32 before = change_of(site);
	if (before)
		changes.count = before - 1;
	u32 from = changes.count ? changes.all[changes.count - 1].to : 0;
	if (changes.count == CHANGES || !keep_value(from))
		return 0;
	changes.all[changes.count] = (struct change){site, writer.depth, from, 0};
	return 1;
}

void _tr_bz(void)
{
	u32 end = kept_value();
	if (end)
		changes.all[changes.count++].to = end;
}

/* The call is over: the value follows if this says so, and then _tr_cz. */
_tr_i _tr_cc(_tr_u site)
{
	forget_left();
	u32 at = change_of(site);
	if (!at) {
		if (channel.state == 1 && site < channel.slot_count)
			count_visit(site);
		return 0;
	}
	changes.count = at;
	if (keep_value(changes.all[at - 1].to))
		return 1;
	changes.count--;
	return 0;
}

void _tr_cz(void)
{
	u32 end = kept_value();
	struct change *change = &changes.all[--changes.count];
	if (!end)
		return;
	u32 before = change->to - change->from, after = end - change->to;
	const u8 *from = changes.bytes + change->from, *to = changes.bytes + change->to;
	u32 same = before == after;
	for (u32 i = 0; same && i < before; i++)
		same = from[i] == to[i];
	if (same)
		return;
	if (open_record(change->site, TRANSFORM))
		put_bytes(from, before + after);
	_tr_z();
}
