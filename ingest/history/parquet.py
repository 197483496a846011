"""Rows of history as Parquet and back, exactly. One file a kind and match; units are in the columns' names.

The file's metadata tell the format's version, the kind, the match and the provider; a reader refuses what differs.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, Side, Upsert
from ingest.history.journal import event_id
from ingest.history.model import Correction, Fragment, Line, Match, Revision, Sample
from ingest.record import Record

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "futstar-history/1"
Columns = dict[str, list[Any]]
_EVENT = msgspec.json.Decoder(Event)
_ENUMS: Mapping[str, Callable[[Any], Any]] = {"kind": Kind, "side": Side, "body": BodyPart}
_EVENT_FIELDS = tuple(field.name for field in dataclasses.fields(Event) if field.name not in ("event_id", "version"))
_EVENT_TYPES = {
    "period": "int32",
    "play_ms": "int64",
    "x": "double",
    "y": "double",
    "xg_e6": "int64",
    "added_s": "int64",
}
_FLAGS = ("success", "goal", "own_goal", "big_chance", "penalty", "direct_free_kick", "attacking", "aerial")


@dataclass(frozen=True, slots=True)
class KindOfRow:
    """How one kind of row stands in a file: ``columns`` are (name, Arrow type), in order."""

    name: str
    columns: tuple[tuple[str, str], ...]
    pack: Callable[[Sequence[Any]], Columns]
    unpack: Callable[[Match, Columns], list[Any]]


def event_json(event: Event) -> bytes:
    """An event as the record has it on the wire, whole."""
    return msgspec.json.encode(event)


def event_of(data: bytes | str) -> Event:
    """Read `event_json` back. Raises FeedError ``bad_record``."""
    try:
        return _EVENT.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise FeedError("bad_record", f"not a canonical event ({error}): it was changed or cut") from error


def _pack_fragments(rows: Sequence[Fragment]) -> Columns:
    return {
        "raw_sha256": [bytes.fromhex(row.raw) for row in rows],
        "provider": [row.provider for row in rows],
        "at_unix_ms": [row.at_ms for row in rows],
        "doc": [row.doc for row in rows],
    }


def _unpack_fragments(match: Match, columns: Columns) -> list[Any]:
    found = zip(columns["provider"], columns["raw_sha256"], columns["at_unix_ms"], columns["doc"], strict=True)
    return [Fragment(match.match_id, provider, raw.hex(), at_ms, doc) for provider, raw, at_ms, doc in found]


def _pack_lines(rows: Sequence[Line]) -> Columns:
    return {
        "number": [row.number for row in rows],
        "data_ms": [row.data_ms for row in rows],
        "raw_sha256": [bytes.fromhex(row.raw) for row in rows],
        "line": [row.line for row in rows],
    }


def _unpack_lines(match: Match, columns: Columns) -> list[Any]:
    found = zip(columns["number"], columns["data_ms"], columns["raw_sha256"], columns["line"], strict=True)
    return [Line(match.match_id, number, data_ms, raw.hex(), line) for number, data_ms, raw, line in found]


def _pack_records(rows: Sequence[Record]) -> Columns:
    events = [row.change.event if isinstance(row.change, Upsert) else None for row in rows]
    columns: Columns = {
        "seq": [row.seq for row in rows],
        "provider": [row.provider for row in rows],
        "at_unix_ms": [row.at_ms for row in rows],
        "raw_sha256": [bytes.fromhex(row.raw) for row in rows],
        "event_id": [event_id(row) for row in rows],
        "version": [row.change.event.version if isinstance(row.change, Upsert) else row.change.version for row in rows],
        "withdrawn": [event is None for event in events],
    }
    for name in _EVENT_FIELDS:
        columns[name] = [None if event is None else getattr(event, name) for event in events]
    return columns


def _unpack_records(match: Match, columns: Columns) -> list[Any]:
    fields = [columns[name] for name in _EVENT_FIELDS]
    for name, enum in _ENUMS.items():
        at = _EVENT_FIELDS.index(name)
        fields[at] = [None if value is None else enum(value) for value in fields[at]]
    rows = []
    common = ("seq", "provider", "at_unix_ms", "raw_sha256", "event_id", "version", "withdrawn")
    for at, (seq, provider, at_ms, raw, key, version, withdrawn) in enumerate(
        zip(*(columns[name] for name in common), strict=True)
    ):
        change: Upsert | Delete = Delete(key, version)
        if not withdrawn:
            change = Upsert(Event(key, version, *(values[at] for values in fields)))
        rows.append(Record(match.match_id, provider, seq, at_ms, raw.hex(), change))
    return rows


def _pack_corrections(rows: Sequence[Correction]) -> Columns:
    return {
        "seq": [row.seq for row in rows],
        "provider": [row.provider for row in rows],
        "at_unix_ms": [row.at_ms for row in rows],
        "event_id": [row.old.event_id for row in rows],
        "old_json": [event_json(row.old).decode() for row in rows],
        "new_json": [None if row.new is None else event_json(row.new).decode() for row in rows],
    }


def _unpack_corrections(match: Match, columns: Columns) -> list[Any]:
    names = ("seq", "provider", "at_unix_ms", "old_json", "new_json")
    return [
        Correction(match.match_id, seq, provider, at_ms, event_of(old), None if new is None else event_of(new))
        for seq, provider, at_ms, old, new in zip(*(columns[name] for name in names), strict=True)
    ]


def _pack_plain(names: Sequence[str], rows: Sequence[Any]) -> Columns:
    return {name: [getattr(row, name) for row in rows] for name in names}


def _unpack_samples(match: Match, columns: Columns) -> list[Any]:
    columns["inputs"] = [tuple(inputs) for inputs in columns["inputs"]]
    return [Sample(match.match_id, *values) for values in zip(*(columns[name] for name, _ in _SAMPLE), strict=True)]


def _unpack_revisions(match: Match, columns: Columns) -> list[Any]:
    return [Revision(match.match_id, *values) for values in zip(*(columns[name] for name, _ in _REVISION), strict=True)]


_RAW = ("raw_sha256", "hash")
_SAMPLE = (
    ("tick", "int32"), ("period", "int32"), ("second", "int32"), ("data_ms", "int64"), ("x_e6", "int32"),
    ("box_e6", "int32"), ("mu_e6", "int32"), ("s_e4", "int32"), ("conf_e4", "int32"), ("flags", "int32"),
    ("reason", "int32"), ("inputs", "inputs"), ("inputs_hash", "hash"), ("lines", "int32"),
)  # fmt: skip
_REVISION = tuple((name, "int32") for name in ("tick", "revised_tick", "period", "second", "old_e6", "new_e6", "count"))
_STAMP = (("seq", "int64"), ("provider", "string"), ("at_unix_ms", "int64"))

FRAGMENTS = KindOfRow("fragments", (_RAW, *_STAMP[1:], ("doc", "binary")), _pack_fragments, _unpack_fragments)
LINES = KindOfRow(
    "lines", (("number", "int32"), ("data_ms", "int64"), _RAW, ("line", "binary")), _pack_lines, _unpack_lines
)
RECORDS = KindOfRow(
    "records",
    (
        *_STAMP, _RAW, ("event_id", "string"), ("version", "int64"), ("withdrawn", "bool"),
        *((name, _EVENT_TYPES.get(name, "bool" if name in (*_FLAGS, "provisional") else "string"))
          for name in _EVENT_FIELDS),
    ),
    _pack_records,
    _unpack_records,
)  # fmt: skip
CORRECTIONS = KindOfRow(
    "corrections",
    (*_STAMP, ("event_id", "string"), ("old_json", "string"), ("new_json", "string")),
    _pack_corrections,
    _unpack_corrections,
)
SAMPLES = KindOfRow("samples", _SAMPLE, functools.partial(_pack_plain, [name for name, _ in _SAMPLE]), _unpack_samples)
REVISIONS = KindOfRow(
    "revisions", _REVISION, functools.partial(_pack_plain, [name for name, _ in _REVISION]), _unpack_revisions
)
KINDS = (FRAGMENTS, LINES, RECORDS, CORRECTIONS, SAMPLES, REVISIONS)
"""Each is an attribute of `ingest.history.model.MatchHistory` by its name."""


def schema(kind: KindOfRow, match: Match) -> pa.Schema:
    """The columns of a kind with the metadata of a match's file."""
    import pyarrow as pa

    types = {"hash": pa.binary(32), "inputs": pa.list_(pa.int64()), "bool": pa.bool_()}
    fields = [(name, types.get(of) or pa.type_for_alias(of)) for name, of in kind.columns]
    told = {"format": FORMAT, "kind": kind.name, "match_id": match.match_id, "provider": match.provider}
    return pa.schema(fields, metadata={f"futstar.{name}": value for name, value in told.items()})


