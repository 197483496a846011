"""Every adapter, fed with damaged documents: errors and located problems, never a crash, never a wrong team.

The corpus is tests/ingest/corpus.py; a failure names the seed that repeats it.
"""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import doctor
from ingest.events import Delete, Event, FeedError, Kind, MatchInfo, Side, Upsert
from ingest.feeds import ADAPTERS, load_paths
from ingest.feeds.base import TIDY, Document, Problem, Recorded, replay, split
from ingest.feeds.files import looks_like, read_document
from ingest.intake import material
from ingest.record import Record, decode, encode
from ingest.session import Outcome, Session
from ingest.timeline import Timeline
from tests.ingest.corpus import COMPLETE, DOCUMENTS, FORMS, KLOPPY, SYNTHETIC, body_of, of, recorded
from tests.ingest.mutations import HUGE, WRONG, damage_bytes, damage_content, damage_row, damage_rows

SEEDED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**32)
BODIES = [(form, path) for form in FORMS for path in DOCUMENTS[form]]
JSON_BODIES = [(form, path) for form, path in BODIES if path.suffix == ".json"]
NAMES = [f"{form}-{path.name}" for form, path in BODIES]
JSON_NAMES = [f"{form}-{path.name}" for form, path in JSON_BODIES]


def test_every_adapter_is_in_the_corpus() -> None:
    assert {of(form).name for form in FORMS} == set(ADAPTERS)
    assert set(COMPLETE) | set(SYNTHETIC) == set(FORMS)


def check_error(error: FeedError, code: str | None = None) -> None:
    assert error.code == (code or error.code) != ""
    assert "\n" not in str(error)


def check_event(event: Event) -> None:
    """What everybody downstream relies on."""
    assert 1 <= event.period <= 5
    assert 0 <= event.play_ms <= 75 * 60_000
    assert 0 <= event.version < 2**63
    assert isinstance(event.kind, Kind)
    assert event.side in (None, Side.HOME, Side.AWAY)
    assert event.x is None or 0 <= event.x <= 100
    assert event.y is None or 0 <= event.y <= 100
    assert event.xg_e6 is None or 0 <= event.xg_e6 <= 1_000_000
    assert 0 < len(event.event_id) <= 110  # of the longest id an event beside its row's: <id>:offside
    assert not (event.goal or event.own_goal) or event.kind is Kind.SHOT
    for text in (event.player_id, event.player, event.text):
        assert text is None or (len(text) <= 200 and text.isprintable())


def team_of(form: str, info: MatchInfo, row: dict[str, Any]) -> str:
    """The id of the team that a row names; read with no code of the adapters'."""
    if form == "scraper" or form == "sportradar":
        row = row["payload"]["event"] if "payload" in row else row
        side = str(row.get("side") or row.get("competitor"))
        return {"home": info.home.team_id, "away": info.away.team_id}.get(side, "")
    key = {"statsperform": "contestantId", "opta": "team_id", "wyscout": "teamId"}.get(form, "team")
    team = row.get(key)
    return str(team["id"] if isinstance(team, dict) else team)


TURNED = (Kind.PENALTY_AWARDED, Kind.CORNER_AWARDED, Kind.OFFSIDE)
"""What may be about the other team than the one that its row names, beside own goals."""


def check_parsed(items: tuple[object, ...], form: str, row: dict[str, Any] | None = None) -> None:
    info = recorded(form).info
    sides = {info.home.team_id: Side.HOME, info.away.team_id: Side.AWAY}
    for item in items:
        assert isinstance(item, Upsert | Delete | Problem)
        if isinstance(item, Problem):
            assert item.code
            assert item.where.startswith("event")
            assert "\n" not in item.where
            continue
        if isinstance(item, Upsert):
            check_event(item.event)
            if row is not None and item.event.side is not None:
                named = sides[team_of(form, info, row)]
                may_turn = item.event.own_goal or item.event.kind in TURNED
                assert item.event.side is named or may_turn
        record = Record("m", of(form).name, 1, 0, "0" * 64, item)
        assert decode(encode(record)) == record


def is_json(row: dict[str, Any]) -> bool:
    try:
        orjson.dumps(row)
    except (TypeError, ValueError):
        return False
    return True


def check_document(document: Document, form: str) -> None:
    assert len(document.match_id) <= 100
    assert 0 <= document.version_ms < 2**63
    for problem in document.problems:
        assert problem.code
        assert problem.where
    for row in document.rows:
        assert isinstance(row, dict)
        assert isinstance(of(form).key(row), str)
        check_parsed(of(form).parse(recorded(form).info, row), form, row)


