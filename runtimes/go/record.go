package tracer_emit

// Bytes of the record being written, and names that are told once a stream.

import (
	"sync/atomic"
	"unsafe"
)

func putVarint(to uintptr, n uint64) uintptr {
	for n >= 0x80 {
		*at[byte](to) = byte(n) | 0x80
		n >>= 7
		to++
	}
	*at[byte](to) = byte(n)
	return to + 1
}

func zigzag(n int64) uint64 {
	return uint64(n)<<1 ^ uint64(n>>63)
}

// Begins a record of several values; it is complete with Z. False if none is wanted.
func (w *W) open(site uint32, op byte) bool {
	what := w.admit(site)
	w.site = site
	if what == count {
		// Not worth capturing at every visit.
		if visits := slotOf(site).visits; visits&(visits-1) != 0 {
			what = drop
		}
	}
	w.kept = what
	if what == drop {
		w.to, w.bound = 0, 0
		return false
	}
	w.limit = 0
	if what == keep {
		w.start, w.bound = w.at, w.segmentEnd
		*at[byte](w.start) = 0
	} else {
		s := slotOf(site)
		s.length = 0
		w.start = uintptr(unsafe.Pointer(&s.record))
		w.bound = w.start + slotRecord
		*at[byte](w.start) = op
	}
	w.to = putVarint(w.start+1, uint64(site))
	w.level, w.pathLength = 0, 0
	w.op = op
	return true
}

// Z completes the record being written.
func (w *W) Z() {
	switch {
	case w.to == 0:
	case w.kept == keep:
		*at[byte](w.start) = w.op
		w.at = w.to
		if w.left > 0 {
			w.left--
		}
	case w.kept == count:
		s := slotOf(w.site)
		s.sequence = s.visits
		s.length = uint8(w.to - w.start)
	}
	w.to = 0
	if w.kept != drop {
		w.limit = w.openLimit()
	}
}

// Room for n more bytes. A kept record moves to a new segment; a counted one is given up.
func (w *W) need(n uintptr) bool {
	if w.to != 0 && w.to+n <= w.bound {
		return true
	}
	return w.move(n)
}

//go:noinline
func (w *W) move(n uintptr) bool {
	if w.to != 0 && w.kept == keep {
		old, length := w.start, w.to-w.start
		if length+n < uintptr(channel.segmentSize)/2 && w.claim(length+n) {
			w.start = w.at
			for i := uintptr(0); i < length; i++ {
				*at[byte](w.start + i) = *at[byte](old + i)
			}
			w.to = w.start + length
			w.bound = w.segmentEnd
			return true
		}
	}
	w.giveUp()
	return false
}

// The record being written is not told. Nothing of it may be taken for records.
func (w *W) giveUp() {
	if w.to != 0 && w.kept == keep {
		wipe(w.start, w.to)
	}
	w.to = 0
}

func (w *W) putByte(b byte) {
	if w.need(1) {
		*at[byte](w.to) = b
		w.to++
	}
}

func (w *W) putNumber(n uint64) {
	if w.need(10) {
		w.to = putVarint(w.to, n)
	}
}

func (w *W) putEight(n uint64) {
	if w.need(8) {
		*at[uint64](w.to) = n
		w.to += 8
	}
}

func (w *W) putBytes(from unsafe.Pointer, n uintptr) {
	if w.need(n) {
		copy(unsafe.Slice(at[byte](w.to), n), unsafe.Slice((*byte)(from), n))
		w.to += n
	}
}

func (w *W) putString(text string) {
	w.putBytes(unsafe.Pointer(unsafe.StringData(text)), uintptr(len(text)))
}

// Names have numbers in the whole process, and are told in each stream that uses them.

const typesSize = 1 << 12

type typeEntry struct {
	key    uintptr // 0: free
	number uint32
	ready  uint32
}

var (
	typeTable uintptr
	names     [namesKept]string
	nameCount uint32
)

// The number of a name that this key stands for; 0 if there are too many.
func numberOf(key uintptr, name func(uintptr) string) uint32 {
	index := key * 0x9e3779b97f4a7c15 >> 52
	for tries := 0; tries < typesSize; tries++ {
		e := at[typeEntry](typeTable + index*unsafe.Sizeof(typeEntry{}))
		known := atomic.LoadUintptr(&e.key)
		if known == 0 && atomic.CompareAndSwapUintptr(&e.key, 0, key) {
			number := atomic.AddUint32(&nameCount, 1)
			if number < namesKept {
				names[number] = name(key)
				atomic.StoreUint32(&e.number, number)
			}
			atomic.StoreUint32(&e.ready, 1)
			return e.number
		}
		if known == key || atomic.LoadUintptr(&e.key) == key {
			if atomic.LoadUint32(&e.ready) == 0 {
				return 0
			}
			return e.number
		}
		index = (index + 1) & (typesSize - 1)
	}
	return 0
}

func textOf(key uintptr) string {
	return *at[string](key)
}

// The number of a fixed text, told in this stream. The address of a variable is its key.
func (w *W) intern(text *string) uint32 {
	return w.tell(numberOf(uintptr(unsafe.Pointer(text)), textOf))
}

// Tells the stream a name, unless it knows it.
func (w *W) tell(number uint32) uint32 {
	if number == 0 || w.interned[number/64]>>(number%64)&1 != 0 {
		return number
	}
	return w.tellNow(number)
}

//go:noinline
func (w *W) tellNow(number uint32) uint32 {
	name := names[number]
	if len(name) > 200 {
		name = name[:200]
	}
	// Not on the stack, which may move.
	first := uintptr(unsafe.Pointer(&w.scratch))
	end := putVarint(first, uint64(number))
	end = putVarint(end, uint64(len(name)))
	headLength := end - first
	size := 1 + headLength + uintptr(len(name))
	put := func(to uintptr) {
		for i := uintptr(0); i < headLength; i++ {
			*at[byte](to + 1 + i) = w.scratch[i]
		}
		copy(unsafe.Slice(at[byte](to+1+headLength), len(name)), name)
	}
	if w.kept == keep && w.to != 0 {
		// It stands before the record that uses it.
		if !w.need(size) {
			return 0
		}
		for from := w.to; from > w.start; from-- {
			*at[byte](from + size - 1) = *at[byte](from - 1)
		}
		put(w.start)
		*at[byte](w.start + size) = 0
		*at[byte](w.start) = opIntern
		w.start += size
		w.to += size
		w.at = w.start
	} else {
		if !w.room(size + 1) {
			return 0
		}
		put(w.at)
		w.publish(opIntern, w.at+size)
	}
	w.interned[number/64] |= 1 << (number % 64)
	return number
}
