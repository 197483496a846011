"""When a feed counts as gone, and how far two may differ: integers that stand in the fused feed's header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from ingest.events import FeedError

HIGHEST = 3_600_000


class _Numbers:
    """Integers of at least 0 by name."""

    def as_dict(self) -> dict[str, int]:
        """For the header."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """From a header; what is not named keeps its default. Raises FeedError ``bad_fusion_header``."""
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        for name, value in found.items():
            if name not in known or type(value) is not int or not 0 <= value <= HIGHEST:
                raise FeedError(
                    "bad_fusion_header",
                    f"{cls.__name__.lower()} {str(name)[:40]} = {str(value)[:40]} is none: they are whole numbers "
                    f"from 0 to {HIGHEST} called {', '.join(sorted(known))}",
                )
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Thresholds(_Numbers):
    """One provider's, by the cadence of its polls or heartbeats. Why these: docs/fusion.md.

    A feed that tells something every second (an unchanged poll counts) is silent after 2.5 of these; one with a
    heartbeat every five seconds needs ``silent_ms`` above 5,000, and a switch away from it takes as much longer.
    """

    silent_ms: int = 2_500  # without any sign of life
    lost_ms: int = 1_000  # after the connection was lost and has not come back
    behind_ms: int = 8_000  # behind the play that another healthy provider reports
    return_ms: int = 60_000  # healthy without a break before it may take over again


@dataclass(frozen=True, slots=True)
class Bounds(_Numbers):
    """How far providers may differ before trading stops. Shares are in 1e-4."""

    ahead_ms: int = 0  # another healthy provider has a goal or red card more
    score_ms: int = 20_000  # another healthy provider lacks a goal
    red_ms: int = 60_000  # another healthy provider lacks a red card
    clock_ms: int = 10_000  # difference of kick-off clocks
    possession_e4: int = 3_000  # difference of possession shares over five minutes
    against_e4: int = 4_000  # of the seconds in which both give a side the ball, those in which it is not the same
    shots: int = 5  # difference of either side's shots over ten minutes
    contrary_ms: int = 30_000  # for so long clocks, possession or shots may contradict each other
    usual_e4: int = 15_000  # difference of indices in 1e-4 points that healthy providers show: not doubted
    dwell_ms: int = 30_000  # least time between a switch and a return
    least_health: int = 50  # below, a feed gives way to one that is 20 better
