"""What a twin's push line carries."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import orjson
import pytest

from ingest.feeds import ADAPTERS, Recorded
from ingest.session import Session
from ingest.twin.faults import HELL, OF_STREAMS, Fault, Faults, Ledger
from ingest.twin.script import unversioned, write
from ingest.twin.stream import BEAT, BEAT_MS, Frame, frames

NONE = Faults()


def line(recorded: Recorded, faults: Faults, count: int, from_ms: int = 0) -> tuple[list[Frame], Ledger]:
    """The first frames with bytes of a line."""
    ledger = Ledger()
    script = write(ADAPTERS[recorded.info.provider], recorded, NONE, 1, Ledger())
    found = (frame for frame in frames(script, faults, random.Random(2), ledger, from_ms) if frame.body)
    return list(itertools.islice(found, count)), ledger


def test_a_calm_line_tells_the_whole_match_in_order_with_heartbeats_between(hsv: Recorded) -> None:
    script = write(ADAPTERS["statsperform"], hsv, replace(NONE, vanished=0.02, restored=0.02), 1, Ledger())
    session = Session(script.adapter, hsv.info.match_id, hsv.info)
    last_ms = beats = 0
    for frame in frames(script, NONE, random.Random(1), Ledger(), -1):
        assert frame.at_ms >= last_ms
        assert frame.at_ms - last_ms <= BEAT_MS
        last_ms = frame.at_ms
        if frame.at_ms > script.end_ms + BEAT_MS:
            break
        beats += frame.body == BEAT
        for message in frame.body.splitlines():
            if message != BEAT.strip():
                session.fragment(orjson.loads(message), frame.at_ms)
    assert beats == pytest.approx(script.end_ms / BEAT_MS, abs=2)
    assert unversioned(session.timeline.events()) == script.truth()


def test_a_line_opened_late_tells_nothing_of_before(hsv: Recorded) -> None:
    found, _ = line(hsv, NONE, 50, from_ms=3_000_000)
    assert all(frame.at_ms > 3_000_000 for frame in found)


@pytest.mark.parametrize("kind", OF_STREAMS)
def test_each_fault_of_a_stream_is_what_its_name_says(hsv: Recorded, kind: Fault) -> None:
    calm, _ = line(hsv, NONE, 40)
    found, ledger = line(hsv, replace(NONE, **{kind.value: 1.0}), 40)
    messages = [frame.body for frame in found if frame.body != BEAT]
    right = [frame.body for frame in calm if frame.body != BEAT]
    assert {entry.fault for entry in ledger.entries} == {kind}
    match kind:
        case Fault.DUPLICATED:
            assert messages[0] == right[0] * 2
        case Fault.REORDERED:
            assert messages[0] == right[1] + right[0]
        case Fault.GARBLED:
            assert right[0].startswith(messages[0][:-1])
            assert right[0] in messages[1:] or len(messages) < 40
        case Fault.STREAM_CUT:
            assert found[-1].ends
            assert right[0].startswith(found[-1].body)
        case _:
            gaps = [b.at_ms - a.at_ms for a, b in itertools.pairwise(found)]
            assert max(gaps) >= HELL.silence_ms[0]
            assert BEAT not in [frame.body for frame in found]


def test_what_was_garbled_comes_again_whole(hsv: Recorded) -> None:
    calm, _ = line(hsv, NONE, 60)
    found, _ = line(hsv, replace(NONE, garbled=0.3), 400)
    told = {message for frame in found for message in frame.body.splitlines(keepends=True)}
    assert {frame.body for frame in calm} <= told
