"""The forecast of a running match: changes in, the quote's numbers out, corrections of any age included.

Kept per match: a 64-bit word per event in playing order, sums of 15 seconds, and the newest seconds one by one.
Possession is read from the index (`LiveMatch`), which keeps it anyway. After any order of delivery the numbers are
those of `momentum.forecast.batch` on the same events, to the last bit.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from momentum.features import MAX_SECOND
from momentum.forecast.columns import CELLS, Mark, mark_of
from momentum.forecast.memory import BLOCK_S, HALF_LIVES_S, TABLES, fine_from
from momentum.forecast.model import Model, shipped
from momentum.forecast.odds import Prior
from momentum.forecast.vector import Scenes, ground_vectors, known_before, vectors
from momentum.live import Change
from momentum.state import Reason

Ints = NDArray[np.int64]

_POSSESSION = 2  # its cells come first and are the index's
_BLOCKS = MAX_SECOND // BLOCK_S + 1
_EXACT_TABLES = np.ascontiguousarray(TABLES, dtype=np.float64)
_LATE = 1  # lowest bit of an event's code: a dead ball comes after a touch of the same millisecond


class Play(Protocol):
    """What the index knows of the match (`momentum.live.LiveMatch`)."""

    def length_s(self, period: int) -> int:
        """Seconds of the period as far as its events tell."""

    def possession(self, period: int) -> NDArray[np.int32] | Ints:
        """2 x seconds: milliseconds with each side."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What the forecast says at one tick. ``share_e6`` is ``model/1`` without, ``share_prior_e6`` with the odds."""

    share_e6: int
    share_prior_e6: int | None
    mu_e6: int
    s_e4: int  # signed
    conf_e4: int


@dataclass(frozen=True, slots=True)
class _Word:
    """The scene an event leaves, unpacked."""

    play: int
    sign: int
    x_e1: int
    corner_pct: int
    free_kick: int
    penalty: int


_NOTHING = _Word(-1, 0, 0, 0, 0, 0)
_HAS_WORD, _ON_BALL = 1, 2


def _pack(mark: Mark) -> int:
    """Everything of a mark but its cells and place in one integer."""
    word = mark.word
    if word is None:
        return 0
    packed = word.x_e1 + 1_024
    for value in (word.corner_pct + 128, word.free_kick + 1, word.penalty + 1, word.sign + 1, int(word.play)):
        packed = packed << 8 | value
    return packed << 2 | _ON_BALL * word.on_ball | _HAS_WORD


def _unpack(packed: int) -> _Word:
    rest, found = packed >> 2, []
    for _ in range(5):
        found.append(rest & 255)
        rest >>= 8
    play, sign, penalty, free_kick, corner = found
    return _Word(play, sign - 1, rest - 1_024, corner - 128, free_kick - 1, penalty - 1)


def _code(period: int, play_ms: int, late: int) -> int:
    return (period << 32 | play_ms) << 1 | late


