/* The C emitter: writes what probes report into the shared trace channel.
 *
 * The byte format is tracer-stream's FORMAT.md. Nothing here calls the C library: the program may
 * define malloc, write or memcpy itself, be in a signal handler, or have a broken heap. It touches
 * neither errno nor the floating-point environment, takes no lock, and keeps recorded events
 * nowhere but in the channel. */
#define _GNU_SOURCE 1
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#ifndef __wasm__
#include <sys/syscall.h>
#endif

#include "tracer_emit.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define BARRIER() __asm__ volatile("" ::: "memory")
#define COLD __attribute__((noinline, cold))
/* Copies in every probe would only cost time to compile. */
#define OUTLINE __attribute__((noinline))

enum { STEP = 1, VAR, IN, OUT, BRANCH, LOOP, ERR, TRANSFORM, STDOUT = 10, TASK, ELIDE, DEPTH, INTERN, LIMIT };
enum { ORIGIN_MAIN, ORIGIN_THREAD, ORIGIN_PROCESS };
enum { MUTE_NONE, MUTE_LOOP, MUTE_CALL, MUTE_ALL };
/* What becomes of a record. */
enum { DROP, KEEP, COUNT };

enum {
	SLOT_RECORD = 47,
	SEGMENT_HEADER = 32,
	/* Longest record without strings or containers, and what INTERN and DEPTH may put before. */
	SMALL = 128,
	LOOPS = 48,
	NAMES = 1024,
	STDOUT_TEXT = 1024
};

struct slot {
	u64 visits, sequence;
	u8 length, record[SLOT_RECORD];
};

/* One process's view of the channel. */
static struct {
	u8 *base;
	struct slot *slots;
	u8 *segments;
	u8 *entered; /* visits of each function's IN site, up to 3 */
	u32 slot_count, segment_count, segment_size;
	u32 events, elements, characters, value_bytes;
	u8 depth, detail;
	u8 state; /* 0 not looked for, 1 ready, 2 there is none */
	u32 threads;
} channel;

struct loop {
	u32 site, depth, visits, left;
};

/* What a site said last while it was only counted: bits and what they are. */
struct last {
	u64 bits;
	u32 code;
};

/* One thread's writer, or one task's. The hot fields come first. */
struct stream_writer {
	u8 *at;    /* next byte of the segment */
	u8 *limit; /* below it a small record fits and may be written; 0 sends probes the slow way */
	u32 left;  /* events that may still be recorded */
	u32 scarce; /* below this, calls seen before are muted */
	u32 depth; /* calls on the stack */
	struct last *last;
	u8 *seen;  /* visits of each site recorded within this mute, up to 2 */
	u8 mute;
	u8 writing; /* a record is being written: a probe that comes meanwhile is a signal handler's */
	u8 kept;
	u8 nested;
	u8 unheard; /* it only counts, and never has a segment */
	u8 op;      /* of the record being written */
	u8 leaving; /* it is an OUT: the call is left when it is complete */
	u32 site;
	u8 *start, *to, *bound; /* the record being written, its next byte, its bound */
	u8 *segment_end;
	u32 mute_depth, mute_site;
	u32 *visited;
	u32 visited_count;
	u32 loop_count;
	u32 stream, children, parent, origin, ordinal, parent_site, next_stream, task_site;
	u32 switch_site;
	_tr_ll switch_value;
	u32 level; /* nesting of the value being written */
	u32 path_length;
	u64 interned[NAMES / 64];
	struct loop loops[LOOPS];
};

#ifdef TRACER_TASK_WRITERS
/* Where tasks move from thread to thread, their writers go with them: a thread knows how far from
 * its own the writer is that it uses now. */
static __thread struct stream_writer thread_writer;
static __thread ptrdiff_t writer_distance;
#define writer (*(struct stream_writer *)((char *)&thread_writer + writer_distance))
#else
static __thread struct stream_writer writer;
#endif

/* Kernel and memory, without the C library. */

#if defined __wasm__
/* The machine around a module lays the channel over pages of the module's own memory. */
#define FROM_MACHINE(name) __attribute__((import_module("tracer"), import_name(name)))
extern u32 channel_size(void) FROM_MACHINE("size");
extern int lay_channel(void *, size_t) FROM_MACHINE("map");

