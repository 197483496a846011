"""SYNTHETIC: a timeline written by hand from the field list of the provider's public pages. No such match was played,
no name, id or number in it comes from the provider.
"""

from __future__ import annotations

from typing import Any

MATCH = "sr:sport_event:9000001"
HOME, AWAY = "sr:competitor:9001", "sr:competitor:9002"


def clock(minute: int, second: int = 0) -> str:
    """UTC time when the match clock showed this; half-time lasts a quarter of an hour."""
    total = 18 * 3600 + minute * 60 + second + (15 * 60 + 180 if minute >= 45 else 0)
    return f"2026-02-01T{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}+00:00"


def row(number: int, kind: str, minute: int, second: int = 0, **fields: Any) -> dict[str, Any]:
    """One row of the timeline."""
    period = 1 if minute < 45 else 2
    return {
        "id": number,
        "type": kind,
        "time": clock(minute, second),
        "match_time": minute + 1,
        "match_clock": f"{minute}:{second:02d}",
        "period": period,
        "period_type": "regular_period",
    } | fields


def whistle(number: int, kind: str, time: str, period: int | None) -> dict[str, Any]:
    """A row without a clock."""
    found: dict[str, Any] = {"id": number, "type": kind, "time": time}
    return found if period is None else found | {"period": period, "period_type": "regular_period"}


def player(number: int, name: str, kind: str = "") -> dict[str, str]:
    """A player of a row."""
    return {"id": f"sr:player:{number}", "name": name} | ({"type": kind} if kind else {})


TIMELINE: list[dict[str, Any]] = [
    whistle(1, "match_started", clock(0), None),
    whistle(2, "period_start", clock(0), 1),
    row(3, "throw_in", 1, 5, competitor="home", x=30, y=0),
    row(4, "corner_kick", 6, 30, competitor="away", x=0, y=0, players=[player(91, "Ost, Jan")]),
    row(5, "shot_on_target", 6, 58, competitor="away", x=12, y=40, players=[player(92, "West, Per")]),
    row(6, "shot_saved", 6, 58, competitor="home"),
    row(7, "possible_goal", 20, 10, competitor="home"),
    row(
        8,
        "score_change",
        20,
        10,
        competitor="home",
        x=91,
        y=48,
        home_score=1,
        away_score=0,
        method="header",
        players=[player(93, "Nord, Ola", "assist"), player(94, "Sued, Kim", "scorer")],
    ),
    row(9, "video_assistant_referee", 21, 0, competitor="home", description="goal"),
    row(10, "video_assistant_referee_over", 22, 20, competitor="home", description="goal"),
    row(11, "yellow_card", 30, 0, competitor="away", players=[player(92, "West, Per")]),
    row(12, "offside", 35, 0, competitor="away", x=15, y=70),
    row(13, "injury_time_shown", 44, 0, match_clock="45:00", stoppage_time=1, stoppage_time_clock="0:10")
    | {"injury_time_announced": 3},
    row(14, "shot_off_target", 44, 0, competitor="home", x=80, y=20, outcome="post")
    | {"match_clock": "45:00", "stoppage_time": 3, "stoppage_time_clock": "2:15"},
    whistle(15, "period_score", "2026-02-01T18:48:00+00:00", 1),
    {
        "id": 16,
        "type": "break_start",
        "time": "2026-02-01T18:48:00+00:00",
        "period_type": "pause",
        "break_name": "pause",
    },
    whistle(17, "period_start", clock(45), 2),
    row(18, "substitution", 46, competitor="away")
    | {"players": [player(92, "West, Per", "substituted_out"), player(95, "Neu, Ali", "substituted_in")]},
    row(19, "free_kick", 50, 12, competitor="home", x=70, y=60),
    row(20, "goal_kick", 55, 0, competitor="away", x=95, y=50),
    row(21, "penalty_awarded", 60, 0, competitor="away"),
    row(22, "score_change", 61, 30, competitor="away", x=0, y=0, home_score=1, away_score=1, method="penalty"),
    row(23, "injury", 70, 0, competitor="home", players=[player(94, "Sued, Kim")]),
    row(24, "yellow_red_card", 75, 0, competitor="away", players=[player(96, "Alt, Bo")]),
    row(25, "score_change", 88, 1, competitor="home", x=95, y=52, home_score=2, away_score=1, method="own_goal"),
    whistle(26, "match_ended", clock(94, 30), None),
]


def document(
    timeline: list[dict[str, Any]] | None = None, generated: str = "2026-02-01T20:30:00+00:00"
) -> dict[str, Any]:
    """The whole document."""
    return {
        "generated_at": generated,
        "sport_event": {
            "id": MATCH,
            "start_time": "2026-02-01T18:00:00+00:00",
            "start_time_confirmed": True,
            "sport_event_context": {"competition": {"id": "sr:competition:9", "name": "Synthetic League"}},
            "competitors": [
                {"id": HOME, "name": "Synthetic Home", "abbreviation": "SYH", "qualifier": "home"},
                {"id": AWAY, "name": "Synthetic Away", "abbreviation": "SYA", "qualifier": "away"},
            ],
        },
        "sport_event_status": {
            "status": "closed",
            "match_status": "ended",
            "home_score": 2,
            "away_score": 1,
            "period_scores": [
                {"home_score": 1, "away_score": 0, "type": "regular_period", "number": 1},
                {"home_score": 1, "away_score": 1, "type": "regular_period", "number": 2},
            ],
        },
        "timeline": TIMELINE if timeline is None else timeline,
    }


def message(event: dict[str, Any], match: str = "sr:sport_event_id:9000001") -> dict[str, Any]:
    """The row as a push message."""
    status = {key: value for key, value in document()["sport_event_status"].items() if key != "home_score"}
    metadata = {"format": "json", "sport_event_id": match, "event_id": event.get("type"), "channel": "soccer"}
    return {"payload": {"sport_event_status": status, "event": event}, "metadata": metadata}
