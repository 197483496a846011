"""MA1 and MA3 in XML end in the same bytes as in JSON."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from ingest.events import FeedError, MatchInfo, Upsert
from ingest.feeds import adapter, load_paths, split
from ingest.feeds.statsperform import xml
from ingest.feeds.xmldoc import parse
from ingest.record import Record, encode
from tests.ingest.corpus import KLOPPY, SHARED

STATSPERFORM = adapter("statsperform")
FORMS = ("statsperform_event_ma1", "statsperform_event_ma3", "statsperform_tracking_ma1")


def read(name: str) -> bytes:
    return (KLOPPY / name).read_bytes()


@pytest.mark.parametrize("name", FORMS)
def test_an_xml_document_becomes_the_json_document_member_by_member(name: str) -> None:
    expected = orjson.loads(read(f"{name}.json"))
    assert xml.document(parse(read(f"{name}.xml"), xml.ROWS)) == expected


def records(body: bytes, info: MatchInfo) -> list[bytes]:
    found = []
    for row in STATSPERFORM.document(body).rows:
        changes, problems = split(STATSPERFORM.parse(info, row))
        assert problems == []
        found += [encode(Record("m", "statsperform", 1, 0, "0" * 64, change)) for change in changes]
    return found


def test_both_forms_of_the_complete_match_give_byte_identical_canonical_events() -> None:
    document = STATSPERFORM.document(read("statsperform_event_ma3.xml"))
    assert document.raw_info is not None
    info = STATSPERFORM.info(document.raw_info)
    as_xml, as_json = (records(read(f"statsperform_event_ma3.{form}"), info) for form in ("xml", "json"))
    assert len(as_xml) == 1660 + 71
    assert as_xml == as_json


def test_both_forms_give_the_same_raw_rows_so_that_history_keeps_them_once() -> None:
    as_xml, as_json = (STATSPERFORM.document(read(f"statsperform_event_ma3.{form}")).rows for form in ("xml", "json"))
    assert [orjson.dumps(row) for row in as_xml] == [
        # JSON writes the qualifiers' members in the order of XML's attributes, too
        orjson.dumps(row)
        for row in as_json
    ]


@pytest.mark.parametrize("ma1", ["json", "xml"])
@pytest.mark.parametrize("ma3", ["json", "xml"])
def test_a_recording_may_mix_the_forms(ma1: str, ma3: str) -> None:
    paths = [KLOPPY / f"statsperform_event_ma3.{ma3}", KLOPPY / f"statsperform_event_ma1.{ma1}"]
    match = load_paths("statsperform", paths)
    assert (match.official_score, len(match.rows), match.problems) == ((2, 1), 1731, ())


def test_a_folder_may_hold_both_forms_packed(tmp_path: Path) -> None:
    for name in ("statsperform_event_ma3.xml", "statsperform_event_ma3.json", "statsperform_event_ma1.xml"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(read(name)))
    assert len(load_paths("statsperform", [tmp_path]).rows) == 1731
    (match,) = STATSPERFORM.sources([tmp_path]).values()
    assert len(match) == 3


@pytest.mark.shared
def test_the_development_data_holds_the_same_match(shared: Path) -> None:
    folder = SHARED / "provider_formats" / "statsperform"
    paths = [folder / "statsperform_event_ma1.xml.gz", folder / "statsperform_event_ma3.xml.gz"]
    assert load_paths("statsperform", paths).rows == load_paths("statsperform", [KLOPPY / p.stem for p in paths]).rows


def test_numbers_that_are_none_stay_text_and_become_located_problems() -> None:
    body = read("statsperform_event_ma3.xml")
    info = STATSPERFORM.info(STATSPERFORM.document(body).raw_info or {})
    for old, new in ((b'timeMin="1"', b'timeMin="one"'), (b'typeId="1"', b'typeId="' + b"9" * 400 + b'"')):
        rows = STATSPERFORM.document(body.replace(old, new)).rows
        problems = [p for row in rows for p in split(STATSPERFORM.parse(info, row))[1]]
        deleted = sum(row["typeId"] == 43 and row["timeMin"] == "one" for row in rows)
        assert len(problems) == body.count(old) - deleted > 20
        assert {problem.code for problem in problems} <= {"bad_event", "unknown_type"}
        assert all(problem.where.startswith("event 23") for problem in problems)


def test_two_matches_in_one_body_are_refused() -> None:
    one = orjson.loads(read("statsperform_event_ma1.json"))
    other = {**one, "matchInfo": {**one["matchInfo"], "id": "other"}}
    with pytest.raises(FeedError) as error:
        STATSPERFORM.document(orjson.dumps([one, other]))
    assert error.value.code == "statsperform_which_match"


def test_ma1_and_ma3_in_one_body_are_one_document() -> None:
    both = b'{"ma1":%s,"ma3":%s}' % (read("statsperform_event_ma1.json"), read("statsperform_event_ma3.json"))
    document = STATSPERFORM.document(both)
    assert (len(document.rows), document.match_id) == (1737, "71pif9hi2vwzp6q0xzilyxst0")
    assert document.version_ms == 1_710_451_640_000


def test_rows_that_are_no_objects_are_counted_and_located() -> None:
    whole = orjson.loads(read("statsperform_event_ma3.json"))
    whole["liveData"]["event"][3:3] = [None, 5]
    document = STATSPERFORM.document(orjson.dumps(whole))
    assert [(p.code, p.where) for p in document.problems] == [("bad_event", "row 4"), ("bad_event", "row 5")]
    assert len(document.rows) == 1737
    whole["liveData"]["event"] = ["x"] * 100_000
    document = STATSPERFORM.document(orjson.dumps(whole))
    assert len(document.problems) == 21
    assert "99980 more" in document.problems[-1].text


def test_the_player_is_named_and_numbered_and_added_time_is_told_in_seconds() -> None:
    document = STATSPERFORM.document(read("statsperform_event_ma3.xml"))
    info = STATSPERFORM.info(document.raw_info or {})
    changes = [change for row in document.rows for change in STATSPERFORM.parse(info, row)]
    events = {change.event.event_id: change.event for change in changes if isinstance(change, Upsert)}
    assert (events["2328591053"].player, events["2328591053"].player_id) == ("J. David", "n82tdzb1liltoe33f5p6xbhm")
    (added,) = [event for event in events.values() if event.kind == "added_time"]
    assert (added.period, added.play_ms, added.added_s, added.side) == (2, 45 * 60_000, 240, None)
