package tracer_emit

// What a panic says: its type and its message, without calling a method of the program's.

import (
	"reflect"
	"runtime"
)

// Type and message of a panic's value.
func (w *W) putError(value any) {
	if value == nil {
		w.putText("nil")
		w.putByte(kindNull)
		return
	}
	v := reflect.ValueOf(value)
	w.putText(v.Type().String())
	if own, is := value.(runtime.Error); is && isStandard(v.Type()) {
		w.putText(own.Error())
		return
	}
	w.putSafely(message(v))
}

func isStandard(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "runtime" || t.PkgPath() == "internal/runtime/maps" ||
		t.PkgPath() == "internal/abi"
}

// The text inside the errors that the standard library makes; else the value itself.
func message(v reflect.Value) reflect.Value {
	inner := v
	if inner.Kind() == reflect.Pointer && !inner.IsNil() {
		inner = inner.Elem()
	}
	if inner.Kind() == reflect.Struct {
		switch inner.Type().PkgPath() {
		case "errors", "fmt":
			if inner.NumField() > 0 && inner.Field(0).Kind() == reflect.String {
				return inner.Field(0)
			}
		}
	}
	return v
}
