package tracer_emit

// What the program writes to its standard streams.

const outputText = 1024

// Wrote is what `os` calls when it has written these bytes to a descriptor.
func Wrote(descriptor int, text []byte) {
	if descriptor == 1 || descriptor == 2 {
		G().Output(byte(descriptor), text)
	}
}

// Output tells that these bytes were written.
//
//go:noinline
func (w *W) Output(stream byte, text []byte) {
	shown := min(len(text), outputText)
	if w.mute != muteNone || w.left == 0 || shown == 0 || w.to != 0 || !w.room(uintptr(shown)+small) {
		return
	}
	to := w.at + 1
	*at[byte](to) = stream
	to = putVarint(putVarint(to+1, uint64(len(text))), uint64(shown))
	for i := 0; i < shown; i++ {
		*at[byte](to + uintptr(i)) = text[i]
	}
	w.finish(opStdout, to+uintptr(shown))
}
