"""MA1 against the events of the same match, and what garbled headers leave."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import FeedError, Kind, Side, Upsert
from ingest.facts import Booking, FactReader, MatchFacts, MatchStatus
from ingest.feeds import ADAPTERS, Recorded, adapter
from ingest.feeds.opta import f7
from ingest.feeds.xmldoc import parse
from tests.ingest.corpus import KLOPPY
from tests.ingest.mutations import damage_bytes, damage_row

STATSPERFORM = adapter("statsperform")
MA1 = (KLOPPY / "statsperform_event_ma1.json").read_bytes()
F7 = (KLOPPY / "opta_f7.xml").read_bytes()


def facts(body: bytes, provider: str = "statsperform") -> MatchFacts:
    reader = ADAPTERS[provider]
    assert isinstance(reader, FactReader)
    return reader.facts(body)


def changed(**live: Any) -> MatchFacts:
    document = orjson.loads(MA1)
    document["liveData"].update(live)
    return facts(orjson.dumps(document))


def test_ma1_tells_the_same_goals_cards_and_substitutions_as_the_events(hsv: Recorded) -> None:
    told = facts(MA1)
    items = [item for row in hsv.rows for item in STATSPERFORM.parse(hsv.info, row.withdrawn or row.doc)]
    events = {item.event.event_id: item.event for item in items if isinstance(item, Upsert)}
    assert len(told.goals) == 3
    for goal in told.goals:
        event = events[goal.event_id]
        assert (event.goal, event.penalty, event.own_goal) == (True, goal.penalty, goal.own_goal)
        assert (event.side, event.player_id, event.player) == (goal.side, goal.player_id, goal.player)
        assert (event.period, event.play_ms) == (goal.period, goal.play_ms)
    colours = {Booking.YELLOW: Kind.YELLOW, Booking.SECOND_YELLOW: Kind.RED, Booking.RED: Kind.RED}
    assert len(told.cards) == 5
    for card in told.cards:
        event = events[card.event_id]
        assert (event.kind, event.side, event.play_ms) == (colours[card.colour], card.side, card.play_ms)
    assert told.cards[-1].player_id == ""  # the staff's
    ons = {event.player_id: event.side for event in events.values() if event.text == "player on"}
    assert {one.on_id: one.side for one in told.substitutions} == ons


def test_ma1_tells_line_ups_status_and_clock() -> None:
    told = facts(MA1)
    assert (told.status, told.score, told.winner, told.shoot_out) == (MatchStatus.PLAYED, (2, 1), Side.HOME, None)
    home, away = told.line_ups
    assert (home.formation, home.coach, away.coach) == ("433", "Tim Walter", "Gerhard Kleppinger")
    assert [len(side.players) for side in (home, away)] == [20, 20]
    assert [sum(player.starts for player in side.players) for side in (home, away)] == [11, 11]
    (captain,) = [player for player in home.players if player.captain]
    assert (captain.name, captain.shirt, captain.position) == ("S. Schonlau", 4, "Defender")
    assert [(span.period, span.start_unix_ms) for span in told.periods] == [(1, 1631385006000), (2, 1631388853000)]
    assert (told.competition_id, told.season, told.venue) == (
        *("722fdbecxzcq9788l6jqclzlw", "2021/2022"),
        "Volksparkstadion",
    )
    assert told.updated_unix_ms == 1_710_451_640_000


def test_xml_tells_what_json_tells() -> None:
    for name in ("statsperform_event_ma1", "statsperform_event_ma3", "statsperform_tracking_ma1"):
        assert facts((KLOPPY / f"{name}.json").read_bytes()) == facts((KLOPPY / f"{name}.xml").read_bytes())


def test_a_shoot_out_is_not_in_the_score() -> None:
    scores = {"ft": {"home": 1, "away": 1}, "et": {"home": 2, "away": 2}, "pen": {"home": 5, "away": 4}}
    told = changed(matchDetails={"scores": {**scores, "total": {"home": 7, "away": 6}}})
    assert (told.score, told.shoot_out, told.status) == ((2, 2), (5, 4), MatchStatus.UNKNOWN)


def test_an_own_goal_counts_for_the_other_side() -> None:
    goal = {**orjson.loads(MA1)["liveData"]["goal"][0], "type": "OG"}
    (told,) = changed(goal=[goal]).goals
    assert (told.side, told.own_goal) == (Side.AWAY, True)


@pytest.mark.parametrize("rows", [None, 5, {}, [5], [{}], [{"contestantId": "stranger"}], [{"contestantId": None}]])
def test_rows_that_are_garbled_are_left_out(rows: object) -> None:
    told = changed(goal=rows, card=rows, substitute=rows, lineUp=rows, matchDetails={"period": rows})
    assert (told.goals, told.cards, told.substitutions, told.line_ups, told.periods) == ((), (), (), (), ())


def test_several_officials_are_searched_for_the_manager() -> None:
    line_up = orjson.loads(MA1)["liveData"]["lineUp"][0]
    doctor = {**line_up["teamOfficial"], "type": "doctor", "shortFirstName": "Doc"}
    told = changed(lineUp=[{**line_up, "teamOfficial": [doctor, line_up["teamOfficial"]]}])
    assert told.line_ups[0].coach == "Tim Walter"
    assert changed(lineUp=[{**line_up, "teamOfficial": doctor}]).line_ups[0].coach == ""


def test_f7_of_the_package_has_line_ups_and_all_four_periods() -> None:
    told = facts(F7, "opta")
    assert (told.status, told.score, told.info.match_id) == (MatchStatus.PLAYED, (2, 1), "unnamed")
    assert [len(side.players) for side in told.line_ups] == [18, 18]
    assert [span.period for span in told.periods] == [1, 2, 3, 4]
    assert told.winner is Side.HOME


def test_f7_shoot_outs_bookings_and_goals_of_every_kind() -> None:
    goal = b'<Goal Period="SecondHalf" Min="50" Sec="1" PlayerRef="p1" EventID="7" Type="%s"/>'
    rows = b"".join(goal % kind for kind in (b"Goal", b"Own", b"Penalty")) + goal.replace(b"SecondHalf", b"?") % b"Goal"
    rows += b'<Booking CardType="SecondYellow" Period="1" Min="3" Sec="4" PlayerRef="p1"/><Booking CardType="Blue"/>'
    body = F7.replace(b'Side="Home"', b'Side="Home" ShootOutScore="5"').replace(
        b'Side="Away"', b'Side="Away" ShootOutScore="4"'
    )
    at = body.index(b"<PlayerLineUp>")
    told = facts(body[:at] + rows + body[at:], "opta")
    assert told.shoot_out == (5, 4)
    assert [(g.own_goal, g.penalty, g.side, g.play_ms) for g in told.goals] == [
        (False, False, Side.HOME, 301_000),
        (True, False, Side.HOME, 301_000),
        (False, True, Side.HOME, 301_000),
    ]
    assert [(card.colour, card.play_ms) for card in told.cards] == [(Booking.SECOND_YELLOW, 184_000)]


def test_statistics_within_f7_as_f9_has_them_change_nothing() -> None:
    """F9's frame with its statistics: made here, as no F9 file is at hand."""
    player = b'Status="Start" />'
    assert F7.count(player) == 22
    with_stats = F7.replace(player, b'Status="Start"><Stat Type="total_pass">40</Stat></MatchPlayer>')
    assert facts(with_stats, "opta") == facts(F7, "opta")


def test_an_f7_of_several_matches_is_taken_apart() -> None:
    root = parse(F7.replace(b"</SoccerFeed>", b"<SoccerDocument/></SoccerFeed>"))
    assert len(f7.match_documents(root)) == 1


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_damaged_headers_are_errors_or_facts(seed: int) -> None:
    rng = random.Random(seed)
    for provider, body in (
        ("opta", damage_bytes(F7, rng)),
        ("statsperform", damage_bytes(MA1, rng)),
        ("statsperform", orjson.dumps(_jsonable(damage_row(orjson.loads(MA1), rng)))),
    ):
        try:
            told = facts(body, provider)
        except FeedError as error:
            assert error.code  # noqa: PT017
            continue
        assert told.info.home.team_id != told.info.away.team_id
        for goal in told.goals:
            assert goal.side in Side


def _jsonable(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _jsonable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_jsonable(value) for value in node]
    try:
        orjson.dumps(node)
    except (TypeError, ValueError):
        return None
    return node


def test_adapters_without_facts_say_so() -> None:
    assert isinstance(adapter("opta"), FactReader)
    assert not isinstance(adapter("wyscout"), FactReader)
