"""Shots for the training of expected goals: the archive's through the repository's adapter, and a provider's xG."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.events import SHOOT_OUT, BodyPart, Event, FeedError, Kind, Side
from ingest.feeds import adapter
from ingest.feeds.files import json_files, read_document
from momentum import xg
from momentum.replay import final_events

Floats = NDArray[np.float64]
CONTEXT = (
    "rebound",
    "after_corner",
    "after_free_kick",
    "after_cross",
    "after_duel",
    "after_won_duel",
    "pause_s",
    "advance_m",
    "fast_attack",
)
"""What earlier events tell of a shot. Tried, not shipped: see docs/xg.md."""
SET_CONTEXT = CONTEXT[:4]
_REBOUND_MS, _RESTART_MS, _CROSS_MS, _FAST_MS, _PAUSE_MS = 4_000, 8_000, 3_000, 10_000, 10_000
_LOOK_BACK = 12  # events


@dataclass(frozen=True, slots=True)
class Shot:
    """A shot with what was known of it at that moment, and whether it went in."""

    match: str
    competition: str
    event: Event
    context: tuple[float, ...]

    @property
    def goal(self) -> bool:
        """It went in."""
        return self.event.goal


def shots_of(match: str, competition: str, events: Sequence[Event]) -> list[Shot]:
    """The shots among ``events``; own goals and the shoot-out are none."""
    found = []
    for number, event in enumerate(events):
        if event.kind is Kind.SHOT and not event.own_goal and event.period < SHOOT_OUT:
            before = [e for e in events[max(0, number - _LOOK_BACK) : number] if e.period == event.period]
            found.append(Shot(match, competition, event, context(event, before)))
    return found


def context(shot: Event, before: Sequence[Event]) -> tuple[float, ...]:
    """The figures named in ``CONTEXT``, from the events of the same period before ``shot``."""

    def recent(kind: Kind, within_ms: int, word: str = "") -> bool:
        return any(
            e.kind is kind and e.side == shot.side and shot.play_ms - e.play_ms <= within_ms and word in e.text
            for e in before
        )

    last = before[-1] if before else None
    saved = any(e.kind is Kind.SAVE and shot.play_ms - e.play_ms <= _REBOUND_MS for e in before)
    pause_ms = _PAUSE_MS if last is None else min(_PAUSE_MS, shot.play_ms - last.play_ms)
    advance = 0.0 if last is None or last.x is None or shot.x is None else (shot.x - last.x) * 1.05
    fast = any(
        e.side == shot.side and e.x is not None and e.x < 50 and shot.play_ms - e.play_ms < _FAST_MS for e in before
    )
    return (
        float(saved or recent(Kind.SHOT, _REBOUND_MS)),
        float(recent(Kind.CORNER, _RESTART_MS)),
        float(recent(Kind.FREE_KICK, _RESTART_MS)),
        float(recent(Kind.PASS, _CROSS_MS, "cross")),
        float(last is not None and last.kind is Kind.DUEL),
        float(last is not None and last.kind is Kind.DUEL and last.attacking is True),
        pause_ms / 1000,
        advance,
        float(fast),
    )


def competitions(folder: Path) -> dict[str, str]:
    """Match id to competition, from ``index.csv.gz``. Raises FeedError when it is not there."""
    path = folder / "index.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            return {row["match_id"]: row["competition"] for row in csv.DictReader(file)}
    except (OSError, EOFError, KeyError, UnicodeDecodeError) as error:
        raise FeedError(
            "training_no_index", f"cannot read match ids and competitions from {path} ({error}): check --data"
        ) from error


def _match_shots(folder: Path, competition_of: dict[str, str], match: str) -> list[Shot]:
    _, events = final_events(adapter("wyscout"), [folder], match)
    return shots_of(match, competition_of[match], events)


def archive_shots(folder: Path, jobs: int = 2) -> list[Shot]:
    """All shots of the Wyscout archive at ``folder``, by match id. Raises FeedError for anything else."""
    competition_of = competitions(folder)
    matches = sorted(set(adapter("wyscout").matches([folder])) & competition_of.keys())
    if not matches:
        raise FeedError("training_no_matches", f"no match of {folder}/index.csv.gz has its events there: check --data")
    read = partial(_match_shots, folder, competition_of)
    with ProcessPoolExecutor(max(1, jobs)) as pool:
        return [shot for found in pool.map(read, matches, chunksize=20) for shot in found]


def terms(events: Sequence[Event]) -> Floats:
    """One row a shot: the terms of `xg/1` in the order of ``momentum.xg.TERMS_1``, in floating point."""
    rows = np.empty((len(events), len(xg.TERMS_1)))
    for row, event in zip(rows, events, strict=True):
        row[:] = [float(term) for term in xg.terms_1(event)]
    return rows


@dataclass(frozen=True, slots=True)
class ProviderShot:
    """A shot that a provider gives expected goals for (``event.xg_e6``)."""

    match: str
    event: Event


def statsbomb_shots(folder: Path) -> Iterator[ProviderShot]:
    """Shots of StatsBomb event files in ``folder``, shoot-outs apart. Raises FeedError for other documents."""
    for path in json_files([folder]):
        rows = read_document(path)
        if not isinstance(rows, list):
            raise FeedError("training_not_statsbomb", f"{path} is no list of StatsBomb events: check --data")
        for row in rows:
            try:
                if row["type"]["name"] == "Shot" and row["period"] < SHOOT_OUT:
                    yield ProviderShot(path.name.split(".")[0], _statsbomb(row))
            except (KeyError, TypeError, ValueError, IndexError) as error:
                raise FeedError(
                    "training_not_statsbomb", f"{path} holds an event that is not StatsBomb's ({error!r}): check --data"
                ) from error


def _statsbomb(row: dict[str, Any]) -> Event:
    """StatsBomb's pitch is 120 x 80, from the acting team's view. The side is not needed here."""
    shot, (x, y) = row["shot"], row["location"][:2]
    body = {"Head": BodyPart.HEAD, "Other": BodyPart.OTHER}.get(shot["body_part"]["name"], BodyPart.FOOT)
    return Event(
        event_id=str(row["id"]),
        version=0,
        period=int(row["period"]),
        play_ms=0,
        kind=Kind.SHOT,
        side=Side.HOME,
        x=x / 1.2,
        y=y / 0.8,
        goal=shot["outcome"]["name"] == "Goal",
        penalty=shot["type"]["name"] == "Penalty",
        direct_free_kick=shot["type"]["name"] == "Free Kick",
        body=body,
        xg_e6=round(float(shot["statsbomb_xg"]) * 1e6),
    )
