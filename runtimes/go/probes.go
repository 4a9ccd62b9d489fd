package tracer_emit

// What instrumented code calls.

import (
	"unsafe"
)

// S: a statement is about to run.
//
//go:nosplit
//go:noinline
func (w *W) S(site uint32) {
	if w.at < w.limit {
		w.finish(opStep, putVarint(w.at+1, uint64(site)))
	} else if w.isCounted(site) {
		if w.mute != muteDead {
			w.countVisit(site)
		}
	} else if w.decide(site) == keep {
		w.finish(opStep, putVarint(w.at+1, uint64(site)))
	}
}

// V: a variable was written.
func V[T any](w *W, site uint32, x T) {
	w.v(site, typeFor[T](), noescape(unsafe.Pointer(&x)))
}

// A: a value of the record being written.
func A[T any](w *W, x T) {
	w.a(unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(&x)))
}

// X: a variable is about to be written with this, which is passed on.
func X[T any](w *W, site uint32, x T) T {
	w.v(site, typeFor[T](), noescape(unsafe.Pointer(&x)))
	return x
}

// B: a branch took an arm.
//
//go:nosplit
//go:noinline
func (w *W) B(site, arm uint32) {
	if w.at >= w.limit {
		if w.isCounted(site) {
			w.countScalar(site, uint64(arm), scalarArm)
			return
		}
		if w.decide(site) != keep {
			return
		}
	}
	to := putVarint(putVarint(w.at+1, uint64(site)), uint64(arm))
	*at[byte](to) = 0
	w.finish(opBranch, to+1)
}

// Bn: the same with n operands: if it says so, they follow, and Z.
//
//go:nosplit
func (w *W) Bn(site, arm, n uint32) bool {
	if w.isCounted(site) {
		if w.mute == muteDead {
			return false
		}
		if visits := slotOf(site).visits; visits&(visits+1) != 0 {
			w.countScalar(site, uint64(arm), scalarArm)
			return false
		}
	}
	if !w.open(site, opBranch) {
		return false
	}
	w.putNumber(uint64(arm))
	w.putNumber(uint64(n))
	return true
}

// T: a condition within an expression, given back.
//
//go:nosplit
func (w *W) T(site uint32, truth bool) bool {
	arm := uint32(0)
	if truth {
		arm = 1
	}
	w.B(site, arm)
	return truth
}

// C: a clause of a switch was chosen, unless the one before fell through to it.
//
//go:nosplit
func (w *W) C(site, arm uint32) {
	if w.fell {
		w.fell = false
		return
	}
	w.B(site, arm)
}

// Cn: the same with the switch's value.
//
//go:nosplit
func (w *W) Cn(site, arm, n uint32) bool {
	if w.fell {
		w.fell = false
		return false
	}
	return w.Bn(site, arm, n)
}

// Chosen: whether a clause of a switch was not reached by falling through.
func (w *W) Chosen() bool {
	fell := w.fell
	w.fell = false
	return !fell
}

// Fall: the next clause is reached by falling through.
func (w *W) Fall() {
	w.fell = true
}

// Loops

func (w *W) loopAt(site uint32) *loop {
	for i := w.loopCount; i > 0; i-- {
		l := &w.loops[i-1]
		if l.depth < w.depth {
			break
		}
		if l.depth == w.depth && l.site == site {
			w.loopCount = i
			return l
		}
	}
	return nil
}

func (w *W) loopRecord(site, phase, n uint32) bool {
	if w.isCounted(site) {
		if w.mute == muteDead {
			return false
		}
		if visits := slotOf(site).visits; n == 0 || visits&(visits+1) != 0 {
			w.countVisit(site)
			return false
		}
	}
	if n == 0 && w.at < w.limit {
		to := putVarint(w.at+1, uint64(site))
		*at[byte](to) = byte(phase)
		*at[byte](to + 1) = 0
		w.finish(opLoop, to+2)
		return false
	}
	if !w.open(site, opLoop) {
		return false
	}
	w.putByte(byte(phase))
	w.putNumber(uint64(n))
	if n == 0 {
		w.Z()
		return false
	}
	return true
}

// LE: a loop is entered.
//
//go:nosplit
//go:noinline
func (w *W) LE(site uint32) {
	if w.mute != muteNone {
		// No loop can mute what is muted already.
		w.loopRecord(site, 0, 0)
		return
	}
	l := w.loopAt(site)
	if l == nil && w.loopCount < loopsKept {
		l = &w.loops[w.loopCount]
		w.loopCount++
	}
	w.loopRecord(site, 0, 0)
	if l != nil {
		*l = loop{site: site, depth: w.depth, left: w.left}
	}
}

// Ln: an iteration, with n values as for Bn.
//
//go:nosplit
//go:noinline
func (w *W) Ln(site, n uint32) bool {
	if w.mute == muteNone {
		if l := w.loopAt(site); l != nil {
			l.visits++
			if l.visits > 2 {
				if spent := l.left - w.left; spent > max(l.left/4, 64) {
					w.startMute(muteLoop, site)
				}
			}
		}
	}
	return w.loopRecord(site, 1, n)
}

// LX: a loop is left.
//
//go:nosplit
//go:noinline
func (w *W) LX(site uint32) {
	if w.mute == muteNone || w.mute == muteLoop && w.muteSite == site && w.depth == w.muteDepth {
		if w.mute != muteNone {
			w.unmute()
		}
		if w.loopAt(site) != nil {
			w.loopCount--
		}
	}
	w.loopRecord(site, 2, 0)
}