/* Fresh memory of the module, zeroed and at the start of a page; NULL if there is none left. */
static void *map(size_t size, int descriptor)
{
	enum { PAGE_SIZE = 65536 };
	size_t before = __builtin_wasm_memory_grow(0, (size + PAGE_SIZE - 1) / PAGE_SIZE);
	if (before == (size_t)-1)
		return NULL;
	void *at = (void *)(before * PAGE_SIZE);
	return descriptor >= 0 && lay_channel(at, size) ? NULL : at;
}
#else
static long kernel(long number, long a, long b, long c, long d, long e, long f)
{
#if defined __x86_64__
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return result;
#elif defined __aarch64__
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
	                 : "+r"(x0)
	                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	                 : "memory");
	return x0;
#else
#error "the emitter knows the system calls of x86-64 and aarch64 only"
#endif
}

static void *map(size_t size, int descriptor)
{
	enum { READ_WRITE = 3, SHARED = 1, PRIVATE_ANONYMOUS = 0x22 };
	long at = kernel(SYS_mmap, 0, (long)size, READ_WRITE,
	                 descriptor < 0 ? PRIVATE_ANONYMOUS : SHARED, descriptor, 0);
	return at < 0 && at > -4096 ? NULL : (void *)at;
}
#endif

static void copy(u8 *to, const void *from, size_t n)
{
	const u8 *bytes = from;
	while (n--)
		*to++ = *bytes++;
}

static u32 field(size_t offset)
{
	u32 value;
	copy((u8 *)&value, channel.base + offset, 4);
	return value;
}

/* Varints */

static inline u8 *put_varint(u8 *to, u64 n)
{
	while (n >= 0x80) {
		*to++ = (u8)(n | 0x80);
		n >>= 7;
	}
	*to++ = (u8)n;
	return to;
}

static inline u8 *put_zigzag(u8 *to, int64_t n)
{
	return put_varint(to, ((u64)n << 1) ^ (u64)(n >> 63));
}

/* Finding the channel */

static void before_fork(void);
static void in_parent(void);
static void in_child(void);

#ifdef __wasm__
/* Maps the whole channel, if there is one. */
static int map_channel(void)
{
	u32 size = channel_size();
	channel.base = size ? map(size, 0) : NULL;
	return channel.base != NULL;
}
#else
extern char **environ __attribute__((weak));

/* Takes NAME=<number> out of the environment. -1 if it is not there. */
static int take_variable(const char *name)
{
	if (!&environ || !environ)
		return -1;
	for (char **entry = environ; *entry; entry++) {
		const char *text = *entry, *want = name;
		while (*want && *text == *want)
			text++, want++;
		if (*want || *text != '=')
			continue;
		int number = 0;
		while (*++text >= '0' && *text <= '9')
			number = number * 10 + (*text - '0');
		do
			entry[0] = entry[1];
		while (*entry++);
		return number;
	}
	return -1;
}

static int map_channel(void)
{
	int descriptor = take_variable("TRACER_CHANNEL");
	if (descriptor < 0)
		return 0;
	u64 head[512] __attribute__((aligned(8)));
	u8 *header = (u8 *)head;
	if (kernel(SYS_pread64, descriptor, (long)header, 72, 0, 0, 0) != 72 || header[0] != 'T' ||
	    header[1] != 'R' || header[2] != 'C' || header[3] != 'S')
		return 0;
	channel.base = header;
	channel.base = map((size_t)field(40) + (size_t)field(36) * field(44), descriptor);
	kernel(SYS_close, descriptor, 0, 0, 0, 0, 0);
	return channel.base != NULL;
}
#endif

extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *)
	__attribute__((weak));

static void open_channel(void)
{
	channel.state = 2;
	if (!map_channel())
		return;
	u32 slots = channel.slot_count = field(28);
	channel.segment_count = field(36);
	channel.segment_size = field(44);
	channel.slots = (struct slot *)(channel.base + field(24));
	channel.segments = channel.base + field(40);
	channel.events = field(48);
	channel.depth = channel.base[56];
	channel.detail = channel.base[57];
	channel.elements = field(58) & 0xffff;
	channel.characters = field(60) & 0xffff;
	channel.value_bytes = field(62) & 0xffff;
	channel.entered = map(slots, -1);
	if (!channel.entered)
		return;
	if (__register_atfork)
		__register_atfork(before_fork, in_parent, in_child, NULL);
	channel.state = 1;
}

/* Segments */

