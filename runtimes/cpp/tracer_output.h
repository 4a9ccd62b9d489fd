/* Output: the C library forgets a stream's position when it is flushed, which std::endl does at
 * every line. Part of tracer_emit_cpp.c. */

#ifdef __GLIBC__
typedef int flush_function(FILE *);

static void keep_position(FILE *file, int64_t position)
{
	if (file && position >= 0 && file->_offset < 0)
		file->_offset = position;
}

STANDS_IN int fflush(FILE *file)
{
	static flush_function *next;
	if (!next)
		next = (flush_function *)next_definition("fflush");
	FILE *out = &stdout ? stdout : NULL, *error = &stderr ? stderr : NULL;
	int64_t at[2] = {progress(out), progress(error)};
	int result = next ? next(file) : -1;
	if (!file || file == out)
		keep_position(out, at[0]);
	if (!file || file == error)
		keep_position(error, at[1]);
	return result;
}
#endif
