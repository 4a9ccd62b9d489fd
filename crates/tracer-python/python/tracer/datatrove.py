"""The stage as a step of a datatrove pipeline.

>>> from tracer.datatrove import CodeTraceStep
>>> pipeline = [ParquetReader("sources/"),
...             CodeTraceStep("state/", exclusion_writer=JsonlWriter("rejects/")),
...             ParquetWriter("examples/")]

A document that is kept has the example as its text and the example's columns in its metadata; others go
to ``exclusion_writer`` with ``status``, ``reason`` and ``detail``. Path, language and repository are
those of the metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.writers.disk_base import DiskWriter

from .stage import COLUMNS, CodeTraceStage


class CodeTraceStep(PipelineStep):
    """Turns documents of source code into verified examples; arguments are those of
    :class:`tracer.stage.CodeTraceStage`."""

    name = "🔎 tracer"
    type = "🔄 - TRANSFORM"

    def __init__(
        self,
        state: str,
        *,
        batch_rows: int = 256,
        exclusion_writer: DiskWriter | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.stage = CodeTraceStage(state, **settings)
        self.batch_rows = batch_rows
        self.exclusion_writer = exclusion_writer

    def run(
        self, data: Iterable[Document], rank: int = 0, world_size: int = 1
    ) -> Iterator[Document]:
        if self.exclusion_writer is None:
            yield from self._all(data, rank, None)
            return
        with self.exclusion_writer as writer:
            yield from self._all(data, rank, writer)

    def _all(self, data: Iterable[Document], rank: int, writer: Any) -> Iterator[Document]:
        waiting: list[Document] = []
        for document in data:
            waiting.append(document)
            if len(waiting) == self.batch_rows:
                yield from self._batch(waiting, rank, writer)
                waiting = []
        if waiting:
            yield from self._batch(waiting, rank, writer)

    def _batch(self, documents: list[Document], rank: int, writer: Any) -> Iterator[Document]:
        import pyarrow as pa

        with self.track_time("batch"):
            rows = [
                {**{k: v for k, v in d.metadata.items() if isinstance(v, str)}, "text": d.text}
                for d in documents
            ]
            names = {"text": None, **dict.fromkeys(name for row in rows for name in row)}
            schema = pa.schema([(name, pa.string()) for name in names])
            table = pa.Table.from_pylist(rows, schema=schema)
            settings = self.stage.settings
            if "text_column" in settings and settings["text_column"] != "text":
                raise ValueError("a document's source is its text: leave out text_column")
            answer = self.stage(table).select(COLUMNS).to_pylist()
        for document, row in zip(documents, answer):
            self.stat_update("total", row["status"])
            if row["status"] == "ok":
                document.text = row.pop("text")
                row.pop("id")
                document.metadata = _beside(document.metadata, row)
                self.update_doc_stats(document)
                yield document
            else:
                self.stat_update(f"{row['status']}_{row['reason']}")
                verdict = {name: row[name] for name in ("status", "reason", "detail")}
                document.metadata = _beside(document.metadata, verdict)
                if writer is not None:
                    writer.write(document, rank)


def _beside(metadata: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Both; what came in under a name of ours is found as ``input_…``."""
    own = {name: value for name, value in own.items() if value is not None}
    came = {(f"input_{name}" if name in own else name): value for name, value in metadata.items()}
    return {**came, **own}
