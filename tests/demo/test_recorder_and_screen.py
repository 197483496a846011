"""What the keeper knows reaches the database in order, and the terminal shows each thing once."""

from __future__ import annotations

from backend.demo.recorder import merged
from backend.demo.screen import _clock
from backend.demo.stream import KEEP, Stream
from backend.feedstore import Batch, LiveTick, Revision, Score


def tick(number: int) -> LiveTick:
    return LiveTick(number, 1, number, number * 1_000, number * 1_000, 50, 50, 0, 25)


def test_batches_that_waited_are_written_as_one_in_order_with_the_newest_score() -> None:
    first = Batch(1_000, (), (Revision(1, 5, 6, "late"),), Score(0, 0, 1, 1_000), (tick(1),))
    second = Batch(2_000, (), (), Score(1, 0, 1, 2_000), (tick(2),))
    both = merged([first, second, Batch(3_000, (), (), None, (tick(3),))])
    assert [t.tick for t in both.ticks] == [1, 2, 3]
    assert both.score == Score(1, 0, 1, 2_000)
    assert [r.tick for r in both.revisions] == [1]
    assert both.data_ms == 3_000


async def test_a_row_that_comes_again_when_finalized_is_counted_once() -> None:
    stream = Stream("ws://127.0.0.1:1", "m")
    for offset, (kind, data) in enumerate(
        [
            ("trade", {"id": "a", "reason": "filled"}),
            ("trade", {"id": "b", "reason": "suspended"}),
            ("trade", {"id": "a", "reason": "filled", "level": "finalized"}),
            ("tick", {"tick": 7, "status": "live"}),
            ("tick", {"tick": 6, "status": "confirmed"}),
            ("pool", {"cash": "1"}),
        ]
    ):
        await stream._take({"type": "delta", "offset": offset, "kind": kind, "data": data})
    assert dict(stream.ends) == {"filled": 1, "suspended": 1}
    assert stream.rows["trade"]["a"]["level"] == "finalized"
    assert stream.tick == 6
    assert stream.pool == {"cash": "1"}
    assert stream.gaps == 0
    await stream._take({"type": "delta", "offset": 9, "kind": "pool", "data": {}})
    assert stream.gaps == 1


async def test_the_stream_keeps_a_bounded_number_of_rows() -> None:
    stream = Stream("ws://127.0.0.1:1", "m")
    for number in range(KEEP + 50):
        await stream._take({"type": "delta", "offset": number, "kind": "trade", "data": {"id": str(number)}})
    assert len(stream.rows["trade"]) == KEEP
    assert stream.counts["trade"] == KEEP + 50


def test_added_time_is_told_as_added_time() -> None:
    assert [_clock(1, 61), _clock(1, 2_763), _clock(2, 0), _clock(2, 2_701)] == ["01:01", "45+1:03", "45:00", "90+0:01"]
