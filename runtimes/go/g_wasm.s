// The running goroutine's descriptor.

#include "textflag.h"

TEXT ·getg(SB), NOSPLIT, $0-8
	MOVD g, ret+0(FP)
	RET
