"""``CodeTraceStage``: a table of sources in, a table of verified examples out, whatever runs it.

>>> from tracer.stage import CodeTraceStage
>>> blocks = ray.data.read_parquet(inputs).repartition(target_num_rows_per_block=256)
>>> rows = blocks.map_batches(
...     CodeTraceStage, fn_constructor_args=["state/"], fn_constructor_kwargs={"jobs": 2},
...     batch_format="pyarrow", batch_size=256, compute=ray.data.ActorPoolStrategy(size=2))
>>> rows.filter(expr="status == 'ok'").write_parquet("examples/")

Every row that comes in goes out once, with one ``status``: ``ok``, ``rejected`` (a ``reason``) or
``failed`` (tracer's own fault, or the process died of it).

Going on is the stage's own business, not the engine's. What becomes of a row is kept in ``state`` under
a digest of what is judged of it. A table (a *shard*) that was done is not run again, whichever engine,
process or machine hands it in; of one whose worker died, what it had done is taken over. Rows that
differ in their other columns alone share their judgement.

``state/``
    ``_plan.json``
        What was asked for. Another plan is refused in the same folder.
    ``_done/<shard>.json``
        Counts of a shard that is done.
    ``_ledger/<shard>.jsonl.zst``
        Its judgements. ``<shard>.<attempt>.part`` is one that is being made; a torn end costs a slice.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import _tracer
from ._api import Verifier
from ._tracer import TracerError

#: Columns of an answer that are tracer's own.
COLUMNS: tuple[str, ...] = tuple(_tracer.COLUMNS)

#: A frame that decompressors skip, before each frame of rows: its length, and theirs unpacked.
_SKIPPED = struct.Struct("<IIQQ")
_MAGIC = 0x184D2A50

#: Workers that may die with nothing but one row in hand before the row is to blame.
_DEATHS = 2


class CodeTraceStage:
    """A callable for tables. ``state`` is a folder that all workers see; the other settings are those
    of :class:`tracer.Verifier`. Can be pickled; sandboxes are made where it is called."""

    def __init__(self, state: str | os.PathLike[str], *, slice_rows: int = 0, **settings: Any) -> None:
        self.state = Path(state).absolute()
        self.settings = settings
        self.slice_rows = slice_rows
        self._open: tuple[int, Verifier, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}

    def __call__(self, table: Any) -> Any:
        """One row for each row, in the same order."""
        import pyarrow as pa

        if not isinstance(table, pa.Table):
            table = pa.table(table)
        verifier, earlier = self._opened()
        keys = verifier.keys(table)
        judged = self._shard(table, keys, verifier, earlier)
        own = pa.Table.from_pylist([judged[key] for key in keys], schema=_schema(pa))
        for field, column in zip(*_carried(pa, verifier, table)):
            own = own.append_column(field, column)
        return own

    def _opened(self) -> tuple[Verifier, _Earlier]:
        if self._open is None or self._open[0] != os.getpid():
            for folder in ("_done", "_ledger"):
                (self.state / folder).mkdir(parents=True, exist_ok=True)
            verifier = Verifier(**self.settings)
            _begin(self.state, verifier.plan())
            self._open = (os.getpid(), verifier, _Earlier(self.state))
        return self._open[1], self._open[2]

    def _shard(self, table: Any, keys: list[str], verifier: Verifier, earlier: _Earlier) -> dict:
        name = hashlib.blake2b("".join(keys).encode(), digest_size=12).hexdigest()
        ledger = self.state / "_ledger" / f"{name}.jsonl.zst"
        if (self.state / "_done" / f"{name}.json").exists():
            judged = dict(_entries(ledger))
            if judged.keys() >= set(keys):
                return judged
        attempt = _Attempt(ledger)
        judged = attempt.left(set(keys))
        for key in set(keys) - judged.keys():
            row = earlier.row(key)
            if row is not None:
                judged[key] = row
        attempt.add(judged)
        first = {key: at for at, key in reversed(list(enumerate(keys)))}
        waiting = [key for key in first if key not in judged]
        for part in attempt.slices(waiting, self.slice_rows or 8 * verifier.jobs):
            with attempt.in_hand(part):
                rows = verifier(table.take([first[key] for key in part]))
            rows = rows.select(COLUMNS).to_pylist()
            attempt.add(dict(zip(part, rows)))
            judged.update(zip(part, rows))
        for key in attempt.fatal:
            row = _blamed(verifier, table.slice(first[key], 1))
            attempt.add({key: row})
            judged[key] = row
        attempt.finish()
        counts = Counter(judged[key]["status"] for key in keys)
        if sum(counts.values()) != len(keys) or len(keys) != table.num_rows:
            raise TracerError(f"the counts of {name} do not add up: {dict(counts)}")
        _write_whole(
            self.state / "_done" / f"{name}.json",
            {"rows": len(keys), "distinct": len(first), "status": dict(sorted(counts.items()))},
        )
        return judged


class _Attempt:
    """One worker's work on one shard: what others left of it, and what it adds."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.fatal: list[str] = []
        self._suspects: set[str] = set()
        self._name = uuid.uuid4().hex[:12]
        self._part = ledger.with_name(f"{self._stem}.{self._name}.part")
        self._at = ledger.with_name(f"{self._stem}.{self._name}.at")
        self._others: list[Path] = []
        self._file = open(self._part, "xb")  # one file, even where another worker removes it

    @property
    def _stem(self) -> str:
        return self.ledger.name.removesuffix(".jsonl.zst")

    def left(self, wanted: set[str]) -> dict[str, dict]:
        """Rows that attempts did which have ended. Notes what they died of."""
        judged: dict[str, dict] = {}
        alone: Counter[str] = Counter()
        for path in sorted(self.ledger.parent.glob(f"{self._stem}.*")):
            if path == self._part:
                continue
            if path.suffix in (".part", ".zst"):
                judged.update((key, row) for key, row in _entries(path) if key in wanted)
            elif path.suffix == ".at":
                held = _read_text(path).split()
                self._suspects.update(held)
                if len(held) == 1:
                    alone[held[0]] += 1
            if path.suffix in (".part", ".at"):
                self._others.append(path)
        unjudged = wanted - judged.keys()
        self.fatal = sorted(key for key in unjudged if alone[key] >= _DEATHS)
        self._suspects &= unjudged
        return judged

    def slices(self, waiting: list[str], size: int) -> Iterator[list[str]]:
        """What is to be done: rows that others died of come last, and one at a time."""
        plain = [key for key in waiting if key not in self._suspects]
        for begin in range(0, len(plain), size):
            yield plain[begin : begin + size]
        for key in waiting:
            if key in self._suspects and key not in self.fatal:
                yield [key]

    def in_hand(self, keys: list[str]) -> _InHand:
        return _InHand(self._at, keys)

    def add(self, rows: dict[str, dict]) -> None:
        """Appends rows. They are there whatever happens to this process."""
        import pyarrow as pa

        lines = [json.dumps({"key": key, **row}, ensure_ascii=False) for key, row in rows.items()]
        text = "".join(line + "\n" for line in lines).encode()
        packed = pa.compress(text, codec="zstd", asbytes=True) if text else b""
        head = _SKIPPED.pack(_MAGIC, 16, len(packed), len(text))
        self._file.write(head + packed)
        self._file.flush()

    def finish(self) -> None:
        """Puts the shard in its place, and removes what others left of it."""
        os.fsync(self._file.fileno())
        self._file.close()
        try:
            os.replace(self._part, self.ledger)
        except FileNotFoundError:
            pass  # another worker finished the same shard, and removed this part of it
        for path in self._others:
            path.unlink(missing_ok=True)


