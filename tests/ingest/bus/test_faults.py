"""Seeded random trouble on memory and on Valkey: consumers die, fail, stall and hand over while all is published."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest

from ingest.bus import Bus, Message, Stream, open_bus
from ingest.bus.memory import Memory
from ingest.bus.model import Entry, Mark
from ingest.bus.seen import Seen
from ingest.bus.tasks import end
from ingest.bus.valkey import Valkey
from ingest.events import FeedError
from tests.ingest.bus.conftest import Rig, fresh
from tests.ingest.bus.kit import eventually, numbered

SEEDS = (1, 2, 3, 4)


class Trouble:
    """Consumers of one group whose ends are drawn from a seed; effects and `Seen` are kept together."""

    def __init__(self, bus: Bus, stream: Stream, rng: random.Random) -> None:
        self.bus, self.stream, self.rng = bus, stream, rng
        self.seen = Seen()
        self.effects: dict[str, list[int]] = defaultdict(list)
        self.poison = {("m1", 5), ("m3", 17)}
        self.ends = 0

    def take(self, message: Message) -> None:
        seq = int(message.value)
        if (message.key, seq) in self.poison:
            raise ValueError("poison")
        if self.rng.random() < 0.02:
            raise ArithmeticError("bad luck")
        if self.seen.fresh(message.key, seq):
            self.effects[message.key].append(seq)
            self.seen.done(message.key, seq)

    async def consumer(self, name: str) -> None:
        """Comes again and again; may leave by an exception with a batch in hand."""
        while True:
            try:
                async with self.bus.consume(self.stream.name, "g", name) as subscription:
                    async for batch in subscription:
                        for message in batch:
                            try:
                                self.take(message)
                            except ValueError as error:
                                await subscription.fail(message, str(error))
                                break
                            if self.rng.random() < 0.01:
                                await asyncio.sleep(0.002)
                        else:
                            if self.rng.random() < 0.95:
                                subscription.ack(batch[-1])
                            else:
                                raise ArithmeticError("dies before it acknowledges")
            except ArithmeticError:
                self.ends += 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rig", ["memory", "valkey"], indirect=True)
async def test_random_deaths_and_redeliveries_lose_nothing_and_double_nothing(rig: Rig, seed: int) -> None:
    rng = random.Random(seed)
    stream = Stream(fresh(), groups=("g",), shards=3, batch=8, attempts=6, retry_ms=1, backlog=60)
    items = numbered(5, 40)
    async with rig.bus(stream, lease_ms=400) as bus:
        trouble = Trouble(bus, stream, rng)
        consumers = [asyncio.create_task(trouble.consumer(f"c{n}")) for n in range(2)]
        at = 0
        while at < len(items):
            size = rng.randint(1, 30)
            await bus.publish_many(stream.name, items[at : at + size])
            at += size
            if rng.random() < 0.1:  # a death without a goodbye is a cancelled task: nothing is acknowledged
                await end(consumers.pop(0))
                consumers.append(asyncio.create_task(trouble.consumer(f"d{at}")))

        async def settled() -> bool:
            letters = await bus.dead_letters(stream.name, "g")
            return len(letters) == 2 and sum(map(len, trouble.effects.values())) == len(items) - 2

        await eventually(settled, 60)
        await end(*consumers)
        letters = await bus.dead_letters(stream.name, "g")
    assert {(letter.key, int(letter.value)) for letter in letters} == trouble.poison
    assert trouble.ends > 0
    for key in range(5):
        wanted = [seq for seq in range(1, 41) if (f"m{key}", seq) not in trouble.poison]
        assert trouble.effects[f"m{key}"] == wanted


@pytest.mark.parametrize("rig", ["memory", "valkey"], indirect=True)
async def test_a_consumer_that_lost_its_lease_cannot_undo_its_successor(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), shards=1)
    engine = Memory(100) if rig.name == "memory" else Valkey(rig.url, 100)
    await engine.open([stream])
    assert await engine.claim(stream, "g", 0, "old", 50) is not None
    assert await engine.claim(stream, "g", 0, "new", 50) is None
    await asyncio.sleep(0.08)
    taken = await engine.claim(stream, "g", 0, "new", 5_000)
    assert taken is not None
    assert not taken.clean  # the old one never said goodbye
    assert await engine.commit(stream, "g", {0: Mark(9)}, "new", False) == set()
    assert await engine.commit(stream, "g", {0: Mark(3)}, "old", False) == {0}
    assert await engine.renew(stream, "g", [0], "old", 50) == set()
    assert (await engine.positions(stream, 0))["g"] == 9
    assert await engine.commit(stream, "g", {0: Mark(9)}, "new", True) == set()
    found = await engine.claim(stream, "g", 0, "old", 50)
    assert found == Mark(9)
    await engine.close()


async def test_a_stalled_consumer_learns_that_its_shard_is_gone() -> None:
    now = 0
    engine = Memory(1_000, lambda: now)
    stream = Stream("s", groups=("g",), shards=1)
    async with Bus(engine, [stream]) as bus:
        await bus.publish("s", "k", b"1")
        async with bus.consume("s", "g", "stalled") as stalled:
            (message,) = await anext(aiter(stalled))
            now += 10_000
            async with bus.consume("s", "g", "other") as second:
                (again,) = await anext(aiter(second))
                assert again.value == b"1"
                assert stalled.ack(message)  # it does not know yet
                await stalled.flush()
                assert stalled.shards == set()
                assert not stalled.ack(message)
                assert not await stalled.fail(message, "late")
                assert second.ack(again)
            assert await bus.lag("s") == {"g": [0]}


async def test_a_repeated_append_is_done_once(valkey: object) -> None:
    stream = Stream(fresh(), groups=("g",), shards=1)
    engine = Valkey(Rig("valkey", valkey).url, 1_000)  # type: ignore[arg-type]
    await engine.open([stream])
    entries = [Entry("k", b"1"), Entry("k", b"2")]
    assert await engine.append(stream, 0, entries, ticket=7) == 2
    assert await engine.append(stream, 0, entries, ticket=7) == 2  # its answer got lost
    assert await engine.append(stream, 0, entries, ticket=8) == 2
    first, end_ = await engine.bounds(stream, 0)
    assert end_ - first == 4
    await engine.close()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("memory://else", "has no address"),
        ("amqp://host", "no bus speaks 'amqp://'"),
        ("nonsense", "no bus speaks"),
        ("kafka://host", "not an address of Kafka"),
        ("kafka://", "not an address of Kafka"),
    ],
)
def test_an_address_that_is_none_gets_one_sentence(url: str, text: str) -> None:
    with pytest.raises(FeedError, match=text) as caught:
        open_bus(url, [])
    assert caught.value.code == "bad_bus_url"


async def test_a_bad_valkey_address_gets_one_sentence() -> None:
    with pytest.raises(FeedError, match="not an address of Valkey") as caught:
        async with open_bus("redis://host:port/x", []):
            pass
    assert caught.value.code == "bad_bus_url"


@pytest.mark.parametrize("url", ["valkey://:s3cret@127.0.0.1:9/0", "kafka://127.0.0.1:9"])
async def test_an_engine_that_is_not_there_is_named_without_its_secrets(url: str) -> None:
    with pytest.raises(FeedError, match="does not answer") as caught:
        async with open_bus(url, [Stream("s", groups=("g",))]):
            pass
    assert caught.value.code == "bus_down"
    assert "s3cret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


async def test_a_publisher_loses_patience_with_an_engine_that_stays_away(valkey: object) -> None:
    rig = Rig("valkey", valkey)  # type: ignore[arg-type]
    stream = Stream(fresh(), groups=("g",), shards=1)
    async with rig.bus(stream, patience_s=0.3) as bus:
        await bus.publish(stream.name, "k", b"1")
        await asyncio.to_thread(rig.kill)
        try:
            with pytest.raises(FeedError, match="Valkey does not answer") as caught:
                await bus.publish(stream.name, "k", b"2")
            assert caught.value.code == "bus_down"
        finally:
            await asyncio.to_thread(rig.start)
        await bus.publish(stream.name, "k", b"3")
        assert [message.value async for message in bus.replay(stream.name, key="k")] == [b"1", b"3"]
