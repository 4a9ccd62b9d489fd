/* The C++ emitter: C's, and what only C++ has. One object, compiled apart from the program.
 *
 * Nothing here is C++: an emitter that threw, allocated or used the standard library's streams could
 * be seen by the program. Like C's it calls no function of a library, but the ones it stands in
 * front of. */
#include "tracer_emit.c"

#ifndef __wasm__
extern void *dlsym(void *, const char *) __attribute__((weak));

/* A function of a library that the emitter stands in front of. The program may define it, too, and
 * then its own is taken. */
#define STANDS_IN __attribute__((weak))

static void *next_definition(const char *name)
{
	return dlsym ? dlsym((void *)-1L, name) : NULL;
}
#endif

#include "tracer_shapes.h"
#include "tracer_changes.h"
#include "tracer_frames.h"
/* A WebAssembly module has neither exceptions nor threads; its linker reaches the library. */
#ifndef __wasm__
#include "tracer_exceptions.h"
#include "tracer_threads.h"
#include "tracer_flushes.h"
#endif
