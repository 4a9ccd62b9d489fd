"""A local cluster of Ray, one of whose two workers is killed half-way."""

import os
import signal

import pytest
from tracer.stage import CodeTraceStage, account

ray = pytest.importorskip("ray", reason="NOT TESTED: Ray is not installed")
pytest.importorskip("ray.data", reason="NOT TESTED: ray[data] is not installed")
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

ROWS, BATCH = 96, 8


class Dying(CodeTraceStage):
    """Kills its own process once, in the middle of the sixth shard that is begun."""

    def __init__(self, state, mark, **settings):
        super().__init__(state, **settings)
        self.mark = mark

    def _opened(self):
        verifier, earlier = super()._opened()
        with open(os.path.join(os.path.dirname(self.mark), "workers"), "a") as workers:
            workers.write(f"{os.getpid()}\n")
        begun = len(os.listdir(os.path.join(self.state, "_ledger")))
        if begun >= 5:
            try:
                os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return verifier, earlier
            inner, calls = verifier, []

            class Deadly(type(verifier)):
                def __call__(self, table):
                    calls.append(table)
                    if len(calls) == 2:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return super().__call__(table)

            inner.__class__ = Deadly
        return verifier, earlier


@pytest.fixture(scope="module")
def cluster():
    # Logical: on two real ones its own work leaves no room for actors.
    here = {"env_vars": {"PYTHONPATH": os.path.dirname(__file__)}}
    ray.init(num_cpus=8, include_dashboard=False, log_to_driver=False, runtime_env=here)
    yield
    ray.shutdown()


def test_a_worker_is_killed_and_nothing_is_lost_or_doubled(cluster, tmp_path, corpus):
    table = corpus(ROWS)
    (tmp_path / "in").mkdir()
    for part in range(4):
        rows = ROWS // 4
        pq.write_table(table.slice(part * rows, rows), tmp_path / "in" / f"{part}.parquet")
    mark = tmp_path / "killed"
    # Ray reads small files as one block, which one worker would have for itself.
    rows = ray.data.read_parquet(str(tmp_path / "in")).repartition(target_num_rows_per_block=BATCH)
    answer = rows.map_batches(
        Dying,
        fn_constructor_args=[str(tmp_path / "state"), str(mark)],
        fn_constructor_kwargs={"jobs": 1, "slice_rows": 3},
        batch_format="pyarrow",
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=2),
    )
    rows = answer.to_pandas()
    assert mark.exists(), "nobody was killed"
    assert sorted(rows["stars"]) == list(range(ROWS))
    expected = {n: "rejected" if n % 10 == 9 else "ok" for n in range(ROWS)}
    assert dict(zip(rows["stars"], rows["status"])) == expected
    workers = set((tmp_path / "workers").read_text().split())
    assert len(workers) == 3, "two, and the one that came for the dead one"
    counts = account(tmp_path / "state")
    assert counts["rows"] == ROWS and sum(counts["status"].values()) == ROWS
    plain = CodeTraceStage(tmp_path / "other")(table).to_pandas()
    columns = list(plain.columns)
    sort = lambda frame: frame.sort_values("stars").reset_index(drop=True)[columns]
    assert sort(rows).equals(sort(plain).astype(sort(rows).dtypes.to_dict()))


def test_a_second_run_runs_nothing(cluster, tmp_path, corpus):
    pq.write_table(corpus(16), tmp_path / "in.parquet")
    run = lambda: (
        ray.data.read_parquet(str(tmp_path / "in.parquet"))
        .map_batches(
            CodeTraceStage,
            fn_constructor_args=[str(tmp_path / "state")],
            batch_format="pyarrow",
            batch_size=8,
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        .take_all()
    )
    first = run()
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "state").rglob("*.*")}
    assert run() == first
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "state").rglob("*.*")} == stamps
    assert pa.Table.from_pylist(first).num_rows == 16
