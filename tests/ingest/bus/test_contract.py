"""What the bus promises, proven on memory, Valkey and Kafka alike (`ingest.bus` lists the promises)."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from ingest.bus import Message, Stream
from ingest.bus.cursor import DIED
from ingest.bus.records import handle_records, publish_records
from ingest.bus.seen import Seen
from ingest.events import Delete, FeedError
from ingest.record import Record
from tests.ingest.bus.conftest import LEASE_MS, Rig, fresh
from tests.ingest.bus.kit import Ledger, eventually, first_batch, numbered, stopped, work

CHILD = Path(__file__).with_name("child.py")
ROOT = Path(__file__).parents[3]


async def test_messages_of_a_key_arrive_in_order_while_consumers_come_and_go(rig: Rig) -> None:
    stream, items, rng = Stream(fresh(), groups=("g",), batch=7), numbered(12, 60), random.Random(5)
    ledger = Ledger()
    order: dict[str, list[int]] = {}

    async def one(name: str) -> None:
        async with bus.consume(stream.name, "g", name) as subscription:
            async for batch in subscription:
                for message in batch:
                    await asyncio.sleep(rng.random() * 0.001)
                    order.setdefault(message.key, []).append(int(message.value))
                    ledger.take(message)
                subscription.ack(batch[-1])

    async with rig.bus(stream) as bus:
        workers = [asyncio.create_task(one("a"))]
        for at in range(0, len(items), 60):
            await bus.publish_many(stream.name, items[at : at + 60])
            if at == 240:
                workers.append(asyncio.create_task(one("b")))
            if at == 480:
                await stopped(workers.pop(0))
        await ledger.reaches(len(items))
        for worker in workers:
            await stopped(worker)
    assert ledger.is_exactly(items)
    for seqs in order.values():  # what came again came as a run from before, never as a hole
        assert all(after <= before + 1 for before, after in itertools.pairwise(seqs))


async def test_publishes_side_by_side_keep_the_order_in_which_they_were_begun(rig: Rig) -> None:
    stream, ledger = Stream(fresh(), groups=("g",)), Ledger()
    items = numbered(2, 100)
    async with rig.bus(stream) as bus:
        await asyncio.gather(*(bus.publish(stream.name, key, value) for key, value in items))
        worker = asyncio.create_task(work(bus, stream.name, "g", "a", ledger))
        await ledger.reaches(len(items))
        await stopped(worker)
    assert ledger.is_exactly(items)


async def test_two_consumers_share_the_shards_and_one_alone_has_all(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), shards=4)
    async with rig.bus(stream) as bus, bus.consume(stream.name, "g", "a") as one:
        async with bus.consume(stream.name, "g", "b") as two:

            async def even() -> bool:
                return len(one.shards) == len(two.shards) == 2 and not one.shards & two.shards

            await eventually(even)

        async def all_of_them() -> bool:
            return one.shards == {0, 1, 2, 3}

        await eventually(all_of_them)


async def test_every_group_gets_everything(rig: Rig) -> None:
    stream, items = Stream(fresh(), groups=("index", "history")), numbered(3, 20)
    ledgers = {group: Ledger() for group in stream.groups}
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, items)
        workers = [asyncio.create_task(work(bus, stream.name, group, "a", ledger)) for group, ledger in ledgers.items()]
        for ledger in ledgers.values():
            await ledger.reaches(len(items))
            assert ledger.is_exactly(items)
        for worker in workers:
            await stopped(worker)
        assert await bus.lag(stream.name) == {"index": [0] * 4, "history": [0] * 4}


async def test_what_was_not_acknowledged_comes_again(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), shards=1)
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, numbered(1, 10))
        async with bus.consume(stream.name, "g", "a") as subscription:
            batch = await first_batch(subscription)
            assert [int(message.value) for message in batch] == list(range(1, 11))
            assert subscription.ack(batch[3])
            assert not subscription.ack(batch[2])  # done before
        async with bus.consume(stream.name, "g", "b") as subscription:
            seqs = []
            while len(seqs) < 6:
                batch = await first_batch(subscription)
                seqs += [int(message.value) for message in batch]
                subscription.ack(batch[-1])
        assert seqs == [5, 6, 7, 8, 9, 10]


async def test_a_killed_consumer_loses_nothing_and_doubles_nothing(server_rig: Rig) -> None:
    stream, items = Stream(fresh(), groups=("g",), shards=2, batch=10), numbered(4, 50)
    ledger = Ledger()
    async with server_rig.bus(stream) as bus:
        await bus.publish_many(stream.name, items)
        args = [sys.executable, str(CHILD), server_rig.url, stream.name, "g", str(stream.batch), str(LEASE_MS)]
        child = await asyncio.create_subprocess_exec(
            *args, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert child.stdout is not None
        for _ in range(55):  # some acknowledged, some in hand
            key, seq = (await asyncio.wait_for(child.stdout.readline(), 30)).split()
            ledger.take(Message(stream.name, 0, 0, key.decode(), seq))
        child.send_signal(signal.SIGKILL)
        for line in (await child.stdout.read()).splitlines():
            key, seq = line.split()
            ledger.take(Message(stream.name, 0, 0, key.decode(), seq))
        await child.wait()
        worker = asyncio.create_task(work(bus, stream.name, "g", "heir", ledger))
        await ledger.reaches(len(items))
        await stopped(worker)
        assert ledger.is_exactly(items)
        assert ledger.deliveries > len(items)  # what the dead one had in hand came again
        assert await bus.dead_letters(stream.name, "g") == []


async def test_replay_gives_a_key_or_a_shard_from_any_position_and_disturbs_no_group(rig: Rig) -> None:
    stream, items = Stream(fresh(), groups=("g",), shards=3), numbered(6, 30)
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, items)
        whole = [message async for message in bus.replay(stream.name, key="m2")]
        assert [int(message.value) for message in whole] == list(range(1, 31))
        again = [message async for message in bus.replay(stream.name, key="m2", start=whole[20].position)]
        assert again == whole[20:]
        shard = [message async for message in bus.replay(stream.name, shard=whole[0].shard)]
        assert [message for message in shard if message.key == "m2"] == whole
        assert [message.position for message in shard] == sorted(message.position for message in shard)
        assert sum(sum(behind) for behind in (await bus.lag(stream.name)).values()) == len(items)
        with pytest.raises(FeedError, match="a key or a shard"):
            await anext(bus.replay(stream.name))


async def test_a_publisher_waits_for_the_slowest_group(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("fast", "slow"), shards=1, backlog=100, batch=20)
    items, ledger, other, most = numbered(1, 400), Ledger(), Ledger(), 0
    async with rig.bus(stream) as bus:
        publishing = asyncio.create_task(bus.publish_many(stream.name, items))
        fast = asyncio.create_task(work(bus, stream.name, "fast", "a", other))
        await other.reaches(100)
        await asyncio.sleep(0.3)
        assert not publishing.done()
        assert other.count == 100  # nothing went past the backlog of the group that has not begun
        slow = asyncio.create_task(work(bus, stream.name, "slow", "a", ledger, pause_s=0.01))
        while not publishing.done():
            most = max(most, (await bus.lag(stream.name))["slow"][0])
            await asyncio.sleep(0.005)
        await publishing
        await ledger.reaches(len(items))
        await other.reaches(len(items))
        await stopped(slow)
        await stopped(fast)
    assert 0 < most <= stream.backlog
    assert ledger.is_exactly(items)


async def test_a_poison_message_goes_to_the_dead_letters_and_the_stream_goes_on(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g", "other"), shards=1, attempts=3, retry_ms=10)
    values = [b"1", b"2", b"\xff\x00poison", b"4", b"5"]
    tries: list[int] = []
    done: list[bytes] = []
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, [("m", value) for value in values])
        async with bus.consume(stream.name, "g", "a") as subscription:
            while len(done) < 4:
                for message in await first_batch(subscription):
                    if message.value.endswith(b"poison"):
                        tries.append(message.attempt)
                        assert await subscription.fail(message, "cannot read it")
                        break
                    done.append(message.value)
                    subscription.ack(message)
            assert tries == [1, 2, 3]
            assert done == [b"1", b"2", b"4", b"5"]
            (letter,) = await bus.dead_letters(stream.name, "g")
            assert (letter.key, letter.value, letter.reason, letter.attempts) == ("m", values[2], "cannot read it", 3)
            assert await bus.dead_letters(stream.name, "other") == []
            await bus.redrive(stream.name, letter)
            (again,) = await first_batch(subscription)
            assert (again.key, again.value, again.attempt) == ("m", values[2], 1)
            assert await bus.dead_letters(stream.name, "g") == []
            assert await subscription.fail(again, "still not", final=True)
            (letter,) = await bus.dead_letters(stream.name, "g")
            await bus.discard(letter)
            assert await bus.dead_letters(stream.name, "g") == []
            await subscription.flush()
        others: list[bytes] = []
        async with bus.consume(stream.name, "other", "a") as subscription:
            while len(others) < 5:
                batch = await first_batch(subscription)
                others += [message.value for message in batch]
                subscription.ack(batch[-1])
            assert others == values  # what was sent again was for the other group alone

            async def all_done() -> bool:
                return await bus.lag(stream.name) == {"g": [0], "other": [0]}

            await eventually(all_done)


async def test_a_message_that_kills_its_consumers_is_found_and_put_aside(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), shards=1, attempts=2, batch=10)
    values = [str(n).encode() for n in range(1, 21)]
    done: list[bytes] = []
    deaths = 0
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, [("m", value) for value in values])
        while len(set(done)) < 19:
            try:
                async with bus.consume(stream.name, "g", "a") as subscription:
                    while len(set(done)) < 19:
                        batch = await first_batch(subscription)
                        for message in batch:
                            if message.value == b"7":
                                raise ZeroDivisionError
                            done.append(message.value)
                        subscription.ack(batch[-1])
            except ZeroDivisionError:
                deaths += 1
        (letter,) = await bus.dead_letters(stream.name, "g")
    assert (letter.value, letter.reason, letter.attempts) == (b"7", DIED, 2)
    assert deaths == 3  # once in its batch, which blames nobody, and twice alone
    assert list(dict.fromkeys(done)) == [value for value in values if value != b"7"]


async def test_retention_keeps_what_a_group_or_a_replay_needs(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g", "late"), shards=1, backlog=1_000, keep=50, batch=100)
    items, ledger, late = numbered(1, 500), Ledger(), Ledger()
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, items)
        worker = asyncio.create_task(work(bus, stream.name, "g", "a", ledger))
        await ledger.reaches(len(items))
        oldest, end = await bus.bounds(stream.name, 0)
        assert await bus.trim(stream.name) == [oldest]  # the group that is late holds everything
        assert end - oldest == 500
        reader = asyncio.create_task(work(bus, stream.name, "late", "a", late))
        await late.reaches(len(items))

        async def idle() -> bool:
            return await bus.lag(stream.name) == {"g": [0], "late": [0]}

        await eventually(idle)
        assert await bus.trim(stream.name) == [end - 50]
        assert await bus.bounds(stream.name, 0) == (end - 50, end)
        kept = [message async for message in bus.replay(stream.name, shard=0)]
        assert [int(message.value) for message in kept] == list(range(451, 501))
        with pytest.raises(FeedError, match="its oldest is") as caught:
            await anext(bus.replay(stream.name, shard=0, start=oldest))
        assert caught.value.code == "position_gone"
        await bus.publish_many(stream.name, numbered(1, 10, first=501))
        await late.reaches(510)
        await stopped(worker)
        await stopped(reader)


async def test_a_killed_server_comes_back_with_every_acknowledged_message(server_rig: Rig) -> None:
    stream, ledger = Stream(fresh(), groups=("g",), batch=50), Ledger()
    sent: list[tuple[str, bytes]] = []
    stop = asyncio.Event()

    async def publish() -> None:
        seq = 0
        while not stop.is_set():
            seq += 1
            items = [(f"m{key}", str(seq).encode()) for key in range(8)]
            await bus.publish_many(stream.name, items)
            sent.extend(items)
            await asyncio.sleep(0.001)

    async with server_rig.bus(stream, patience_s=60) as bus:
        publisher = asyncio.create_task(publish())
        worker = asyncio.create_task(work(bus, stream.name, "g", "a", ledger))
        for _ in range(2 if server_rig.name == "valkey" else 1):
            before = len(sent)
            await eventually(lambda floor=before + 400: _true(len(sent) > floor), 60)
            await asyncio.to_thread(server_rig.kill)
            await asyncio.sleep(0.3)
            during = len(sent)
            await asyncio.to_thread(server_rig.start)
            await eventually(lambda floor=during + 400: _true(len(sent) > floor), 60)
        stop.set()
        await publisher
        await ledger.reaches(len(sent), 60)
        await stopped(worker)
    assert ledger.is_exactly(sent)


async def _true(value: bool) -> bool:
    return value


async def test_records_are_checked_and_each_is_handled_once(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), retry_ms=5)
    records = [
        Record(match, "statsperform", seq, 1_000 + seq, "0" * 64, Delete(f"e{seq}", 1))
        for seq in range(1, 31)
        for match in ("a", "b")
    ]
    handled: list[Record] = []
    failures = {("b", 9): 1, ("a", 4): 99}
    seen = Seen()

    def handle(record: Record) -> None:
        if failures.get((record.match_id, record.seq), 0) > 0:
            failures[record.match_id, record.seq] -= 1
            raise ValueError("not now")
        handled.append(record)

    async with rig.bus(stream) as bus:
        await publish_records(bus, stream.name, records[:20])
        await bus.publish(stream.name, "a", b'{"match_id":')
        await bus.publish(stream.name, "b", b"\xff\xfe\x00")
        await publish_records(bus, stream.name, records[10:])  # ten of them again
        async with bus.consume(stream.name, "g", "w") as subscription:
            worker = asyncio.create_task(handle_records(subscription, handle, seen))

            async def done() -> bool:
                return len(handled) >= 59 and len(await bus.dead_letters(stream.name, "g")) >= 3

            await eventually(done)
            await stopped(worker)
        letters = await bus.dead_letters(stream.name, "g")
    broken = {letter.value for letter in letters if letter.reason.startswith("not a canonical record")}
    assert broken == {b"\xff\xfe\x00", b'{"match_id":'}
    assert [letter.reason for letter in letters if letter.reason.startswith("ValueError")] == ["ValueError: not now"]
    for match in ("a", "b"):
        got = [record.seq for record in handled if record.match_id == match]
        assert got == [seq for seq in range(1, 31) if (match, seq) != ("a", 4)]
    assert seen.missing("a") == [4]


async def test_a_value_of_any_bytes_and_size_arrives_as_it_was(rig: Rig) -> None:
    stream, rng = Stream(fresh(), groups=("g",), shards=1), random.Random(3)
    values = [b"", bytes(range(256)), rng.randbytes(300_000), b"\x00" * 7, rng.randbytes(500_000), b"last"]
    async with rig.bus(stream) as bus:
        await bus.publish_many(stream.name, [("schlüssel ⚽", value) for value in values])
        got: list[bytes] = []
        async with bus.consume(stream.name, "g", "a") as subscription:
            while len(got) < len(values):
                batch = await first_batch(subscription)
                assert {message.key for message in batch} == {"schlüssel ⚽"}
                got += [message.value for message in batch]
                subscription.ack(batch[-1])
        assert got == values
        with pytest.raises(FeedError, match="over the limit") as caught:
            await bus.publish(stream.name, "k", bytes(600_000))
        assert caught.value.code == "too_large"


async def test_misuse_gets_one_sentence(rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), shards=2)
    async with rig.bus(stream) as bus:
        assert bus.engine == rig.name
        for code, call in (
            ("unknown_stream", lambda: bus.publish("nothing", "k", b"v")),
            ("unknown_stream", lambda: bus.lag("nothing")),
        ):
            with pytest.raises(FeedError) as caught:
                await call()
            assert caught.value.code == code
        with pytest.raises(FeedError, match="has no group 'x': it has g"):
            bus.consume(stream.name, "x", "a")
        with pytest.raises(FeedError, match="names no stream, group or consumer"):
            bus.consume(stream.name, "g", "Not A Name")


async def test_a_stream_keeps_its_number_of_shards(server_rig: Rig) -> None:
    stream = Stream(fresh(), groups=("g",), shards=2)
    async with server_rig.bus(stream):
        pass
    with pytest.raises(FeedError, match="has 2 shards, not 3: open it with 2") as caught:
        async with server_rig.bus(Stream(stream.name, groups=("g",), shards=3)):
            pass
    assert caught.value.code == "other_shards"
