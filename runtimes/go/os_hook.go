package os

// Put into the standard package `os` of traced programs: whatever writes to a standard stream
// comes through here, be it `fmt`, `log` or a buffer's `Flush`.

import emit "index"

func tracerWrote(f *File, b []byte, n int) {
	if n > 0 {
		emit.Wrote(f.pfd.Sysfd, b[:n])
	}
}
