package tracer_emit

// Calls into libraries. P and Pk pass an argument on; Pk, the last of them, tells the call, and K does
// where nothing passes. Y passes a result on and tells it.

import (
	"internal/abi"
	"math/bits"
	"reflect"
	"unsafe"
)

const (
	// Calls told of one site; later ones are only counted.
	share = 32
	// Calls that wait for their result, and arguments that wait for their call.
	openKept   = 16
	asideKept  = 32
	asideSize  = 4 << 10
	asideRoom  = 512
	opCall     = 0x09
	opReturned = 0x11
)

// A call that was told and has not given anything yet.
type openCall struct {
	site, depth uint32
}

// What an argument was when it was evaluated.
type aside struct {
	site, depth, from, length uint32
}

type unknown struct{}

// Unknown stands for an argument that cannot be read without changing something.
var Unknown unknown

// Whether the next call of a site may be told.
func (w *W) wantsCall(site uint32) bool {
	return w.mute != muteDead && site < channel.slotCount &&
		*at[byte](channel.entered + uintptr(site)) < share && !w.isCounted(site)
}

// P passes an argument on that is told with its call.
func P[T any](w *W, site uint32, x T) T {
	if w.wantsCall(site) {
		w.putAside(site, typeFor[T](), noescape(unsafe.Pointer(&x)))
	}
	return x
}

//go:noinline
func (w *W) putAside(site uint32, t *abi.Type, p unsafe.Pointer) {
	// Sites are numbered from the outside in: what is not around this call was left by a panic.
	for w.asideCount > 0 {
		a := &w.asides[w.asideCount-1]
		if a.depth < w.depth || a.depth == w.depth && a.site <= site {
			break
		}
		w.asideCount--
	}
	if w.asideMemory == 0 {
		w.asideMemory = allocate(asideSize)
	}
	if w.asideMemory == 0 || w.asideCount == asideKept {
		return
	}
	a := &w.asides[w.asideCount]
	*a = aside{site: site, depth: w.depth}
	if w.asideCount > 0 {
		below := w.asides[w.asideCount-1]
		a.from = below.from + below.length
	}
	w.asideCount++
	w.kept, w.limit = drop, 0
	w.start = w.asideMemory + uintptr(a.from)
	w.bound = min(w.start+asideRoom, w.asideMemory+asideSize)
	w.to = w.start
	w.level, w.pathLength = 0, 0
	w.putValue(t, p)
	if w.to != 0 {
		a.length = uint32(w.to - w.start)
	}
	w.to = 0
	w.limit = w.openLimit()
}

// K tells a call of f with values that nothing else need pass.
func (w *W) K(site uint32, f any, values ...any) bool {
	w.called(site, 0, noescape(unsafe.Pointer(&f)), nil, nil, noescape(unsafe.Pointer(&values)))
	return true
}

// Pk passes the last argument on that is told, and tells the call: mask says which arguments passed.
func Pk[T any](w *W, site, mask uint32, x T, f any, values ...any) T {
	w.called(site, mask, noescape(unsafe.Pointer(&f)), typeFor[T](), noescape(unsafe.Pointer(&x)),
		noescape(unsafe.Pointer(&values)))
	return x
}

//go:noinline
func (w *W) called(site, mask uint32, f unsafe.Pointer, t *abi.Type, p, values unsafe.Pointer) {
	if w.mute == muteDead || site >= channel.slotCount {
		return
	}
	for w.openCount > 0 && w.opened[w.openCount-1].depth >= w.depth {
		w.openCount--
	}
	passed := bits.OnesCount32(mask)
	first := w.settle(site, max(passed-1, 0))
	told := at[byte](channel.entered + uintptr(site))
	if *told >= share {
		w.countVisit(site)
		return
	}
	if !w.open(site, opCall) {
		return
	}
	for range 4 {
		w.putByte(0)
	}
	beside := *(*[]any)(values)
	parameters := parametersOf(*(*any)(f))
	n := passed + len(beside)
	w.putNumber(uint64(n))
	for i, own := 0, 0; i < n; i++ {
		switch {
		case mask>>i&1 == 0:
			w.putBeside(beside[i-own], parameters, i)
		case own == passed-1:
			own++
			w.putValue(t, p)
		default:
			if first < 0 || w.asides[first+own].length == 0 {
				w.putOpaque(0, 0, "")
			} else {
				a := w.asides[first+own]
				w.putBytes(unsafe.Pointer(at[byte](w.asideMemory+uintptr(a.from))), uintptr(a.length))
			}
			own++
		}
	}
	complete := w.to != 0
	w.Z()
	if !complete || w.kept != keep {
		return
	}
	*told++
	if w.openCount < openKept {
		w.opened[w.openCount] = openCall{site, w.depth}
		w.openCount++
	}
}

