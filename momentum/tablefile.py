"""Tables of matches as CSV or Parquet, written match by match; the file appears whole or not at all."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

from ingest.events import FeedError
from momentum.replay import COLUMNS, VALUES, Ints, MatchTable

if TYPE_CHECKING:
    import pyarrow as pa

HEADER = ",".join(COLUMNS)
ENDINGS = (".csv", ".parquet")
ROW_GROUP = 100_000
"""Rows that a Parquet row group collects before it is written: some 17 matches, a few MB."""


def ending(out: Path) -> str:
    """The format by the file's name. Raises FeedError when it is neither ``.csv`` nor ``.parquet``."""
    if out.suffix.lower() not in ENDINGS:
        raise FeedError("unknown_ending", f"{out} ends in neither {' nor '.join(ENDINGS)}: choose one of them")
    return out.suffix.lower()


def encode(table: MatchTable, form: str) -> bytes | pa.RecordBatch:
    """A table as its file takes it: CSV lines, or a record batch. Done by the workers, so that writing is quick."""
    return csv_lines(table) if form == ".csv" else record_batch(table)


def csv_lines(table: MatchTable) -> bytes:
    """CSV lines; values with 6 decimals, empty where there is none."""
    name = table.match_id
    if any(sign in name for sign in ',"\r\n'):
        name = '"' + name.replace('"', '""') + '"'
    columns = [_decimals(table.values[column]) for column in VALUES]
    rows = zip(table.period.tolist(), table.second.tolist(), *columns, strict=True)
    return "".join(f"{name},{period},{second},{','.join(cells)}\n" for period, second, *cells in rows).encode()


def _decimals(column_e6: Ints) -> list[str]:
    return [f"{v // 1_000_000}.{v % 1_000_000:06d}" if v >= 0 else "" for v in column_e6.tolist()]


def schema() -> pa.Schema:
    """Parquet's columns: the id as text, period and second as int16, values as doubles, null where there is none."""
    import pyarrow as pa

    kinds = {"match_id": pa.string(), "period": pa.int16(), "second": pa.int16()}
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in COLUMNS])


def record_batch(table: MatchTable) -> pa.RecordBatch:
    """A table as an Arrow batch of `schema`."""
    import pyarrow as pa

    arrays: list[Any] = [
        pa.array([table.match_id] * len(table), pa.string()),
        pa.array(table.period.astype(np.int16)),
        pa.array(table.second.astype(np.int16)),
    ]
    arrays += [pa.array(table.values[name] / 1e6, pa.float64(), mask=table.values[name] < 0) for name in VALUES]
    return pa.RecordBatch.from_arrays(arrays, schema=schema())


class _Sink(Protocol):
    def write(self, part: Any) -> None: ...

    def close(self) -> None: ...


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._file.write(HEADER.encode() + b"\n")

    def write(self, part: bytes) -> None:
        self._file.write(part)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        # Doubles of six decimals repeat too seldom for a dictionary; their bytes apart make a file a third smaller.
        self._writer = pq.ParquetWriter(
            path,
            schema(),
            compression="zstd",
            use_dictionary=["match_id", "period"],
            use_byte_stream_split=list(VALUES),
        )
        self._kept: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, part: pa.RecordBatch) -> None:
        self._kept.append(part)
        self._rows += part.num_rows
        if self._rows >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._kept:
            self._writer.write_table(pa.Table.from_batches(self._kept), row_group_size=self._rows)
        self._kept, self._rows = [], 0

    def close(self) -> None:
        try:
            self._flush()
        finally:
            self._writer.close()


class TableFile:
    """Context: ``write`` what `encode` gave; ``keep`` at the end, or nothing is left behind."""

    def __init__(self, out: Path) -> None:
        """Raises FeedError for an unknown ending, OSError when the place cannot be written."""
        self.form = ending(out)
        self._out, self._part = out, out.with_name(out.name + ".part")
        self._sink: _Sink = _Csv(self._part) if self.form == ".csv" else _Parquet(self._part)

    def write(self, part: bytes | pa.RecordBatch) -> None:
        """Append one match."""
        self._sink.write(part)

    def keep(self) -> None:
        """The table is whole: give it its name."""
        self._sink.close()
        self._part.replace(self._out)

    def __enter__(self) -> TableFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._part.exists():
            self._sink.close()
            self._part.unlink()
