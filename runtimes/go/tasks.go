package tracer_emit

// Goroutines: each writes a stream of its own.

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

//go:linkname setLabel runtime/pprof.runtime_setProfLabel
func setLabel(label unsafe.Pointer)

//go:linkname getLabel runtime/pprof.runtime_getProfLabel
func getLabel() unsafe.Pointer

// A goroutine inherits its maker's profiling label: that is how it learns which child it is. To a
// profiler it is an empty set of labels.
type token struct {
	labels                        [4]uint64
	stream, parent, ordinal, site uint32
	taken                         uint32
}

var goroutineName = "goroutine"

// Tells that this goroutine has made one, or that it is over.
func (w *W) taskRecord(phase byte, task, site uint32) {
	if w.mute != muteNone || w.left == 0 || !w.room(small) {
		return
	}
	number := w.intern(&goroutineName)
	to := w.at + 1
	*at[byte](to) = phase
	to = putVarint(to+1, uint64(number))
	to = putVarint(to, uint64(task))
	w.finish(opTask, putVarint(to, uint64(site)))
}

// Go: a goroutine is about to be made here.
//
//go:noinline
func (w *W) Go(site uint32) {
	if w.mute == muteDead || getLabel() != nil {
		return
	}
	channel.tasks = true
	memory := allocate(unsafe.Sizeof(token{}))
	if memory == 0 {
		return
	}
	t := at[token](memory)
	t.stream = atomic.AddUint32(at[uint32](channel.base+68), 1) - 1
	w.children++
	t.parent, t.ordinal, t.site = w.stream+1, w.children, site
	w.taskRecord(0, t.stream, site)
	setLabel(*(*unsafe.Pointer)(unsafe.Pointer(&memory)))
}

// Gone: the goroutine was made.
func (w *W) Gone() {
	if w.mute != muteDead && isToken(uintptr(getLabel())) {
		setLabel(nil)
	}
}

func isToken(label uintptr) bool {
	return label >= channel.arena && label < channel.arenaEnd
}

// Who made this goroutine.
func (w *W) findParent() {
	if label := uintptr(getLabel()); isToken(label) {
		setLabel(nil)
		t := at[token](label)
		if atomic.CompareAndSwapUint32(&t.taken, 0, 1) {
			w.stream, w.parent, w.ordinal, w.parentSite = t.stream, t.parent, t.ordinal, t.site
			w.root = atRoot()
			return
		}
		channel.foreign = true
		w.parent, w.parentSite = t.parent, t.site
	} else {
		channel.foreign = true
		w.parent = 1
	}
	w.stream = atomic.AddUint32(at[uint32](channel.base+68), 1) - 1
}

// Whether the program's function that is being entered is the goroutine's outermost.
func atRoot() bool {
	var pcs [16]uintptr
	n := runtime.Callers(1, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	program := 0
	for {
		frame, more := frames.Next()
		name := frame.Function
		switch {
		case name == "runtime.goexit":
			return program == 1
		case len(name) > 6 && name[:6] == "index.", isWrapper(name):
		default:
			program++
		}
		if !more {
			return false
		}
	}
}

// What the compiler makes of `go f(x)`.
func isWrapper(name string) bool {
	const mark = ".gowrap"
	for i := len(name) - len(mark); i > 0; i-- {
		if name[i:i+len(mark)] == mark {
			return true
		}
	}
	return false
}

// The goroutine is over.
//
//go:noinline
func (w *W) ended() {
	w.taskRecord(2, 0, w.parentSite)
	w.release()
}

// There is no memory for this goroutine's writer: that is told once.
func noWriter() {
	if label := uintptr(getLabel()); isToken(label) {
		setLabel(nil)
		if t := at[token](label); atomic.CompareAndSwapUint32(&t.taken, 0, 1) {
			tellLimit(t.stream, t.parent, t.ordinal, t.site)
		}
	}
}
