"""Makes the interpreter run instrumented code under the original's name.

Main script: its code is put into an anonymous file that the interpreter was told to run (where there
are none, into one that is gone before the program begins); the first
probe then gives the main module the attributes it would have had. Local modules: the source
loader's `get_code` is asked for the original first, so that byte-code caches are written as ever.
"""
import marshal
import posix
import sys

VERSION = sys.version_info[:2]
AST_ONLY = 0x400


def script_name(plan):
    """The file name the interpreter would give the script's code."""
    given = plan["given"]
    if VERSION < (3, 9) or given.startswith("/"):
        return given
    if given.startswith("./"):
        given = given[2:]
    return posix.getcwd() + "/" + given


def compile_file(file, filename, folder, complete, emitter):
    """Code of an instrumented file; lines and columns are the original's."""
    with open(folder + "/" + file["source"], "rb") as source:
        text = source.read()
    if not any(b"coding" in line for line in text.split(b"\n", 2)[:2]):
        # The interpreter is stricter with a file than with the same bytes in memory.
        text.decode("utf-8")
    tree = compile(text, filename, "exec", AST_ONLY, True)
    if any(word in text for word in (b"__del__", b"yield", b"await", b"weakref")):
        emitter.prepare_for_end()
    names, ranges = complete["complete"](tree, file)
    emitter.sources.add(filename)
    emitter.register(names, ranges)
    return compile(tree, filename, "exec", 0, True)


def place_main(plan, code):
    """Writes the byte code where the interpreter is about to look for the script."""
    from _frozen_importlib_external import MAGIC_NUMBER

    data = MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    target = plan["script_fd"]
    if target is None:
        fd = posix.open(plan["script"], posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o600)
    else:
        fd = memfd()
    view = memoryview(data)
    while view:
        view = view[posix.write(fd, view):]
    if target is None:
        posix.close(fd)
    elif fd != target:
        posix.dup2(fd, target, False)
        posix.close(fd)


def memfd():
    """An anonymous file; without memfd_create (old libc) an unlinked temporary one."""
    if hasattr(posix, "memfd_create"):
        return posix.memfd_create("script", posix.MFD_CLOEXEC)
    path = "/tmp/.script-%d" % posix.getpid()
    fd = posix.open(path, posix.O_RDWR | posix.O_CREAT | posix.O_EXCL, 0o600)
    posix.unlink(path)
    return fd


def install(plan, folder, complete, emitter):
    """Hooks for what happens between now and the program's first statement, and for imports."""
    filename = script_name(plan)
    emitter.when_main_begins(lambda: become(plan, filename))
    if len(plan["files"]) > 1:
        hook_imports(plan, folder, complete, emitter)


def become(plan, filename):
    """Gives `__main__` and `sys` what a plain run of the script gives."""
    from _frozen_importlib_external import SourceFileLoader

    if plan["script_fd"] is None:
        posix.unlink(plan["script"])
    else:
        posix.close(plan["script_fd"])
    given = plan["given"]
    main = sys.modules["__main__"].__dict__
    main["__file__"] = filename
    main["__loader__"] = SourceFileLoader("__main__", filename)
    sys.argv[0] = given
    orig = getattr(sys, "orig_argv", None)
    if orig:
        for index, word in enumerate(orig):
            if word == plan["script"]:
                orig[index] = given
                break
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        import os.path

        # A module's interpreter does not resolve the script's path.
        real = filename if plan["script_fd"] is None else os.path.realpath(given)
        sys.path[0] = os.path.dirname(real)
    sys.modules.pop("mmap", None)


def hook_imports(plan, folder, complete, emitter):
    """Instrumented code for the program's own modules."""
    import _frozen_importlib_external as external
    import _warnings

    files = {file["path"]: file for file in plan["files"][1:]}
    loader = external.SourceLoader
    original = loader.get_code

    def get_code(self, fullname):
        code = original(self, fullname)
        path = getattr(self, "path", None)
        file = files.get(path) if type(path) is str else None
        if file is None or type(self) is not external.SourceFileLoader:
            return code
        quiet = ("ignore", None, Warning, None, 0)
        try:
            # The original has warned already.
            _warnings.filters.insert(0, quiet)
            _warnings._filters_mutated() if VERSION < (3, 14) else _warnings._filters_mutated_lock_held()
            return compile_file(file, code.co_filename, folder, complete, emitter)
        except Exception:
            return code
        finally:
            _warnings.filters.remove(quiet)
            _warnings._filters_mutated() if VERSION < (3, 14) else _warnings._filters_mutated_lock_held()

    # Import machinery's frames are taken out of tracebacks by this name.
    get_code.__code__ = get_code.__code__.replace(co_filename=original.__code__.co_filename)
    get_code.__module__ = original.__module__
    get_code.__qualname__ = original.__qualname__
    get_code.__doc__ = original.__doc__
    loader.get_code = get_code
