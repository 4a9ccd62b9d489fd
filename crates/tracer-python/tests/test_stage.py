"""The stage: each row once, whatever dies, whoever runs it."""

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import tracer
from conftest import ENDLESS
from tracer.stage import CodeTraceStage, account, run_files

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")


class Counting:
    """A verifier that counts the rows it is given."""

    def __init__(self, stage):
        verifier, earlier = stage._opened()
        self.rows, call = 0, verifier.__call__
        owner = self

        class Counted(type(verifier)):
            def __call__(self, table):
                owner.rows += table.num_rows
                return call(table)

        verifier.__class__ = Counted


def done(state):
    return sorted(Path(state, "_done").iterdir()), sorted(Path(state, "_ledger").iterdir())


def test_a_shard_that_was_done_is_not_run_again(tmp_path, corpus):
    table = corpus(12)
    stage = CodeTraceStage(tmp_path, slice_rows=5)
    first = stage(table)
    plain = tracer.trace_batch(table)
    assert first.equals(plain), "the stage gives what a table gives"
    assert account(tmp_path) == {"shards": 1, "rows": 12, "status": {"ok": 11, "rejected": 1}}
    stamps = [path.stat().st_mtime_ns for paths in done(tmp_path) for path in paths]
    again = pickle.loads(pickle.dumps(stage))
    counting = Counting(again)
    assert again(table).equals(first) and counting.rows == 0
    assert [path.stat().st_mtime_ns for paths in done(tmp_path) for path in paths] == stamps


def test_rows_are_found_in_whatever_table_they_came(tmp_path, corpus):
    table = corpus(8)
    CodeTraceStage(tmp_path)(table)
    stage = CodeTraceStage(tmp_path)
    counting = Counting(stage)
    other = pa.concat_tables([table.slice(4), corpus(2, first=8), table.slice(0, 4), table.slice(0, 1)])
    answer = stage(other)
    assert counting.rows == 2
    assert answer["path"].to_pylist() == other["path"].to_pylist()
    assert answer.slice(answer.num_rows - 1).equals(answer.slice(6, 1))


def test_another_configuration_is_refused_by_name(tmp_path, corpus):
    CodeTraceStage(tmp_path)(corpus(1))
    with pytest.raises(tracer.TracerError, match='token_budget was 8000 and is 100'):
        CodeTraceStage(tmp_path, token_budget=100)(corpus(1))


def test_a_torn_part_costs_its_last_slice(tmp_path, corpus):
    table = corpus(6)
    CodeTraceStage(tmp_path, slice_rows=2)(table)
    (mark,), (ledger,) = done(tmp_path)
    whole = ledger.read_bytes()
    part = ledger.with_name(ledger.name.replace(".jsonl.zst", ".dead.part"))
    expected = CodeTraceStage(tmp_path)(table)
    # In the first head, in a slice, between two, and at the very end.
    frames = [at for at in range(len(whole)) if whole.startswith(b"\x50\x2a\x4d\x18", at)]
    assert len(frames) == 4, "what was taken over, and three slices"
    for cut, left in [(10, 6), (frames[2] - 1, 6), (frames[2], 4), (frames[3] + 30, 2)]:
        ledger.unlink(missing_ok=True)
        mark.unlink(missing_ok=True)
        part.write_bytes(whole[:cut])
        stage = CodeTraceStage(tmp_path, slice_rows=2, jobs=1)
        counting = Counting(stage)
        assert stage(table).equals(expected), f"cut at {cut}"
        assert counting.rows == left, f"cut at {cut}"
        assert not part.exists()


