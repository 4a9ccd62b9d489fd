package tracer_emit

// Values that are one machine word: read from memory at once, kept as bits while they are counted.

import (
	"internal/abi"
	"math"
	"reflect"
	"unsafe"
)

const (
	kindNull = iota
	kindFalse
	kindTrue
	kindInt
	kindBig
	kindFloat
	kindString
	kindBytes
	kindFunction
	kindUnbound
	_
	kindFloat32
	kindUint
	kindTyped     = 0x10
	kindSequence  = 0x11
	kindMap       = 0x12
	kindRecord    = 0x14
	kindReference = 0x15
	kindOpaque    = 0x16
	kindPointer   = 0x18
)

const (
	scalarNone = iota
	scalarArm
	scalarSigned
	scalarUnsigned
	scalarBool
	scalarFloat
	scalarFloat32
)

// The types whose name the reader supplies.
var (
	typeInt     = typeFor[int]()
	typeUint    = typeFor[uint]()
	typeFloat   = typeFor[float64]()
	typeFloat32 = typeFor[float32]()
	typeBool    = typeFor[bool]()
	typeString  = typeFor[string]()
	typeBytes   = typeFor[[]byte]()
)

func typeFor[T any]() *abi.Type {
	return (*abi.PtrType)(unsafe.Pointer(abi.TypeOf((*T)(nil)))).Elem
}

// Hides a pointer from escape analysis: what it points at stays on the stack.
//
//go:nosplit
func noescape(p unsafe.Pointer) unsafe.Pointer {
	x := uintptr(p)
	return unsafe.Pointer(x ^ 0)
}

func reflected(t *abi.Type) reflect.Type {
	value := struct{ t, p unsafe.Pointer }{unsafe.Pointer(t), nil}
	return reflect.TypeOf(*(*any)(unsafe.Pointer(&value)))
}

func nameOf(key uintptr) string {
	return reflected(at[abi.Type](key)).String()
}

// The number of a type's name; 0 where the reader knows it.
func typeNumber(t *abi.Type) uint32 {
	switch t {
	case typeInt, typeUint, typeFloat, typeFloat32, typeBool, typeString, typeBytes:
		return 0
	}
	return numberOf(uintptr(unsafe.Pointer(t)), nameOf)
}

func scalarOf(t *abi.Type, p unsafe.Pointer) (what uint32, bits uint64) {
	switch t.Kind() {
	case abi.Int, abi.Int64:
		return scalarSigned, *(*uint64)(p)
	case abi.Int32:
		return scalarSigned, uint64(*(*int32)(p))
	case abi.Uint8:
		return scalarUnsigned, uint64(*(*uint8)(p))
	case abi.Bool:
		return scalarBool, uint64(*(*uint8)(p))
	case abi.Float64:
		return scalarFloat, *(*uint64)(p)
	case abi.Int8:
		return scalarSigned, uint64(*(*int8)(p))
	case abi.Int16:
		return scalarSigned, uint64(*(*int16)(p))
	case abi.Uint, abi.Uint64, abi.Uintptr:
		return scalarUnsigned, *(*uint64)(p)
	case abi.Uint16:
		return scalarUnsigned, uint64(*(*uint16)(p))
	case abi.Uint32:
		return scalarUnsigned, uint64(*(*uint32)(p))
	case abi.Float32:
		return scalarFloat32, uint64(*(*uint32)(p))
	}
	return scalarNone, 0
}

// Writes a scalar at a place with room for it.
func scalarAt(to uintptr, what uint32, bits uint64) uintptr {
	switch what {
	case scalarSigned:
		*at[byte](to) = kindInt
		return putVarint(to+1, zigzag(int64(bits)))
	case scalarUnsigned:
		*at[byte](to) = kindUint
		return putVarint(to+1, bits)
	case scalarBool:
		*at[byte](to) = kindFalse + byte(bits&1)
		return to + 1
	case scalarFloat:
		*at[byte](to) = kindFloat
		*at[uint64](to + 1) = bits
		return to + 9
	}
	*at[byte](to) = kindFloat32
	*at[uint32](to + 1) = uint32(bits)
	return to + 5
}

func (w *W) putTyped(number uint32) {
	if number != 0 {
		number = w.tell(number)
		w.putByte(kindTyped)
		w.putNumber(uint64(number))
	}
}

func (w *W) putScalar(what, number uint32, bits uint64) {
	w.putTyped(number)
	if w.need(16) {
		w.to = scalarAt(w.to, what, bits)
	}
}

func (w *W) putFloat(f float64) {
	w.putScalar(scalarFloat, 0, math.Float64bits(f))
}

// A VAR of any value.
//
//go:noinline
func (w *W) v(site uint32, t *abi.Type, p unsafe.Pointer) {
	what, bits := scalarOf(t, p)
	if what == scalarNone {
		if w.isCounted(site) {
			if w.mute == muteDead {
				return
			}
			if visits := slotOf(site).visits; visits&(visits+1) != 0 {
				w.countVisit(site)
				return
			}
		}
		if w.open(site, opVar) {
			w.putByte(1)
			w.putValue(t, p)
			w.Z()
		}
		return
	}
	if w.isCounted(site) {
		if w.mute == muteDead {
			return
		}
		w.countScalar(site, bits, what|typeNumber(t)<<4)
		// A crash loses nothing that was recorded; of what is only counted, little.
		if visits := slotOf(site).visits; visits&(visits-1) == 0 {
			w.remember(site)
		}
		return
	}
	number := typeNumber(t)
	if w.at < w.limit && (number == 0 || w.interned[number/64]>>(number%64)&1 != 0) {
		to := putVarint(w.at+1, uint64(site))
		*at[byte](to) = 1
		to++
		if number != 0 {
			*at[byte](to) = kindTyped
			to = putVarint(to+1, uint64(number))
		}
		w.finish(opVar, scalarAt(to, what, bits))
		return
	}
	if w.open(site, opVar) {
		w.putByte(1)
		w.putScalar(what, number, bits)
		w.Z()
	}
}

// A small record is complete.
func (w *W) finish(op byte, end uintptr) {
	*at[byte](w.at) = op
	w.at = end
	w.left--
	if w.left == 0 {
		w.limit = 0
	} else if w.mute == muteNone {
		w.limit = w.segmentEnd - small
	}
}
