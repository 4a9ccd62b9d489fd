"""Single programs: what comes back, what is raised, what else goes on meanwhile."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading

import pytest
import tracer

SOURCE = "def double(n):\n    return n * 2\n\nx = double(21)\nprint(x)\n"


def test_a_trace_is_a_sequence_of_events():
    trace = tracer.run(SOURCE, "python")
    assert trace.stdout == b"42\n" and trace.exit_code == 0 and trace.language == "python"
    assert len(trace) == len(trace.events) == len(list(trace))
    written = [event for event in trace if event.kind == "VAR" and event.detail["name"] == "x"]
    assert [(event.line, event.function) for event in written] == [(4, "<module>")]
    assert written[0].detail["value"]["text"] == "42"
    entered = next(event for event in trace if event.kind == "IN")
    assert (entered.function, entered.depth) == ("double", 1)
    assert trace[-1] == trace.events[-1] and entered in trace
    assert trace.source == SOURCE and trace.usage["wall"] > 0
    assert any(wall["name"] == "seccomp" for wall in trace.protections)


def test_it_shows_itself():
    trace = tracer.run("print('<b>')", "python")
    assert repr(trace).startswith("<Trace of python: exited 0; ")
    assert "print" in str(trace)
    page = trace._repr_html_()
    assert page.startswith('<iframe sandbox="allow-scripts" srcdoc="')
    assert "<b>" not in page and page.count('"') == 6
    assert "STDOUT" in " ".join(map(str, trace))
    assert "print" in trace.to_inline()


def test_events_as_tables():
    pytest.importorskip("pyarrow", reason="to_arrow needs pyarrow")
    trace = tracer.run(SOURCE, "python")
    table = trace.to_arrow()
    assert table.num_rows == len(trace)
    assert table["kind"].to_pylist() == [event.kind for event in trace]
    pytest.importorskip("pandas", reason="to_pandas needs pandas")
    frame = trace.to_pandas()
    assert list(frame[frame.kind == "IN"].line) == [1]


def test_the_trace_is_the_commands_own(tmp_path):
    command = os.environ.get("TRACER_COMMAND")
    if not command:
        pytest.skip("TRACER_COMMAND names no `tracer` to compare with")
    (tmp_path / "main.py").write_text(SOURCE)
    out = tmp_path / "trace.jsonl"
    command = [command, "run", "-o", str(out), "main.py"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    of_command = out.read_text().split("\n")
    ours = tracer.run(SOURCE, "python").to_jsonl().split("\n")
    # The first line says where the program stood and how; the events and the end are the same.
    assert ours[1:] == of_command[1:]


def test_input_and_arguments():
    source = "import sys\nprint(sys.argv[1:], sys.stdin.read())"
    trace = tracer.run(source, "python", stdin="in", args=["a", "b"])
    assert trace.stdout == b"['a', 'b'] in\n"
    assert tracer.run("print(1)", file_name="other.py").stdout == b"1\n"


def test_a_program_that_fails_is_no_exception():
    assert tracer.run("raise SystemExit(3)", "python").exit_code == 3
    ended = tracer.run("while True: pass", "python", timeout=0.5)
    assert ended.end["how"] == "limited" and ended.exit_code is None


def test_what_is_asked_wrongly_is_told():
    with pytest.raises(tracer.SettingsError, match="cobol.*python"):
        tracer.run("x", "cobol")
    with pytest.raises(tracer.SettingsError, match="needs a language"):
        tracer.run("x")
    with pytest.raises(tracer.SettingsError, match="detail is .all.; it is one of calls"):
        tracer.Tracer(detail="all")
    with pytest.raises(TypeError, match="no setting tiemout"):
        tracer.run("x", "python", tiemout=1)
    for error in (tracer.ToolchainError, tracer.RefusedError, tracer.SandboxError):
        assert issubclass(error, tracer.TracerError)


def test_other_threads_go_on():
    """If the lock were kept, the other thread could not set what the program waits for."""
    going = threading.Event()
    done = threading.Event()

    def other():
        going.wait()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    ran = []
    worker = threading.Thread(target=lambda: ran.append(tracer.run("while True: pass", "python", timeout=2)))
    worker.start()
    going.set()
    assert done.wait(timeout=60) and not ran, "the run had to end first"
    worker.join()
    thread.join()


def test_ctrl_c_ends_the_program_and_the_next_one_runs():
    source = textwrap.dedent(
        """
        import os, signal, threading, tracer
        from pathlib import Path

        def interrupt():
            names = lambda: [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
            while "tracer\\n" not in names():  # the thread that runs it
                pass
            os.kill(os.getpid(), signal.SIGINT)

        tracer.run("print(1)", "python")
        threading.Thread(target=interrupt).start()
        try:
            tracer.run("while True: pass", "python", timeout=600)
        except KeyboardInterrupt:
            print("interrupted", tracer.run("print(2)", "python").stdout)
        """
    )
    ended = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=120
    )
    assert ended.stdout == "interrupted b'2\\n'\n", ended.stderr


def _in_fork(kept, answers):
    answers.put((kept.run("print(2)", "python").stdout, tracer.run("print(3)", "python").stdout))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_makes_its_own_sandboxes_and_leaves_its_parents_alone():
    kept = tracer.Tracer(jobs=2)
    assert kept.run("print(1)", "python").stdout == b"1\n"
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_in_fork, args=(kept, answers))
    child.start()
    assert answers.get(timeout=60) == (b"2\n", b"3\n")
    child.join(timeout=60)
    assert child.exitcode == 0
    assert kept.run("print(4)", "python").stdout == b"4\n"
    inherited = kept._runner
    if os.fork() == 0:
        try:
            inherited.run(b"print(5)", "python", None, b"", [])
        except tracer.TracerError as error:
            os._exit(0 if "forked" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0


def test_sql_needs_its_runner_or_says_so():
    try:
        assert tracer.run("SELECT 6 * 7;", "sql").stdout == b"42\n"
    except tracer.ToolchainError as error:
        assert "tracer-sql" in str(error)
