package tracer_emit

// Values with parts. They are read by reflection, which calls none of their methods, within the
// bounds of depth, elements and bytes.

import (
	"internal/abi"
	"reflect"
	"runtime"
	"unsafe"
)

// Entries of a map that are looked at to find the first few in order.
const mapScan = 2048

//go:linkname setPanicOnFault runtime/debug.setPanicOnFault
func setPanicOnFault(bool) bool

// A value of the record being written.
func (w *W) putValue(t *abi.Type, p unsafe.Pointer) {
	if what, bits := scalarOf(t, p); what != scalarNone {
		w.putScalar(what, typeNumber(t), bits)
		return
	}
	w.putSafely(reflect.NewAt(reflected(t), p).Elem())
}

// Another goroutine may be in the middle of writing what is read here: a fault is not the program's.
func (w *W) putSafely(v reflect.Value) {
	done := false
	faults := false
	if channel.tasks {
		faults = setPanicOnFault(true)
	}
	defer func() {
		if channel.tasks {
			setPanicOnFault(faults)
		}
		if !done {
			recover()
			w.giveUp()
		}
	}()
	w.put(v)
	done = true
}

func keyOf(t reflect.Type) *abi.Type {
	return (*abi.Type)((*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1])
}

func (w *W) typeOf(v reflect.Value) uint32 {
	return w.tell(numberOf(uintptr(unsafe.Pointer(keyOf(v.Type()))), nameOf))
}

func (w *W) put(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		bit := uint64(0)
		if v.Bool() {
			bit = 1
		}
		w.putScalar(scalarBool, typeNumber(keyOf(v.Type())), bit)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.putScalar(scalarSigned, typeNumber(keyOf(v.Type())), uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.putScalar(scalarUnsigned, typeNumber(keyOf(v.Type())), v.Uint())
	case reflect.Float32:
		w.putTyped(typeNumber(keyOf(v.Type())))
		if w.need(5) {
			f := float32(v.Float())
			w.to = scalarAt(w.to, scalarFloat32, uint64(*(*uint32)(unsafe.Pointer(&f))))
		}
	case reflect.Float64:
		w.putTyped(typeNumber(keyOf(v.Type())))
		w.putFloat(v.Float())
	case reflect.Complex64, reflect.Complex128:
		w.putComplex(v)
	case reflect.String:
		w.putTyped(typeNumber(keyOf(v.Type())))
		w.putText(v.String())
	case reflect.Slice:
		if v.IsNil() {
			w.putTyped(w.typeOf(v))
			w.putByte(kindNull)
		} else if v.Type().Elem().Kind() == reflect.Uint8 {
			w.putTyped(typeNumber(keyOf(v.Type())))
			w.putRaw(v.Bytes())
		} else {
			w.putSequence(v)
		}
	case reflect.Array:
		w.putSequence(v)
	case reflect.Map:
		w.putMap(v)
	case reflect.Struct:
		w.putStruct(v)
	case reflect.Pointer:
		w.putPointer(v)
	case reflect.Interface:
		if v.IsNil() {
			w.putTyped(w.typeOf(v))
			w.putByte(kindNull)
		} else {
			w.put(v.Elem())
		}
	case reflect.Func:
		w.putFunction(v)
	default:
		number := w.typeOf(v)
		heap := uint64(0)
		if v.Kind() == reflect.Chan || v.Kind() == reflect.UnsafePointer {
			heap = uint64(v.Pointer())
		}
		w.putOpaque(number, heap, "")
	}
}

func (w *W) putOpaque(number uint32, heap uint64, text string) {
	w.putByte(kindOpaque)
	w.putNumber(uint64(number))
	w.putNumber(heap)
	w.putNumber(uint64(len(text)))
	w.putString(text)
}

func (w *W) putFunction(v reflect.Value) {
	if v.IsNil() {
		w.putTyped(w.typeOf(v))
		w.putByte(kindNull)
		return
	}
	number := w.tell(numberOf(v.Pointer(), functionName))
	w.putTyped(w.typeOf(v))
	w.putByte(kindFunction)
	w.putNumber(uint64(number))
}

func functionName(pc uintptr) string {
	if function := runtime.FuncForPC(pc); function != nil {
		return shortName(function.Name())
	}
	return "?"
}

// A function's name without the folders of its package, and without type arguments.
func shortName(name string) string {
	for i := len(name); i > 0; i-- {
		if name[i-1] == '/' {
			name = name[i:]
			break
		}
	}
	const arguments = "[...]"
	for i := 0; i+len(arguments) <= len(name); i++ {
		if name[i:i+len(arguments)] == arguments {
			return name[:i] + name[i+len(arguments):]
		}
	}
	return name
}

var (
	textRe = "real"
	textIm = "imag"
	textTo = "*"
)

func (w *W) putComplex(v reflect.Value) {
	number := w.typeOf(v)
	re, im := w.intern(&textRe), w.intern(&textIm)
	w.putByte(kindRecord)
	w.putNumber(uint64(number))
	w.putNumber(0)
	w.putNumber(2)
	w.putByte(0)
	w.putNumber(2)
	w.putNumber(uint64(re))
	w.putFloat(real(v.Complex()))
	w.putNumber(uint64(im))
	w.putFloat(imag(v.Complex()))
}

