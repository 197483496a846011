"""Rows of history survive Parquet exactly, and a folder that is not the one exported is refused with its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import BodyPart, Delete, Event, FeedError, Kind, Side, Upsert
from ingest.feed import FeedHeader, FeedMessage, feed_digest, genesis
from ingest.feeds import adapter
from ingest.feeds.base import Recorded, replay, split
from ingest.history import wire
from ingest.history.archive import Archive, ArchiveWriter, folder_of
from ingest.history.journal import Journal, Ledger
from ingest.history.model import Correction, Fragment, Line, Match, MatchHistory, Revision, Sample, in_order, sha256
from ingest.history.parquet import KINDS, decode, encode, event_json, event_of
from ingest.record import Record

MATCH = Match("m1", "statsperform", date(2026, 3, 1))

whole = st.integers(-(2**63), 2**63 - 1)
small = st.integers(-(2**31), 2**31 - 1)
text = st.text(st.characters(codec="utf-8"), max_size=12)
number = st.floats(allow_nan=False, allow_infinity=False) | st.none()
flag = st.booleans()
maybe = st.booleans() | st.none()
raws = st.binary(min_size=32, max_size=32).map(bytes.hex)
events = st.builds(
    Event, text, whole, small, whole, st.sampled_from(Kind), st.sampled_from(Side) | st.none(), number, number, maybe,
    flag, flag, flag, flag, flag, st.sampled_from(BodyPart) | st.none(), maybe, flag, whole | st.none(), flag,
    text | st.none(), text | st.none(), whole | st.none(), text,
)  # fmt: skip
ROWS = {
    "fragments": st.builds(Fragment, st.just("m1"), text, raws, whole, st.binary(max_size=40)),
    "lines": st.builds(Line, st.just("m1"), small, whole, raws, st.binary(max_size=40) | st.none()),
    "records": st.builds(
        Record, st.just("m1"), text, whole, whole, raws, st.builds(Upsert, events) | st.builds(Delete, text, whole)
    ),
    "corrections": st.builds(Correction, st.just("m1"), whole, text, whole, events, events | st.none()),
    "samples": st.builds(
        Sample, st.just("m1"), *[small] * 3, whole, *[small] * 7, st.lists(whole, max_size=10).map(tuple),
        st.binary(min_size=32, max_size=32), small,
    ),
    "revisions": st.builds(Revision, st.just("m1"), *[small] * 7),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_row_comes_back_as_it_was(kind) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(ROWS[kind.name], max_size=5))
    def check(rows: list[object]) -> None:
        data = encode(kind, MATCH, rows)
        assert decode(kind, MATCH, data, "file") == tuple(rows)
        assert encode(kind, MATCH, rows) == data, "the same rows always give the same bytes"

    check()


@given(events)
def test_an_event_comes_back_from_its_json(event: Event) -> None:
    assert event_of(event_json(event)) == event


def test_columns_tell_their_units() -> None:
    plain = {
        "seq",
        "number",
        "version",
        "tick",
        "period",
        "second",
        "lines",
        "count",
        "flags",
        "reason",
        "revised_tick",
    }
    units = ("_ms", "_e6", "_e4", "_s", "_sha256", "_json", "_hash", "_id")
    numeric = {name for kind in KINDS for name, of in kind.columns if of.startswith("int") and of != "inputs"}
    assert all(name in plain or name.endswith(units) for name in numeric)


def kept(recorded: Recorded, name: str = "statsperform", messages: int = 300) -> MatchHistory:
    """The beginning of a real match without samples: the keeper's part is tested with the database."""
    source = adapter(name)
    header, found = replay(source, recorded, 7)
    journal = Journal(header)
    entries = [journal.message(m, split(source.parse(recorded.info, m.doc))[0]) for m in found[:messages]]
    return MatchHistory(
        journal.match,
        in_order(e.fragment for e in entries if e.fragment is not None),
        tuple(e.line for e in entries),
        tuple(record for e in entries for record in e.records),
        tuple(correction for e in entries for correction in e.corrections),
    )


@pytest.fixture(scope="module")
def history(hsv: Recorded) -> MatchHistory:
    return kept(hsv)


@pytest.fixture
def folder(history: MatchHistory, tmp_path: Path) -> Path:
    with ArchiveWriter(tmp_path / "out") as archive:
        archive.add(history)
        archive.keep()
    return tmp_path / "out"


