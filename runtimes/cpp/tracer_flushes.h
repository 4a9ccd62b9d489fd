/* Output: the standard library flushes streams itself, which the linker's --wrap does not reach. Part
 * of tracer_emit_cpp.c. */

int __real_fflush(FILE *file)
{
	static int (*next)(FILE *);
	if (!next)
		next = (int (*)(FILE *))next_definition("fflush");
	return next ? next(file) : EOF;
}

STANDS_IN int fflush(FILE *file)
{
	return __wrap_fflush(file);
}