// Container head: type, identity, length, whether cut, shown.
func (w *W) putHead(kind byte, number uint32, heap uintptr, length, shown int, flags byte) {
	w.putByte(kind)
	w.putNumber(uint64(number))
	w.putNumber(uint64(heap))
	w.putNumber(uint64(length))
	if shown < length {
		w.putByte(flags | 1)
		w.putEight(0)
	} else {
		w.putByte(flags)
	}
	w.putNumber(uint64(shown))
}

func (w *W) shown(length int) int {
	if w.level >= uint32(channel.depth) {
		return 0
	}
	return min(length, int(channel.elements))
}

// Whether a container has taken its share of bytes.
func (w *W) tooLong(began uintptr) bool {
	return w.to > began && w.to-began > uintptr(channel.valueBytes)
}

func (w *W) putSequence(v reflect.Value) {
	number := w.typeOf(v)
	length := v.Len()
	shown := w.shown(length)
	w.putHead(kindSequence, number, 0, length, shown, 0)
	w.level++
	began := w.to
	for i := 0; i < shown && w.to != 0; i++ {
		if w.tooLong(began) {
			w.putOpaque(0, 0, "")
		} else {
			w.put(v.Index(i))
		}
	}
	w.level--
}

// What a lock guards is not read while others that run may hold it: only its plain parts are.
func guarded(t reflect.Type) bool {
	if runsAlone() {
		return false
	}
	for i := 0; i < t.NumField(); i++ {
		switch t.Field(i).Type.PkgPath() {
		case "sync", "sync/atomic":
			return true
		}
	}
	return false
}

func isPlain(kind reflect.Kind) bool {
	return kind >= reflect.Bool && kind <= reflect.Complex128
}

func (w *W) putStruct(v reflect.Value) {
	number := w.typeOf(v)
	t := v.Type()
	switch t.PkgPath() {
	case "sync", "sync/atomic", "time", "os", "reflect", "context", "bufio", "net", "net/http",
		"math/big", "regexp", "text/template", "html/template", "log", "math/rand", "math/rand/v2":
		w.putOpaque(number, 0, "")
		return
	case "strings", "bytes":
		w.putOpaque(number, 0, "")
		return
	}
	length := t.NumField()
	shown := w.shown(length)
	careful := guarded(t)
	w.putHead(kindRecord, number, 0, length, shown, 0)
	w.level++
	began := w.to
	for i := 0; i < shown && w.to != 0; i++ {
		field := v.Field(i)
		w.putNumber(uint64(w.fieldName(keyOf(t), i, t)))
		if w.tooLong(began) || careful && !isPlain(field.Kind()) {
			w.putOpaque(0, 0, "")
		} else {
			w.put(field)
		}
	}
	w.level--
}

// The number of a field's name: the field's descriptor is its key.
func (w *W) fieldName(key *abi.Type, index int, t reflect.Type) uint32 {
	fields := (*abi.StructType)(unsafe.Pointer(key)).Fields
	return w.tell(numberOf(uintptr(unsafe.Pointer(&fields[index])), func(uintptr) string {
		return t.Field(index).Name
	}))
}

func (w *W) putPointer(v reflect.Value) {
	number := w.typeOf(v)
	address := v.Pointer()
	w.putByte(kindPointer)
	w.putNumber(uint64(number))
	w.putNumber(uint64(address))
	if address == 0 || w.level >= uint32(channel.depth) || w.pathLength >= pathKept {
		w.putByte(0)
		return
	}
	w.putByte(1)
	for i := uint32(0); i < w.pathLength; i++ {
		if w.path[i] == address {
			w.putByte(kindReference)
			w.putNumber(uint64(address))
			return
		}
	}
	w.path[w.pathLength] = address
	w.pathLength++
	w.put(v.Elem())
	w.pathLength--
}

func (w *W) putRaw(raw []byte) {
	shown := min(len(raw), int(channel.characters), channel.valueBytes)
	cut := shown < len(raw)
	w.putByte(kindBytes)
	w.putNumber(uint64(len(raw)))
	w.putCut(shown, cut)
	w.putBytes(unsafe.Pointer(unsafe.SliceData(raw)), uintptr(shown))
	if cut {
		w.putEight(digest(unsafe.String(unsafe.SliceData(raw), len(raw))))
	}
}

func (w *W) putCut(shown int, cut bool) {
	n := uint64(shown) * 2
	if cut {
		n++
	}
	w.putNumber(n)
}

func digest(text string) uint64 {
	if len(text) > 1<<16 {
		return 0
	}
	sum := uint64(0xcbf29ce484222325)
	for i := 0; i < len(text); i++ {
		sum = (sum ^ uint64(text[i])) * 0x100000001b3
	}
	return sum
}

func (w *W) putText(text string) {
	characters, shown := 0, len(text)
	if len(text) > int(channel.characters) {
		shown = 0
		for i := 0; i < len(text) && i < 1<<20; i++ {
			if text[i]&0xc0 != 0x80 {
				characters++
			}
			if characters <= int(channel.characters) && i < channel.valueBytes {
				shown = i + 1
			}
		}
		// Not through a character.
		for shown < len(text) && shown > 0 && text[shown]&0xc0 == 0x80 {
			shown--
		}
	} else {
		for i := 0; i < len(text); i++ {
			if text[i]&0xc0 != 0x80 {
				characters++
			}
		}
	}
	cut := shown < len(text)
	w.putByte(kindString)
	w.putNumber(uint64(characters))
	w.putCut(shown, cut)
	w.putBytes(unsafe.Pointer(unsafe.StringData(text)), uintptr(shown))
	if cut {
		w.putEight(digest(text))
	}
}
