"""The annotations: what is right passes, what is wrong is told."""

import subprocess
import sys

import pytest

pytest.importorskip("mypy", reason="annotations need mypy: pip install mypy")

RIGHT = """
import tracer
from tracer.stage import CodeTraceStage, account

trace: tracer.Trace = tracer.run("x = 1", "python", args=["a"], stdin=b"")
first: tracer.Event = trace.events[0]
lines: list[int] = [event.line for event in trace.events]
status: int | None = trace.exit_code
text: bytes = trace.stdout
CodeTraceStage("state", jobs=1)
rows: int = account("state")["rows"]
"""


def test_a_checker_knows_the_package(tmp_path):
    wrong = 'import tracer\ntracer.run(1)\ntracer.run("x", stdin=2)\ntracer.run("x").exitcode\n'
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(wrong)
    check = lambda name: subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    right, wrong = check("right.py"), check("wrong.py")
    assert right.returncode == 0, right.stdout
    told = [line.split(":")[1] for line in wrong.stdout.split("\n") if ": error:" in line]
    assert told == ["2", "3", "4"], wrong.stdout
