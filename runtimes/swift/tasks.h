/* Tasks of Swift's own concurrency: each writes a stream of its own, however many threads run it.
 * Part of bridge.c. Threads that no task runs on keep theirs. */

/* The runtime's own functions, where the program uses tasks. */
extern void *swift_task_getCurrent(void) __attribute__((weak));
extern u64 swift_task_getJobTaskId(void *job) __attribute__((weak));
typedef void enqueue(void *job);
typedef void enqueue_hook(void *job, enqueue *original);
extern enqueue_hook *swift_task_enqueueGlobal_hook __attribute__((weak));
extern enqueue_hook *swift_task_enqueueMainExecutor_hook __attribute__((weak));

enum {
	TASKS = 4096,
	/* More than can have a segment; those beyond are only counted. */
	KNOWN_TASKS = 1024
};

static u8 uses_tasks;

/* A task that has been seen, by its number in the runtime, which no other ever has. */
static struct task {
	u64 key; /* its number and 1, or 0 */
	u32 stream, parent, ordinal, site;
	struct stream_writer *own;
} known_tasks[TASKS];
static u32 known_count;

/* The task whose writer this thread uses. */
static __thread u64 current_task;
/* What counts for tasks that are not known. */
static __thread struct stream_writer *counter;

static u64 task_key(void *task)
{
	return (&swift_task_getJobTaskId ? swift_task_getJobTaskId(task) : (u64)task) + 1;
}

static struct task *find_task(u64 key, int make)
{
	u32 at = (u32)(key * 0x9e3779b97f4a7c15u >> 52);
	for (;; at = (at + 1) % TASKS) {
		u64 found = __atomic_load_n(&known_tasks[at].key, __ATOMIC_ACQUIRE);
		if (found == key)
			return &known_tasks[at];
		if (found)
			continue;
		if (!make || __atomic_load_n(&known_count, __ATOMIC_RELAXED) >= KNOWN_TASKS)
			return NULL;
		if (__atomic_compare_exchange_n(&known_tasks[at].key, &found, key, 0, __ATOMIC_ACQ_REL,
		                                __ATOMIC_ACQUIRE)) {
			__atomic_fetch_add(&known_count, 1, __ATOMIC_RELAXED);
			return &known_tasks[at];
		}
		if (found == key)
			return &known_tasks[at];
	}
}

static void use_writer(struct stream_writer *now)
{
	writer_distance = now ? (char *)now - (char *)&thread_writer : 0;
}

/* A writer that never has a segment. */
static struct stream_writer *make_counter(void)
{
	if (!counter && (counter = map(sizeof(struct stream_writer), -1))) {
		use_writer(counter);
		writer.origin = ORIGIN_THREAD;
		writer.unheard = 1;
		begin_stream();
	}
	return counter;
}

/* The writer of a task that records for the first time. */
static struct stream_writer *begin_task(struct task *task)
{
	struct stream_writer *made = task ? map(sizeof(struct stream_writer), -1) : NULL;
	if (!made)
		return make_counter();
	/* The program's first task is the program. */
	int first = !__atomic_load_n((u32 *)(channel.base + 68), __ATOMIC_RELAXED);
	use_writer(made);
	if (!first) {
		channel.threads = 1;
		writer.origin = ORIGIN_THREAD;
		writer.stream = task->parent ? task->stream : take_stream();
		writer.parent = task->parent ? task->parent : 1;
		writer.ordinal = task->ordinal;
		writer.parent_site = task->site;
	}
	begin_stream();
	task->own = made;
	return made;
}

static COLD void switch_task(u64 key)
{
	current_task = key;
	use_writer(NULL);
	if (!key || channel.state != 1)
		return;
	struct task *task = find_task(key, 1);
	use_writer(task && task->own ? task->own : begin_task(task));
}

static inline void settle(void)
{
	if (UNLIKELY(uses_tasks)) {
		void *task = swift_task_getCurrent();
		u64 key = task ? task_key(task) : 0;
		if (UNLIKELY(key != current_task))
			switch_task(key);
	}
}

/* The code that runs here has just made a task, unless the task is known. */
static void announce(void *made)
{
	u64 key = task_key(made);
	if (channel.state != 1 || find_task(key, 0))
		return;
	uses_tasks = 1;
	settle();
	if (writer.unheard || (!writer.seen && !begin_stream()))
		return;
	struct task *task = find_task(key, 1);
	if (!task || task->own)
		return;
	task->stream = take_stream();
	task->parent = writer.stream + 1;
	task->ordinal = ++writer.children;
	task->site = writer.task_site;
	task_record(3, "task", task->stream);
}

/* A job is about to wait for a thread. What kind it is stands behind the header of its object and
 * two words of the scheduler's. */
static void enqueued(void *job)
{
	if (!(((const u32 *)job)[8] & 0xff))
		announce(job);
}

static enqueue_hook *global_hook, *main_hook;

static void enqueue_global(void *job, enqueue *original)
{
	enqueued(job);
	if (global_hook)
		global_hook(job, original);
	else
		original(job);
}

static void enqueue_main(void *job, enqueue *original)
{
	enqueued(job);
	if (main_hook)
		main_hook(job, original);
	else
		original(job);
}

/* swift_task_create is linked to come here: a task that is to begin on an actor waits there, where
 * no hook tells of it. Swift's convention for these arguments and results is C's. */
struct task_and_context {
	void *task, *context;
};
extern struct task_and_context __real_swift_task_create(size_t, void *, const void *, void *, void *)
	__attribute__((weak));

struct task_and_context __wrap_swift_task_create(size_t flags, void *options, const void *result,
                                                 void *function, void *captured)
{
	struct task_and_context made =
		__real_swift_task_create(flags, options, result, function, captured);
	/* The first task of all is the program. */
	if (channel.state == 1 && (uses_tasks || writer.seen))
		announce(made.task);
	return made;
}

__attribute__((constructor(103))) static void watch_tasks(void)
{
	if (channel.state != 1 || !&swift_task_getCurrent)
		return;
	if (&swift_task_enqueueGlobal_hook) {
		global_hook = swift_task_enqueueGlobal_hook;
		swift_task_enqueueGlobal_hook = enqueue_global;
	}
	if (&swift_task_enqueueMainExecutor_hook) {
		main_hook = swift_task_enqueueMainExecutor_hook;
		swift_task_enqueueMainExecutor_hook = enqueue_main;
	}
}

/* Called where the program may run in a task already. */
void _trs_uses_tasks(void)
{
	if (!uses_tasks && channel.state == 1 && &swift_task_getCurrent != NULL) {
		uses_tasks = 1;
		settle();
	}
}
