"""Joins the emitter to what a process does besides computing: output, threads, forks, ends.

Nothing here changes what the program sees: functions are replaced by ones that do the same, and
the standard streams stay the objects they were.
"""
import posix
import sys
import _thread


def install(output, refresh, before_thread, after_thread, fork, vanish):
    import atexit

    atexit.register(refresh)
    for number, file in ((1, sys.stdout), (2, sys.stderr)):
        watch(file, number, output)
    ends(refresh)
    threads(before_thread, after_thread)
    posix.register_at_fork(before=fork[0], after_in_parent=fork[1], after_in_child=fork[2])
    tracers(vanish)


def watch(file, number, output):
    """Reports what is written, in place of the stream's own `write`."""
    original = getattr(file, "write", None)
    if original is None:
        return
    encoding = getattr(file, "encoding", None) or "utf-8"

    def write(text, /):
        result = original(text)
        if type(text) is str and text:
            output(number, text.encode(encoding, "backslashreplace"))
        return result

    try:
        file.write = write
    except AttributeError:
        pass


def ends(refresh):
    """Brings the counts up to date before the process ends without notice."""
    import os

    def replace(name):
        original = getattr(posix, name)

        def function(*args, **named):
            refresh()
            return original(*args, **named)
        function.__name__ = function.__qualname__ = name
        for module in (posix, os):
            setattr(module, name, function)

    for name in ("_exit", "abort", "kill", "killpg", "execv", "execve"):
        if hasattr(posix, name):
            replace(name)


def threads(before, after):
    start = _thread.start_new_thread

    def start_new_thread(function, args, *rest):
        before()
        ident = None
        try:
            ident = start(function, args, *rest)
            return ident
        finally:
            after(ident)

    replacements = {"start_new_thread": start_new_thread, "start_new": start_new_thread}
    joinable = getattr(_thread, "start_joinable_thread", None)
    if joinable is not None:
        def start_joinable_thread(function, handle=None, daemon=True):
            before()
            ident = None
            try:
                handle = joinable(function, handle=handle, daemon=daemon)
                ident = handle.ident
                return handle
            finally:
                after(ident)
        replacements["start_joinable_thread"] = start_joinable_thread
    for name, function in replacements.items():
        if hasattr(_thread, name):
            setattr(_thread, name, function)
    loaded = sys.modules.get("threading")
    if loaded is not None:
        for name, function in replacements.items():
            if hasattr(loaded, "_" + name):
                setattr(loaded, "_" + name, function)


def tracers(vanish):
    """A program that traces itself must not see the probes."""
    def replace(name):
        original = getattr(sys, name)

        def function(hook, /):
            if hook is not None:
                vanish()
            return original(hook)
        function.__name__ = function.__qualname__ = name
        setattr(sys, name, function)

    replace("settrace")
    replace("setprofile")
