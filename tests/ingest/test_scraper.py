"""Public pages as a fallback: on pages made up for these tests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, FeedError, Kind, Upsert, score
from ingest.feeds.base import Problem
from ingest.feeds.scraper import ADAPTER
from ingest.feeds.scraper.config import Site, site
from ingest.feeds.scraper.extract import Fixture, read_page
from ingest.session import Session
from tests.ingest.scraper_synthetic import EVENTS, ROW, SITE, TABLE, document, match_page, page


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


# what a page gives


def test_fixtures_are_read_by_the_site_s_mapping() -> None:
    found = read_page(SITE, page(ROW.format("m1", "SV <i>Away</i>")), "u")
    assert found.fixtures == [Fixture("test", "m1", "FC Home", "SV Away", 1_769_967_000_000, "League")]
    assert not found.problems


def test_events_are_read_by_the_site_s_words() -> None:
    found = read_page(SITE, match_page(), "u").events
    assert [(e["kind"], e["side"], e["minute"], e["added"], e["player"]) for e in found] == [
        ("goal", "home", 23, 0, "Kim Sued"),
        ("yellow", "away", 45, 2, "Per West"),
        ("substitution", "away", 46, 0, "Ali Neu"),
        ("own_goal", "home", 90, 4, ""),
    ]


def test_a_page_that_says_there_is_nothing_is_no_changed_page() -> None:
    found = read_page(SITE, b"<html><p class='no-matches'>None today</p><p class='no-events'></p></html>", "u")
    assert (found.fixtures, found.events, found.problems) == ([], [], [])


@pytest.mark.parametrize(
    "body",
    [
        page(ROW.format("m1", "SV Away"), layout="spiele", events=""),
        page("<tr data-id='1'><td>FC Home</td></tr>", ROW.format("m1", "SV Away"), events=""),
        page(ROW.format("m1", "FC Home"), events=""),
        page(ROW.format("m1", "SV Away").replace("01.02.2026 18:30", "Sunday"), events=""),
        b"<html>",
    ],
)
def test_a_changed_layout_is_said_and_nothing_is_invented(body: bytes) -> None:
    found = read_page(SITE, body, "u")
    assert "layout_changed" in codes(found.problems)
    assert found.events == []
    assert found.fixtures == []


def test_one_odd_row_among_many_is_a_problem_of_its_own() -> None:
    rows = [ROW.format(f"m{n}", f"Club {n}") for n in range(9)]
    found = read_page(SITE, page(*rows, "<tr><td>half a row</td></tr>"), "u")
    assert len(found.fixtures) == 9
    assert codes(found.problems) == ["bad_fixture"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("<li class='corner' data-team='h'><b>5</b></li>", "unknown_type"),
        ("<li class='goal' data-team='x'><b>5</b></li>", "unknown_team"),
        ("<li class='goal' data-team='h'><b>five</b></li>", "bad_event"),
        ("<li class='goal' data-team='h'><b>121</b></li>", "bad_event"),
    ],
)
def test_an_event_that_is_not_understood_is_located(event: str, code: str) -> None:
    found = read_page(SITE, match_page(EVENTS * 2 + event), "u")
    assert codes(found.problems) == [code]
    assert len(found.events) == 8
    assert len({row["id"] for row in found.events}) == 8


JSON_LD = """<html><script type="application/ld+json">{"@graph":[{"@type":["SportsEvent"],"@id":"x1",
"homeTeam":{"@type":"SportsTeam","name":"FC Home"},"awayTeam":[{"name":"SV Away"}],
"startDate":"2026-02-01T18:30:00+01:00",
"eventStatus":"https://schema.org/EventPostponed","superEvent":{"name":"Cup"},"url":"https://site.test/x1"}%s]}</script>
<script type="application/ld+json">not json</script></html>"""


def linked() -> Site:
    return site("ld", {"enabled": True, "contact": "bot@futstar.test", "start": ["https://site.test/"]})


def test_linked_data_is_read_out_of_the_box() -> None:
    found = read_page(linked(), (JSON_LD % "").encode(), "u")
    assert found.fixtures == [
        Fixture("ld", "x1", "FC Home", "SV Away", 1_769_967_000_000, "Cup", "postponed", "https://site.test/x1")
    ]
    assert codes(found.problems) == ["bad_linked_data"]


def test_competitors_without_sides_are_not_guessed() -> None:
    event = '{"@type":"SportsEvent","competitor":[{"name":"A"},{"name":"B"}],"startDate":"2026-02-01T18:30:00Z"}'
    found = read_page(linked(), f"<html><script type='application/ld+json'>{event}</script></html>".encode(), "u")
    assert found.fixtures == []
    assert codes(found.problems) == ["bad_fixture", "layout_changed"]


def test_a_json_page_is_read_by_dotted_paths() -> None:
    table = {
        **{key: TABLE[key] for key in ("enabled", "contact", "start", "kinds", "sides")},
        "kind": "json",
        "fixtures": {
            "rows": "data.days[*].matches[*]",
            "fields": {"id": "id", "home": "home.name", "away": "away.name"},
        },
    }
    body = orjson.dumps({"data": {"days": [{"matches": [{"id": 7, "home": {"name": "A"}, "away": {"name": "B"}}]}]}})
    found = read_page(site("json", table), body, "u")
    assert found.fixtures == [Fixture("json", "7", "A", "B", None)]
    assert codes(read_page(site("json", table), b'{"data":[]}', "u").problems) == ["layout_changed"]


@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 2000), st.sampled_from([SITE, linked()]))
def test_a_hostile_page_is_a_problem_and_no_crash(noise: bytes, at: int, which: Site) -> None:
    whole = match_page() if which is SITE else (JSON_LD % "").encode()
    at %= len(whole)
    for body in (noise, whole[:at], whole[:at] + noise + whole[at:]):
        found = read_page(which, body, "u")
        assert found.fixtures or found.problems


def test_bombs_and_entities_do_no_harm(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOPSECRET")
    bodies = [
        f"<!DOCTYPE html [<!ENTITY x SYSTEM 'file://{secret}'>]><html><p>&x;</p></html>".encode(),
        b"<div>" * 200_000,
        b'<html><script type="application/ld+json">' + b"[" * 100_000 + b"</script></html>",
        b"<html>" + b"<a b=c>" * 100_000,
        b"x" * (9 << 20),
    ]
    started = time.perf_counter()
    for body in bodies:
        for which in (SITE, linked()):
            found = read_page(which, body, "u")
            assert found.problems
            assert "TOPSECRET" not in repr(found)
    assert time.perf_counter() - started < 10


# what the adapter makes of it


def test_coarse_events_are_marked_as_a_fallback_and_follow_the_page() -> None:
    session = Session(ADAPTER, "m1")
    session.document(document(), 1)
    found = session.timeline.events()
    assert [(e.kind, e.period, e.play_ms) for e in found] == [
        (Kind.SHOT, 1, 22 * 60_000),
        (Kind.YELLOW, 1, 46 * 60_000),
        (Kind.SUBSTITUTION, 2, 0),
        (Kind.SHOT, 2, 48 * 60_000),
    ]
    assert score(found) == (2, 0)
    assert all(event.text.startswith("fallback") and event.x is None for event in found)
    assert ADAPTER.feeds_index is False
    session.document(document(read_page(SITE, match_page(), "u").events[1:]), 2)
    assert score(session.timeline.events()) == (1, 0)


@given(
    st.dictionaries(
        st.sampled_from(["id", "kind", "side", "minute", "added", "player", "modified", "deleted"]),
        st.none() | st.integers() | st.text(max_size=9) | st.floats(),
    )
)
def test_no_row_crashes_the_adapter(row: dict[str, Any]) -> None:
    info = ADAPTER.info(orjson.loads(document())["match"])
    for item in ADAPTER.parse(info, row):
        assert isinstance(item, Upsert | Delete | Problem)
    assert isinstance(ADAPTER.key(row), str)


def test_a_kept_document_is_loaded_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(document())
    recorded = ADAPTER.load([tmp_path])
    assert (recorded.info.home.team_id, len(recorded.rows)) == ("name:FC Home", 4)
    assert ADAPTER.matches([tmp_path]) == ["m1"]
    assert set(ADAPTER.sources([tmp_path])) == {"m1"}
    header, messages = ADAPTER.replay([tmp_path], 1)
    assert len(messages) == 4
    assert header.provider == "scraper"
    (tmp_path / "a.json").write_bytes(b"{}")
    with pytest.raises(FeedError):
        ADAPTER.load([tmp_path])
    with pytest.raises(FeedError):
        ADAPTER.load([tmp_path / "a.json"])
    for wrong in (b"{", b"[]", b'{"scraper":1}'):
        with pytest.raises(FeedError):
            ADAPTER.document(wrong)
    with pytest.raises(FeedError):
        ADAPTER.info({})


def test_an_event_has_no_more_than_the_page_said() -> None:
    session = Session(ADAPTER, "m1")
    session.document(document(), 1)
    event: Event = session.timeline.events()[0]
    assert (event.xg_e6, event.y, event.player_id, event.big_chance) == (None, None, None, False)
