package tracer_emit

// Functions entered and left.

import (
	"internal/abi"
	"unsafe"
)

// F is what a call remembers: how deep it is, and how far down the stack it stands.
type F uint64

func (w *W) a(t, p unsafe.Pointer) {
	if w.to != 0 {
		w.putValue((*abi.Type)(t), p)
	}
}

func (w *W) frame() F {
	here := uintptr(unsafe.Pointer(&w))
	high := *at[uintptr](getg() + stackHighOffset)
	return F(w.depth)<<32 | F(uint32((high-here)>>3))
}

// I: a function is entered; if it says so, n values and Z follow.
//
//go:nosplit
//go:noinline
func (w *W) I(site, n uint32) (F, bool) {
	if w.mute == muteDead {
		return 0, false
	}
	return w.enter(site, n)
}

//go:noinline
func (w *W) enter(site, n uint32) (F, bool) {
	f := w.frame()
	if panicking := *at[uintptr](getg() + panicOffset); panicking != 0 {
		w.under(panicking)
	} else {
		w.panicking = 0
	}
	if w.isCounted(site) {
		if visits := slotOf(site).visits; visits&(visits+1) != 0 {
			w.countVisit(site)
			w.depth++
			return f, false
		}
	}
	entered := at[byte](channel.entered + uintptr(site))
	if w.limit != 0 && w.left < w.scarce && *entered >= 2 {
		w.startMute(muteCall, site)
		w.muteDepth = w.depth + 1
	}
	if *entered < 2 {
		*entered++
	}
	open := w.open(site, opIn)
	w.depth++
	if open {
		w.putNumber(uint64(n))
		if n == 0 {
			w.Z()
			open = false
		}
	}
	return f, open
}

// Whether an OUT is to be written; and everything that ends with a call.
func (w *W) leave(site uint32, f F) bool {
	if w.mute == muteDead {
		return false
	}
	w.to = 0
	w.fell = false
	w.depth = uint32(f>>32) + 1
	w.unwinding = false
	if panicking := *at[uintptr](getg() + panicOffset); panicking != 0 {
		w.look(panicking, f)
	} else {
		w.panicking = 0
	}
	for w.loopCount > 0 && w.loops[w.loopCount-1].depth >= w.depth {
		w.loopCount--
	}
	if w.mute == muteLoop && w.depth <= w.muteDepth || w.mute == muteCall && w.depth < w.muteDepth {
		w.unmute()
	}
	if w.isCounted(site) {
		if visits := slotOf(site).visits; visits&(visits+1) != 0 {
			w.countVisit(site)
			w.left_()
			return false
		}
	}
	if !w.open(site, opOut) {
		w.left_()
		return false
	}
	if w.unwinding {
		w.putByte(2)
		w.Z()
		w.left_()
		return false
	}
	return true
}

// The call is over.
func (w *W) left_() {
	w.depth--
	if w.mute == muteCall && w.depth < w.muteDepth {
		w.unmute()
	}
	if w.depth == 0 {
		if w.unwinding {
			w.uncaught()
		} else if w.root {
			w.ended()
		}
	}
}

// L: a function is left that gives nothing.
func L(w *W, site uint32, f F) {
	if w.leave(site, f) {
		w.putByte(0)
		w.Z()
		w.left_()
	}
}

// L1: a function is left with one result.
func L1[T any](w *W, site uint32, f F, result *T) {
	w.leaveWith(site, f, unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(result)))
}

//go:noinline
func (w *W) leaveWith(site uint32, f F, t, p unsafe.Pointer) {
	if w.leave(site, f) {
		w.putByte(1)
		w.putValue((*abi.Type)(t), p)
		w.Z()
		w.left_()
	}
}

// Results is what a function with several of them gives.
var resultsName = "results"

func (w *W) leaveMany(site uint32, f F, n uint64) bool {
	if !w.leave(site, f) {
		return false
	}
	w.putByte(1)
	w.putResults(n)
	return true
}

// The head of n values that one call gave.
func (w *W) putResults(n uint64) {
	number := w.intern(&resultsName)
	w.putByte(kindSequence)
	w.putNumber(uint64(number))
	w.putNumber(0)
	w.putNumber(n)
	w.putByte(0)
	w.putNumber(n)
	w.level++
}

func (w *W) leftMany() {
	w.level--
	w.Z()
	w.left_()
}

// L2: a function is left with two results.
func L2[T, U any](w *W, site uint32, f F, t *T, u *U) {
	if w.leaveMany(site, f, 2) {
		w.a(unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(t)))
		w.a(unsafe.Pointer(typeFor[U]()), noescape(unsafe.Pointer(u)))
		w.leftMany()
	}
}

// L3: a function is left with three results.
func L3[T, U, V any](w *W, site uint32, f F, t *T, u *U, v *V) {
	if w.leaveMany(site, f, 3) {
		w.a(unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(t)))
		w.a(unsafe.Pointer(typeFor[U]()), noescape(unsafe.Pointer(u)))
		w.a(unsafe.Pointer(typeFor[V]()), noescape(unsafe.Pointer(v)))
		w.leftMany()
	}
}
