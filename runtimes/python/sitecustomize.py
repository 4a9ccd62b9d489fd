"""Starts the emitter while the interpreter imports `site`, before the program is opened.

The interpreter then runs the instrumented program natively, as it would run the original: there is
no frame of ours below the program's. Leaves no trace in `sys.path`, `sys.modules` or the
environment. Where anything goes wrong before the program's first statement, the original is
executed instead (`os.execv`), so that a failure of ours never becomes the program's.
"""
import marshal
import posix
import sys


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _load(code):
    space = {"__name__": "tracer", "__builtins__": __builtins__}
    exec(code, space)
    return space


def _give_up(plan):
    """Replaces this process by the untraced program; where none can be, puts that in the place of the
    traced one."""
    if not hasattr(posix, "execve"):
        with open(plan["script"], "wb") as file:
            file.write(_read(plan["given"]))
        return
    environ = {k: v for k, v in posix.environ.items() if k not in (b"PYTHONPATH", b"TRACER_CHANNEL")}
    posix.execve(plan["original"][0], plan["original"], environ)


def _start():
    own = __file__.rpartition("/")[0]
    folder = own.rpartition("/")[0]
    # All that does not depend on the program comes first: a run may begin here (see `begins_at`).
    failure = None
    try:
        import os

        codes = marshal.loads(_read(folder + "/emitter.marshal"))
        load = lambda name: _load(codes[name])
        values = load("values.py")
        emitter = load("emitter.py")["Emitter"]
        complete = load("complete.py")
        start = load("start.py")
    except BaseException as error:
        failure = error
    try:
        plan = compile(_read(folder + "/plan.py"), "<tracer>", "exec", dont_inherit=True)
        plan = _load(plan)["PLAN"]
    except Exception:
        return
    try:
        if failure is not None:
            raise failure
        channel = int(os.environ.pop("TRACER_CHANNEL"))
        if "channel" in plan:
            channel = posix.open(plan["channel"], posix.O_RDWR)
            # The library inside begins in the root.
            posix.chdir(plan["folder"])
        os.environ.pop("PYTHONPATH", None)
        sys.path[:] = [entry for entry in sys.path if entry != own]
        sys.path_importer_cache.pop(own, None)
        emitter = emitter(channel, plan, values, load)
        code = start["compile_file"](plan["files"][0], start["script_name"](plan), folder, complete, emitter)
        start["place_main"](plan, code)
        start["install"](plan, folder, complete, emitter)
    except BaseException:
        if plan.get("debug"):
            raise
        _give_up(plan)


def _chain():
    """Loads the user's own sitecustomize, which ours hid; else ends as if there were none."""
    sys.modules.pop("sitecustomize", None)
    import sitecustomize  # noqa: F401


_start()
del _start, _give_up, _load, _read, marshal
_chain()
