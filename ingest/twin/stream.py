"""What a push line carries: messages as they happen, heartbeats, and what goes wrong with them. A pure core."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from ingest.twin.faults import Fault, Faults, Ledger
from ingest.twin.script import Script, Step

BEAT_MS = 5_000
BEAT = b'{"heartbeat":true}\n'


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes that leave at ``at_ms``; the connection breaks after a frame that ``ends``. One without bytes only says
    when to ask for the next: what has not happened yet is not decided yet.
    """

    at_ms: int
    body: bytes
    ends: bool = False


@dataclass(order=True, slots=True)
class _Due:
    at_ms: int
    number: int
    body: bytes | None  # None: a heartbeat
    again: bool = False


def message(script: Script, step: Step) -> bytes:
    """One pushed message: the raw fragment; what stands in no document any more is withdrawn by one of its own."""
    doc = step.doc
    if doc is None:
        doc = script.adapter.withdrawal(step.key, script.clock_ms(step.at_ms))
    return orjson.dumps(doc) + b"\n"


def frames(
    script: Script, faults: Faults, rng: random.Random, ledger: Ledger, from_ms: int, calm_ms: int | None = None
) -> Iterator[Frame]:
    """What a line opened at ``from_ms`` carries, without end: whoever listens hangs up. Nothing is told again but
    garbled messages; whoever was away fetches the document.
    """
    coming = bisect_right(script.steps, from_ms, key=lambda step: step.at_ms)
    number = 0
    due = [_Due(from_ms + BEAT_MS, number, None)]
    held: bytes | None = None  # a message that lets the next one pass
    dead_until_ms = 0
    while True:
        number += 1
        if coming < len(script.steps) and script.steps[coming].at_ms < due[0].at_ms:
            step, coming = script.steps[coming], coming + 1
            item = _Due(step.at_ms, number, message(script, step))
        else:
            item = heapq.heappop(due)
        at_ms = max(item.at_ms, dead_until_ms)
        yield Frame(at_ms, b"")
        calm = calm_ms is not None and item.at_ms >= calm_ms
        if item.body is None:
            heapq.heappush(due, _Due(item.at_ms + BEAT_MS, number, None))
            if held is not None:
                yield Frame(at_ms, held)
                held = None
            if not calm and rng.random() < faults.heartbeats_lost and at_ms == item.at_ms:
                dead_until_ms = at_ms + rng.randint(*faults.silence_ms)
                ledger.add(at_ms, Fault.HEARTBEATS_LOST, f"{dead_until_ms - at_ms} ms")
            elif at_ms == item.at_ms:
                yield Frame(at_ms, BEAT)
            continue
        fault = None if calm or item.again else _drawn(faults, rng)
        if fault is Fault.REORDERED and held is not None:
            fault = None
        if fault is not None:
            ledger.add(at_ms, fault, f"message at {item.at_ms}")
        body, half = item.body, item.body[: rng.randrange(1, len(item.body) - 1)]
        match fault:
            case Fault.STREAM_CUT:
                yield Frame(at_ms, half, ends=True)
                return
            case Fault.GARBLED:
                heapq.heappush(due, _Due(item.at_ms + rng.randint(*faults.late_ms), number, body, again=True))
                body = half + b"\n"
            case Fault.DUPLICATED:
                body += body
            case Fault.REORDERED:
                held = body
                continue
            case _:
                pass
        yield Frame(at_ms, body + (held or b""))
        held = None


def _drawn(faults: Faults, rng: random.Random) -> Fault | None:
    draw = rng.random()
    for kind in (Fault.STREAM_CUT, Fault.GARBLED, Fault.DUPLICATED, Fault.REORDERED):
        draw -= faults.of(kind)
        if draw < 0:
            return kind
    return None
