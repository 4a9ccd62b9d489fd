"""What a program did: every statement it ran, every value it wrote, every branch it took.

>>> import tracer
>>> trace = tracer.run("x = 6\\nprint(x * 7)", language="python")
>>> trace.stdout
b'42\\n'
>>> [event.line for event in trace if event.kind == "VAR"]
[1]

A program that fails is no exception: ``trace.end`` says how it ended. ``trace_batch`` takes a table
of sources and gives a table of verified training examples, and ``tracer.stage`` puts that into Ray
Data, datatrove and ``multiprocessing``.

Programs run in sandboxes that are made by a small process, forked when the first ``Tracer`` is made:
make it before the program has grown or started many threads.
"""

from __future__ import annotations

from ._tracer import (
    RefusedError,
    SandboxError,
    SettingsError,
    TableError,
    ToolchainError,
    TracerError,
    __version__,
)
from ._api import Tracer, Verifier, run, trace_batch
from ._trace import Event, Trace

__all__ = [
    "Event",
    "RefusedError",
    "SandboxError",
    "SettingsError",
    "TableError",
    "ToolchainError",
    "Trace",
    "Tracer",
    "TracerError",
    "Verifier",
    "__version__",
    "run",
    "trace_batch",
]
