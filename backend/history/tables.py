"""Which table and columns a row of history goes to, and back. Pure; the columns are those of the migration."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ingest.events import Delete, Upsert
from ingest.history.model import Correction, Fragment, Line, Revision, Sample
from ingest.history.parquet import event_json, event_of
from ingest.record import Record

LEVEL: Final = 6
"""zlib's: a fragment of 550 bytes becomes 300; PostgreSQL itself compresses nothing below 2 kB."""


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of row. ``columns`` are (name, PostgreSQL type) behind day and match_id, ``key`` of them the key's,
    ``fixed`` those that must be equal when the row comes again."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    fixed: tuple[str, ...]
    pack: Callable[[Any], tuple[Any, ...]]
    unpack: Callable[[str, Mapping[str, Any]], Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return ("day", "match_id", *(name for name, _ in self.columns))

    @property
    def types(self) -> tuple[str, ...]:
        """Types of all columns as COPY takes them: JSON goes as the text that it is."""
        return ("date", "text", *("text" if kind == "json" else kind for _, kind in self.columns))

    def row(self, day: date, item: Any) -> tuple[Any, ...]:
        """The values of `names`."""
        return (day, item.match_id, *self.pack(item))


def _fragment(item: Fragment) -> tuple[Any, ...]:
    return item.provider, bytes.fromhex(item.raw), item.at_ms, zlib.compress(item.doc, LEVEL)


def _fragment_of(match_id: str, row: Mapping[str, Any]) -> Fragment:
    return Fragment(match_id, row["provider"], row["raw"].hex(), row["at_ms"], zlib.decompress(row["doc"]))


def _line(item: Line) -> tuple[Any, ...]:
    return item.number, item.data_ms, bytes.fromhex(item.raw), item.line


def _line_of(match_id: str, row: Mapping[str, Any]) -> Line:
    return Line(match_id, row["number"], row["data_ms"], row["raw"].hex(), row["line"])


def _record(item: Record) -> tuple[Any, ...]:
    change = item.change
    common = (item.seq, item.provider, item.at_ms, bytes.fromhex(item.raw))
    if isinstance(change, Delete):
        return (*common, change.event_id, change.version, None, None, None, None, None)
    event = change.event
    shown = (event.event_id, event.version, event.period, event.play_ms, event.kind.value)
    return (*common, *shown, event.side.value if event.side else None, event_json(event).decode())


def _record_of(match_id: str, row: Mapping[str, Any]) -> Record:
    gone = row["event"] is None
    change = Delete(row["event_id"], row["version"]) if gone else Upsert(event_of(row["event"]))
    return Record(match_id, row["provider"], row["seq"], row["at_ms"], row["raw"].hex(), change)


def _correction(item: Correction) -> tuple[Any, ...]:
    new = None if item.new is None else event_json(item.new).decode()
    return item.seq, item.provider, item.at_ms, item.old.event_id, event_json(item.old).decode(), new


def _correction_of(match_id: str, row: Mapping[str, Any]) -> Correction:
    new = None if row["new"] is None else event_of(row["new"])
    return Correction(match_id, row["seq"], row["provider"], row["at_ms"], event_of(row["old"]), new)


def _sample(item: Sample) -> tuple[Any, ...]:
    values = (list(item.inputs) if name == "inputs" else getattr(item, name) for name, _ in _SAMPLE)
    return tuple(values)


def _sample_of(match_id: str, row: Mapping[str, Any]) -> Sample:
    values: Any = (tuple(row[name]) if name == "inputs" else row[name] for name, _ in _SAMPLE)
    return Sample(match_id, *values)


def _revision(item: Revision) -> tuple[Any, ...]:
    return tuple(getattr(item, name) for name, _ in _REVISION)


def _revision_of(match_id: str, row: Mapping[str, Any]) -> Revision:
    return Revision(match_id, *(row[name] for name, _ in _REVISION))


_SAMPLE: Final = (
    ("tick", "int4"), ("period", "int2"), ("second", "int4"), ("data_ms", "int8"), ("x_e6", "int4"),
    ("box_e6", "int4"), ("mu_e6", "int4"), ("s_e4", "int4"), ("conf_e4", "int4"), ("flags", "int4"),
    ("reason", "int2"), ("inputs", "int8[]"), ("inputs_hash", "bytea"), ("lines", "int4"),
)  # fmt: skip
_REVISION: Final = (
    ("tick", "int4"), ("revised_tick", "int4"), ("period", "int2"), ("second", "int4"), ("old_e6", "int4"),
    ("new_e6", "int4"), ("count", "int4"),
)  # fmt: skip

FRAGMENTS = Table(
    "fragments",
    (("provider", "text"), ("raw", "bytea"), ("at_ms", "int8"), ("doc", "bytea")),
    ("raw",),
    (),  # the key is the content's hash; the first arrival stands
    _fragment,
    _fragment_of,
)
LINES = Table(
    "lines",
    (("number", "int4"), ("data_ms", "int8"), ("raw", "bytea"), ("line", "bytea")),
    ("number",),
    ("data_ms", "raw", "line"),
    _line,
    _line_of,
)
RECORDS = Table(
    "records",
    (
        ("seq", "int8"), ("provider", "text"), ("at_ms", "int8"), ("raw", "bytea"), ("event_id", "text"),
        ("version", "int8"), ("period", "int4"), ("play_ms", "int8"), ("kind", "text"), ("side", "text"),
        ("event", "json"),
    ),
    ("seq",),
    ("provider", "at_ms", "raw", "event_id", "version", "event"),
    _record,
    _record_of,
)  # fmt: skip
CORRECTIONS = Table(
    "corrections",
    (
        ("seq", "int8"), ("provider", "text"), ("at_ms", "int8"), ("event_id", "text"), ("old", "json"),
        ("new", "json"),
    ),
    ("seq",),
    ("old", "new"),
    _correction,
    _correction_of,
)  # fmt: skip
SAMPLES = Table(
    "samples", _SAMPLE, ("tick",), tuple(name for name, _ in _SAMPLE if name != "tick"), _sample, _sample_of
)
REVISIONS = Table(
    "revisions", _REVISION, ("tick",), tuple(name for name, _ in _REVISION if name != "tick"), _revision, _revision_of
)
TABLES: Final = (FRAGMENTS, LINES, RECORDS, CORRECTIONS, SAMPLES, REVISIONS)
"""Each is an attribute of `ingest.history.model.MatchHistory` by its name, in the order in which they are written."""
RAW_TABLES: Final = ("fragments", "lines")
CANONICAL_TABLES: Final = ("records", "corrections", "samples", "revisions", "quality")
