"""Real StatsBomb, Wyscout v3 and DataFactory documents, damaged in many ways: errors and located problems, no more.

Whatever arrives, `document`, `load` and `parse` raise nothing but FeedError, a session raises nothing at all, and no
event is given to a side whose team its row does not name.
"""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, FeedError, Kind, MatchInfo, Side, Upsert
from ingest.feeds import Problem, adapter, default_match_paths, load_paths, split
from ingest.feeds.files import looks_like
from ingest.session import Session

FOLDER = default_match_paths("statsbomb")[0].parent
FILES = {
    "statsbomb": FOLDER / "statsbomb_3788741_event.json",
    "wyscout": FOLDER / "wyscout_events_v3.json",
    "datafactory": FOLDER / "datafactory_events.json",
}
PROVIDERS = sorted(FILES)
INFOS = {name: load_paths(name, [path]).info for name, path in FILES.items()}
BOUNDED = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def small(provider: str) -> Any:
    """A document of that provider with every kind of row and few of each."""
    document = orjson.loads(FILES[provider].read_bytes())
    if provider == "statsbomb":
        return few(document, lambda doc: (doc["type"]["id"], *sorted(doc)))
    if provider == "wyscout":
        document["events"] = few(document["events"], lambda doc: (doc["type"]["primary"], *sorted(doc["type"])))
        for part in ("players", "formations", "substitutions"):
            document.pop(part)
        return document
    for name, rows in document["incidences"].items():
        document["incidences"][name] = dict(list(rows.items())[:4])
    for part in ("summary", "commentary", "officials"):
        document.pop(part)
    return document


def few(rows: list[Any], sort: Callable[[Any], object]) -> list[Any]:
    seen: dict[object, int] = {}
    kept = []
    for doc in rows:
        seen[sort(doc)] = seen.get(sort(doc), 0) + 1
        if seen[sort(doc)] <= 2:
            kept.append(doc)
    return kept[:120]


DOCUMENTS = {provider: small(provider) for provider in PROVIDERS}


def rows_of(provider: str, document: Any) -> list[Any]:
    if provider == "statsbomb":
        return list(document)
    if provider == "wyscout":
        return list(document["events"])
    return list(adapter("datafactory").document(orjson.dumps(document)).rows)


HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 6, 99, 2**31, 2**63 - 1, -(2**63), 2**64 - 1, 1e308, -1e-308, 1.5),
    *("", "x", "NaN", "1e999", "-1", "00:00:00.000", "99:99:99.999", "2H", "\x00", "ü" * 50, "9" * 400),
    *([], {}, [[]], {"id": None}, {"id": {"id": 1}}, [None, None], {"x": None, "y": []}, {"1": {"x": "a"}}),
)


def spots(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a document."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(spot for key, child in inside for spot in spots(child, (*path, key)))]


SPOTS = {provider: [spot for spot in spots(DOCUMENTS[provider]) if spot] for provider in PROVIDERS}


def damaged(provider: str, rng: random.Random) -> Any:
    """The document with a few of its nodes replaced, dropped, doubled, or swapped with others."""
    document = copy.deepcopy(DOCUMENTS[provider])
    for _ in range(rng.randint(1, 12)):
        *way, last = rng.choice(SPOTS[provider])
        try:
            node = document
            for key in way:
                node = node[key]
            how = rng.randrange(4)
            if how == 0:
                del node[last]
            elif how == 1 and isinstance(node, list):
                node.insert(rng.randrange(len(node) + 1), copy.deepcopy(node[last]))
            elif how == 2 and isinstance(node, list):
                rng.shuffle(node)
            else:
                node[last] = copy.deepcopy(rng.choice(HOSTILE))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier damage took it
    return document


def cut_or_soiled(body: bytes, rng: random.Random) -> bytes:
    """The bytes cut short, with bytes changed, doubled or taken out: mostly no JSON, sometimes other JSON."""
    soiled = bytearray(body)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(soiled) + 1)
        how = rng.randrange(5)
        if how == 0:
            del soiled[at : at + rng.randint(1, 40)]
        elif how == 1:
            soiled[at : at + 1] = bytes((rng.randrange(256),))
        elif how == 2:
            soiled[at:at] = rng.choice((b"\xff\xfe", b"\xed\xa0\x80", b"NaN", b"1e999", b"[" * 3000, b"\x00"))
        elif how == 3:
            soiled[at:at] = b"9" * rng.choice((1, 30, 400))
        else:
            del soiled[at:]
    return bytes(soiled)


def check(event: Event) -> None:
    """What everybody downstream relies on."""
    assert 1 <= event.period <= 5
    assert 0 <= event.play_ms <= 75 * 60_000
    assert isinstance(event.kind, Kind)
    assert event.x is None or 0 <= event.x <= 100
    assert event.y is None or 0 <= event.y <= 100
    assert event.xg_e6 is None or 0 <= event.xg_e6 <= 1_000_000
    assert not (event.goal or event.own_goal) or event.kind is Kind.SHOT
    assert event.player_id is None or isinstance(event.player_id, str)


def team_of(provider: str, doc: dict[str, Any]) -> str:
    team = doc.get("team")
    return str(team["id"] if provider != "datafactory" and isinstance(team, dict) else team)


