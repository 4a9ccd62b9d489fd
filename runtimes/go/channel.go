// Package tracer_emit is the Go emitter: it writes what probes report into the shared trace channel
// (crates/tracer-stream/FORMAT.md).
//
// It keeps recorded events nowhere but in the channel, starts no goroutine, waits for nobody but another emitter,
// and never calls a method of the program's values.
//
// This file reads the channel's head; `channel_*.go` find and map it.
package tracer_emit

import (
	"sync/atomic"
	"unsafe"
)

const (
	opStep = 1 + iota
	opVar
	opIn
	opOut
	opBranch
	opLoop
	opErr
	_
	_
	opStdout
	opTask
	opElide
	opDepth
	opIntern
	opLimit
)

const (
	originMain = iota
	originThread
)

const (
	slotSize      = 64
	slotRecord    = 47
	segmentHeader = 32
	// Longest record without strings or containers, and what INTERN and DEPTH may put before.
	small = 128
)

// A slot holds what was left out of a site's visits.
type slot struct {
	visits, sequence uint64
	length           uint8
	record           [slotRecord]byte
}

// The channel, as far as it was found.
var channel struct {
	ready                      bool
	base, slots, segments      uintptr
	entered                    uintptr // visits of each function's IN site, up to 2; calls told of each CALL site
	slotCount, segmentCount    uint32
	segmentSize                uint32
	events                     uint32
	elements, characters       uint32
	valueBytes                 int
	depth, detail              uint8
	arena, arenaNext, arenaEnd uintptr
	tasks                      bool // whether a goroutine was ever made
	foreign                    bool // whether one ran that no statement of the program's made
}

//go:nosplit
func at[T any](address uintptr) *T {
	return *(**T)(unsafe.Pointer(&address))
}

// Memory for good; 0 if there is none left.
func allocate(size uintptr) uintptr {
	size = (size + 63) &^ 63
	end := atomic.AddUintptr(&channel.arenaNext, size)
	if end > channel.arenaEnd {
		return 0
	}
	return end - size
}

func field(offset uintptr) uint32 {
	return *at[uint32](channel.base + offset)
}

func openChannel() {
	base := region()
	if base == 0 {
		return
	}
	arena := memory(arenaSize)
	if arena == 0 {
		return
	}
	channel.base = base
	channel.slots = base + uintptr(field(24))
	channel.slotCount = field(28)
	channel.segmentCount = field(36)
	channel.segments = base + uintptr(field(40))
	channel.segmentSize = field(44)
	channel.events = field(48)
	channel.depth = *at[uint8](base + 56)
	channel.detail = *at[uint8](base + 57)
	channel.elements = field(58) & 0xffff
	channel.characters = field(60) & 0xffff
	channel.valueBytes = int(field(62) & 0xffff)
	channel.arena, channel.arenaNext, channel.arenaEnd = arena, arena, arena+arenaSize
	channel.entered = allocate(uintptr(channel.slotCount))
	writers = allocate(writersSize * unsafe.Sizeof(entry{}))
	typeTable = allocate(typesSize * unsafe.Sizeof(typeEntry{}))
	channel.ready = channel.entered != 0 && writers != 0 && typeTable != 0
}

func init() {
	openChannel()
	dead.mute = muteDead
	if !channel.ready {
		return
	}
	learn()
	G()
}
