package tracer_emit

import "unsafe"

const (
	// Memory of the emitter's own.
	arenaSize = 1 << 24
	// To what the machine maps.
	page = 1 << 16
)

// The machine around a module says how large the channel is, and lays it over pages of the module's
// own memory.
//
//go:wasmimport tracer size
func channelSize() uint32

//go:wasmimport tracer map
func layChannel(at uint32, length uint32) uint32

// What the emitter has of the heap, for good.
var held [2][]byte

// Memory of the emitter's own: no page of it is anyone else's.
func memory(size uintptr) uintptr {
	bytes := make([]byte, size+2*page)
	if held[0] == nil {
		held[0] = bytes
	} else {
		held[1] = bytes
	}
	return (uintptr(unsafe.Pointer(&bytes[0])) + page - 1) &^ (page - 1)
}

// Maps the whole channel; 0 where there is none.
func region() uintptr {
	size := channelSize()
	if size == 0 {
		return 0
	}
	base := memory(uintptr(size))
	if layChannel(uint32(base), size) != 0 {
		return 0
	}
	return base
}
