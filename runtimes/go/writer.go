package tracer_emit

// A goroutine's writer: its segment, and what it knows of itself.

import (
	"sync/atomic"
	"unsafe"
)

const (
	muteNone = iota
	muteLoop
	muteCall
	muteAll
	muteDead // there is nothing to write to
)

const (
	// A stack beyond this is not doubled again.
	lastStack    = 256 << 20
	stackReserve = 64 << 10
)

const (
	loopsKept   = 48
	namesKept   = 2048
	pathKept    = 8
	writersSize = 1 << 17
)

// What becomes of a record.
const (
	drop = iota
	keep
	count
)

type loop struct {
	site, depth, visits, left uint32
}

// What a site said last while it was only counted.
type last struct {
	bits uint64
	code uint32
}

// W is a goroutine's writer. It lies outside the Go heap. The hot fields come first.
type W struct {
	at     uintptr // next byte of the segment
	limit  uintptr // below it a small record fits and may be written; 0 sends probes the slow way
	left   uint32  // events that may still be recorded
	scarce uint32  // below this, calls seen before are muted
	depth  uint32  // calls on the stack
	mute   uint8
	kept   uint8
	op     uint8 // of the record being written
	fell   bool  // the next clause of a switch is reached by falling through
	goid   uint64

	site             uint32
	to, start, bound uintptr // the record being written: next byte, first, end
	segmentEnd       uintptr
	piece, next      uintptr // of a shared segment: where it begins; how large the next is to be
	muteDepth        uint32
	muteSite         uint32
	last, seen       uintptr // by site
	visited          uintptr
	visitedCount     uint32
	loopCount        uint32
	stream, parent   uint32
	origin, ordinal  uint32
	parentSite       uint32
	children         uint32
	level            uint32 // nesting of the value being written
	pathLength       uint32
	panicking        uintptr // the panic that was told of last
	unwinding        bool
	goexit           bool
	full             bool    // there is no room left for this stream
	root             bool    // the goroutine ends with the outermost call
	announced        bool    // the next panic was told of where it was raised
	label            uintptr // what stood in the goroutine's label before a task was announced
	path             [pathKept]uintptr
	scratch          [24]byte
	openCount        uint32  // calls into libraries that wait for their result
	asideCount       uint32  // arguments that wait for their call
	asideMemory      uintptr // their bytes
	opened           [openKept]openCall
	asides           [asideKept]aside
	interned         [namesKept / 64]uint64
	loops            [loopsKept]loop
}

type entry struct {
	g, writer uintptr
}

// By goroutine, open addressing. Descriptors of goroutines are never freed, only used again.
var (
	writers     uintptr
	writerCount uint32
)

var dead W

func getg() uintptr

// G is the running goroutine's writer; none where the stack can grow no more and is about to end.
// That end is to come in a function of the program's: what is called then checks no stack either.
//
//go:nosplit
func G() *W {
	if !channel.ready {
		return &dead
	}
	g := getg()
	low, high := *at[uintptr](g), *at[uintptr](g + stackHighOffset)
	if high-low > lastStack && uintptr(noescape(unsafe.Pointer(&g)))-low < stackReserve {
		return &dead
	}
	index := (g >> 6) * 0x9e3779b97f4a7c15 >> (64 - 17)
	for {
		e := at[entry](writers + index*unsafe.Sizeof(entry{}))
		if e.g == g {
			if w := at[W](e.writer); e.writer != 0 && w.goid == *at[uint64](g + goidOffset) {
				return w
			}
			return begin(g, e)
		}
		if e.g == 0 {
			if atomic.LoadUint32(&writerCount) > writersSize/4*3 {
				noWriter()
				return &dead
			}
			if atomic.CompareAndSwapUintptr(&e.g, 0, g) {
				atomic.AddUint32(&writerCount, 1)
				return begin(g, e)
			}
			continue
		}
		index = (index + 1) & (writersSize - 1)
	}
}

// The first goroutines may tell much; of thousands, each what a short one does.
func taskBudget(events, stream uint32) uint32 {
	full := uint64(events/4 + 1)
	return uint32(max(full*16/(uint64(max(stream, 1))+15), min(full, 256)))
}

// Makes a writer for a goroutine that has none.
//
//go:noinline
func begin(g uintptr, e *entry) *W {
	slots := uintptr(channel.slotCount)
	memory := e.writer
	if memory == 0 {
		memory = allocate(unsafe.Sizeof(W{}) + slots*(unsafe.Sizeof(last{})+5))
		if memory == 0 {
			noWriter()
			return &dead
		}
	} else {
		// The descriptor's former goroutine is over.
		old := at[W](memory)
		for i := uintptr(0); i < uintptr(old.visitedCount); i++ {
			site := *at[uint32](old.visited + i*4)
			*at[byte](old.seen + uintptr(site)) = 0
			*at[last](old.last + uintptr(site)*unsafe.Sizeof(last{})) = last{}
		}
		*old = W{asideMemory: old.asideMemory}
	}
	w := at[W](memory)
	w.last = memory + (unsafe.Sizeof(W{})+7)&^7
	w.visited = w.last + slots*unsafe.Sizeof(last{})
	w.seen = w.visited + slots*4
	w.goid = *at[uint64](g + goidOffset)
	w.left = channel.events
	if w.left == 0 {
		w.left = 1
	}
	if w.goid != 1 {
		w.origin = originThread
		// Every goroutine has its own budget, so that one's does not hang on another's pace.
		channel.tasks = true
		w.findParent()
		w.left = taskBudget(w.left, w.stream)
	} else {
		w.stream = atomic.AddUint32(at[uint32](channel.base+68), 1) - 1
	}
	w.scarce = w.left / 4
	w.next = firstPiece
	if !w.claim(small) {
		w.left = 0
		w.mute = muteAll
	}
	w.limit = w.openLimit()
	e.writer = memory
	return w
}

