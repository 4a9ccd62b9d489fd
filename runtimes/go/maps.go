package tracer_emit

// Maps: which entries are shown must not hang on the order of iteration, which is random.

import (
	"reflect"
)

func (w *W) putMap(v reflect.Value) {
	number := w.typeOf(v)
	if v.IsNil() {
		w.putTyped(number)
		w.putByte(kindNull)
		return
	}
	length := v.Len()
	shown := w.shown(length)
	// A map that another goroutine writes to meanwhile would end the program.
	if channel.tasks || length > mapScan {
		shown = 0
	}
	keys := firstKeys(v, shown, length)
	w.putHead(kindMap, number, v.Pointer(), length, len(keys), 2)
	w.level++
	began := w.to
	for _, key := range keys {
		if w.to == 0 {
			break
		}
		if w.tooLong(began) {
			w.putOpaque(0, 0, "")
			w.putOpaque(0, 0, "")
		} else {
			w.put(key)
			w.put(v.MapIndex(key))
		}
	}
	w.level--
}

// The least keys, or all where there are no more.
func firstKeys(v reflect.Value, shown, length int) []reflect.Value {
	if shown == 0 {
		return nil
	}
	less := ordering(v.Type().Key().Kind())
	if less == nil {
		if shown < length {
			return nil
		}
		return v.MapKeys()
	}
	keys := make([]reflect.Value, 0, shown+1)
	for entries := v.MapRange(); entries.Next(); {
		key := entries.Key()
		place := len(keys)
		for place > 0 && less(key, keys[place-1]) {
			place--
		}
		if place >= shown {
			continue
		}
		keys = append(keys, reflect.Value{})
		copy(keys[place+1:], keys[place:])
		keys[place] = key
		keys = keys[:min(len(keys), shown)]
	}
	return keys
}

func ordering(kind reflect.Kind) func(a, b reflect.Value) bool {
	switch {
	case kind >= reflect.Int && kind <= reflect.Int64:
		return func(a, b reflect.Value) bool { return a.Int() < b.Int() }
	case kind >= reflect.Uint && kind <= reflect.Uintptr:
		return func(a, b reflect.Value) bool { return a.Uint() < b.Uint() }
	case kind == reflect.String:
		return func(a, b reflect.Value) bool { return a.String() < b.String() }
	}
	return nil
}
