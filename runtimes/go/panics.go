package tracer_emit

// Panics: where they came up, through which calls they went, and who recovered.

import (
	"runtime"
	"unsafe"
)

// Where things stand in the runtime's descriptors; learned at the start.
var (
	goidOffset  uintptr
	panicOffset uintptr = 32 // of the innermost panic, in a goroutine's descriptor
	argOffset   uintptr      // of a panic's value
)

const stackHighOffset = 8

const (
	errRaised = iota
	errCaught
	errPassing
	errUncaught
)

type sentinel struct{}

// Finds where the runtime of this version keeps what is needed. The main goroutine is number 1.
func learn() {
	g := getg()
	for _, offset := range []uintptr{160, 152} {
		if *at[uint64](g + offset) == 1 {
			goidOffset = offset
			break
		}
	}
	if goidOffset == 0 {
		channel.ready = false
		return
	}
	learnPanics()
}

func learnPanics() {
	value := any(&sentinel{})
	data := (*[2]uintptr)(unsafe.Pointer(&value))
	defer func() {
		p := *at[uintptr](getg() + panicOffset)
		switch {
		case p == 0:
			panicOffset = stackHighOffset // never null, and told apart below
		case *at[uintptr](p) == data[0] && *at[uintptr](p + 8) == data[1]:
			argOffset = 0
		case *at[uintptr](p + 8) == data[0] && *at[uintptr](p + 16) == data[1]:
			argOffset = 8
		}
		recover()
	}()
	panic(value)
}

// A call is left while a panic is on its way: is it this panic that ends the call?
//
//go:noinline
func (w *W) look(panicking uintptr, f F) {
	high := *at[uintptr](getg() + stackHighOffset)
	// The panic's own frame lies deeper than the call's if it came up in it.
	if (high-panicking)>>3 <= uintptr(uint32(f)) {
		return
	}
	w.under(panicking)
	w.unwinding = !w.goexit
}

// A panic is under way: it is told of, unless it was. One that lies further out came up before.
//
//go:noinline
func (w *W) under(panicking uintptr) {
	place := *at[uintptr](getg() + stackHighOffset) - panicking
	known := w.panicking
	w.panicking = place
	if place <= known {
		return
	}
	function, line := panicPlace()
	w.goexit = function == ""
	if w.goexit || w.announced {
		w.announced = false
		return
	}
	if w.open(0, opErr) {
		w.putByte(errRaised)
		w.putError(*at[any](panicking + argOffset))
		w.putPlace(function, line)
		w.Z()
	}
}

// E: a panic is about to be raised with this value.
func E[T any](w *W, site uint32, x T) T {
	var value any = x
	w.raised(site, value)
	w.announced = w.mute != muteDead
	return x
}

//go:noinline
func (w *W) raised(site uint32, value any) {
	if w.open(site, opErr) {
		w.putByte(errRaised)
		w.putError(value)
		w.putNumber(0)
		w.putNumber(0)
		w.Z()
	}
}

// R: what recover gave, in a deferred function; it is passed on.
//
//go:noinline
func (w *W) R(site uint32, value any) any {
	if value != nil && w.mute != muteDead {
		function, line := panicPlace()
		if w.open(site, opErr) {
			w.putByte(errCaught)
			w.putError(value)
			w.putPlace(function, line)
			w.Z()
		}
	}
	return value
}

// A panic that nobody recovers ends the program.
func (w *W) uncaught() {
	var pcs [64]uintptr
	n := runtime.Callers(2, pcs[:])
	function, line, outer := "", 0, false
	frames := runtime.CallersFrames(pcs[:n])
	seen, below := false, false
	for n > 0 {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			seen = true
		case seen && !isRuntime(frame.Function):
			if !below {
				function, line, below = frame.Function, frame.Line, true
			}
		}
		outer = isRuntime(frame.Function)
		if !more {
			break
		}
	}
	// Where something of a library stands further out, it may recover yet.
	if !outer || n == len(pcs) {
		return
	}
	value := *at[any](w.panicAddress() + argOffset)
	w.limit = w.openLimit()
	if w.mute != muteNone && w.mute != muteAll {
		w.unmute()
	}
	if w.left == 0 {
		w.left = 1
	}
	if !w.room(small) {
		return
	}
	w.kept, w.op = keep, opErr
	w.start, w.bound = w.at, w.segmentEnd
	w.limit = 0
	w.level, w.pathLength = 0, 0
	w.to = putVarint(w.start+1, 0)
	w.putByte(errUncaught)
	w.putError(value)
	w.putPlace(function, line)
	w.Z()
}

func (w *W) panicAddress() uintptr {
	return *at[uintptr](getg() + panicOffset)
}

func isRuntime(name string) bool {
	return len(name) > 8 && name[:8] == "runtime."
}

// The innermost of the program's own calls that the panic under way left.
func panicPlace() (string, int) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	seen := false
	for {
		frame, more := frames.Next()
		if frame.Function == "runtime.gopanic" {
			seen = true
		} else if seen && !isRuntime(frame.Function) {
			return frame.Function, frame.Line
		}
		if !more {
			return "", 0
		}
	}
}

func (w *W) putPlace(function string, line int) {
	w.putNumber(uint64(line))
	if function == "" {
		w.putNumber(0)
		return
	}
	name := shortName(function)
	number := w.tell(numberOf(uintptr(unsafe.Pointer(unsafe.StringData(name))), func(uintptr) string {
		return name
	}))
	w.putNumber(1)
	w.putNumber(uint64(number))
	w.putNumber(uint64(line))
}