def test_a_real_match_comes_back_exactly_and_with_its_feed_file(
    history: MatchHistory, folder: Path, hsv: Recorded
) -> None:
    back = Archive.open(folder).match(history.match.match_id)
    assert back == history
    header, messages = replay(adapter("statsperform"), hsv, 7)
    lines = [header.line, *(m.line for m in messages[:300])]
    assert back.feed() == b"".join(lines)
    digest = genesis(lines[0])
    for line in lines[1:]:
        digest = feed_digest(digest, line)
    assert back.digest() == digest


def test_the_same_match_is_always_exported_as_the_same_bytes(
    history: MatchHistory, folder: Path, tmp_path: Path
) -> None:
    with ArchiveWriter(tmp_path / "again") as archive:
        archive.add(history)
        archive.keep()
    for path in (p for p in folder.rglob("*") if p.is_file()):
        assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_an_unusual_line_is_kept_byte_for_byte() -> None:
    header = FeedHeader.make("statsperform", "m1", 1_700_000_000_000, 7, {})
    journal = Journal(header)
    line = b'{ "doc": {"id": 1.50},  "at_ms": 5 }\n'
    entry = journal.message(FeedMessage(5, {"id": 1.5}, line), ())
    assert entry.line.line == line
    assert entry.fragment is not None
    assert MatchHistory(journal.match, (entry.fragment,), (entry.line,)).feed() == header.line + line


def test_a_fragment_that_comes_again_is_kept_once() -> None:
    journal = Journal(FeedHeader.make("statsperform", "m1", 1_700_000_000_000, 7, {}))
    first, second = (journal.message(FeedMessage.make(at, {"id": 1}), ()) for at in (1, 2))
    assert first.fragment is not None
    assert second.fragment is None
    assert second.line.raw == first.line.raw == sha256(b'{"id":1}')


def test_a_ledger_tells_corrections_and_withdrawals_and_nothing_else() -> None:
    def event(version: int, x: float) -> Event:
        return Event("e1", version, 1, 1000, Kind.PASS, Side.HOME, x)

    changes = [
        Upsert(event(1, 5.0)),
        Upsert(event(2, 5.0)),
        Upsert(event(3, 6.0)),
        Upsert(event(2, 9.0)),
        Delete("e1", 4),
    ]
    ledger = Ledger()
    found = [ledger.correction(Record("m1", "p", seq, 0, "00" * 32, change)) for seq, change in enumerate(changes, 1)]
    told = [None if c is None else (c.old.version, c.new.version if c.new else None) for c in found]
    # A higher version with nothing else different is a correction too: the event's version is part of it.
    assert told == [None, (1, 2), (2, 3), None, (3, None)]
    assert ledger.seq == 5


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _edit(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        document = orjson.loads(path.read_bytes())
        change(document)
        path.write_bytes(orjson.dumps(document))

    return edit


def _resign(path: Path, data: bytes) -> None:
    """Put other bytes under a name of the manifest: what somebody does who wants to forge."""
    path.write_bytes(data)
    manifest = path.parents[1] / "manifest.json"
    document = orjson.loads(manifest.read_bytes())
    document["matches"][0]["files"][path.stem].update(sha256=sha256(data), bytes=len(data))
    manifest.write_bytes(orjson.dumps(document))


def _other_schema(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["seq"]), path)
    _resign(path, path.read_bytes())


def _other_doc(path: Path) -> None:
    table = pq.read_table(path)
    docs = pa.array([b"{}"] * len(table), pa.binary())
    pq.write_table(table.set_column(table.column_names.index("doc"), "doc", docs), path)
    _resign(path, path.read_bytes())


def _fewer_rows(path: Path) -> None:
    pq.write_table(pq.read_table(path).slice(1), path)
    _resign(path, path.read_bytes())


def _no_kind(path: Path) -> None:
    table = pq.read_table(path)
    kinds = pa.array(["no such kind"] * len(table))
    pq.write_table(table.set_column(table.column_names.index("kind"), "kind", kinds), path)
    _resign(path, path.read_bytes())


def _drop_provider(document: dict) -> None:
    del document["matches"][0]["provider"]


def _climb(document: dict) -> None:
    document["matches"][0]["folder"] = "../elsewhere"


