"""The oracle: records a program with `sys.settrace`, knowing nothing of tracer.

usage: recorder.py OUT PROGRAM [ARGS...]

Writes one JSON array a line to OUT, for code of PROGRAM's own file only:
    ["line", function, line]      a statement is about to run, by its first line
    ["call", function, {name: text}]
    ["return", function, text or null]
    ["raise", function, type name]
    ["set", function, name, text]  a local (or, at top level, a global) has a new value
Texts are given for exact ints, floats, strings, bools and None only; other values are left out.
"""

import ast
import json
import sys
import types

out_path, program = sys.argv[1:3]
events = []
PLAIN = (int, float, str, bool, type(None))
LIMIT = 100


def text(value):
    kind = type(value)
    if kind not in PLAIN:
        return None
    if kind is int and value.bit_length() > 2000:
        return None
    if kind is str:
        return value if len(value) <= LIMIT else None
    return repr(value)


def names(frame):
    """Plain values of the frame's own names."""
    code = frame.f_code
    values = frame.f_locals
    own = values if code.co_name == "<module>" else code.co_varnames + code.co_cellvars
    found = {}
    for name in own:
        if name.startswith("__") or name not in values:
            continue
        shown = text(values[name])
        if shown is not None:
            found[name] = shown
    return found


def function_name(code):
    return getattr(code, "co_qualname", code.co_name)


known = {}
# Frames of generators, which are entered more than once.
waiting = set()
# The statement that each frame is at.
standing = {}


def changes(frame):
    before = known.get(id(frame), {})
    after = names(frame)
    for name, value in after.items():
        if before.get(name) != value:
            events.append(["set", function_name(frame.f_code), name, value])
    known[id(frame)] = after


def is_class_prologue(frame):
    """Whether a class body is still setting `__module__`, on the line of `class`."""
    optimized = frame.f_code.co_flags & 1
    return not optimized and "__qualname__" not in frame.f_locals and frame.f_back is not None \
        and frame.f_code.co_name != "<module>"


def local(frame, event, argument):
    name = function_name(frame.f_code)
    if event == "line":
        if is_class_prologue(frame):
            return local
        changes(frame)
        line = first_line.get(frame.f_lineno, frame.f_lineno)
        # A statement of several lines is reported again when it goes back to one of them.
        if standing.get(id(frame)) != line:
            standing[id(frame)] = line
            events.append(["line", name, line])
    elif event == "return":
        changes(frame)
        if not frame.f_code.co_flags & 0x20:
            known.pop(id(frame), None)
            standing.pop(id(frame), None)
        events.append(["return", name, text(argument)])
        if frame.f_code.co_flags & 0x20:
            waiting.add(frame)
    elif event == "exception":
        changes(frame)
        events.append(["raise", name, argument[0].__name__])
    return local


def watch(frame, event, argument):
    if event != "call" or frame.f_code.co_filename != program:
        return None
    name = function_name(frame.f_code)
    arguments = names(frame)
    if frame in waiting:
        arguments = {}
    else:
        known[id(frame)] = arguments
    if name != "<module>":
        events.append(["call", name, arguments])
    return local


def statements(source):
    """First line of the innermost statement of each line."""
    first = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.stmt, ast.ExceptHandler)):
            for line in range(node.lineno, node.end_lineno + 1):
                first[line] = max(first.get(line, 0), node.lineno)
            decorators = getattr(node, "decorator_list", [])
            if decorators:
                for line in range(decorators[0].lineno, node.lineno + 1):
                    first[line] = decorators[0].lineno
    return first


main = types.ModuleType("__main__")
main.__file__ = program
main.__builtins__ = __builtins__
sys.modules["__main__"] = main
with open(program, "rb") as source:
    text_of_program = source.read()
code = compile(text_of_program, program, "exec")
first_line = statements(text_of_program)
sys.argv = sys.argv[2:]
status = 0
sys.settrace(watch)
try:
    exec(code, main.__dict__)
except SystemExit:
    pass
except BaseException:
    status = 1
finally:
    sys.settrace(None)
with open(out_path, "w") as out:
    for event in events:
        out.write(json.dumps(event) + "\n")
sys.exit(status)