class Forecaster:
    """``mu``, ``s``, ``conf`` and ``model/1`` of one match. Pure; ticks must ascend."""

    def __init__(
        self,
        *,
        awards_carried: bool,
        prior: Prior | None = None,
        venue: int = 1,
        model: Model | None = None,
    ) -> None:
        """``awards_carried``: see `momentum.state`; ``venue``: 1 home side at home, 0 neutral, -1 exchanged."""
        self._model = shipped() if model is None else model
        self._awards_carried = awards_carried
        self._prior = prior
        self._venue = venue
        self._codes = array("q")  # of all marks in playing order
        self._ids: list[str] = []
        self._words = array("q")
        self._goals: list[tuple[int, int]] = []  # (code, sign)
        self._reds: list[tuple[int, int]] = []
        self._blocks: dict[int, Ints] = {}
        self._fine: dict[tuple[int, int], Counter[int]] = {}
        self._last = (0, -1)

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in changes of the timeline, in the order in which it gave them."""
        for change in changes:
            old = mark_of(change.old, self._awards_carried)
            new = mark_of(change.new, self._awards_carried)
            if old != new:
                if old is not None:
                    self._count(old, -1)
                if new is not None:
                    self._count(new, 1)

    def _count(self, mark: Mark, sign: int) -> None:
        late = int(mark.word is not None and not mark.word.on_ball)
        code = _code(mark.period, mark.play_ms, late)
        at = bisect_left(self._codes, code)
        while at < len(self._codes) and self._codes[at] == code and self._ids[at] < mark.event_id:
            at += 1
        if sign > 0:
            self._codes.insert(at, code)
            self._ids.insert(at, mark.event_id)
            self._words.insert(at, _pack(mark))
        else:
            del self._codes[at], self._ids[at], self._words[at]
        for gained, kept in ((mark.goal, self._goals), (mark.red, self._reds)):
            if gained and sign > 0:
                insort(kept, (code, gained))
            elif gained:
                kept.remove((code, gained))
        if not mark.cells:
            return
        if mark.period not in self._blocks:
            self._blocks[mark.period] = np.zeros((CELLS - _POSSESSION, _BLOCKS), dtype=np.int32)
        blocks, place = self._blocks[mark.period], (mark.period, mark.second)
        fine = self._fine.setdefault(place, Counter()) if place >= self._oldest() else None
        for column, amount in mark.cells:
            blocks[column - _POSSESSION, mark.second // BLOCK_S] += sign * amount
            if fine is not None:
                fine[column] += sign * amount

    def _oldest(self) -> tuple[int, int]:
        """The first second that may still be asked for by itself."""
        period, second = self._last
        return (period, fine_from(second))

    def tick(
        self,
        play: Play,
        period: int,
        second: int,
        x_e6: int,
        *,
        reason: Reason = Reason.NONE,
    ) -> Quote:
        """The forecast at ``second`` of ``period``, which no earlier call has passed (ValueError).

        ``play`` must have been given the same changes; ``x_e6`` is the traded index there, ``reason`` why trading
        is suspended. Seconds may be left out; `conf` knows it.
        """
        if (period, second) < self._last:
            raise ValueError(f"second {second} of period {period} lies before {self._last}, which has been asked for")
        gap_s = second - self._last[1] if period == self._last[0] else second + 1
        self._last = (period, second)
        scenes = self._scenes(play, period, second)
        seen = vectors(self._sums(play, period, second), scenes, np.array([x_e6], dtype=np.int64))
        ground = ground_vectors(self._venue, scenes.cum_s)
        alone = np.concatenate([seen, ground], axis=1)
        share_prior = None
        if self._prior is None:
            best = self._model.play.forms.look(alone)
            share = int(best.share_e6[0])
        else:
            odds = known_before(self._prior.log_odds, self._prior.form_tenths, scenes)
            best = self._model.prior.forms.look(np.concatenate([seen, odds, ground], axis=1))
            share, share_prior = int(self._model.play.forms.share_e6(alone)[0]), int(best.share_e6[0])
        conf_e4 = self._model.conf_e4(best.conf_e4, np.array([int(reason)]), np.array([gap_s]), scenes.age_s)
        return Quote(
            share_e6=share,
            share_prior_e6=share_prior,
            mu_e6=int(best.mu_e6[0]),
            s_e4=int(best.s_e4[0]),
            conf_e4=int(conf_e4[0]),
        )

    def _start(self, play: Play, period: int) -> int:
        return sum(play.length_s(p) for p in range(1, period))

    def _sums(self, play: Play, period: int, second: int) -> Ints:
        """1 x cells x half-lives, as `momentum.forecast.batch` has them."""
        total = np.zeros((CELLS, len(HALF_LIVES_S)))
        now, start = self._start(play, period) + second, 0
        for p in range(1, period + 1):
            own = p == period
            length = play.length_s(p)
            count = fine_from(second) // BLOCK_S if own else length // BLOCK_S + 1
            cells = np.zeros((CELLS, count))
            ball = play.possession(p)[:, : count * BLOCK_S if own else length + 1]
            if ball.shape[1] and count:
                places = np.arange(0, ball.shape[1], BLOCK_S)
                cells[:_POSSESSION, : len(places)] = np.add.reduceat(ball, places, axis=1, dtype=np.int64)
            if p in self._blocks:
                cells[_POSSESSION:] = self._blocks[p][:, :count]
            ages = np.maximum(now - start - (BLOCK_S * np.arange(count) + BLOCK_S // 2), 0)
            total += cells @ _EXACT_TABLES[:, ages].T
            start += length
        return (total + self._recent(play, period, second)).astype(np.int64)[None]

    def _recent(self, play: Play, period: int, second: int) -> NDArray[np.float64]:
        """The part of the sums that counts second by second."""
        first = fine_from(second)
        cells = np.zeros((CELLS, second - first + 1))
        ball = play.possession(period)[:, first : second + 1]
        cells[:_POSSESSION, : ball.shape[1]] = ball
        for place in [place for place in self._fine if place < (period, first)]:
            del self._fine[place]
        for (p, at), amounts in self._fine.items():
            if p == period and at <= second:
                for column, amount in amounts.items():
                    cells[column, at - first] = amount
        result: NDArray[np.float64] = cells @ _EXACT_TABLES[:, second - first :: -1].T
        return result

    def _scenes(self, play: Play, period: int, second: int) -> Scenes:
        now = self._start(play, period) + second
        bound = _code(period, second * 1000, _LATE)
        known = bisect_right(self._codes, bound)
        newest, held = known - 1, known - 1
        while newest >= 0 and not self._words[newest] & _HAS_WORD:
            newest -= 1
        while held >= 0 and not self._words[held] & _ON_BALL:
            held -= 1
        word = _unpack(self._words[newest]) if newest >= 0 else _NOTHING
        ball = _unpack(self._words[held]) if held >= 0 else _NOTHING
        at = 0
        if newest >= 0:
            p, play_ms = divmod(self._codes[newest] >> 1, 1 << 32)
            at = self._start(play, p) + -(-play_ms // 1000)
        one = [
            now,
            sum(sign for code, sign in self._goals if code <= bound),
            sum(sign for code, sign in self._reds if code <= bound),
            word.play,
            word.sign,
            word.x_e1,
            now - at,
            word.corner_pct,
            word.free_kick,
            word.penalty,
            ball.sign,
            ball.x_e1,
        ]
        return Scenes(*np.array(one, dtype=np.int64)[:, None])
