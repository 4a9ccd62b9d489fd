/* Threads and forked processes: each writes a stream of its own. Part of tracer_emit.c. */

void _tr_at(_tr_u site)
{
	writer.task_site = site;
}

/* Tells that this thread has made a task, or that its own is over. */
static void task_record(u32 phase, const char *what, u32 task)
{
	if (writer.mute || writer.writing || !writer.left || !writer.seen || !room(SMALL))
		return;
	writer.kept = KEEP;
	writer.start = writer.at;
	writer.bound = writer.segment_end;
	writer.to = writer.start + 1;
	writer.limit = NULL;
	writer.writing = 1;
	writer.op = TASK;
	put_number(phase);
	put_number(intern(what));
	put_number(task);
	put_number(writer.task_site);
	_tr_z();
}

static u32 take_stream(void)
{
	return __atomic_fetch_add((u32 *)(channel.base + 68), 1, __ATOMIC_RELAXED);
}

static void before_fork(void)
{
	if (channel.state == 1 && (writer.seen || begin_stream()))
		writer.next_stream = take_stream();
}

static void in_parent(void)
{
	if (channel.state != 1 || !writer.seen)
		return;
	writer.children++;
	task_record(0, "process", writer.next_stream);
}

/* The child's records go to new segments; those before the fork stay the parent's. */
static void in_child(void)
{
	if (channel.state != 1 || !writer.seen)
		return;
	writer.limit = NULL;
	writer.at = writer.segment_end = NULL;
	writer.parent = writer.stream + 1;
	writer.parent_site = writer.task_site;
	writer.ordinal = ++writer.children;
	writer.origin = ORIGIN_PROCESS;
	writer.stream = writer.next_stream;
	writer.children = 0;
	writer.mute = MUTE_NONE;
	writer.visited_count = 0;
	writer.writing = writer.nested = 0;
	writer.loop_count = 0;
	/* The list of visited sites is memory of the parent's, too. */
	writer.seen = NULL;
	if (begin_stream())
		write_depth();
}

/* pthread_create is linked to come here, so that the streams of threads are numbered in the order
 * in which they are made, whatever the scheduler does. */
typedef unsigned long thread_id;
extern int __real_pthread_create(thread_id *, const void *, void *(*)(void *), void *)
	__attribute__((weak));

struct start {
	void *(*function)(void *);
	void *argument;
	u32 stream, parent, ordinal, site, used;
};

enum { STARTS = 128 };
static struct start starts[STARTS];

static void *run_thread(void *argument)
{
	struct start start = *(struct start *)argument;
	__atomic_store_n(&((struct start *)argument)->used, 0, __ATOMIC_RELEASE);
	writer.origin = ORIGIN_THREAD;
	writer.stream = start.stream;
	writer.parent = start.parent;
	writer.ordinal = start.ordinal;
	writer.parent_site = start.site;
	begin_stream();
	void *result = start.function(start.argument);
	task_record(2, "thread", 0);
	return result;
}

int __wrap_pthread_create(thread_id *thread, const void *attributes, void *(*function)(void *),
                          void *argument)
{
	struct start *start = NULL;
	if (channel.state == 1 && (writer.seen || begin_stream()))
		for (u32 i = 0; i < STARTS && !start; i++)
			if (!__atomic_exchange_n(&starts[i].used, 1, __ATOMIC_ACQUIRE))
				start = &starts[i];
	channel.threads = 1;
	if (!start)
		return __real_pthread_create(thread, attributes, function, argument);
	u32 stream = take_stream();
	start->function = function;
	start->argument = argument;
	start->stream = stream;
	start->parent = writer.stream + 1;
	start->ordinal = ++writer.children;
	start->site = writer.task_site;
	task_record(0, "thread", stream);
	int result = __real_pthread_create(thread, attributes, run_thread, start);
	if (result)
		start->used = 0;
	return result;
}