def encode(kind: KindOfRow, match: Match, rows: Sequence[Any]) -> bytes:
    """A file's bytes; the same rows always give the same ones. Raises FeedError for a number beyond its column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    layout = schema(kind, match)
    try:
        table = pa.Table.from_pydict(kind.pack(rows), schema=layout)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise FeedError(
            "bad_record", f"the {kind.name} of match {match.match_id} do not fit their columns ({error})"
        ) from error
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=9)
    return bytes(sink.getvalue())


def decode(kind: KindOfRow, match: Match, data: bytes, where: str) -> tuple[Any, ...]:
    """Read `encode` back; ``where`` names the file in errors.

    Raises FeedError: ``not_parquet``, ``other_version``, ``wrong_file`` (another kind or match), ``wrong_schema``,
    ``bad_record``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    layout = schema(kind, match)
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise FeedError("not_parquet", f"{where} cannot be read as Parquet ({reason}): export it again") from error
    told = {name.decode(): value.decode(errors="replace") for name, value in (table.schema.metadata or {}).items()}
    if told.get("futstar.format") != FORMAT:
        raise FeedError(
            "other_version",
            f"{where} is in format {told.get('futstar.format', 'unknown')}, here is {FORMAT}: "
            "read it with the version of futstar that wrote it",
        )
    for name, wanted in (("kind", kind.name), ("match_id", match.match_id), ("provider", match.provider)):
        if told.get(f"futstar.{name}") != wanted:
            raise FeedError(
                "wrong_file", f"{where} has {name} {told.get(f'futstar.{name}')}, {wanted} belongs there: export again"
            )
    if not table.schema.equals(layout):
        raise FeedError("wrong_schema", f"{where} has other columns than {FORMAT} says: export it again")
    try:
        return tuple(kind.unpack(match, table.to_pydict()))
    except (ValueError, TypeError) as error:
        raise FeedError("bad_record", f"{where} has a row that is none ({error}): export it again") from error