def worker(state, rows):
    source = f"""
        import os, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from conftest import ENDLESS, program
        import pyarrow as pa
        from tracer.stage import CodeTraceStage
        texts = [ENDLESS if n == 7 else program(n) for n in range({rows})]
        table = pa.table({{"content": texts, "path": [f"{{n}}.py" for n in range({rows})]}})
        stage = CodeTraceStage({str(state)!r}, slice_rows=4, jobs=2, timeout=20.0)
        print("ready", flush=True)
        print(len(stage(table)), flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(source)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def until(check, process):
    """Waits for what a worker writes; it ends if the worker does."""
    while not check():
        assert process.poll() is None, "the worker ended before"
        os.sched_yield()


def test_a_worker_that_is_killed_loses_its_slice_alone(tmp_path):
    """The eighth program runs until its time-out: the worker is killed in it."""
    first = worker(tmp_path, 12)
    folder = tmp_path / "_ledger"
    held = lambda: [p.read_text().split() for p in folder.glob("*.at")] if folder.exists() else []
    parts = lambda: sum(p.stat().st_size for p in folder.glob("*.part"))
    until(lambda: held() and parts() > 200, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert len(held()[0]) == 4
    second = worker(tmp_path, 12)
    assert second.stdout.read().split() == ["ready", "12"] and second.wait() == 0
    counts = account(tmp_path)
    assert counts == {"shards": 1, "rows": 12, "status": {"ok": 11, "rejected": 1}}
    assert [path.suffix for path in folder.iterdir()] == [".zst"]


def test_a_row_that_workers_die_of_is_given_up(tmp_path, corpus):
    table = corpus(4)
    stage = CodeTraceStage(tmp_path, slice_rows=4)
    verifier, _ = stage._opened()
    keys = verifier.keys(table)
    import hashlib

    name = hashlib.blake2b("".join(keys).encode(), digest_size=12).hexdigest()
    (tmp_path / "_ledger" / f"{name}.one.at").write_text("\n".join(keys))
    (tmp_path / "_ledger" / f"{name}.two.at").write_text(keys[2])
    counting = Counting(stage)
    assert stage(table)["status"].to_pylist() == ["ok"] * 4, "once may be chance"
    assert counting.rows == 4
    for path in [*(tmp_path / "_ledger").iterdir(), *(tmp_path / "_done").iterdir()]:
        path.unlink()
    for attempt in ("one", "two"):
        (tmp_path / "_ledger" / f"{name}.{attempt}.at").write_text(keys[2])
    again = CodeTraceStage(tmp_path)
    answer = again(table)
    assert answer["status"].to_pylist() == ["ok", "ok", "failed", "ok"]
    assert "died" in answer["detail"].to_pylist()[2]
    assert answer["source"].to_pylist() == table["content"].to_pylist()


def test_files_with_plain_multiprocessing(tmp_path, corpus):
    import pyarrow.parquet as pq

    for number in range(3):
        pq.write_table(corpus(10, first=number * 10), tmp_path / f"in{number}.parquet")
    inputs = sorted(tmp_path.glob("in*.parquet"))
    stage = CodeTraceStage(tmp_path / "state", jobs=1)
    counts = run_files(inputs, tmp_path / "out", stage, workers=2, batch_rows=4)
    assert counts == {"ok": 27, "rejected": 3} and account(tmp_path / "state")["rows"] == 30
    for number, path in enumerate(inputs):
        kept = pq.read_table(tmp_path / "out" / path.name)
        rejects = pq.read_table(tmp_path / "out" / "_rejects" / path.name)
        both = kept["stars"].to_pylist() + rejects["stars"].to_pylist()
        assert sorted(both) == list(range(number * 10, number * 10 + 10))
        assert set(kept["status"].to_pylist()) == {"ok"}
    before = [path.stat().st_mtime_ns for path in sorted((tmp_path / "out").glob("*.parquet"))]
    assert run_files(inputs, tmp_path / "out", stage, workers=1) == counts
    assert [p.stat().st_mtime_ns for p in sorted((tmp_path / "out").glob("*.parquet"))] == before


def test_a_step_of_datatrove(tmp_path, corpus):
    pytest.importorskip("datatrove", reason="NOT TESTED: datatrove is not installed")
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from tracer.datatrove import CodeTraceStep

    rows = corpus(20).to_pylist()
    for shard in range(2):
        lines = [
            json.dumps({"text": row["content"], "id": str(row["stars"]), "path": row["path"]})
            for row in rows[shard * 10 : shard * 10 + 10]
        ]
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{shard}.jsonl").write_text("\n".join(lines) + "\n")
    pipeline = [
        JsonlReader(str(tmp_path / "in")),
        CodeTraceStep(
            str(tmp_path / "state"),
            jobs=1,
            batch_rows=6,
            exclusion_writer=JsonlWriter(str(tmp_path / "rejects"), compression=None),
        ),
        JsonlWriter(str(tmp_path / "out"), compression=None),
    ]
    executor = LocalPipelineExecutor(pipeline, tasks=2, workers=2, logging_dir=str(tmp_path / "logs"))
    executor.run()
    read = lambda folder: [
        json.loads(line)
        for path in (tmp_path / folder).glob("*.jsonl")
        for line in path.read_text().split("\n")
        if line
    ]
    kept, rejects = read("out"), read("rejects")
    assert sorted(int(row["id"]) for row in kept + rejects) == list(range(20))
    assert {int(row["id"]) for row in rejects} == {9, 19}
    assert all(row["metadata"]["status"] == "ok" and row["metadata"]["trace"] for row in kept)
    assert all(row["text"].startswith("User:") for row in kept)
    assert account(tmp_path / "state")["rows"] == 20
