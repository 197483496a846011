"""Methodologies: named, versioned, hashed definitions of the index. A version never changes.

A methodology is data: its canonical JSON says everything that decides a value, and its SHA-256 goes on chain
with every feed. Memory is an integer table `weights[age]` per feature in 2^-32 units, age in whole seconds of playing
time; an index is `S(n) = sum v_i * weights[n - n_i]` per feature and side, computed from the events each time
and never by a recurrence, so that the order of delivery cannot leave a trace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from momentum import xg

Ints = NDArray[np.int64]

WEIGHT_ONE = 1 << 32
WEIGHT_BITS = 32
MAX_E6 = 100_000_000
LEVEL_E6 = 50_000_000

FEATURES = ("possession", "shots", "xg", "field_tilt", "recent_events")
INPUTS = tuple(f"{feature}_{side}" for feature in FEATURES for side in ("home", "away"))
"""The ten input integers of a tick, in the order in which they are hashed."""

COLUMNS = (*INPUTS, "xg1_home", "xg1_away")
"""What every second contributes to: the inputs under the first model of expected goals, and xG under `xg/1`."""
_COLUMNS_OF = {"xg/0": tuple(range(10)), "xg/1": (0, 1, 2, 3, 10, 11, 6, 7, 8, 9)}
XG_DEFINITIONS: dict[str, dict[str, Any]] = {"xg/0": xg.DEFINITION, "xg/1": xg.DEFINITION_1}

POSSESSION_CAP_MS = 12_000
TILT_MIN_X = 66.7
# Recent events in half points, so that 0.5 is an integer.
GOAL_HALVES, BIG_CHANCE_HALVES, CORNER_HALVES, YELLOW_HALVES, RED_HALVES = 6, 3, 2, 1, 4

_SHARE_PER_CENT = (20, 20, 30, 20, 10)
SHARE_E6 = tuple(weight * 500_000 for weight in _SHARE_PER_CENT)
"""What a share of 1 instead of .5 adds to the index, in 1e-6 points: half of its weight of 100 points."""

_DEFINITIONS: dict[str, Any] = {
    "clock": "playing time in whole seconds, summed over periods; an event at t counts from tick ceil(t); a period "
    "lasts until the ceiling of its last event; the shoot-out is excluded",
    "features": {
        "possession": "milliseconds since the last on-ball event, to its side, at most 12000 after it, none while the "
        "ball is dead",
        "shots": "shots, own goals excluded",
        "xg": "1e-6 expected goals of those shots: the provider's, else xg/0",
        "field_tilt": "passes that start at x >= 66.7, any outcome",
        "recent_events": "half points: goal 6 (own goals to the side that gains), big chance 3, corner taken 2, "
        "opponent's yellow 1, opponent's red 4",
    },
    "on_ball": "pass, shot, touch, free kick, corner, throw-in, goal kick, attacking duel on the ground",
    "dead_ball": "from goal, out, interruption, foul, offside, corner awarded, penalty awarded, period end until the "
    "next on-ball event; at equal times these come after on-ball events, then the smaller event id first",
    "weights_per_cent": dict(zip(FEATURES, _SHARE_PER_CENT, strict=True)),
    "value": "x_e6 = 50000000 + sum over features of trunc(weight * 500000 * (H - A) / (H + A + 2 P)), trunc towards "
    "zero, 0 where the denominator is 0; H, A = sum of v * table[age], P = pseudo-count * 2^32",
}


@dataclass(frozen=True, eq=False)
class Memory:
    """How long a feature is remembered: ``table[age]`` is the weight of a second ``age`` seconds ago in 2^-32 units.

    Beyond the table's end it is 0. Features with the same memory share one object.
    """

    table: Ints
    digest: str = field(init=False)
    """SHA-256 of the table as little-endian u64, in hexadecimal."""
    constant: bool = field(init=False)
    """Whether all weights are equal, as in a box."""

    def __post_init__(self) -> None:
        self.table.setflags(write=False)
        object.__setattr__(self, "digest", hashlib.sha256(self.table.astype("<u8").tobytes()).hexdigest())
        object.__setattr__(self, "constant", bool((self.table == self.table[0]).all()))

    @property
    def definition(self) -> dict[str, Any]:
        """What the canonical JSON says of it."""
        return {"entries": len(self.table), "sha256_le_u64": self.digest}


@dataclass(frozen=True)
class Methodology:
    """One definition of the index.

    ``memories`` are those of the five features and ``pseudo`` the pseudo-counts per side, in the units of the
    features; ``memory`` says in words how the tables come about. ``xg`` names the model for shots without a
    provider's expected goals.
    """

    name: str
    memory: dict[str, Any]
    pseudo: tuple[int, int, int, int, int]
    memories: tuple[Memory, Memory, Memory, Memory, Memory] = field(repr=False, compare=False)
    xg: str = "xg/0"

    @property
    def canonical(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, ASCII."""
        shared = len({id(memory) for memory in self.memories}) == 1
        tables: dict[str, Any] = self.memories[0].definition
        if not shared:
            tables = {name: memory.definition for name, memory in zip(FEATURES, self.memories, strict=True)}
        features = {name: text.replace("xg/0", self.xg) for name, text in _DEFINITIONS["features"].items()}
        document = {
            "name": self.name,
            **_DEFINITIONS,
            "features": features,
            "memory": {**self.memory, "unit": "2^-32", **tables},
            "pseudo_counts": dict(zip(FEATURES, self.pseudo, strict=True)),
            self.xg: XG_DEFINITIONS[self.xg],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @property
    def hash(self) -> bytes:
        """SHA-256 of the canonical JSON: the 32 bytes that a feed carries on chain."""
        return self._hash

    @property
    def columns(self) -> tuple[int, ...]:
        """Which of `COLUMNS` its ten inputs are sums of."""
        return _COLUMNS_OF[self.xg]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hashlib.sha256(self.canonical).digest())

    _hash: bytes = field(init=False, repr=False, compare=False, default=b"")