// Takes the arguments that wait for a call off: where they begin, or -1 where some are missing.
func (w *W) settle(site uint32, n int) int {
	end := int(w.asideCount)
	for end > 0 && w.asides[end-1].depth > w.depth {
		end--
	}
	from := end
	for from > 0 && w.asides[from-1].depth == w.depth && w.asides[from-1].site >= site {
		from--
	}
	w.asideCount = uint32(from)
	first := end - n
	for i := first; i < end; i++ {
		if i < from || w.asides[i].site != site {
			return -1
		}
	}
	return first
}

// The types that a function takes; none where that is not known.
func parametersOf(f any) reflect.Type {
	if f == nil {
		return nil
	}
	if t := reflect.TypeOf(f); t.Kind() == reflect.Func {
		return t
	}
	return nil
}

// A constant has the type of what it is passed as.
func (w *W) putBeside(value any, parameters reflect.Type, i int) {
	if value == nil {
		w.putByte(kindNull)
		return
	}
	v := reflect.ValueOf(value)
	if v.Type() == reflect.TypeFor[unknown]() {
		w.putOpaque(0, 0, "")
		return
	}
	if parameters != nil && (i < parameters.NumIn()-1 || i < parameters.NumIn() && !parameters.IsVariadic()) {
		t := parameters.In(i)
		if isPlain(t.Kind()) && isPlain(v.Kind()) && t != v.Type() && v.CanConvert(t) {
			v = v.Convert(t)
		} else if t.Kind() == reflect.String && v.Kind() == reflect.String {
			v = v.Convert(t)
		}
	}
	w.putSafely(v)
}

// The innermost call of the running function that waits for its result, if it is of this site.
func (w *W) answered(site uint32) bool {
	for w.openCount > 0 && w.opened[w.openCount-1].depth > w.depth {
		w.openCount--
	}
	if w.openCount == 0 || w.mute == muteDead {
		return false
	}
	call := w.opened[w.openCount-1]
	if call.depth != w.depth || site != 0 && call.site != site {
		return false
	}
	w.openCount--
	if w.left == 0 || !w.room(2*small) {
		return false
	}
	if w.mute != muteNone {
		w.writeDepth()
	}
	w.kept, w.op = keep, opReturned
	w.start, w.bound = w.at, w.segmentEnd
	w.limit = 0
	w.level, w.pathLength = 0, 0
	*at[byte](w.start) = 0
	w.to = putVarint(w.start+1, uint64(call.site))
	w.putByte(1)
	return true
}

//go:noinline
func (w *W) answer(site uint32, t *abi.Type, p unsafe.Pointer) {
	if w.answered(site) {
		w.putValue(t, p)
		w.Z()
	}
}

// Y passes a call's result on.
func Y[T any](w *W, site uint32, x T) T {
	if w.openCount != 0 {
		w.answer(site, typeFor[T](), noescape(unsafe.Pointer(&x)))
	}
	return x
}

// Yk does so where K told the call.
func Yk[T any](w *W, site uint32, _ bool, x T) T {
	if w.openCount != 0 {
		w.answer(site, typeFor[T](), noescape(unsafe.Pointer(&x)))
	}
	return x
}

// The head of several results.
func (w *W) answerMany(n uint64) bool {
	if w.openCount == 0 || !w.answered(0) {
		return false
	}
	w.putResults(n)
	return true
}

func (w *W) answeredMany() {
	w.level--
	w.Z()
}

// Y2 passes two results of a call on.
func Y2[T, U any](t T, u U) (T, U) {
	if w := G(); w.answerMany(2) {
		w.a(unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(&t)))
		w.a(unsafe.Pointer(typeFor[U]()), noescape(unsafe.Pointer(&u)))
		w.answeredMany()
	}
	return t, u
}

// Y3 passes three results of a call on.
func Y3[T, U, V any](t T, u U, v V) (T, U, V) {
	if w := G(); w.answerMany(3) {
		w.a(unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(&t)))
		w.a(unsafe.Pointer(typeFor[U]()), noescape(unsafe.Pointer(&u)))
		w.a(unsafe.Pointer(typeFor[V]()), noescape(unsafe.Pointer(&v)))
		w.answeredMany()
	}
	return t, u, v
}

// Y4 passes four results of a call on.
func Y4[T, U, V, X any](t T, u U, v V, x X) (T, U, V, X) {
	if w := G(); w.answerMany(4) {
		w.a(unsafe.Pointer(typeFor[T]()), noescape(unsafe.Pointer(&t)))
		w.a(unsafe.Pointer(typeFor[U]()), noescape(unsafe.Pointer(&u)))
		w.a(unsafe.Pointer(typeFor[V]()), noescape(unsafe.Pointer(&v)))
		w.a(unsafe.Pointer(typeFor[X]()), noescape(unsafe.Pointer(&x)))
		w.answeredMany()
	}
	return t, u, v, x
}
