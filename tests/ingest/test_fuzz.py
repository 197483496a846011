"""Real documents, damaged: the adapters count and locate what they cannot use, and never crash."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import Delete, Event, FeedError, Kind, Side, Upsert
from ingest.feed import FeedMessage
from ingest.feeds import Problem, adapter, default_match_paths, load_paths, split
from ingest.feeds.base import TIDY, replay
from ingest.timeline import Timeline

BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _statsperform() -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(default_match_paths()[1].read_bytes())
    rows = document["liveData"]["event"]
    telling = [r for r in rows if r["typeId"] in (16, 17, 27, 28, 30, 32, 43, 58, 70)]
    document["liveData"]["event"] = rows[:40] + telling
    return document


def _wyscout() -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(default_match_paths("wyscout")[0].read_bytes())
    telling = [r for r in document["events"] if {101, 102, 1702} & {tag["id"] for tag in r["tags"]}]
    document["events"] = document["events"][:40] + telling + document["events"][-20:]
    document.pop("players")
    return document


DOCUMENTS = {"statsperform": _statsperform(), "wyscout": _wyscout()}
INFOS = {name: load_paths(name, default_match_paths(name)).info for name in DOCUMENTS}
ROWS = {"statsperform": DOCUMENTS["statsperform"]["liveData"]["event"], "wyscout": DOCUMENTS["wyscout"]["events"]}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "NaN", "inf", "-1", "1e999", "2021-09-11T18:30:06.787Z", "9999-12-31T23:59:59Z", "1H"]),
    st.text(max_size=8),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a document."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


PLACES = {name: [place for place in places(document) if place] for name, document in DOCUMENTS.items()}


def damage(document: Any, at: tuple[Any, ...], value: Any, how: str) -> None:
    """Replace, drop or double what is at the path, if an earlier damage left it there."""
    try:
        for key in at[:-1]:
            document = document[key]
        if how == "drop":
            del document[at[-1]]
        elif how == "double" and isinstance(document, list):
            document.append(copy.deepcopy(document[at[-1]]))
        elif not isinstance(document, dict) or isinstance(at[-1], str):
            document[at[-1]] = value
    except (KeyError, IndexError, TypeError):
        return


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
@BOUNDED
@given(data=st.data())
def test_a_damaged_document_is_an_error_or_a_match_with_every_row_accounted_for(
    provider: str, data: st.DataObject
) -> None:
    document = copy.deepcopy(DOCUMENTS[provider])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(PLACES[provider]))
        damage(document, at, data.draw(values), data.draw(st.sampled_from(["replace", "drop", "double"])))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "match.json"
        path.write_bytes(orjson.dumps(document))
        try:
            match = load_paths(provider, [path])
        except FeedError:
            return
    for problem in match.problems:
        assert problem.code
        assert problem.where
    _, messages = replay(adapter(provider), match, 1, TIDY)
    _, untidy = replay(adapter(provider), match, data.draw(st.integers(0, 9)))
    for feed in (messages, untidy):
        timeline = Timeline()
        for message in feed:
            changes, problems = split(adapter(provider).parse(match.info, message.doc))
            assert changes or problems or message.doc.get("periodId") not in (1, 2, 3, 4, 5)
            timeline.apply(changes)
        for event in timeline.events():
            check(event)


def check(event: Event) -> None:
    """What everybody downstream relies on."""
    assert 1 <= event.period <= 5
    assert 0 <= event.play_ms <= 75 * 60_000
    assert isinstance(event.kind, Kind)
    assert event.side in (None, Side.HOME, Side.AWAY)
    assert event.x is None or 0 <= event.x <= 100
    assert event.y is None or 0 <= event.y <= 100
    assert event.xg_e6 is None or 0 <= event.xg_e6 <= 1_000_000
    assert not (event.goal or event.own_goal) or event.kind is Kind.SHOT


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
@BOUNDED
@given(data=st.data())
def test_a_damaged_row_gives_changes_or_located_problems(provider: str, data: st.DataObject) -> None:
    row = copy.deepcopy(data.draw(st.sampled_from(ROWS[provider])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.sampled_from([place for place in places(row) if place] or [("id",)]))
        damage(row, at, data.draw(values), data.draw(st.sampled_from(["replace", "drop", "double"])))
    message = FeedMessage.make(1, row)
    for item in adapter(provider).parse(INFOS[provider], message.doc):
        assert isinstance(item, Upsert | Delete | Problem)
        if isinstance(item, Upsert):
            check(item.event)
        elif isinstance(item, Problem):
            assert item.where.startswith("event")


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
@BOUNDED
@given(row=st.dictionaries(st.sampled_from(["id", "typeId", "periodId", "eventId", "tags", "qualifier"]), values))
def test_a_row_of_anything_does_not_crash(provider: str, row: dict[str, Any]) -> None:
    for item in adapter(provider).parse(INFOS[provider], row):
        assert isinstance(item, Upsert | Delete | Problem)


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
@BOUNDED
@given(content=st.one_of(st.binary(max_size=60), values.map(orjson.dumps)))
def test_a_file_of_anything_is_a_feed_error(provider: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "match.json"
        path.write_bytes(content)
        with pytest.raises(FeedError):
            load_paths(provider, [path])