static int claim_segment(void)
{
	if (channel.state != 1 || writer.unheard)
		return 0;
	u32 *claimed = (u32 *)(channel.base + 64);
	u32 number = __atomic_load_n(claimed, __ATOMIC_RELAXED);
	do {
		if (number >= channel.segment_count)
			return 0;
	} while (!__atomic_compare_exchange_n(claimed, &number, number + 1, 1, __ATOMIC_RELAXED,
	                                      __ATOMIC_RELAXED));
	u8 *segment = channel.segments + (size_t)number * channel.segment_size;
	u32 header[8] = {0};
	header[1] = writer.stream;
	header[2] = writer.parent;
	header[3] = writer.origin;
	copy((u8 *)&header[4], channel.base + 8, 8);
	header[6] = writer.parent_site;
	header[7] = writer.ordinal;
	copy(segment + 4, (u8 *)header + 4, SEGMENT_HEADER - 4);
	BARRIER();
	copy(segment, "SEG1", 4);
	writer.at = segment + SEGMENT_HEADER;
	writer.segment_end = segment + channel.segment_size;
	return 1;
}

/* The limit that holds when no record is being written. */
static inline u8 *open_limit(void)
{
	return writer.mute || !writer.left ? NULL : writer.segment_end - SMALL;
}

static COLD int begin_stream(void)
{
	u32 *begun = (u32 *)(channel.base + 68);
	if (!writer.origin && writer.stream == 0)
		writer.stream = __atomic_fetch_add(begun, 1, __ATOMIC_RELAXED);
	if (!writer.origin && writer.stream != 0) {
		/* A thread that was not announced. */
		writer.origin = ORIGIN_THREAD;
		writer.parent = 1;
		channel.threads = 1;
	}
	size_t slots = channel.slot_count;
	u8 *memory = map(slots * (sizeof(struct last) + 5), -1);
	if (!memory)
		return 0;
	writer.last = (struct last *)memory;
	writer.visited = (u32 *)(writer.last + slots);
	writer.seen = (u8 *)(writer.visited + slots);
	writer.left = channel.events ? channel.events : 1;
	/* Every stream has its own budget, so that one thread's does not hang on another's pace. */
	if (writer.origin)
		writer.left = writer.left / 4 + 1;
	writer.scarce = writer.left / 4;
	if (!claim_segment()) {
		writer.left = 0;
		writer.mute = MUTE_ALL;
		writer.at = writer.segment_end = NULL;
	}
	writer.limit = open_limit();
	return 1;
}

/* Muting */

static inline void count_visit(u32 site)
{
	struct slot *slot = &channel.slots[site];
	if (UNLIKELY(channel.threads))
		__atomic_fetch_add(&slot->visits, 1, __ATOMIC_RELAXED);
	else
		slot->visits++;
}

static void remember(u32 site);

static void write_depth(void)
{
	if (!writer.at || writer.at + 16 > writer.segment_end)
		return;
	u8 *end = put_varint(writer.at + 1, writer.depth);
	BARRIER();
	*writer.at = DEPTH;
	writer.at = end;
}

static int room(u32 size)
{
	return (writer.at && writer.at + size <= writer.segment_end) || claim_segment();
}

static COLD void mute(u32 why, u32 site)
{
	writer.mute = (u8)why;
	writer.mute_depth = writer.depth;
	writer.mute_site = site;
	writer.limit = NULL;
}

/* Tells what was left out, and records again. */
static COLD void unmute(void)
{
	for (u32 i = 0; i < writer.visited_count; i++) {
		u32 site = writer.visited[i];
		struct slot *slot = &channel.slots[site];
		writer.seen[site] = 0;
		if (!slot->visits)
			continue;
		remember(site);
		if (!writer.left || !room(SMALL))
			continue;
		u8 *to = put_varint(writer.at + 1, site);
		to = put_varint(to, slot->visits);
		/* Only the last visit's record may stand for it. */
		u32 length = slot->sequence == slot->visits ? slot->length : 0;
		to = put_varint(to, length);
		copy(to, slot->record, length);
		BARRIER();
		*writer.at = ELIDE;
		writer.at = to + length;
		writer.left--;
		slot->visits = slot->sequence = 0;
		slot->length = 0;
	}
	writer.visited_count = 0;
	writer.mute = MUTE_NONE;
	if (room(SMALL))
		write_depth();
	writer.limit = open_limit();
}

