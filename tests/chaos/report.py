"""A run in words: every kind of fault with its probability and its count, every death, and what must be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ingest.twin.faults import OF_ANSWERS, OF_EVENTS, OF_STREAMS, Fault
from tests.chaos.simulation import Day, Rules

_PER = {
    **dict.fromkeys(OF_EVENTS, "event"),
    **dict.fromkeys(OF_ANSWERS, "answer"),
    **dict.fromkeys(OF_STREAMS, "message"),
}
_PER |= {Fault.GOAL_DROPPED: "goal", Fault.GOAL_RETURNED: "dropped goal", Fault.HEARTBEATS_LOST: "heartbeat"}
_PER |= {Fault.SKEWED: "match"}


def report(days: Sequence[Day], rules: Rules, seconds: float) -> str:
    """The whole report, one line each."""
    faults: Counter[Fault] = sum((day.faults for day in days), Counter())
    deaths: Counter[str] = sum((day.crashes for day in days), Counter())
    counted: Counter[str] = sum((day.counted for day in days), Counter())
    lines = [f"{'fault':<18}{'probability':>22}{'injected':>10}"]
    for kind in Fault:
        chance = f"{rules.faults.of(kind):.3f} per {_PER[kind]}"
        lines.append(f"{kind.value:<18}{chance:>26}{faults[kind]:>10,}")
    lines.append(f"{'faults':<18}{'':>26}{sum(faults.values()):>10,}")
    lines += [f"{kind:<44}{count:>10,}" for kind, count in sorted(deaths.items())]
    lines += [
        "",
        "what the product counted: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counted.items())),
    ]
    matches, requests = sum(day.matches for day in days), sum(day.requests for day in days)
    records, dropped = sum(day.records for day in days), sum(day.dropped for day in days)
    lines += ["", f"{len(days)} days, {matches:,} matches, {requests:,} requests, {records:,} records"]
    lines.append(f"{dropped:,} records came more than once and were dropped by their numbers")
    if any(day.wrong for day in days):
        lines.append("WRONG:")
    else:
        events = sum(day.events for day in days)
        lines.append(f"{events:,} events stand at the end as their providers mean them: none lost, none doubled")
    lines += [f"  day of seed {day.seed}: {text}" for day in days for text in day.wrong]
    lines.append(f"{seconds:.0f} s; digest of the run {digest(days)}")
    return "\n".join(lines)


def digest(days: Sequence[Day]) -> str:
    """One short name for everything that happened."""
    from hashlib import sha256

    return sha256("".join(day.digest for day in days).encode()).hexdigest()[:16]