SPOILT: list[tuple[str, str, Callable[[Path], None]]] = [
    ("not_an_export", "manifest.json", Path.unlink),
    ("bad_manifest", "manifest.json", _cut),
    ("bad_manifest", "manifest.json", _edit(_drop_provider)),
    ("bad_manifest", "manifest.json", _edit(_climb)),
    ("other_version", "manifest.json", _edit(lambda document: document.update(format="futstar-history/9"))),
    ("other_version", "manifest.json", lambda path: path.write_bytes(b"[]")),
    ("file_missing", "records.parquet", Path.unlink),
    ("file_cut", "lines.parquet", _cut),
    ("file_changed", "fragments.parquet", _flip),
    ("not_parquet", "samples.parquet", lambda path: _resign(path, b"PAR1 but no more")),
    ("wrong_file", "samples.parquet", lambda path: _resign(path, path.with_name("revisions.parquet").read_bytes())),
    (
        "other_version",
        "samples.parquet",
        lambda path: (pq.write_table(pa.table({"a": [1]}), path), _resign(path, path.read_bytes())),
    ),
    ("wrong_schema", "records.parquet", _other_schema),
    ("bad_record", "records.parquet", _no_kind),
    ("bad_manifest", "records.parquet", _fewer_rows),
    ("wrong_hash", "fragments.parquet", _other_doc),
]


@pytest.mark.parametrize(("code", "name", "spoil"), SPOILT, ids=[f"{n}-{c}-{i}" for i, (c, n, _) in enumerate(SPOILT)])
def test_a_folder_that_is_not_what_was_exported_is_refused(
    folder: Path, history: MatchHistory, code: str, name: str, spoil: Callable[[Path], object]
) -> None:
    spoil(folder / name if name == "manifest.json" else folder / history.match.match_id / name)
    with pytest.raises(FeedError) as refusal:
        Archive.open(folder).match(history.match.match_id)
    assert refusal.value.code == code
    assert "\n" not in str(refusal.value)


def test_a_forged_order_of_lines_does_not_give_the_digest(folder: Path, history: MatchHistory) -> None:
    path = folder / history.match.match_id / "lines.parquet"
    table = pq.read_table(path)
    times = table.column("data_ms").to_pylist()
    times[5] += 1
    pq.write_table(table.set_column(1, "data_ms", pa.array(times, pa.int64())), path)
    _resign(path, path.read_bytes())
    with pytest.raises(FeedError, match="digest"):
        Archive.open(folder).match(history.match.match_id)


def test_an_unknown_match_is_named_with_those_that_are_there(folder: Path, history: MatchHistory) -> None:
    with pytest.raises(FeedError, match=history.match.match_id):
        Archive.open(folder).match("nobody")


def test_an_export_that_fails_leaves_nothing(history: MatchHistory, tmp_path: Path) -> None:
    broken = dataclasses.replace(
        history, match=dataclasses.replace(history.match, match_id="m2"), lines=history.lines[1:]
    )

    def export() -> None:
        with ArchiveWriter(tmp_path / "out") as archive:
            archive.add(history)
            archive.add(broken)

    with pytest.raises(FeedError, match="line 1"):
        export()
    assert list(tmp_path.iterdir()) == []


def test_an_export_never_writes_over_something(folder: Path) -> None:
    with pytest.raises(FeedError, match="exists"):
        ArchiveWriter(folder)


def test_a_number_beyond_its_column_is_refused() -> None:
    huge = Record("m1", "p", 1, 1, "00" * 32, Delete("e", 2**70))
    with pytest.raises(FeedError, match="do not fit"):
        encode(KINDS[2], MATCH, [huge])


@pytest.mark.parametrize("match_id", ["a/b", "../x", "", ".hidden", "x" * 200, "ä b"])
def test_a_match_id_that_is_no_file_name_gets_a_safe_folder(match_id: str) -> None:
    assert folder_of(match_id).startswith("match-")
    assert "/" not in folder_of(match_id)
    assert folder_of("71pif9hi2vwzp6q0xzilyxst0") == "71pif9hi2vwzp6q0xzilyxst0"


def test_what_is_not_kept_any_more_is_said(history: MatchHistory) -> None:
    with pytest.raises(FeedError, match="raw fragment of line 1"):
        dataclasses.replace(history, fragments=()).feed()
    with pytest.raises(FeedError, match="is missing"):
        dataclasses.replace(history, lines=history.lines[1:]).feed()
    with pytest.raises(FeedError, match="not kept"):
        dataclasses.replace(history, match=MATCH).feed()
    assert MATCH.start_unix_ms is None


def test_a_fragment_travels_and_a_changed_one_is_refused() -> None:
    doc = '{"id":1,"name":"Gündoğan"}'.encode()
    fragment = Fragment("m1", "p", sha256(doc), 5, doc)
    data = wire.encode(fragment)
    assert wire.decode(data) == fragment
    for spoilt in (data.replace(b'"id":1', b'"id":2'), data[:-4], b"[]", b"\xff", data.replace(b"m1", b"\xff1")):
        with pytest.raises(FeedError) as refusal:
            wire.decode(spoilt)
        assert refusal.value.code == "bad_fragment"
