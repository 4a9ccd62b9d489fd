package tracer_emit

// What the program writes to its standard streams.

const outputText = 1024

// Output tells that these bytes were written.
//
//go:noinline
func (w *W) Output(stream byte, text []byte) {
	if w.mute != muteNone || w.left == 0 || len(text) == 0 || w.to != 0 || !w.room(outputText+small) {
		return
	}
	shown := min(len(text), outputText)
	to := w.at + 1
	*at[byte](to) = stream
	to = putVarint(putVarint(to+1, uint64(len(text))), uint64(shown))
	for i := 0; i < shown; i++ {
		*at[byte](to + uintptr(i)) = text[i]
	}
	w.finish(opStdout, to+uintptr(shown))
}
