"""Why the index stands where it stands: the five shares, and what each event does to the present value.

An event's contribution is exact: the index of that second less the index without the event, both from the
methodology's own integers. Contributions of several events do not add up: each share is a quotient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.events import Event, FeedError, Kind, Side
from momentum import minutes
from momentum.archive import TAIL_S, Columns, inputs_at, per_second
from momentum.features import Footprint, Role, footprint, is_goal, xg_of
from momentum.methodology import FEATURES, LEVEL_E6, SHARE_E6, TILT_MIN_X, WEIGHT_ONE, Methodology, index_e6
from momentum.replay import Final

BEFORE_S = 60
_PER_UNIT = (1_000, 1, 1_000_000, 1, 2)
"""Amounts of the ten inputs in one unit that people read: ms a second, 1e-6 xG, half points."""

_RESTARTS = frozenset({Kind.CORNER, Kind.FREE_KICK, Kind.THROW_IN, Kind.GOAL_KICK})


@dataclass(frozen=True)
class Share:
    """One feature: the remembered amounts of both sides, the home side's share, and its points in the index."""

    feature: str
    home: float
    away: float
    home_share: float
    points_e6: int


@dataclass(frozen=True)
class Cause:
    """An event and what it does to the present value, in all and by feature, in 1e-6 points."""

    event: Event
    points_e6: int
    by_feature_e6: tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """The index at one second of play. ``before_e6`` is its value a minute earlier, None before that."""

    final: Final
    methodology: Methodology
    period: int
    second: int
    x_e6: int
    before_e6: int | None
    shares: tuple[Share, ...]
    causes: tuple[Cause, ...]  # the largest first
    moved: int  # events that have any effect now


