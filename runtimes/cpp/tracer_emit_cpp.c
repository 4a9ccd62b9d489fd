/* The C++ emitter: C's, and what only C++ has. One object, compiled apart from the program.
 *
 * Nothing here is C++: an emitter that threw, allocated or used the standard library's streams could
 * be seen by the program. Like C's it calls no function of a library, but the ones it stands in
 * front of. */
#include "tracer_emit.c"

extern void *dlsym(void *, const char *) __attribute__((weak));
/* The next definition of a name after the program's own. */
#define NEXT ((void *)-1L)

#include "tracer_shapes.h"
#include "tracer_frames.h"
#include "tracer_exceptions.h"
#include "tracer_threads.h"
