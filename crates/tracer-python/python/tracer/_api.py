"""The package's calls."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import _tracer
from ._trace import Trace

_DEFAULTS: dict[str, Any] = {
    "detail": "state",
    "timeout": None,
    "memory": None,
    "isolation": "native",
    "profile": "compat",
    "toolchain": "host",
    "store": None,
    "env": {},
    "jobs": None,
}

_OF_TABLES: dict[str, Any] = {
    "language": None,
    "text_column": None,
    "language_column": None,
    "number_column": None,
    "view": "lines",
    "token_budget": 8000,
    "source_limit": 256 << 10,
    "patience": 300.0,
    "benchmarks": (),
}


def _settings(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(unknown)
        raise TypeError(f"there is no setting {names}; there are {', '.join(known)}")
    settings = {**known, **given}
    settings["env"] = sorted(settings["env"].items())
    settings["jobs"] = max(1, settings["jobs"] or len(os.sched_getaffinity(0)))
    if "benchmarks" in settings:
        settings["benchmarks"] = [os.fspath(path) for path in settings["benchmarks"]]
    return settings


class Tracer:
    """Runs programs under fixed settings, with sandboxes kept ready.

    Settings: ``detail`` (``calls``, ``lines``, ``state``, ``full``), ``timeout`` in seconds,
    ``memory`` in bytes, ``isolation`` (``native``, ``wasm``, ``none``), ``profile`` (``compat``,
    ``trusted``), ``toolchain`` (``host``, ``image``, ``auto``), ``store`` (folder of images), ``env``
    (variables of the program), ``jobs`` (sandboxes kept ready).
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = _settings(_DEFAULTS, settings)
        self._runner = _tracer.Runner(self._settings)
        self._process = os.getpid()

    def run(
        self,
        source: str | bytes,
        language: str | None = None,
        *,
        file_name: str | None = None,
        stdin: str | bytes = b"",
        args: Sequence[str] = (),
    ) -> Trace:
        """Runs a source and records what it does. Other threads of Python go on meanwhile, and
        Ctrl-C ends the program."""
        if self._process != os.getpid():
            # Of a fork's parent: what it keeps ready is not this process's.
            self.__init__(**{**self._settings, "env": dict(self._settings["env"])})  # type: ignore[misc]
        text, given = _bytes(source), _bytes(stdin)
        ran = self._runner.run(text, language, file_name, given, [str(arg) for arg in args])
        return Trace(ran)


class Verifier:
    """Turns tables of sources into tables of verified examples, under fixed settings.

    Beside those of :class:`Tracer`: ``language`` (of all rows), ``text_column``,
    ``language_column``, ``number_column`` (rows are told apart by it), ``view`` (``lines``,
    ``inline``, ``probes``, ``qa``), ``token_budget``, ``source_limit`` in bytes, ``patience`` in
    seconds for one row, ``benchmarks`` (files that no example may share 13 words in a row with).
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = _settings({**_DEFAULTS, **_OF_TABLES}, settings)
        self._verifier = _tracer.Verifier(self._settings)
        self._process = os.getpid()

    def plan(self) -> str:
        """Everything that can change what comes out, as JSON."""
        return self._own().plan()

    @property
    def jobs(self) -> int:
        """Rows worked on at once."""
        return self._settings["jobs"]

    def keys(self, table: Any) -> list[str]:
        """Digests of what is judged of each row: rows with the same one get the same answer."""
        return self._own().keys(table)

    def text(self, table: Any) -> str:
        """The name of the column with the source."""
        return self._own().text(table)

    def carried(self, table: Any) -> list[tuple[int, str]]:
        """The columns that an answer has, too: their places, and their names in the answer."""
        return self._own().carried(table)

    def __call__(self, table: Any) -> Any:
        """One row for each row of the table, in its order: ``status`` (``ok``, ``rejected``,
        ``failed``), ``reason``, ``detail``, the columns of ``tracer batch``, and those that came in.

        The table is anything with ``__arrow_c_stream__``. The answer is a ``pyarrow.Table``; without
        pyarrow, an object with ``__arrow_c_stream__`` that can be taken once.
        """
        answer = self._own().verify(table)
        try:
            import pyarrow as pa
        except ImportError:
            return answer
        return pa.table(answer)

    def _own(self) -> Any:
        if self._process != os.getpid():
            self.__init__(**{**self._settings, "env": dict(self._settings["env"])})  # type: ignore[misc]
        return self._verifier


_tracers: dict[Any, Tracer] = {}
_verifiers: dict[Any, Verifier] = {}


def _kept(kept: dict[Any, Any], make: Any, settings: Mapping[str, Any]) -> Any:
    """The one for these settings: what it keeps ready is for the next call, too."""
    key = repr(sorted(settings.items()))
    if key not in kept:
        if len(kept) >= 8:
            kept.pop(next(iter(kept)))
        kept[key] = make(**settings)
    return kept[key]


def run(
    source: str | bytes,
    language: str | None = None,
    *,
    file_name: str | None = None,
    stdin: str | bytes = b"",
    args: Sequence[str] = (),
    **settings: Any,
) -> Trace:
    """Runs a source and records what it does; the settings are those of :class:`Tracer`."""
    tracer = _kept(_tracers, Tracer, {"jobs": 1, **settings})
    return tracer.run(source, language, file_name=file_name, stdin=stdin, args=args)


def trace_batch(table: Any, **settings: Any) -> Any:
    """A table of sources into a table of verified examples: see :class:`Verifier`, which is to be
    preferred where there are many tables."""
    return _kept(_verifiers, Verifier, settings)(table)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)