def _deviations(inputs: Sequence[int], methodology: Methodology) -> tuple[int, ...]:
    """Points of each feature in 1e-6: their sum is the index less 50."""
    result = []
    for j in range(len(FEATURES)):
        alone = [value if i // 2 == j else 0 for i, value in enumerate(inputs)]
        result.append(index_e6(alone, methodology) - LEVEL_E6)
    return tuple(result)


def _past(marks: Sequence[tuple[Footprint, Event]], period: int, second: int) -> list[tuple[Footprint, Event]]:
    return [(m, e) for m, e in marks if m.period < period or (m.period == period and m.second <= second)]


def _inputs(columns: Columns, period: int, second: int, methodology: Methodology) -> list[int]:
    return [int(v) for v in inputs_at(per_second(columns, TAIL_S), period, second, methodology)]


def _without(columns: Columns, row: int) -> Columns:
    """The columns with the event of ``row`` struck out; its time stays, so that no clock moves."""
    role = columns.role.copy()
    role[row] = Role.NONE
    kept = columns.point_row != row
    return replace(
        columns,
        role=role,
        point_row=columns.point_row[kept],
        point_column=columns.point_column[kept],
        point_amount=columns.point_amount[kept],
    )


def explain(final: Final, methodology: Methodology, period: int, second: int, top: int = 10) -> Explanation:
    """Explain the index at ``second`` of ``period`` by the ``top`` events with the largest effect on it.

    Raises FeedError ``no_such_second`` when the match has no such second of play.
    """
    pairs = [(mark, event) for event in final.events if (mark := footprint(event)) is not None]
    pairs.sort(key=lambda pair: (pair[0].period, pair[0].order))
    length = max((mark.second for mark, _ in pairs if mark.period == period), default=-1)
    if not 0 <= second <= length:
        played = [p for p in range(1, 5) if any(mark.period == p for mark, _ in pairs)]
        ends = ", ".join(minutes.label(p, max(m.second for m, _ in pairs if m.period == p)) for p in played)
        raise FeedError(
            "no_such_second",
            f"match {final.info.match_id} has no second {second} of period {period}: its periods end at {ends}",
        )
    known = _past(pairs, period, second)
    columns = Columns.of_marks([mark for mark, _ in known])
    inputs = _inputs(columns, period, second, methodology)
    x_e6, deviations = index_e6(inputs, methodology), _deviations(inputs, methodology)
    causes = []
    for row, (mark, event) in enumerate(known):
        if mark.role is Role.NONE and not mark.points:
            continue
        other = _inputs(_without(columns, row), period, second, methodology)
        if other == inputs:
            continue
        rest = _deviations(other, methodology)
        parts = tuple(a - b for a, b in zip(deviations, rest, strict=True))
        causes.append(Cause(event, x_e6 - index_e6(other, methodology), parts))
    causes.sort(key=lambda c: (-abs(c.points_e6), -c.event.period, -c.event.play_ms, c.event.event_id))
    before_e6 = None
    if second >= BEFORE_S:
        earlier = Columns.of_marks([mark for mark, _ in _past(known, period, second - BEFORE_S)])
        before_e6 = index_e6(_inputs(earlier, period, second - BEFORE_S, methodology), methodology)
    return Explanation(
        final,
        methodology,
        period,
        second,
        x_e6,
        before_e6,
        tuple(_share(j, inputs, deviations[j]) for j in range(len(FEATURES))),
        tuple(causes[:top]),
        len(causes),
    )


def _share(j: int, inputs: Sequence[int], points_e6: int) -> Share:
    unit = _PER_UNIT[j] * WEIGHT_ONE
    home_share = 0.5 + points_e6 / SHARE_E6[j] / 2
    return Share(FEATURES[j], inputs[2 * j] / unit, inputs[2 * j + 1] / unit, home_share, points_e6)


def words(event: Event, methodology: Methodology) -> str:
    """A few words for an event, with what makes it count: "shot (xG 0.21)"."""
    restart = event.kind in _RESTARTS  # feeds call these passes
    name = event.kind.value.replace("_", " ") if restart or not event.text else event.text
    notes = []
    if event.kind is Kind.SHOT and not event.own_goal:
        notes.append(f"xG {xg_of(event, methodology) / 1e6:.2f}")
        if is_goal(event) and "goal" not in name and "scored" not in name:
            notes.append("goal")
        if event.big_chance:
            notes.append("big chance")
    if event.kind is Kind.PASS and event.x is not None and event.x >= TILT_MIN_X:
        notes.append("last third")
    return f"{name} ({', '.join(notes)})" if notes else name


def _time(event: Event) -> str:
    mark = footprint(event)
    return minutes.label(event.period, mark.play_ms // 1000 if mark else 0)


def _points(value_e6: int, digits: int = 2) -> str:
    return f"{value_e6 / 1e6:+.{digits}f}"


def _feature_words(cause: Cause) -> str:
    """The features that the event moves by a hundredth of a point or more, the largest first."""
    parts = sorted(zip(FEATURES, cause.by_feature_e6, strict=True), key=lambda part: -abs(part[1]))
    return ", ".join(f"{_name(feature)} {_points(value)}" for feature, value in parts if abs(value) >= 5_000)


def _name(feature: str) -> str:
    return {"xg": "xG"}.get(feature, feature.replace("_", " "))


def _team(found: Explanation, side: Side | None) -> str:
    if side is None:
        return "-"
    info = found.final.info
    return info.home.name if side is Side.HOME else info.away.name


def text(found: Explanation) -> str:
    """The explanation for a terminal."""
    info, x = found.final.info, found.x_e6 / 1e6
    side = "level" if found.x_e6 == LEVEL_E6 else _team(found, Side.HOME if found.x_e6 > LEVEL_E6 else Side.AWAY)
    lines = [
        f"{info.home.name} - {info.away.name} (match {info.match_id}), {minutes.label(found.period, found.second)}, "
        f"{found.methodology.name}",
        f"Index {x:.2f} (0 away, 50 level, 100 home): "
        + ("level." if side == "level" else f"{side} {abs(x - 50):.2f} points above level."),
    ]
    if found.before_e6 is not None:
        change = found.x_e6 - found.before_e6
        verb = "rose" if change > 0 else "fell"
        lines[-1] += (
            f" In the last minute it {verb} by {abs(change) / 1e6:.2f}, from {found.before_e6 / 1e6:.2f}."
            if change
            else " It is what it was a minute ago."
        )
    lines += ["", f"{'share':15}{'home':>12}{'away':>12}{'home share':>13}{'points':>9}"]
    for share in found.shares:
        unit = " s" if share.feature == "possession" else ""
        amounts = [f"{value:.{2 if share.feature != 'possession' else 0}f}{unit}" for value in (share.home, share.away)]
        lines.append(
            f"{_name(share.feature):15}{amounts[0]:>12}{amounts[1]:>12}{share.home_share:>12.1%} "
            f"{_points(share.points_e6):>9}"
        )
    total = sum(share.points_e6 for share in found.shares)
    lines += [f"{'index - 50':52} {_points(total):>9}", ""]
    if not found.causes:
        return "\n".join([*lines, "No event has an effect on this second."])
    rows = [
        (
            _time(c.event),
            _team(found, c.event.side),
            _who(c.event, found.methodology),
            _points(c.points_e6),
            _feature_words(c),
        )
        for c in found.causes
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines.append(f"Largest of {found.moved} events with an effect now (index with the event less index without it):")
    for time, team, what, points, parts in rows:
        cells = f"{time:>{widths[0]}}  {team:{widths[1]}}  {what:{widths[2]}}  {points:>{widths[3]}}"
        lines.append(f"{cells}  {parts}".rstrip())
    return "\n".join(lines)


def _who(event: Event, methodology: Methodology) -> str:
    """Words and player, where the feed gives a name instead of a number."""
    named = event.player if event.player and not event.player.isdigit() else None
    told = words(event, methodology)
    return f"{told}, {named}" if named else told


def document(found: Explanation) -> dict[str, Any]:
    """The explanation for programs; points as decimal numbers exact to 1e-6."""
    info = found.final.info
    return {
        "match_id": info.match_id,
        "home": info.home.name,
        "away": info.away.name,
        "methodology": found.methodology.name,
        "methodology_hash": found.methodology.hash.hex(),
        "time": minutes.label(found.period, found.second),
        "period": found.period,
        "second": found.second,
        "index": found.x_e6 / 1e6,
        "index_a_minute_before": None if found.before_e6 is None else found.before_e6 / 1e6,
        "shares": [
            {
                "feature": share.feature,
                "home": share.home,
                "away": share.away,
                "home_share": share.home_share,
                "points": share.points_e6 / 1e6,
            }
            for share in found.shares
        ],
        "events_with_effect": found.moved,
        "events": [
            {
                "event_id": cause.event.event_id,
                "time": _time(cause.event),
                "period": cause.event.period,
                "play_ms": cause.event.play_ms,
                "kind": cause.event.kind.value,
                "side": None if cause.event.side is None else cause.event.side.value,
                "player": cause.event.player,
                "words": words(cause.event, found.methodology),
                "points": cause.points_e6 / 1e6,
                "points_by_feature": {
                    feature: value / 1e6 for feature, value in zip(FEATURES, cause.by_feature_e6, strict=True)
                },
            }
            for cause in found.causes
        ],
        "problems": len(found.final.problems),
    }
