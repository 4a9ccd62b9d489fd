/* Threads: pthread_create is called by the standard library, which the linker's --wrap does not
 * reach; the program's own definition comes before the C library's. Part of tracer_emit_cpp.c. */

int __real_pthread_create(thread_id *thread, const void *attributes, void *(*function)(void *),
                          void *argument)
{
	enum { ENOSYS_ = 38 };
	typedef int create(thread_id *, const void *, void *(*)(void *), void *);
	create *next = (create *)next_definition("pthread_create");
	return next ? next(thread, attributes, function, argument) : ENOSYS_;
}

STANDS_IN int pthread_create(thread_id *thread, const void *attributes,
                             void *(*function)(void *), void *argument)
{
	return __wrap_pthread_create(thread, attributes, function, argument);
}