class _InHand:
    """Rows that are being worked on, where the next worker can read it."""

    def __init__(self, path: Path, keys: list[str]) -> None:
        self._path, self._keys = path, keys

    def __enter__(self) -> None:
        self._path.write_text("\n".join(self._keys))

    def __exit__(self, *_: object) -> None:
        # An error is not a death: it is told to whoever waits.
        self._path.unlink(missing_ok=True)


class _Earlier:
    """Rows of shards that were done before, in whatever tables they came."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "_ledger"
        self._where: dict[str, Path] | None = None
        self._last: tuple[Path, dict[str, dict]] | None = None

    def row(self, key: str) -> dict | None:
        if self._where is None:
            self._where = {}
            for path in self._folder.glob("*.jsonl.zst"):
                self._where.update((key, path) for key, _ in _entries(path))
        path = self._where.get(key)
        if path is None:
            return None
        if self._last is None or self._last[0] != path:
            self._last = (path, dict(_entries(path)))
        return self._last[1].get(key)


def account(state: str | os.PathLike[str]) -> dict[str, Any]:
    """Counts over all shards that are done: ``shards``, ``rows``, and rows by status."""
    rows, status, shards = 0, Counter(), 0  # type: ignore[var-annotated]
    for path in Path(state, "_done").glob("*.json"):
        done = json.loads(path.read_text())
        rows, shards = rows + done["rows"], shards + 1
        status.update(done["status"])
    if rows != sum(status.values()):
        raise TracerError(f"the counts in {state} do not add up: {rows} rows, {dict(status)}")
    return {"shards": shards, "rows": rows, "status": dict(sorted(status.items()))}


def run_files(
    inputs: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    stage: CodeTraceStage,
    *,
    workers: int = 1,
    batch_rows: int = 256,
) -> dict[str, Any]:
    """Parquet files in, Parquet files of the same names out, with plain ``multiprocessing``.

    ``out/`` gets the rows that are ``ok``, ``out/_rejects/`` the others. A file that is done is not
    read again. Gives the counts. A worker that dies ends the call with an error; the same call goes
    on from there.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    paths = [Path(path) for path in inputs]
    names = Counter(path.name for path in paths)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise TracerError(f"inputs have the same name: {', '.join(twice)}")
    for folder in (Path(out), Path(out, "_rejects"), Path(out, "_done")):
        folder.mkdir(parents=True, exist_ok=True)
    # Not forked: a copy of this process would have its locks, in whatever state they are.
    context = get_context("spawn")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        tasks = [pool.submit(_run_file, path, Path(out), stage, batch_rows) for path in paths]
        counts: Counter[str] = Counter()
        for task in tasks:
            counts.update(task.result())
    return dict(sorted(counts.items()))