def check_row(provider: str, info: MatchInfo, doc: dict[str, Any]) -> None:
    teams = {Side.HOME: info.home.team_id, Side.AWAY: info.away.team_id}
    for item in adapter(provider).parse(info, doc):
        assert isinstance(item, Upsert | Delete | Problem)
        if isinstance(item, Problem):
            assert item.where.startswith("event")
        elif isinstance(item, Upsert):
            check(item.event)
            if item.event.side is not None:
                about_the_other = item.event.own_goal or item.event.kind in (Kind.PENALTY_AWARDED, Kind.CORNER_AWARDED)
                if provider == "statsbomb" and item.event.own_goal:
                    about_the_other = False
                side = item.event.side.other if about_the_other else item.event.side
                assert teams[side] == team_of(provider, doc)


def check_body(provider: str, body: bytes) -> None:
    try:
        document = adapter(provider).document(body)
    except FeedError:
        pass
    else:
        for doc in document.rows:
            assert isinstance(adapter(provider).key(doc), str)
            check_row(provider, INFOS[provider], doc)
    session = Session(adapter(provider), INFOS[provider].match_id, INFOS[provider])
    session.document(body, 1)
    session.document(body + b" ", 2)
    for event in session.timeline.events():
        check(event)


def check_file(provider: str, folder: Path, body: bytes) -> None:
    path = folder / "3788741.json"
    path.write_bytes(body)
    try:
        match = load_paths(provider, [path])
    except FeedError:
        return
    for problem in match.problems:
        assert problem.code
        assert problem.where
    for row in match.rows:
        check_row(provider, match.info, row.doc)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_damaged_document_gives_feed_errors_and_located_problems(provider: str, tmp_path: Path) -> None:
    rng = random.Random(6)
    for _ in range(100):
        body = orjson.dumps(damaged(provider, rng))
        check_body(provider, body)
        check_file(provider, tmp_path, body)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_cut_or_soiled_document_gives_feed_errors_and_located_problems(provider: str, tmp_path: Path) -> None:
    rng = random.Random(7)
    whole = orjson.dumps(DOCUMENTS[provider])
    for _ in range(100):
        body = cut_or_soiled(whole, rng)
        check_body(provider, body)
        check_file(provider, tmp_path, body)


@pytest.mark.parametrize("provider", PROVIDERS)
@BOUNDED
@given(data=st.data())
def test_a_damaged_row_gives_changes_or_located_problems(provider: str, data: st.DataObject) -> None:
    doc = copy.deepcopy(data.draw(st.sampled_from(ROWS[provider])))
    for _ in range(data.draw(st.integers(1, 5))):
        ways = [spot for spot in spots(doc) if spot]
        if not ways:
            break
        *way, last = data.draw(st.sampled_from(ways))
        node = doc
        for key in way:
            node = node[key]
        node[last] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
    check_row(provider, INFOS[provider], doc)


ROWS = {provider: rows_of(provider, DOCUMENTS[provider]) for provider in PROVIDERS}


@pytest.mark.parametrize("provider", PROVIDERS)
@BOUNDED
@given(
    doc=st.dictionaries(
        st.sampled_from(["id", "type", "team", "t", "period", "timestamp", "matchPeriod", "matchTimestamp", "coord"]),
        st.sampled_from(HOSTILE),
    )
)
def test_a_row_of_anything_does_not_crash(provider: str, doc: dict[str, Any]) -> None:
    check_row(provider, INFOS[provider], doc)


@pytest.mark.parametrize("provider", PROVIDERS)
@BOUNDED
@given(content=st.one_of(st.binary(max_size=80), st.sampled_from(HOSTILE).map(orjson.dumps)))
def test_a_body_of_anything_is_a_feed_error(provider: str, content: bytes) -> None:
    with pytest.raises(FeedError):
        adapter(provider).document(content)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "match.json"
        path.write_bytes(content)
        with pytest.raises(FeedError):
            load_paths(provider, [path])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_another_matchs_teams_are_never_taken_for_these(provider: str) -> None:
    strangers = {INFOS[provider].home.team_id: 70_001, INFOS[provider].away.team_id: 70_002}
    unknown = 0
    for row in ROWS[provider]:
        doc = copy.deepcopy(row)
        if doc.get("deleted"):
            continue
        if isinstance(doc.get("team"), dict):
            doc["team"]["id"] = strangers[str(doc["team"]["id"])]
        elif doc.get("team") is not None:
            doc["team"] = strangers[str(doc["team"])]
        changes, problems = split(adapter(provider).parse(INFOS[provider], doc))
        assert all(isinstance(c, Delete) or c.event.side is None for c in changes)
        unknown += sum(problem.code == "unknown_team" for problem in problems)
    assert unknown > 20


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_document_given_to_the_wrong_provider_is_told_the_right_one(provider: str) -> None:
    assert looks_like(DOCUMENTS[provider]) == provider
    for other in PROVIDERS:
        if other != provider:
            with pytest.raises(FeedError) as error:
                load_paths(other, [FILES[provider]])
            assert error.value.code == "wrong_provider"
            assert provider in str(error.value)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_document_nested_beyond_reason_is_a_feed_error(provider: str, tmp_path: Path) -> None:
    deep = b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(FeedError):
        adapter(provider).document(deep)
    path = tmp_path / "deep.json"
    path.write_bytes(deep)
    with pytest.raises(FeedError):
        load_paths(provider, [path])
