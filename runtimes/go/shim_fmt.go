// Package fmt stands in for the standard package of that name in traced files: it does what that one
// does, and tells the trace what was written to the standard streams.
package fmt

import (
	"fmt"
	emit "index"
	"io"
	"os"
)

// What the standard package declares.
type (
	Formatter  = fmt.Formatter
	GoStringer = fmt.GoStringer
	ScanState  = fmt.ScanState
	Scanner    = fmt.Scanner
	State      = fmt.State
	Stringer   = fmt.Stringer
)

// The streams as they were at the start: the program may put others in their place.
var (
	stdout = stream{os.Stdout, 1}
	stderr = stream{os.Stderr, 2}
)

type stream struct {
	file   *os.File
	number byte
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	emit.G().Output(s.number, p[:max(n, 0)])
	return n, err
}

// The writer to use instead of this one.
func watched(w io.Writer) io.Writer {
	if file, is := w.(*os.File); is && file != nil {
		switch file {
		case stdout.file:
			return &stdout
		case stderr.file:
			return &stderr
		}
	}
	return w
}

func Append(b []byte, a ...any) []byte                 { return fmt.Append(b, a...) }
func Appendf(b []byte, format string, a ...any) []byte { return fmt.Appendf(b, format, a...) }
func Appendln(b []byte, a ...any) []byte               { return fmt.Appendln(b, a...) }
func Errorf(format string, a ...any) error             { return fmt.Errorf(format, a...) }
func FormatString(state State, verb rune) string       { return fmt.FormatString(state, verb) }

func Fprint(w io.Writer, a ...any) (n int, err error) { return fmt.Fprint(watched(w), a...) }
func Fprintf(w io.Writer, format string, a ...any) (n int, err error) {
	return fmt.Fprintf(watched(w), format, a...)
}
func Fprintln(w io.Writer, a ...any) (n int, err error) { return fmt.Fprintln(watched(w), a...) }

func Fscan(r io.Reader, a ...any) (n int, err error) { return fmt.Fscan(r, a...) }
func Fscanf(r io.Reader, format string, a ...any) (n int, err error) {
	return fmt.Fscanf(r, format, a...)
}
func Fscanln(r io.Reader, a ...any) (n int, err error) { return fmt.Fscanln(r, a...) }

func Print(a ...any) (n int, err error) { return fmt.Fprint(watched(os.Stdout), a...) }
func Printf(format string, a ...any) (n int, err error) {
	return fmt.Fprintf(watched(os.Stdout), format, a...)
}
func Println(a ...any) (n int, err error) { return fmt.Fprintln(watched(os.Stdout), a...) }

func Scan(a ...any) (n int, err error)                 { return fmt.Scan(a...) }
func Scanf(format string, a ...any) (n int, err error) { return fmt.Scanf(format, a...) }
func Scanln(a ...any) (n int, err error)               { return fmt.Scanln(a...) }

func Sprint(a ...any) string                 { return fmt.Sprint(a...) }
func Sprintf(format string, a ...any) string { return fmt.Sprintf(format, a...) }
func Sprintln(a ...any) string               { return fmt.Sprintln(a...) }

func Sscan(str string, a ...any) (n int, err error) { return fmt.Sscan(str, a...) }
func Sscanf(str string, format string, a ...any) (n int, err error) {
	return fmt.Sscanf(str, format, a...)
}
func Sscanln(str string, a ...any) (n int, err error) { return fmt.Sscanln(str, a...) }
