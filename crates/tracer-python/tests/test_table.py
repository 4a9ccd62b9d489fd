"""Tables: one row out for each row in, in order, through Arrow's interface."""

import json
import subprocess

import pytest
import tracer
from conftest import ENDLESS, program

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
TIMED = {"timeout": 2.0}


def test_each_row_comes_back_once_with_what_came_in(corpus):
    table = corpus(12)
    answer = tracer.trace_batch(table)
    assert answer.num_rows == 12
    assert answer["path"].to_pylist() == table["path"].to_pylist()
    assert answer["stars"].type == pa.int16() and answer["stars"].equals(table["stars"])
    assert "content" not in answer.column_names
    assert answer["source"].to_pylist() == table["content"].to_pylist()
    kept = answer.slice(0, 9).to_pylist()
    assert {row["status"] for row in kept} == {"ok"}, kept
    assert all(row["stdout"].startswith("result") and row["exit_code"] == 0 for row in kept)
    assert json.loads(kept[0]["checks"])["equivalent"] is True
    rejected = answer.slice(9, 1).to_pylist()[0]
    assert rejected["status"] == "rejected" and rejected["reason"]
    assert rejected["trace"] is None


def test_tables_in_pieces_and_without_rows(corpus):
    whole = corpus(6)
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 0), whole.slice(1, 5)])
    assert tracer.trace_batch(pieces).equals(tracer.trace_batch(whole))
    empty = tracer.trace_batch(whole.slice(0, 0))
    assert empty.num_rows == 0 and empty.schema == tracer.trace_batch(whole).schema
    batch = whole.to_batches()[0]
    assert tracer.trace_batch(batch).num_rows == 6


def test_a_bad_row_costs_itself_alone():
    texts = [program(1), "", None, ENDLESS, program(2)]
    table = pa.table({"code": texts, "lang": ["python"] * 5, "status": list("abcde")})
    answer = tracer.trace_batch(table, **TIMED)
    assert answer["status"].to_pylist() == ["ok", "rejected", "rejected", "rejected", "ok"]
    assert answer["reason"].to_pylist() == [None, "unreadable", "unreadable", "timeout", None]
    assert answer["input_status"].to_pylist() == list("abcde")


def test_a_table_that_cannot_be_used_is_told():
    with pytest.raises(tracer.TableError, match="no column content, text, code; it has x"):
        tracer.trace_batch(pa.table({"x": [1]}))
    with pytest.raises(ValueError, match="__arrow_c_stream__"):
        tracer.trace_batch([1, 2])
    with pytest.raises(tracer.SettingsError, match="only run inside a sandbox"):
        tracer.trace_batch(pa.table({"text": ["x"]}), isolation="none")
    with pytest.raises(tracer.TableError, match="does not number the rows"):
        tracer.trace_batch(pa.table({"text": ["x"], "n": ["y"]}), number_column="n")


def test_rows_have_the_keys_of_what_is_judged(corpus):
    verifier = tracer.Verifier()
    table = corpus(3)
    keys = verifier.keys(table)
    other = table.set_column(2, "stars", pa.array([7, 7, 7]))
    assert len(set(keys)) == 3 and verifier.keys(other) == keys
    renamed = table.set_column(1, "path", pa.array(["a.py", "b.py", "c.py"]))
    assert not set(verifier.keys(renamed)) & set(keys)


def test_rows_are_those_of_the_command(corpus, tmp_path):
    import os

    command = os.environ.get("TRACER_COMMAND")
    if not command:
        pytest.skip("TRACER_COMMAND names no `tracer` to compare with")
    import pyarrow.parquet as pq

    table = corpus(10)
    table = table.append_column("row", pa.array(range(10), pa.int64()))
    pq.write_table(table, tmp_path / "in.parquet")
    subprocess.run(
        [command, "batch", "in.parquet", "-o", "out", "--format", "parquet"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    theirs = {}
    for path in (tmp_path / "out" / "code-trace").glob("*.parquet"):
        theirs.update((row["path"], row) for row in pq.read_table(path).to_pylist())
    ours = tracer.trace_batch(table, number_column="row").to_pylist()
    ours = {row["path"]: row for row in ours if row["status"] == "ok"}
    assert theirs and theirs.keys() <= ours.keys()
    for path, row in theirs.items():
        del row["split"]
        assert {name: ours[path][name] for name in row} == row
