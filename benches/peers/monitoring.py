"""Runs a program under sys.monitoring: each line with the locals that changed, calls, returns.

Arguments: where to write, the program, its rounds. Events are switched on for the program's own
code objects only, so that the library runs at full speed.
"""
import io
import reprlib
import sys
import types

OUT, PROGRAM, ROUNDS = sys.argv[1:4]
SIMPLE = (int, float, str, bool, type(None))
short = reprlib.Repr(maxlist=20, maxdict=20, maxstring=100, maxother=100).repr
missing = object()
written = []
stack = [{}]
monitoring = sys.monitoring
events = monitoring.events
TOOL = monitoring.DEBUGGER_ID
frame_of = sys._getframe


def changes(frame):
    known = stack[-1]
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


def started(code, offset):
    stack.append({})
    written.append(f"\n> {code.co_name}")
    changes(frame_of(1))


def line(code, number):
    changes(frame_of(1))
    written.append(f"\n{number}")
    if len(written) > 100_000:
        flush()


def returned(code, offset, value):
    changes(frame_of(1))
    written.append(f"\n< {short(value)}")
    stack.pop()


def unwound(code, offset, error):
    if code.co_filename == PROGRAM:
        stack.pop()


def switch_on(code):
    wanted = events.PY_START | events.LINE | events.PY_RETURN
    monitoring.set_local_events(TOOL, code, wanted)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            switch_on(constant)


def flush():
    out.write("".join(written))
    written.clear()


with io.open(OUT, "w", encoding="utf-8") as out, io.open(PROGRAM, encoding="utf-8") as source:
    code = compile(source.read(), PROGRAM, "exec")
    sys.argv = [PROGRAM, ROUNDS]
    monitoring.use_tool_id(TOOL, "changed locals")
    monitoring.register_callback(TOOL, events.PY_START, started)
    monitoring.register_callback(TOOL, events.LINE, line)
    monitoring.register_callback(TOOL, events.PY_RETURN, returned)
    monitoring.register_callback(TOOL, events.PY_UNWIND, unwound)
    switch_on(code)
    monitoring.set_events(TOOL, events.PY_UNWIND)
    try:
        exec(code, {"__name__": "__main__", "__file__": PROGRAM})
    finally:
        monitoring.set_events(TOOL, 0)
        monitoring.free_tool_id(TOOL)
        flush()