def check_recorded(form: str, match: Recorded, seed: int) -> None:
    """Every row of a match that could be loaded is accounted for, in a tidy feed and in an untidy one."""
    for problem in match.problems:
        assert problem.code
        assert problem.where
    for options in (TIDY, None):
        _, messages = replay(of(form), match, seed, options)
        timeline = Timeline(match.info)
        for message in messages:
            timeline.apply(split(of(form).parse(match.info, message.doc))[0])
        for event in timeline.events():
            check_event(event)


def check_session(form: str, *bodies: bytes) -> None:
    session = Session(of(form), recorded(form).info.match_id, recorded(form).info)
    for number, body in enumerate(bodies):
        session.document(body, 1_700_000_000_000 + number)
    for event in session.timeline.events():
        check_event(event)


@pytest.mark.parametrize(("form", "path"), BODIES, ids=NAMES)
@SEEDED
@given(seed=SEEDS)
def test_a_document_damaged_on_the_way_is_an_error_or_read_with_every_row_accounted_for(
    form: str, path: Path, seed: int
) -> None:
    body = damage_bytes(body_of(path), random.Random(seed))
    check_session(form, body)
    try:
        document = of(form).document(body)
    except FeedError as error:
        check_error(error)
        return
    check_document(document, form)


@pytest.mark.parametrize(("form", "path"), JSON_BODIES, ids=JSON_NAMES)
@SEEDED
@given(seed=SEEDS)
def test_a_document_of_mistakes_is_an_error_or_a_match_that_can_be_replayed(
    form: str, path: Path, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = damage_content(orjson.loads(body_of(path)), random.Random(seed))
    if not is_json(content):
        return
    body = orjson.dumps(content)
    check_session(form, body_of(path), body, body + b" ")
    try:
        check_document(of(form).document(body), form)
    except FeedError as error:
        check_error(error)
    name = tmp_path_factory.getbasetemp() / f"mistakes-{path.name}"
    name.write_bytes(body)
    try:
        match = load_paths(of(form).name, [name])
    except FeedError as error:
        check_error(error)
        return
    check_recorded(form, match, seed % 10)


@pytest.mark.parametrize("form", FORMS)
@SEEDED
@given(seed=SEEDS)
def test_a_row_of_mistakes_gives_changes_or_located_problems(form: str, seed: int) -> None:
    rng = random.Random(seed)
    match = recorded(form)
    for _ in range(20):
        row = rng.choice(match.rows)
        damaged = damage_row(row.withdrawn or row.doc, rng)
        assert isinstance(of(form).key(damaged), str)
        parsed = of(form).parse(match.info, damaged)
        if is_json(damaged):  # a session lets no other row through
            check_parsed(parsed, form, damaged)


MEMBERS = (
    *("id", "type", "team", "t", "period", "timestamp", "matchPeriod", "matchTimestamp", "coord", "modified", "side"),
    *(
        "typeId",
        "periodId",
        "eventId",
        "tags",
        "qualifier",
        "kind",
        "minute",
        "time",
        "competitor",
        "payload",
        "deleted",
    ),
)


@pytest.mark.parametrize("form", FORMS)
@SEEDED
@given(row=st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from((*HUGE, *WRONG))))
def test_a_row_of_anything_does_not_crash(form: str, row: dict[str, Any]) -> None:
    assert isinstance(of(form).key(row), str)
    for item in of(form).parse(recorded(form).info, copy.deepcopy(row)):
        assert isinstance(item, Upsert | Delete | Problem)
        assert not isinstance(item, Upsert) or check_event(item.event) is None


