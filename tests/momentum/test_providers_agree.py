"""What the indices of different providers have in common (docs/events.md): the definitions, not a scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.cli.main import app
from ingest.events import Event, Kind, Side
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.statsbomb import constants as statsbomb
from momentum import archive
from momentum.methodology import METHODOLOGIES, Methodology
from momentum.replay import final_events
from momentum.state import CARRIES_AWARDS

SHARED = Path(__file__).parents[3] / "shared" / "data" / "wyscout" / "events"
SAME_MATCH = "2058017"
SMOOTH_S = 60
BOX, DECAY_1, DECAY_2 = METHODOLOGIES


def read(provider: str, paths: Sequence[Path]) -> tuple[Event, ...]:
    return final_events(adapter(provider), paths)[1]


@cache
def of_package(provider: str) -> tuple[Event, ...]:
    return read(provider, default_match_paths(provider))


def agreement(one: Sequence[Event], other: Sequence[Event], methodology: Methodology) -> tuple[float, float]:
    """Correlation and mean difference in points of two indices smoothed over a minute, half by half."""
    pairs = []
    tables = [archive.replay(tuple(events)) for events in (one, other)]
    for period in (1, 2):
        halves = [table.x_e6[methodology.name][table.period == period] / 1e6 for table in tables]
        length = min(map(len, halves))
        window = np.ones(SMOOTH_S) / SMOOTH_S
        pairs.append([np.convolve(half[:length], window, "valid") for half in halves])
    first, second = (np.concatenate(series) for series in zip(*pairs, strict=True))
    return float(np.corrcoef(first, second)[0, 1]), float(np.abs(first - second).mean())


def test_only_the_opta_family_carries_the_awards_of_corners_and_penalties() -> None:
    assert {"opta", "statsperform"} == CARRIES_AWARDS
    kinds = Counter(event.kind for event in of_package("statsbomb"))
    assert (kinds[Kind.CORNER], kinds[Kind.CORNER_AWARDED]) == (10, 0)
    kinds = Counter(event.kind for event in of_package("datafactory"))
    assert kinds[Kind.CORNER_AWARDED] < kinds[Kind.CORNER] + 1  # clearances to a corner alone: some are missing
    assert kinds[Kind.PENALTY_AWARDED] == 1


def test_the_providers_expected_goals_move_the_index_little() -> None:
    told = of_package("statsbomb")
    ours = [replace(event, xg_e6=None) for event in told]
    for methodology, most in ((DECAY_2, 0.6), (DECAY_1, 2.0)):
        r, difference = agreement(told, ours, methodology)
        assert r >= 0.95
        assert difference <= most


def test_carries_and_receipts_would_move_it_less_still(monkeypatch: pytest.MonkeyPatch) -> None:
    told = of_package("statsbomb")
    monkeypatch.setattr(statsbomb, "KINDS", {**statsbomb.KINDS, 42: Kind.TOUCH, 43: Kind.TOUCH})
    more = read("statsbomb", default_match_paths("statsbomb"))
    assert sum(e.kind is Kind.TOUCH for e in more) > sum(e.kind is Kind.TOUCH for e in told) + 1_500
    r, difference = agreement(told, more, DECAY_2)
    assert r >= 0.99
    assert 0 < difference <= 0.3


@pytest.mark.parametrize("provider", ["datafactory", "statsbomb", "statsperform", "wyscout"])
def test_a_matchs_rates_are_those_of_football(provider: str) -> None:
    kinds = Counter(event.kind for event in of_package(provider))
    assert 600 <= kinds[Kind.PASS] <= 1_200
    assert 15 <= kinds[Kind.SHOT] <= 40
    assert 5 <= kinds[Kind.CORNER] <= 20
    assert 20 <= kinds[Kind.THROW_IN] <= 80
    assert 10 <= kinds[Kind.FREE_KICK] <= 40
    assert 10 <= kinds[Kind.FOUL] <= 35
    # Wyscout v2 has no tag of its own for big chances: its opportunities are most shots (docs/events.md).
    assert sum(event.big_chance for event in of_package(provider)) <= (25 if provider == "wyscout" else 8)


def test_every_providers_match_can_be_replayed_from_the_command_line(tmp_path: Path) -> None:
    for provider in ("datafactory", "statsbomb", "statsperform", "wyscout"):
        out = tmp_path / f"{provider}.csv"
        paths = [str(path) for path in default_match_paths(provider)]
        done = CliRunner().invoke(
            app, ["momentum", "replay", "--provider", provider, "--input", *paths, "--out", str(out)]
        )
        assert done.exit_code == 0, done.output
        assert len(out.read_text().splitlines()) > 5_400


def moments(events: Sequence[Event], kind: Kind, side: Side) -> list[tuple[int, float]]:
    return [(e.period, e.play_ms / 1000) for e in events if e.kind is kind and e.side is side]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the development data (../shared/data) is not beside this repository")
def test_one_match_from_two_providers_has_the_same_shots_restarts_and_cards() -> None:
    thin = of_package("datafactory")
    rich = read("wyscout", [SHARED / f"{SAME_MATCH}.json.gz"])
    for side in Side:
        for period, second in moments(thin, Kind.SHOT, side):
            assert any(p == period and abs(s - second) <= 10 for p, s in moments(rich, Kind.SHOT, side))
        for kind, apart in (
            (Kind.SHOT, 2),
            (Kind.CORNER, 1),
            (Kind.THROW_IN, 2),
            (Kind.GOAL_KICK, 1),
            (Kind.YELLOW, 0),
        ):
            assert abs(len(moments(thin, kind, side)) - len(moments(rich, kind, side))) <= apart
    goals = [[(e.period, e.side) for e in events if e.goal] for events in (thin, rich)]
    assert goals[0] == goals[1]
    placed = {side: [e.x for e in thin if e.kind is Kind.SHOT and e.side is side and e.x is not None] for side in Side}
    assert all(min(places) > 65 for places in placed.values())


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the development data (../shared/data) is not beside this repository")
def test_one_match_from_two_providers_has_an_index_within_three_points() -> None:
    thin, rich = of_package("datafactory"), read("wyscout", [SHARED / f"{SAME_MATCH}.json.gz"])
    # DataFactory has neither duels nor most touches: only the box reaches r .95.
    for methodology, least, most in ((DECAY_2, 0.78, 2.0), (DECAY_1, 0.93, 2.0), (BOX, 0.95, 4.5)):
        r, difference = agreement(thin, rich, methodology)
        assert r >= least
        assert difference <= most
