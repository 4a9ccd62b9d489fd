package tracer_emit

// Maps: read only while nothing can write to them, and in an order that is not that of iteration,
// which is random.

import (
	"internal/runtime/maps"
	"reflect"
	"runtime"
)

// Where a map says that it is being written to; 0 if it does not say so.
var mapWriting = func() uintptr {
	if field, is := reflect.TypeFor[maps.Map]().FieldByName("writing"); is {
		return field.Offset
	}
	return 0
}()

// Whether nothing else of the program runs until this goroutine lets it: there is one thread to run
// goroutines, or one goroutine. That holds for as long as the caller is pinned.
func runsAlone() bool {
	return runtime.GOMAXPROCS(0) == 1 || runtime.NumGoroutine() == 1 && !channel.foreign
}

type mapEntry struct {
	key, value reflect.Value
}

// The entries to show, copied. A map that others may write to meanwhile, or that somebody was
// stopped writing to, is not read: that would end the program.
func entriesOf(v reflect.Value, shown int) []mapEntry {
	length := v.Len()
	if shown == 0 || length > mapScan {
		return nil
	}
	orderly := isOrderly(v.Type().Key())
	if !orderly && shown < length {
		return nil
	}
	entries := make([]mapEntry, 0, shown+1)
	procPin()
	header := uintptr(v.UnsafePointer())
	if mapWriting != 0 && runsAlone() && *at[uint8](header + mapWriting) == 0 {
		for each := v.MapRange(); each.Next(); {
			key := each.Key()
			place := len(entries)
			for orderly && place > 0 && order(key, entries[place-1].key) < 0 {
				place--
			}
			if place >= shown {
				continue
			}
			entries = append(entries, mapEntry{})
			copy(entries[place+1:], entries[place:])
			entries[place] = mapEntry{key, each.Value()}
			entries = entries[:min(len(entries), shown)]
		}
	}
	procUnpin()
	return entries
}

func (w *W) putMap(v reflect.Value) {
	number := w.typeOf(v)
	if v.IsNil() {
		w.putTyped(number)
		w.putByte(kindNull)
		return
	}
	length := v.Len()
	entries := entriesOf(v, w.shown(length))
	w.putHead(kindMap, number, v.Pointer(), length, len(entries), 2)
	w.level++
	began := w.to
	for _, entry := range entries {
		if w.to == 0 {
			break
		}
		if w.tooLong(began) {
			w.putOpaque(0, 0, "")
			w.putOpaque(0, 0, "")
		} else {
			w.put(entry.key)
			w.put(entry.value)
		}
	}
	w.level--
}

// Whether keys of a type have an order that is the same in every run.
func isOrderly(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return isOrderly(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !isOrderly(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.String:
		return true
	}
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64
}

func order(a, b reflect.Value) int {
	switch kind := a.Kind(); {
	case kind == reflect.Bool:
		return compare(truth(a), truth(b))
	case kind <= reflect.Int64:
		return compare(a.Int(), b.Int())
	case kind <= reflect.Uintptr:
		return compare(a.Uint(), b.Uint())
	case kind <= reflect.Float64:
		return compare(a.Float(), b.Float())
	case kind == reflect.String:
		return compare(a.String(), b.String())
	case kind == reflect.Array:
		for i := range a.Len() {
			if which := order(a.Index(i), b.Index(i)); which != 0 {
				return which
			}
		}
	case kind == reflect.Struct:
		for i := range a.NumField() {
			if which := order(a.Field(i), b.Field(i)); which != 0 {
				return which
			}
		}
	}
	return 0
}

func truth(v reflect.Value) uint8 {
	if v.Bool() {
		return 1
	}
	return 0
}

func compare[T uint8 | int64 | uint64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