@pytest.mark.parametrize("form", FORMS)
@SEEDED
@given(content=st.one_of(st.binary(max_size=80), st.sampled_from(WRONG[:10]).map(orjson.dumps)))
def test_a_body_of_anything_is_a_feed_error(
    form: str, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(FeedError):
        of(form).document(content)
    path = tmp_path_factory.getbasetemp() / f"anything-{form}{DOCUMENTS[form][0].suffix}"
    path.write_bytes(content)
    with pytest.raises(FeedError):
        load_paths(of(form).name, [path])


@pytest.mark.parametrize("form", FORMS)
@SEEDED
@given(seed=SEEDS)
def test_a_session_survives_a_feed_of_mistakes_and_tells_each(form: str, seed: int) -> None:
    """Rows as a push sends them. Whatever is not used is counted; what is used is what the adapter made of it."""
    rng = random.Random(seed)
    match = recorded(form)
    rows = [row.withdrawn or row.doc for row in rng.sample(match.rows, min(60, len(match.rows)))]
    session = Session(of(form), match.info.match_id, match.info)
    for number, row in enumerate(damage_rows(rows, rng)):
        delivery = session.fragment(row, 1_700_000_000_000 + number)
        assert delivery.outcome in (Outcome.CHANGED, Outcome.UNCHANGED, Outcome.BROKEN)
        for problem in delivery.problems:
            assert problem.where
        for item in delivery.items:
            orjson.dumps(item.doc)
            check_parsed(item.changes, form)
    for event in session.timeline.events():
        check_event(event)


@pytest.mark.parametrize("form", FORMS)
@settings(SEEDED, max_examples=12)
@given(seed=SEEDS)
def test_files_damaged_on_disk_are_an_error_or_a_match_that_the_doctor_can_examine(
    form: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("damaged")
    paths = []
    for path in DOCUMENTS[form]:
        name = folder / path.name
        name.write_bytes(damage_bytes(body_of(path), rng) if rng.random() < 0.6 else body_of(path))
        paths.append(name)
    try:
        load_paths(of(form).name, paths)
        found = material(of(form), paths, "")
    except FeedError as error:
        check_error(error)
        return
    report = doctor.examine(found)
    assert report.rows == report.used + report.outside + report.unusable


@pytest.mark.parametrize("form", sorted(COMPLETE))
def test_events_of_another_match_never_get_a_side(form: str) -> None:
    match = recorded(form)
    teams = (type(match.info.home)(f"other-{side}", "Other", "OTH") for side in Side)
    stranger = MatchInfo(of(form).name, "other", *teams, match.info.kickoff_unix_ms, "")
    named = 0
    for row in match.rows:
        for item in of(form).parse(stranger, row.doc):
            if isinstance(item, Upsert):
                assert item.event.side is None
            named += isinstance(item, Problem) and item.code == "unknown_team"
    assert named > len(match.rows) * 0.7


@pytest.mark.parametrize("form", FORMS)
def test_the_document_of_another_match_changes_nothing(form: str) -> None:
    for path in DOCUMENTS[form]:
        session = Session(of(form), "another match", recorded(form).info)
        delivery = session.document(path.read_bytes(), 1)
        if of(form).document(path.read_bytes()).match_id:
            assert (delivery.outcome, delivery.items) == (Outcome.BROKEN, ())
            assert delivery.problems[0].code == "other_match"


@pytest.mark.parametrize(("form", "path"), BODIES, ids=NAMES)
def test_a_document_given_to_the_wrong_provider_is_told_the_right_one(form: str, path: Path) -> None:
    assert looks_like(read_document(path)) == of(form).name
    for other in ADAPTERS.values():
        if other is not of(form):
            with pytest.raises(FeedError) as error:
                other.load([path])
            assert error.value.code == "wrong_provider"
            assert f"use provider {of(form).name}" in str(error.value)


@pytest.mark.parametrize("form", FORMS)
def test_a_document_nested_beyond_reason_is_a_feed_error(form: str, tmp_path: Path) -> None:
    deep = b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    if DOCUMENTS[form][0].suffix == ".xml":
        deep = b"<Games>" + b"<Game>" * 100_000 + b"</Game>" * 100_000 + b"</Games>"
    path = tmp_path / f"deep{DOCUMENTS[form][0].suffix}"
    path.write_bytes(deep)
    with pytest.raises(FeedError):
        of(form).document(deep)
    with pytest.raises(FeedError):
        of(form).load([path])


@pytest.mark.parametrize(
    ("form", "name", "start", "unit"),
    [
        ("statsperform", "statsperform_event_ma3.json", b'"event": [', b'{"id": 1, "note": "%s"},' % (b"x" * 1000)),
        ("statsperform", "statsperform_event_ma3.xml", b"<events>", b"<event/>"),
        ("opta", "opta_f24.xml", b"<Game>", b"<Event/>"),
    ],
    ids=["ma3.json", "ma3.xml", "f24.xml"],
)
def test_a_document_of_fifty_megabytes_is_read_or_refused_in_seconds(
    form: str, name: str, start: bytes, unit: bytes
) -> None:
    body = (KLOPPY / name).read_bytes()
    at = body.index(start) + len(start)
    large = body[:at] + unit * (52 * 1024 * 1024 // len(unit)) + body[at:]
    try:
        document = of(form).document(large)
    except FeedError as error:
        check_error(error, "xml_too_large")
        return
    assert len(document.rows) > 50_000
    (problem,) = of(form).parse(recorded(form).info, document.rows[0])
    assert isinstance(problem, Problem)
