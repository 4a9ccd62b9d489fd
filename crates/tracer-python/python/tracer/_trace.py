"""A trace, read from what the extension recorded."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that happened."""

    kind: str
    """``IN``, ``OUT``, ``STEP``, ``VAR``, ``BRANCH``, ``LOOP``, ``ERR``, ``CALL``, …"""
    line: int
    """Line of the source, from 1; 0 where none applies."""
    function: str
    """The function it happened in."""
    depth: int
    """Calls that are open."""
    task: int
    """The thread, goroutine or coroutine, in the order they were created."""
    detail: dict[str, Any]
    """What it says beyond its place: names, values, the arm of a branch."""

    def __str__(self) -> str:
        said = " ".join(f"{name}={_short(value)}" for name, value in self.detail.items())
        return f"{self.line:5} {'  ' * self.depth}{self.kind} {said}".rstrip()


class Trace(Sequence):
    """What a program did: a sequence of events, with how it ended and what it printed."""

    def __init__(self, ran: Any) -> None:
        self._ran = ran
        self._read: tuple[dict, list[Event], dict] | None = None

    def _parts(self) -> tuple[dict, list[Event], dict]:
        if self._read is None:
            # Not by `splitlines`: that ends lines at characters that JSON leaves as they are.
            lines = [json.loads(line) for line in self.to_jsonl().split("\n") if line]
            head, *events, foot = lines
            table = head["table"]
            inside = {
                site["id"]: table["functions"][site["function"]]["qualified"]
                for site in table["sites"]
            }
            self._read = (head, [_event(event, inside) for event in events], foot)
        return self._read

    @property
    def events(self) -> list[Event]:
        """All events, in order."""
        return self._parts()[1]

    @property
    def language(self) -> str:
        return self._parts()[0]["environment"]["language"]

    @property
    def environment(self) -> dict[str, Any]:
        """Toolchain, image, isolation, arguments, and the version of tracer."""
        return self._parts()[0]["environment"]

    @property
    def source(self) -> str:
        """The program's main file."""
        return self._parts()[0]["table"]["files"][0]["text"]

    @property
    def end(self) -> dict[str, Any]:
        """How it ended: ``{"how": "exited", "code": 0}``, or signaled, limited, build_failed."""
        return self._parts()[2]["outcome"]["end"]

    @property
    def exit_code(self) -> int | None:
        """Its exit status; none where it was killed, or did not build."""
        return self.end.get("code") if self.end["how"] == "exited" else None

    @property
    def coverage(self) -> dict[str, Any]:
        """What the trace does not say, and why."""
        return self._parts()[2]["coverage"]

    @property
    def protections(self) -> list[dict[str, Any]]:
        """The walls that stood around the program, and those that did not."""
        return self._parts()[0]["protections"]

    @property
    def stdout(self) -> bytes:
        return self._ran.stdout

    @property
    def stderr(self) -> bytes:
        return self._ran.stderr

    @property
    def usage(self) -> dict[str, float]:
        """Seconds of wall clock and processor, and bytes of memory at most."""
        wall, cpu, memory = self._ran.usage
        return {"wall": wall, "cpu": cpu, "peak_memory": memory}

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self.events[index]

    def __repr__(self) -> str:
        end = self.end
        how = " ".join(str(value) for value in end.values() if isinstance(value, (str, int)))
        counts = Counter(event.kind for event in self.events)
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common(5))
        return f"<Trace of {self.language}: {how}; {len(self)} events: {kinds}>"

    def __str__(self) -> str:
        """The lines that ran, with changed values."""
        return self._ran.view("lines")

    def _repr_html_(self) -> str:
        # The page runs its own script: in a frame without the notebook's origin.
        page = html.escape(self.to_html(), quote=True)
        return (
            f'<iframe sandbox="allow-scripts" srcdoc="{page}" '
            'style="width:100%;height:32em;border:1px solid #ccc"></iframe>'
        )

    def to_html(self) -> str:
        """One self-contained page to step through."""
        return self._ran.view("html")

    def to_jsonl(self) -> str:
        """The trace as ``tracer view`` reads it."""
        return self._ran.view("jsonl")

    def to_inline(self) -> str:
        """The source, with values as comments."""
        return self._ran.view("inline")

    def to_arrow(self) -> Any:
        """The events as a ``pyarrow.Table``; ``detail`` is JSON."""
        import pyarrow as pa

        schema = pa.schema(
            [
                ("kind", pa.string()),
                ("line", pa.int32()),
                ("function", pa.string()),
                ("depth", pa.int32()),
                ("task", pa.int32()),
                ("detail", pa.string()),
            ]
        )
        columns = list(zip(*self.events)) or [[] for _ in schema]
        columns[-1] = [json.dumps(detail, ensure_ascii=False) for detail in columns[-1]]
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema)], schema=schema)

    def to_pandas(self) -> Any:
        """The events as a ``pandas.DataFrame``, with ``detail`` as dictionaries."""
        import pandas as pd

        return pd.DataFrame(self.events, columns=Event._fields)


def _event(event: dict, inside: dict[int, str]) -> Event:
    kind, at = event.pop("kind"), event.pop("at")
    function = inside.get(at["site"], "")
    return Event(kind, at["line"], function, at["depth"], at["task"], event)


def _short(value: Any) -> str:
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "\\n")
    return text if len(text) <= 60 else text[:59] + "…"