/* Where the fast way is closed: what to do with a visit of this site. */
static COLD int decide(u32 site)
{
	if (UNLIKELY(channel.state != 1)) {
		if (channel.state == 2)
			return DROP;
		open_channel();
		if (channel.state != 1)
			return DROP;
	}
	if (site >= channel.slot_count)
		return DROP;
	if (UNLIKELY(!writer.seen) && !begin_stream())
		return DROP;
	if (writer.writing || (!writer.limit && !writer.mute && writer.left)) {
		/* A signal handler's probe has interrupted another: it is only counted. */
		count_visit(site);
		return DROP;
	}
	if (!writer.mute && !writer.left) {
		if (room(SMALL)) {
			writer.at[1] = 0;
			BARRIER();
			*writer.at = LIMIT;
			writer.at += 2;
		}
		mute(MUTE_ALL, site);
	}
	if (writer.mute) {
		if (writer.seen[site] >= 2) {
			count_visit(site);
			return COUNT;
		}
		if (!writer.seen[site]++)
			writer.visited[writer.visited_count++] = site;
		if (!room(SMALL)) {
			count_visit(site);
			return COUNT;
		}
		write_depth();
		return KEEP;
	}
	if (!room(SMALL)) {
		writer.at[0] = 0;
		mute(MUTE_ALL, site);
		count_visit(site);
		return COUNT;
	}
	return KEEP;
}

/* Whether a visit is only counted, which must be quick. */
static inline int is_counted(u32 site)
{
	return writer.mute && LIKELY(writer.seen[site] >= 2 && !writer.writing);
}

/* A decision for a record without a value worth keeping when it is only counted. */
static inline int admit(u32 site)
{
	if (LIKELY(writer.at < writer.limit))
		return KEEP;
	if (is_counted(site)) {
		count_visit(site);
		return COUNT;
	}
	return decide(site);
}

/* Counts a visit of a site that says a scalar, and keeps that. */
static inline void count_scalar(u32 site, u64 bits, u32 code)
{
	count_visit(site);
	writer.last[site].bits = bits;
	writer.last[site].code = code;
}

/* Small records, written in one go */

static inline u8 *open_small(void)
{
	writer.limit = NULL;
	writer.writing = 1;
	BARRIER();
	return writer.at + 1;
}

static inline void close_small(u8 op, u8 *end)
{
	BARRIER();
	*writer.at = op;
	writer.at = end;
	if (LIKELY(writer.left))
		writer.left--;
	BARRIER();
	writer.writing = 0;
	writer.limit = open_limit();
}

/* The same for a site that may write at once: one load, one compare. */
static inline u8 *open_fast(u8 **limit)
{
	*limit = writer.limit;
	writer.limit = NULL;
	BARRIER();
	return writer.at + 1;
}

static inline void close_fast(u8 op, u8 *end, u8 *limit)
{
	BARRIER();
	*writer.at = op;
	writer.at = end;
	BARRIER();
	writer.limit = LIKELY(--writer.left) ? limit : NULL;
}

/* Records of several values: open_record, values, _tr_z */

static OUTLINE int open_record(u32 site, u8 op)
{
	if (UNLIKELY(writer.writing)) {
		writer.nested++;
		count_visit(site);
		return 0;
	}
	int what = admit(site);
	writer.site = site;
	if (what == COUNT) {
		/* Not worth capturing at every visit. */
		u64 visits = channel.slots[site].visits;
		if (visits & (visits - 1))
			what = DROP;
	}
	if (what == DROP) {
		writer.kept = DROP;
		writer.writing = 1;
		writer.to = writer.bound = NULL;
		return 0;
	}
	writer.writing = 1;
	writer.kept = (u8)what;
	writer.limit = NULL;
	if (what == KEEP) {
		writer.start = writer.at;
		writer.bound = writer.segment_end;
	} else {
		struct slot *slot = &channel.slots[site];
		slot->length = 0;
		writer.start = slot->record;
		writer.bound = slot->record + SLOT_RECORD;
	}
	writer.to = put_varint(writer.start + 1, site);
	writer.level = writer.path_length = 0;
	writer.op = op;
	/* A kept record becomes visible with its first byte: _tr_z writes that last. */
	*writer.start = what == KEEP ? 0 : op;
	return 1;
}

#include "tracer_values.h"
#include "tracer_probes.h"
#include "tracer_output.h"
#include "tracer_tasks.h"
