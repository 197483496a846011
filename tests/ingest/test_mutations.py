"""Every adapter, fed with damaged real documents: errors and located problems, never a crash, never a wrong team.

The corpus is tests/ingest/corpus.py; a failure names the seed that repeats it.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import doctor
from ingest.events import Delete, Event, FeedError, Kind, MatchInfo, Side, Upsert
from ingest.feeds import adapter, load_paths
from ingest.feeds.base import Document, Problem, Recorded
from ingest.intake import material
from ingest.record import Record, decode, encode
from ingest.session import Outcome, Session
from tests.ingest.corpus import COMPLETE, DOCUMENTS, KLOPPY, providers
from tests.ingest.mutations import damage_bytes, damage_row, damage_rows

SEEDED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
BODIES = [(provider, path) for provider in sorted(DOCUMENTS) for path in DOCUMENTS[provider]]
LARGE = 40_000
"""Documents are shortened to about so many bytes for damage, so that damage meets all their parts."""


def test_every_adapter_is_in_the_corpus() -> None:
    assert set(providers()) == set(DOCUMENTS) == set(COMPLETE)


@cache
def recorded(provider: str) -> Recorded:
    paths = COMPLETE[provider] if all(path.is_file() for path in COMPLETE[provider]) else DOCUMENTS[provider]
    return load_paths(provider, paths)


@cache
def body_of(path: Path) -> bytes:
    """A document, shortened where it is long: its beginning, some of its middle and its end."""
    body = path.read_bytes()
    if len(body) <= LARGE:
        return body
    if path.suffix == ".json":
        return orjson.dumps(_short(orjson.loads(body)))
    head, end = body[: LARGE // 2], b"</event>\n    </events>\n  </liveData>\n</matchEvents>\n"
    return head[: head.rindex(b"</event>")] + end


def _short(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _short(value) for key, value in node.items()}
    return [_short(value) for value in node[:: max(1, len(node) // 40)]] if isinstance(node, list) else node


def check_error(error: FeedError, code: str | None = None) -> None:
    assert error.code == (code or error.code) != ""
    assert "\n" not in str(error)


def check_event(event: Event, info: MatchInfo, provider: str) -> None:
    """What everybody downstream relies on."""
    assert 1 <= event.period <= 5
    assert 0 <= event.play_ms <= 75 * 60_000
    assert isinstance(event.kind, Kind)
    assert event.side in (None, Side.HOME, Side.AWAY)
    assert event.x is None or 0 <= event.x <= 100
    assert event.y is None or 0 <= event.y <= 100
    assert event.xg_e6 is None or 0 <= event.xg_e6 <= 1_000_000
    assert event.event_id
    assert not (event.goal or event.own_goal) or event.kind is Kind.SHOT


def check_parsed(items: tuple[object, ...], info: MatchInfo, provider: str) -> None:
    for item in items:
        assert isinstance(item, Upsert | Delete | Problem)
        if isinstance(item, Problem):
            assert item.code
            assert item.where
            assert "\n" not in item.where
            continue
        if isinstance(item, Upsert):
            check_event(item.event, info, provider)
        record = Record("m", provider, 1, 0, "0" * 64, item)
        assert decode(encode(record)) == record


def is_json(row: dict[str, Any]) -> bool:
    try:
        orjson.dumps(row)
    except (TypeError, ValueError):
        return False
    return True


def check_document(document: Document, provider: str) -> None:
    assert len(document.match_id) <= 100
    assert 0 <= document.version_ms < 2**63
    for problem in document.problems:
        assert problem.code
        assert problem.where
    for row in document.rows:
        assert isinstance(row, dict)
        key = adapter(provider).key(row)
        assert isinstance(key, str)
        check_parsed(adapter(provider).parse(recorded(provider).info, row), recorded(provider).info, provider)


@pytest.mark.parametrize(("provider", "path"), BODIES, ids=[f"{p}-{path.name}" for p, path in BODIES])
@SEEDED
@given(seed=st.integers(0, 2**32))
def test_a_document_damaged_on_the_way_is_an_error_or_read_with_every_row_accounted_for(
    provider: str, path: Path, seed: int
) -> None:
    body = damage_bytes(body_of(path), random.Random(seed))
    try:
        document = adapter(provider).document(body)
    except FeedError as error:
        check_error(error)
        return
    check_document(document, provider)


@pytest.mark.parametrize("provider", providers())
@SEEDED
@given(seed=st.integers(0, 2**32))
def test_a_row_of_mistakes_gives_changes_or_located_problems(provider: str, seed: int) -> None:
    rng = random.Random(seed)
    match = recorded(provider)
    for _ in range(20):
        row = rng.choice(match.rows)
        damaged = damage_row(row.withdrawn or row.doc, rng)
        assert isinstance(adapter(provider).key(damaged), str)
        parsed = adapter(provider).parse(match.info, damaged)
        if is_json(damaged):  # a session lets no other row through
            check_parsed(parsed, match.info, provider)


@pytest.mark.parametrize("provider", providers())
@SEEDED
@given(seed=st.integers(0, 2**32))
def test_a_session_survives_a_feed_of_mistakes_and_tells_each(provider: str, seed: int) -> None:
    """Rows as a push sends them. Whatever is not used is counted; what is used is what the adapter made of it."""
    rng = random.Random(seed)
    match = recorded(provider)
    rows = [row.withdrawn or row.doc for row in rng.sample(match.rows, min(60, len(match.rows)))]
    session = Session(adapter(provider), match.info.match_id, match.info)
    for number, row in enumerate(damage_rows(rows, rng)):
        delivery = session.fragment(row, 1_700_000_000_000 + number)
        assert delivery.outcome in (Outcome.CHANGED, Outcome.UNCHANGED, Outcome.BROKEN)
        for problem in delivery.problems:
            assert problem.where
        for item in delivery.items:
            orjson.dumps(item.doc)
            check_parsed(item.changes, match.info, provider)
    for event in session.timeline.events():
        check_event(event, match.info, provider)


@pytest.mark.parametrize("provider", providers())
@settings(SEEDED, max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_files_damaged_on_disk_are_an_error_or_a_match_that_the_doctor_can_examine(
    provider: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("damaged")
    paths = []
    for path in DOCUMENTS[provider]:
        name = folder / path.name
        name.write_bytes(damage_bytes(body_of(path), rng) if rng.random() < 0.6 else body_of(path))
        paths.append(name)
    try:
        load_paths(provider, paths)
        found = material(adapter(provider), paths, "")
    except FeedError as error:
        check_error(error)
        return
    report = doctor.examine(found)
    assert report.rows == report.used + report.outside + report.unusable


@pytest.mark.parametrize("provider", providers())
def test_events_of_another_match_never_get_a_side(provider: str) -> None:
    match = recorded(provider)
    stranger = MatchInfo(
        provider,
        "other",
        *(type(match.info.home)(f"other-{side}", "Other", "OTH") for side in Side),
        match.info.kickoff_unix_ms,
        "",
    )
    named = 0
    for row in match.rows:
        for item in adapter(provider).parse(stranger, row.doc):
            if isinstance(item, Upsert):
                assert item.event.side is None
            named += isinstance(item, Problem) and item.code == "unknown_team"
    assert named > len(match.rows) * 0.7


@pytest.mark.parametrize("provider", providers())
def test_the_document_of_another_match_changes_nothing(provider: str) -> None:
    for path in DOCUMENTS[provider]:
        session = Session(adapter(provider), "another match", recorded(provider).info)
        delivery = session.document(path.read_bytes(), 1)
        if adapter(provider).document(path.read_bytes()).match_id:
            assert (delivery.outcome, delivery.items) == (Outcome.BROKEN, ())
            assert delivery.problems[0].code == "other_match"


@pytest.mark.parametrize(
    ("provider", "name", "start", "unit"),
    [
        ("statsperform", "statsperform_event_ma3.json", b'"event": [', b'{"id": 1, "note": "%s"},' % (b"x" * 1000)),
        ("statsperform", "statsperform_event_ma3.xml", b"<events>", b"<event/>"),
        ("opta", "opta_f24.xml", b"<Game>", b"<Event/>"),
    ],
    ids=["ma3.json", "ma3.xml", "f24.xml"],
)
def test_a_document_of_fifty_megabytes_is_read_or_refused_in_seconds(
    provider: str, name: str, start: bytes, unit: bytes
) -> None:
    body = (KLOPPY / name).read_bytes()
    at = body.index(start) + len(start)
    large = body[:at] + unit * (52 * 1024 * 1024 // len(unit)) + body[at:]
    try:
        document = adapter(provider).document(large)
    except FeedError as error:
        check_error(error, "xml_too_large")
        return
    assert len(document.rows) > 50_000
    (problem,) = adapter(provider).parse(recorded(provider).info, document.rows[0])
    assert isinstance(problem, Problem)