def _box_table(seconds: int) -> NDArray[np.int64]:
    return np.full(seconds, WEIGHT_ONE, dtype=np.int64)


def decay_table(half_life_s: int) -> NDArray[np.int64]:
    """Round half up of 2^32 * 2^(-age/half_life), down to the last age whose weight is not 0.

    Decimal and integer arithmetic with 96 guard bits, so that no machine's floating point can move an entry.
    """
    bits = WEIGHT_BITS + 96
    exact = Context(prec=60)
    step = exact.exp(exact.divide(exact.ln(Decimal("0.5")), Decimal(half_life_s)))  # 2^(-1/half_life)
    root = int(exact.multiply(step, Decimal(1 << bits)))
    first_half_life, weight = [], 1 << bits
    for _ in range(half_life_s):
        first_half_life.append(weight)
        weight = weight * root >> bits
    entries, halvings = [], 0
    while True:
        shift = 96 + halvings
        block = [(value + (1 << (shift - 1))) >> shift for value in first_half_life]
        entries += [entry for entry in block if entry]
        if not block[-1]:
            return np.array(entries, dtype=np.int64)
        halvings += 1


_BOX = Memory(_box_table(300))
SPEC_BOX = Methodology("spec-box/1", {"kind": "box", "seconds": 300}, (0, 0, 0, 0, 0), (_BOX, _BOX, _BOX, _BOX, _BOX))
"""The formula read literally: 300 seconds, all equal. Always computed and published."""

_HALF_180 = Memory(decay_table(180))
SPEC_DECAY_1 = Methodology(
    "spec-decay/1",
    {"kind": "exponential", "half_life_s": 180, "rule": "round half up of 2^32 * 2^(-age/180)"},
    (30_000, 1, 150_000, 4, 2),
    (_HALF_180, _HALF_180, _HALF_180, _HALF_180, _HALF_180),
)
"""Half-life 180 seconds with pseudo-counts per side."""

_FAST, _SLOW = Memory(decay_table(120)), Memory(decay_table(900))
SPEC_DECAY = Methodology(
    "spec-decay/2",
    {
        "kind": "exponential",
        "half_life_s": {"possession": 120, "shots": 900, "xg": 120, "field_tilt": 900, "recent_events": 120},
        "rule": "round half up of 2^32 * 2^(-age/half_life)",
    },
    (15_000, 8, 600_000, 4, 8),
    (_FAST, _SLOW, _FAST, _SLOW, _FAST),
    "xg/1",
)
"""What comes and goes is forgotten in two minutes, what tells who is on top in fifteen; larger pseudo-counts, because
one shot or goal says little of the minutes after it. Traded by default (docs/momentum.md has the search)."""

