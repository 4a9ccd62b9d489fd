"""Runs a program under sys.settrace: each line with the locals that changed, calls, returns.

Arguments: where to write, the program, its rounds, and `lines` to leave the locals out. It is as
quick as it can be made in Python: unchanged immutable values are told by identity, text is only
made for what changed, and is written in large pieces.
"""
import io
import reprlib
import sys

OUT, PROGRAM, ROUNDS = sys.argv[1:4]
VALUES = "lines" not in sys.argv[4:]
SIMPLE = (int, float, str, bool, type(None))
short = reprlib.Repr(maxlist=20, maxdict=20, maxstring=100, maxother=100).repr
missing = object()
written = []


def changes(frame, known):
    for name, value in frame.f_locals.items():
        before = known.get(name, missing)
        if type(value) in SIMPLE:
            if value is not before:
                known[name] = value
                written.append(f" {name}={value!r}")
        else:
            text = short(value)
            if text != before:
                known[name] = text
                written.append(f" {name}={text}")


def tracer(frame, event, argument):
    if frame.f_code.co_filename != PROGRAM:
        return None
    known = {}
    written.append(f"\n> {frame.f_code.co_name}")
    if VALUES:
        changes(frame, known)

    def local(frame, event, argument):
        if VALUES:
            changes(frame, known)
        if event == "line":
            written.append(f"\n{frame.f_lineno}")
        elif event == "return":
            written.append(f"\n< {short(argument)}" if VALUES else "\n<")
        if len(written) > 100_000:
            flush()
        return local

    return local


def flush():
    out.write("".join(written))
    written.clear()


with io.open(OUT, "w", encoding="utf-8") as out, io.open(PROGRAM, encoding="utf-8") as source:
    code = compile(source.read(), PROGRAM, "exec")
    sys.argv = [PROGRAM, ROUNDS]
    sys.settrace(tracer)
    try:
        exec(code, {"__name__": "__main__", "__file__": PROGRAM})
    finally:
        sys.settrace(None)
        flush()
