"""The stream's protocol core: order, resumption, slow clients."""

from __future__ import annotations

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.edge.core import RING, Channel, Client, Gap, NeedSnapshot


def offsets(frames: list[str] | NeedSnapshot) -> list[int]:
    assert not isinstance(frames, NeedSnapshot)
    return [orjson.loads(text)["offset"] for text in frames]


def loaded(last: int = 0) -> Channel:
    channel = Channel("m")
    channel.load(last, [])
    return channel


@settings(max_examples=200, deadline=None)
@given(st.permutations(range(1, 20)), st.lists(st.integers(1, 19), max_size=10))
def test_deltas_in_any_order_and_doubled_reach_the_client_once_and_in_order(
    order: list[int], doubled: list[int]
) -> None:
    channel = loaded()
    client = Client(channel)
    client.snapshot_sent(0, 0.0)
    got: list[int] = []
    for offset in [*order, *doubled]:
        channel.push(offset, "tick", f'{{"n":{offset}}}')
        got += offsets(client.take(0.0))
    assert got == list(range(1, 20))


def test_a_new_client_needs_a_snapshot_and_then_gets_what_follows_it() -> None:
    channel = loaded(5)
    client = Client(channel)
    assert client.take(0.0) == NeedSnapshot()
    client.snapshot_sent(7, 0.0)  # the snapshot was ahead of the channel
    for offset in (6, 7, 8):
        channel.push(offset, "tick", "{}")
    assert offsets(client.take(0.0)) == [8]


def test_a_delta_before_the_channel_is_loaded_is_kept() -> None:
    channel = Channel("m")
    assert not channel.push(4, "tick", "{}")
    channel.load(2, [(1, "tick", "{}"), (2, "tick", "{}")])
    assert channel.gap() == Gap(3, 3)
    assert channel.push(3, "tick", "{}")
    assert channel.last == 4
    assert channel.gap() is None


def test_a_client_resumes_where_it_was() -> None:
    channel = Channel("m")
    channel.load(3, [(n, "tick", "{}") for n in (1, 2, 3)])
    client = Client(channel)
    client.resume(1)
    first = client.take(0.0)
    assert isinstance(first, list)
    assert orjson.loads(first[0]) == {"type": "resumed", "match": "m", "offset": 1}
    assert offsets(client.take(0.0)) == [2, 3]


def test_an_offset_that_is_too_old_or_from_the_future_gets_a_snapshot() -> None:
    channel = loaded(5_000)
    for offset in (1, 6_000):
        client = Client(channel)
        client.resume(offset)
        assert client.take(0.0) == NeedSnapshot()


def test_a_slow_client_is_not_sent_the_past() -> None:
    channel = loaded()
    client = Client(channel, max_lag=10)
    client.snapshot_sent(0, 0.0)
    for offset in range(1, 12):
        channel.push(offset, "tick", "{}")
    assert client.take(0.0) == NeedSnapshot()
    assert client.resynced == 1
    client.snapshot_sent(11, 0.0)
    channel.push(12, "tick", "{}")
    assert offsets(client.take(0.0)) == [12]


def test_a_client_behind_the_ring_is_given_a_snapshot() -> None:
    channel = loaded()
    client = Client(channel, max_lag=10**9)
    client.snapshot_sent(0, 0.0)
    for offset in range(1, RING + 2):
        channel.push(offset, "tick", "{}")
    assert client.take(0.0) == NeedSnapshot()


def test_a_quiet_channel_beats() -> None:
    client = Client(loaded(3))
    client.snapshot_sent(3, 0.0)
    assert client.take(1.0) == []
    assert client.wait_s(1.0) == 2.0
    beat = client.take(3.0)
    assert isinstance(beat, list)
    assert orjson.loads(beat[0])["type"] == "heartbeat"
    assert client.take(3.1) == []


def test_messages_are_answered_and_nonsense_is_named() -> None:
    client = Client(loaded(3))
    client.snapshot_sent(3, 0.0)
    for text, kind in (('{"type":"ping"}', "pong"), ("no json", "error"), ("[]", "error"), ("x" * 2_000, "error")):
        client.receive(text)
        answer = client.take(0.0)
        assert isinstance(answer, list)
        assert orjson.loads(answer[0])["type"] == kind
    client.receive('{"type":"resync"}')
    assert client.take(0.0) == NeedSnapshot()


def test_an_announced_delta_is_a_gap_until_it_is_fetched_or_given_up() -> None:
    channel = loaded(3)
    channel.announce(3)
    assert channel.gap() is None
    channel.announce(5)
    assert channel.gap() == Gap(4, 5)
    channel.push(4, "a", "{}")
    channel.push(5, "a", "{}")
    assert channel.gap() is None
    assert channel.last == 5
    channel.announce(7)
    client = Client(channel)
    client.snapshot_sent(5, 0.0)
    channel.skip_to(7)
    assert client.take(0.0) == NeedSnapshot()
    assert channel.gap() is None


def test_a_frame_is_one_json_object() -> None:
    channel = loaded()
    channel.push(1, "event", '{"a":[1]}')
    found = channel.after(0, 5)
    assert found is not None
    assert orjson.loads(found[0]) == {"type": "delta", "match": "m", "offset": 1, "kind": "event", "data": {"a": [1]}}
