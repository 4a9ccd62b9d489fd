"""Joins the emitter to what a process does besides computing: output, threads, forks, ends.

Nothing here changes what the program sees: functions are replaced by ones that do the same, and
the standard streams stay the objects they were.
"""
import posix
import sys
import _thread


def install(output, refresh, last_words, before_thread, after_thread, fork, vanish, signals, shown):
    import atexit

    undo = []
    # Code of ours that waits for the program's.
    outside = set()

    def replace(module, name, function):
        original = module.__dict__[name]
        undo.append(lambda: setattr(module, name, original))
        function.__name__ = function.__qualname__ = name
        outside.add(function.__code__)
        setattr(module, name, function)

    def disappear():
        """Everything is as it would be without tracing."""
        vanish()
        while undo:
            undo.pop()()

    atexit.register(last_words)
    for number, file in ((1, sys.stdout), (2, sys.stderr)):
        watch(file, number, output, undo, outside)
    ends(refresh, replace)
    threads(before_thread, after_thread, replace)
    if hasattr(posix, "register_at_fork"):
        posix.register_at_fork(before=fork[0], after_in_parent=fork[1], after_in_child=fork[2])
    tracers(disappear, replace)
    signals(install.__code__.co_filename, outside, replace, undo, shown)
    return replace


def watch(file, number, output, undo, outside):
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

    outside.add(write.__code__)
    try:
        file.write = write
        undo.append(lambda: delattr(file, "write"))
    except AttributeError:
        pass


def ends(refresh, replace):
    """Brings the counts up to date before the process ends without notice."""
    import os

    def refreshing(original):
        def function(*args, **named):
            refresh()
            return original(*args, **named)
        return function

    for name in ("_exit", "abort", "kill", "killpg", "execv", "execve"):
        if hasattr(posix, name):
            function = refreshing(getattr(posix, name))
            replace(posix, name, function)
            replace(os, name, function)


def threads(before, after, replace):
    """Tells of each thread before it runs."""
    def starting(start):
        def function(*args, **named):
            before()
            ident = None
            try:
                started = start(*args, **named)
                ident = started if type(started) is int else started.ident
                return started
            finally:
                after(ident)
        return function

    loaded = sys.modules.get("threading")
    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if hasattr(_thread, name):
            function = starting(getattr(_thread, name))
            if loaded is not None and hasattr(loaded, "_" + name):
                replace(loaded, "_" + name, function)
            replace(_thread, name, function)


def tracers(disappear, replace):
    """A program that traces itself must not see the probes."""
    def revealing(original):
        def function(hook, /):
            if hook is not None:
                disappear()
            return original(hook)
        return function

    for name in ("settrace", "setprofile"):
        replace(sys, name, revealing(getattr(sys, name)))