METHODOLOGIES = (SPEC_BOX, SPEC_DECAY_1, SPEC_DECAY)


def by_name(name: str) -> Methodology:
    """The methodology called ``name``; KeyError with the known names otherwise."""
    for methodology in METHODOLOGIES:
        if methodology.name == name:
            return methodology
    raise KeyError(f"unknown methodology {name!r}; known: {', '.join(m.name for m in METHODOLOGIES)}")


def by_hash(digest: bytes) -> Methodology:
    """The methodology with this hash (as a feed carries it); KeyError otherwise."""
    for methodology in METHODOLOGIES:
        if methodology.hash == digest:
            return methodology
    raise KeyError(f"no known methodology has the hash {digest.hex()}")


def index_e6(inputs: Sequence[int], methodology: Methodology) -> int:
    """The index in 1e-6 points, 0..100e6, from the ten inputs of one tick.

    Every feature's deviation from level is truncated towards zero by itself, so that exchanging the sides
    gives exactly ``100e6 - x``.
    """
    x_e6 = LEVEL_E6
    for j, (share_e6, pseudo) in enumerate(zip(SHARE_E6, methodology.pseudo, strict=True)):
        home, away = inputs[2 * j], inputs[2 * j + 1]
        total = home + away + 2 * pseudo * WEIGHT_ONE
        if total:
            deviation = abs(home - away) * share_e6 // total
            x_e6 += deviation if home > away else -deviation
    return x_e6


def deviation_e6_array(
    home: NDArray[np.int64], away: NDArray[np.int64], share_e6: int, pseudo: int
) -> NDArray[np.int64]:
    """What one feature adds to the index in 1e-6 points, tick by tick: ``trunc(share (H - A) / (H + A + 2 P))``.

    ``share_e6`` is the feature's of `SHARE_E6` and ``pseudo`` the methodology's. Exact: the quotient is below 2^24 and
    known to 2^-26 in floating point; lowered by 2^-20 it is the integer looked for or the one before. The remainder,
    small and therefore right even when the products wrap around 64 bits, tells which. Sums of 2^61 and more (500
    expected goals in memory) take Python's integers.
    """
    apart = home - away
    if int(home.max(initial=0)) + int(away.max(initial=0)) + 2 * pseudo * WEIGHT_ONE >= 1 << 61:
        wide = np.maximum(home.astype(object) + away + 2 * pseudo * WEIGHT_ONE, 1)
        return np.asarray(np.abs(apart).astype(object) * share_e6 // wide * np.sign(apart), dtype=np.int64)
    total = home + away
    if pseudo:
        total += 2 * pseudo * WEIGHT_ONE
    else:
        np.maximum(total, 1, out=total)
    sign = np.sign(apart)
    apart *= sign
    share = apart / total
    share *= share_e6
    share -= 2.0**-20
    quotient: NDArray[np.int64] = share.astype(np.int64)  # 0 for -2^-20
    apart *= share_e6
    apart -= quotient * total
    quotient += apart >= total
    quotient *= sign
    return quotient


def index_e6_array(inputs: NDArray[np.int64], methodology: Methodology) -> NDArray[np.int64]:
    """``index_e6`` of every row of ``inputs`` (ticks x 10), the same integers."""
    x_e6 = np.full(len(inputs), LEVEL_E6, dtype=np.int64)
    for j, (share_e6, pseudo) in enumerate(zip(SHARE_E6, methodology.pseudo, strict=True)):
        x_e6 += deviation_e6_array(inputs[:, 2 * j], inputs[:, 2 * j + 1], share_e6, pseudo)
    return x_e6


def inputs_hash(methodology: Methodology, inputs: Sequence[int], feed_digest: bytes) -> bytes:
    """SHA-256 of methodology hash, ten inputs (little-endian i64) and the feed's digest at the tick: 32 bytes."""
    packed = b"".join(int(value).to_bytes(8, "little", signed=True) for value in inputs)
    return hashlib.sha256(methodology.hash + packed + feed_digest).digest()
