package tracer_emit

// Where records go: whole segments, and pieces of segments that goroutines share. A program may make
// far more goroutines than there are segments.

import (
	"sync/atomic"
	"unsafe"
)

const (
	// The stream number of a segment that holds pieces of several.
	shared      = ^uint32(0)
	pieceHeader = 24
	// A goroutine's first piece; each further one is four times as large, up to the last.
	firstPiece = 1 << 10
	lastPiece  = 16 << 10
	// What ended goroutines left, and what is worth keeping of it.
	tailsKept = 1024
	leastTail = 256
	// A piece that says only that there was no room for more.
	limitPiece = pieceHeader + 8
)

// Room behind the records of a goroutine that is over.
type tail struct {
	piece, from, end uintptr
}

var pool struct {
	lock      uint32
	at, end   uintptr // of the segment that pieces are cut from
	limits    uintptr // where the next limit is told
	tailCount int
	tails     [tailsKept]tail
}

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// Nobody who holds the pool is made to wait, so that spinning for it is short.
func lockPool() {
	procPin()
	for !atomic.CompareAndSwapUint32(&pool.lock, 0, 1) {
	}
}

func unlockPool() {
	atomic.StoreUint32(&pool.lock, 0)
	procUnpin()
}

// Claims a segment: where it begins, or 0. The last one is kept for telling that there is none.
func takeSegment(stream uint32) uintptr {
	claimed := at[uint32](channel.base + 64)
	var number uint32
	for {
		number = atomic.LoadUint32(claimed)
		if number+1 >= channel.segmentCount {
			return 0
		}
		if atomic.CompareAndSwapUint32(claimed, number, number+1) {
			break
		}
	}
	segment := channel.segments + uintptr(number)*uintptr(channel.segmentSize)
	nameSegment(segment, stream)
	return segment
}

func nameSegment(segment uintptr, stream uint32) {
	*at[uint32](segment + 4) = stream
	*at[uint64](segment + 16) = *at[uint64](channel.base + 8)
	atomic.StoreUint32(at[uint32](segment), 'S'|'E'<<8|'G'<<16|'1'<<24)
}

// More room for this writer, for a record of at least so many bytes.
//
//go:noinline
func (w *W) claim(least uintptr) bool {
	if w.full {
		return false
	}
	if w.origin == originThread && w.next <= lastPiece && least <= lastPiece/2 {
		if w.claimPiece(least) {
			return true
		}
	} else if segment := takeSegment(w.stream); segment != 0 {
		*at[uint32](segment + 8) = w.parent
		*at[uint32](segment + 12) = w.origin
		*at[uint32](segment + 24) = w.parentSite
		*at[uint32](segment + 28) = w.ordinal
		w.at = segment + segmentHeader
		w.segmentEnd = segment + uintptr(channel.segmentSize)
		// The reader takes a stream's pieces in the order in which they lie.
		w.piece, w.next = 0, lastPiece+1
		return true
	}
	w.full = true
	tellLimit(w.stream, w.parent, w.ordinal, w.parentSite)
	return false
}

func (w *W) claimPiece(least uintptr) bool {
	size := max(w.next, (least+pieceHeader+small+7)&^7)
	lockPool()
	piece, end := uintptr(0), uintptr(0)
	// Only a first piece may lie before others that were made earlier.
	if w.next == firstPiece && pool.tailCount > 0 {
		last := &pool.tails[pool.tailCount-1]
		if last.from+least+pieceHeader+small <= last.end {
			piece, end = last.from, last.end
			pool.tailCount--
			w.writePiece(piece, end)
			*at[uint32](last.piece) = uint32(piece - last.piece)
		}
	}
	if piece == 0 {
		if pool.at+size > pool.end {
			segment := takeSegment(shared)
			if segment == 0 {
				unlockPool()
				return false
			}
			pool.at = segment + segmentHeader
			pool.end = segment + uintptr(channel.segmentSize)
		}
		piece, end = pool.at, pool.at+size
		pool.at = end
		w.writePiece(piece, end)
	}
	unlockPool()
	w.next = max(w.next, firstPiece) * 4
	w.piece, w.at, w.segmentEnd = piece, piece+pieceHeader, end
	return true
}

func (w *W) writePiece(piece, end uintptr) {
	writePiece(piece, end, w.stream, w.parent, w.ordinal, w.parentSite)
}

func writePiece(piece, end uintptr, stream, parent, ordinal, site uint32) {
	*at[uint32](piece + 4) = stream
	*at[uint32](piece + 8) = parent
	*at[uint32](piece + 12) = originThread
	*at[uint32](piece + 16) = site
	*at[uint32](piece + 20) = ordinal
	atomic.StoreUint32(at[uint32](piece), uint32(end-piece))
}

// The goroutine is over, or seems to be: what it did not fill is for others.
func (w *W) release() {
	if w.piece == 0 {
		return
	}
	// A zero byte stays behind the records.
	from := (w.at + 8) &^ 7
	wipe(w.at, w.segmentEnd)
	lockPool()
	if w.segmentEnd == pool.at {
		*at[uint32](w.piece) = uint32(from - w.piece)
		pool.at = from
	} else if from+leastTail <= w.segmentEnd && pool.tailCount < tailsKept {
		pool.tails[pool.tailCount] = tail{w.piece, from, w.segmentEnd}
		pool.tailCount++
	}
	unlockPool()
	w.piece, w.at, w.segmentEnd, w.limit = 0, 0, 0, 0
}

func wipe(from, end uintptr) {
	if from < end {
		clear(unsafe.Slice(at[byte](from), end-from))
	}
}

// Tells, in the last segment, that a stream found no room.
func tellLimit(stream, parent, ordinal, site uint32) {
	lockPool()
	segment := channel.segments + uintptr(channel.segmentCount-1)*uintptr(channel.segmentSize)
	if pool.limits == 0 {
		nameSegment(segment, shared)
		atomic.StoreUint32(at[uint32](channel.base+64), channel.segmentCount)
		pool.limits = segment + segmentHeader
	}
	piece := pool.limits
	if piece+limitPiece <= segment+uintptr(channel.segmentSize) {
		pool.limits += limitPiece
		*at[byte](piece + pieceHeader + 1) = 2
		*at[byte](piece + pieceHeader) = opLimit
		writePiece(piece, piece+limitPiece, stream, parent, ordinal, site)
	}
	unlockPool()
}
