/* Output: the C library forgets a stream's position when it is flushed. Part of tracer_emit.c.
 *
 * Calls of fflush are linked to come here. */

int __real_fflush(FILE *);

#ifdef __GLIBC__
static void keep_position(FILE *file, int64_t position)
{
	if (file && position >= 0 && file->_offset < 0)
		file->_offset = position;
}

int __wrap_fflush(FILE *file)
{
	FILE *out = &stdout ? stdout : NULL, *error = &stderr ? stderr : NULL;
	int64_t at[2] = {progress(out), progress(error)};
	int result = __real_fflush(file);
	if (!file || file == out)
		keep_position(out, at[0]);
	if (!file || file == error)
		keep_position(error, at[1]);
	return result;
}
#else
int __wrap_fflush(FILE *file)
{
	return __real_fflush(file);
}
#endif