// The limit that holds when no record is being written.
func (w *W) openLimit() uintptr {
	if w.mute != muteNone || w.left == 0 {
		return 0
	}
	return w.segmentEnd - small
}

func (w *W) room(size uintptr) bool {
	return w.at != 0 && w.at+size <= w.segmentEnd || w.claim(size)
}

func slotOf(site uint32) *slot {
	return at[slot](channel.slots + uintptr(site)*slotSize)
}

func (w *W) countVisit(site uint32) {
	s := slotOf(site)
	if channel.tasks {
		atomic.AddUint64(&s.visits, 1)
	} else {
		s.visits++
	}
}

func (w *W) seenOf(site uint32) *byte {
	return at[byte](w.seen + uintptr(site))
}

func (w *W) writeDepth() {
	if w.at == 0 || w.at+16 > w.segmentEnd {
		return
	}
	end := putVarint(w.at+1, uint64(w.depth))
	w.publish(opDepth, end)
}

// The op byte comes last: what is not complete is invisible.
func (w *W) publish(op byte, end uintptr) {
	*at[byte](w.at) = op
	w.at = end
}

func (w *W) startMute(why uint8, site uint32) {
	w.mute = why
	w.muteDepth = w.depth
	w.muteSite = site
	w.limit = 0
}

// Tells what was left out, and records again.
//
//go:noinline
func (w *W) unmute() {
	for i := uintptr(0); i < uintptr(w.visitedCount); i++ {
		site := *at[uint32](w.visited + i*4)
		s := slotOf(site)
		*w.seenOf(site) = 0
		if s.visits == 0 {
			continue
		}
		w.remember(site)
		if w.left == 0 || !w.room(small) {
			continue
		}
		to := putVarint(w.at+1, uint64(site))
		to = putVarint(to, s.visits)
		// Only the last visit's record may stand for it.
		length := uintptr(0)
		if s.sequence == s.visits {
			length = uintptr(s.length)
		}
		to = putVarint(to, uint64(length))
		for j := uintptr(0); j < length; j++ {
			*at[byte](to + j) = s.record[j]
		}
		w.publish(opElide, to+length)
		w.left--
		s.visits, s.sequence, s.length = 0, 0, 0
	}
	w.visitedCount = 0
	w.mute = muteNone
	if w.room(small) {
		w.writeDepth()
	}
	w.limit = w.openLimit()
}

// Where the fast way is closed: what to do with a visit of this site.
//
//go:noinline
func (w *W) decide(site uint32) uint8 {
	if w.mute == muteDead || site >= channel.slotCount {
		return drop
	}
	if w.mute == muteNone && w.left == 0 {
		if w.room(small) {
			*at[byte](w.at + 1) = 0
			w.publish(opLimit, w.at+2)
		}
		w.startMute(muteAll, site)
	}
	if w.mute != muteNone {
		seen := w.seenOf(site)
		if *seen >= 2 {
			w.countVisit(site)
			return count
		}
		if *seen == 0 {
			*at[uint32](w.visited + uintptr(w.visitedCount)*4) = site
			w.visitedCount++
		}
		*seen++
		if !w.room(small) {
			w.countVisit(site)
			return count
		}
		w.writeDepth()
		return keep
	}
	if !w.room(small) {
		w.startMute(muteAll, site)
		w.countVisit(site)
		return count
	}
	return keep
}

// Whether a visit is only counted, which must be quick.
func (w *W) isCounted(site uint32) bool {
	return w.mute != muteNone && (w.mute == muteDead || *w.seenOf(site) >= 2)
}

func (w *W) admit(site uint32) uint8 {
	if w.at < w.limit {
		return keep
	}
	return w.decide(site)
}

// Counts a visit of a site that says a scalar, and keeps that.
func (w *W) countScalar(site uint32, bits uint64, code uint32) {
	if w.mute == muteDead {
		return
	}
	w.countVisit(site)
	l := at[last](w.last + uintptr(site)*unsafe.Sizeof(last{}))
	l.bits, l.code = bits, code
}

// Writes what a site said last into its slot.
func (w *W) remember(site uint32) {
	l := at[last](w.last + uintptr(site)*unsafe.Sizeof(last{}))
	if l.code == 0 {
		return
	}
	s := slotOf(site)
	s.length = 0
	w.kept = count
	w.start = uintptr(unsafe.Pointer(&s.record))
	w.bound = w.start + slotRecord
	what := l.code & 15
	if what == scalarArm {
		*at[byte](w.start) = opBranch
	} else {
		*at[byte](w.start) = opVar
	}
	w.to = putVarint(w.start+1, uint64(site))
	if what == scalarArm {
		w.putNumber(l.bits)
		w.putByte(0)
	} else {
		w.putByte(1)
		w.putScalar(what, l.code>>4, l.bits)
	}
	if w.to != 0 {
		s.sequence = s.visits
		s.length = uint8(w.to - w.start)
	}
	l.code = 0
}