def _run_file(path: Path, out: Path, stage: CodeTraceStage, batch_rows: int) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    done = out / "_done" / f"{path.name}.json"
    if done.exists():
        return json.loads(done.read_text())
    counts: Counter[str] = Counter()
    kept, rejects = out / path.name, out / "_rejects" / path.name
    writers: dict[Path, Any] = {}
    try:
        source = pq.ParquetFile(path)
        for batch in source.iter_batches(batch_size=batch_rows):
            rows = stage(pa.Table.from_batches([batch]))
            counts.update(rows["status"].to_pylist())
            ok = pc.equal(rows["status"], "ok")
            for place, some in ((kept, rows.filter(ok)), (rejects, rows.filter(pc.invert(ok)))):
                if place not in writers:
                    part = place.with_name(f".{place.name}.{uuid.uuid4().hex[:12]}.part")
                    writers[place] = (part, pq.ParquetWriter(part, rows.schema, compression="zstd"))
                writers[place][1].write_table(some)
        for place, (part, writer) in writers.items():
            writer.close()
            os.replace(part, place)
    except BaseException:
        for part, writer in writers.values():
            writer.close()
            part.unlink(missing_ok=True)
        raise
    if sum(counts.values()) != source.metadata.num_rows:
        raise TracerError(f"the counts of {path} do not add up: {dict(counts)}")
    _write_whole(done, dict(counts))
    return dict(counts)


def _begin(state: Path, plan: str) -> None:
    """Begins a folder, or sees that it was begun with the same settings."""
    path, wanted = state / "_plan.json", json.loads(plan)
    if not path.exists():
        _write_whole(path, wanted)
    there = json.loads(path.read_text())
    differ = [
        f"{name} was {there.get(name)} and is {wanted.get(name)}"
        for name in sorted({*there, *wanted})
        if there.get(name) != wanted.get(name)
    ]
    if differ:
        raise TracerError(
            f"{state} was begun with other settings: {'; '.join(differ)}\n"
            "hint: give the settings it was begun with, or another folder"
        )


def _entries(path: Path) -> Iterator[tuple[str, dict]]:
    """Rows of a ledger, up to what was torn off."""
    import pyarrow as pa

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return  # finished meanwhile by another worker
    at = 0
    while at + _SKIPPED.size <= len(data):
        magic, _, packed, size = _SKIPPED.unpack_from(data, at)
        at += _SKIPPED.size
        frame = data[at : at + packed]
        at += packed
        if magic != _MAGIC or len(frame) < packed:
            return
        if not packed:
            continue
        text = pa.decompress(frame, decompressed_size=size, codec="zstd", asbytes=True)
        # Not by `splitlines`, which knows line ends that JSON does not.
        for line in text.split(b"\n"):
            if line:
                row = json.loads(line)
                yield row.pop("key"), row


def _carried(pa: Any, verifier: Verifier, table: Any) -> tuple[list, list]:
    """The columns that came in, under the names that they have in an answer."""
    names = verifier.carried(table)
    fields = [table.schema.field(index).with_name(name) for index, name in names]
    return fields, [table.column(index) for index, _ in names]


def _schema(pa: Any) -> Any:
    numbers = set(_tracer.NUMBERS)
    return pa.schema([(n, pa.int64() if n in numbers else pa.string()) for n in COLUMNS])


def _blamed(verifier: Verifier, row: Any) -> dict:
    """The row of a source that processes died of: it is not run again."""
    judged = dict.fromkeys(COLUMNS)
    text = row.column(verifier.text(row))[0].as_py()
    detail = f"{_DEATHS} processes died with this row alone in hand"
    judged.update(status="failed", reason="failed", detail=detail, source=text)
    return judged


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _write_whole(path: Path, value: Any) -> None:
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    part.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")
    os.replace(part, path)
