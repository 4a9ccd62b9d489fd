"""Imports each name that stdin has behind its package, in a process of its own; says how that went."""

import importlib
import os
import signal
import sys

SECONDS = 120

lines = [line.split("\t") for line in sys.stdin.read().splitlines()]
out = os.dup(1)
quiet = os.open("/dev/null", os.O_RDWR)
for descriptor in (0, 1, 2):
    os.dup2(quiet, descriptor)
for package, name in [(words[0], name) for words in lines for name in words[1:]]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(SECONDS)
        said = "ok"
        try:
            importlib.import_module(name)
        except BaseException as error:
            text = str(error).split("\n")[0]
            said = f"{type(error).__name__}: {text}"[:200].replace("\t", " ")
        os.write(writer, said.encode("utf-8", "replace"))
        os._exit(0)
    os.close(writer)
    # One write of the child's, or the end if it never came to that.
    said = os.read(reader, 4096)
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if not said:
        said = b"ended by signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else b"exited"
    os.write(out, package.encode() + b"\t" + name.encode() + b"\t" + said + b"\n")
