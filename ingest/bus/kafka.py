"""The bus on Kafka: a topic per stream, a partition per shard, groups as Kafka's own.

The producer is idempotent and waits for all replicas. Marks are committed offsets; attempts and cleanness travel in
their metadata. The broker itself deletes nothing: topics are made without retention, and publishers remove what the
stream's rules allow. Dead letters of a group are a compacted topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, for_code

from ingest.bus.engine import Owner, removable, room
from ingest.bus.model import MAX_VALUE_BYTES, DeadLetter, Entry, Mark, Message, Stream, down, gone
from ingest.events import FeedError

REQUEST_S = 10.0
BATCH_BYTES = 900_000
LOOK_S = 0.02
"""Publishers look at most so often how far the groups are."""
TRIM_S = 10.0
_EXISTS = 36


class Kafka:
    """The engine. ``url`` is ``kafka://host:port[,host:port]``."""

    name = "kafka"

    def __init__(self, url: str, lease_ms: int) -> None:
        servers = url.removeprefix("kafka://").rstrip("/").split(",")
        if not all(host and port.isdigit() for host, _, port in (one.rpartition(":") for one in servers)):
            raise FeedError("bad_bus_url", "not an address of Kafka: write kafka://host:port")
        self.servers = servers
        self.lease_ms = lease_ms
        self.admin: AIOKafkaAdminClient
        self._producer: AIOKafkaProducer
        self._reader: AIOKafkaConsumer
        self._reading = asyncio.Lock()
        self._read_at: tuple[TopicPartition, int] | None = None
        self._views: dict[TopicPartition, _View] = {}

    async def open(self, streams: Iterable[Stream]) -> None:
        """See `Engine`."""
        common: dict[str, Any] = {"bootstrap_servers": self.servers, "request_timeout_ms": int(REQUEST_S * 1000)}
        self.admin = AIOKafkaAdminClient(**common)
        self._producer = AIOKafkaProducer(
            **common, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES
        )
        self._reader = AIOKafkaConsumer(
            **common, enable_auto_commit=False, auto_offset_reset="none", fetch_max_wait_ms=100
        )
        try:
            async with calls():
                await self.admin.start()
                await self._producer.start()
                await self._reader.start()
                for stream in streams:
                    await self._create(stream)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Engine`."""
        await _stop(self._producer)
        await _stop(self._reader)
        with contextlib.suppress(KafkaError, TimeoutError, OSError):
            await self.admin.close()

    async def append(self, stream: Stream, shard: int, entries: Sequence[Entry], ticket: int) -> int:
        """See `Engine`. The backlog is exact for one publisher; each further one may pass it by what it saw free."""
        part = _part(stream, shard)
        view = self._views.setdefault(part, _View())
        count = min(len(entries), view.room)
        if count < len(entries):
            await self._look(stream, shard, view)
            count = min(len(entries), view.room)
        if not count:
            return 0
        async with calls():
            builder = self._producer.create_batch()
            done = 0
            for entry in entries[:count]:
                headers = [("to", entry.to.encode())] if entry.to else []
                if builder.append(timestamp=None, key=entry.key.encode(), value=entry.value, headers=headers) is None:
                    break
                done += 1
            await (await self._producer.send_batch(builder, part.topic, partition=shard))
        view.room -= done
        return done

    async def bounds(self, stream: Stream, shard: int) -> tuple[int, int]:
        """See `Engine`."""
        return await self._bounds(_part(stream, shard))

    async def positions(self, stream: Stream, shard: int) -> dict[str, int]:
        """See `Engine`."""
        oldest, _ = await self.bounds(stream, shard)
        part = _part(stream, shard)
        found = {}
        for group in stream.groups:
            async with calls():
                stored = await self.admin.list_consumer_group_offsets(_group(stream, group), partitions=[part])
            found[group] = max(oldest, stored[part].offset if part in stored else -1)
        return found

    async def read(self, stream: Stream, shard: int, start: int, count: int) -> Sequence[Message]:
        """See `Engine`."""
        oldest, end = await self.bounds(stream, shard)
        if start < oldest:
            raise gone(stream.name, shard, start, oldest)
        records = await self._scan(_part(stream, shard), start, end, count)
        return [message(stream, shard, record) for record in records]

    async def trim(self, stream: Stream, shard: int) -> int:
        """See `Engine`."""
        oldest, end = await self.bounds(stream, shard)
        below = removable(stream, oldest, end, (await self.positions(stream, shard)).values())
        if below > oldest:
            async with calls():
                await self.admin.delete_records({_part(stream, shard): RecordsToDelete(before_offset=below)})
        return below

    async def bury(self, letter: DeadLetter) -> None:
        """See `Engine`."""
        await self._send_letter(letter, msgspec.json.encode(letter))

    async def letters(self, stream: Stream, group: str) -> list[DeadLetter]:
        """See `Engine`."""
        part = TopicPartition(_graveyard(stream.name, group), 0)
        at, end = await self._bounds(part)
        kept: dict[bytes, bytes | None] = {}
        while at < end:
            records = await self._scan(part, at, end, 500)
            if not records:
                break
            kept.update((record.key, record.value) for record in records)
            at = records[-1].offset + 1
        letters = [msgspec.json.decode(value, type=DeadLetter) for value in kept.values() if value]
        return sorted(letters, key=lambda letter: (letter.shard, letter.position))

    async def unbury(self, letter: DeadLetter) -> None:
        """See `Engine`."""
        await self._send_letter(letter, None)

    def membership(self, stream: Stream, group: str, consumer: str) -> KafkaMembership:
        """See `Engine`."""
        return KafkaMembership(self, stream, group, consumer)

    async def marks(self, stream: Stream, group: str, shards: Iterable[int]) -> dict[int, Mark]:
        """The marks that are stored, or the oldest positions for a group that begins."""
        parts = {_part(stream, shard): shard for shard in shards}
        if not parts:
            return {}
        async with calls():
            stored = await self.admin.list_consumer_group_offsets(_group(stream, group), partitions=list(parts))
            oldest = await self._reader.beginning_offsets(list(parts))
        marks = {}
        for part, shard in parts.items():
            found = stored.get(part)
            if found is None or found.offset < oldest[part]:
                marks[shard] = Mark(oldest[part])
            else:
                attempts, _, clean = found.metadata.partition(":")
                marks[shard] = Mark(found.offset, int(attempts or 0), clean != "0")
        return marks

    async def _send_letter(self, letter: DeadLetter, value: bytes | None) -> None:
        async with calls():
            await self._producer.send_and_wait(
                _graveyard(letter.stream, letter.group), key=letter.letter_id.encode(), value=value, partition=0
            )

    async def _look(self, stream: Stream, shard: int, view: _View) -> None:
        """See how much room there is, and now and then remove what may go."""
        now = time.monotonic()
        if now < view.looked_at + LOOK_S:
            return
        view.looked_at = now
        _, end = await self.bounds(stream, shard)
        positions = await self.positions(stream, shard)
        view.room = room(stream, end, positions.values())
        if now > view.trimmed_at + TRIM_S:
            view.trimmed_at = now
            await self.trim(stream, shard)

    async def _bounds(self, part: TopicPartition) -> tuple[int, int]:
        async with calls():
            oldest = await self._reader.beginning_offsets([part])
            end = await self._reader.end_offsets([part])
        return oldest[part], end[part]

    async def _scan(self, part: TopicPartition, start: int, end: int, count: int) -> list[Any]:
        """Records from ``start`` on; none only when there are none before ``end``."""
        async with self._reading, calls():
            if self._read_at != (part, start):
                self._read_at = None
                self._reader.assign([part])
                self._reader.seek(part, start)
            while True:
                found = await self._reader.getmany(part, timeout_ms=200, max_records=count)
                records: list[Any] = found.get(part, [])
                at: int = await self._reader.position(part)
                if records or at >= end:
                    self._read_at = (part, at)
                    return records

    async def _create(self, stream: Stream) -> None:
        keep = {"retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": str(2 * MAX_VALUE_BYTES)}
        compact = {"cleanup.policy": "compact", "max.message.bytes": str(2 * MAX_VALUE_BYTES)}
        # The empty assignment is what lets the client pass on -1: as many replicas as the broker's rule.
        topics = [NewTopic(_topic(stream), stream.shards, -1, {}, keep)]
        topics += [NewTopic(_graveyard(stream.name, group), 1, -1, {}, compact) for group in stream.groups]
        answer = await self.admin.create_topics(topics)
        for _, code, *_ in answer.topic_errors:
            if code not in (0, _EXISTS):
                raise for_code(code)()
        wanted = {topic.name: topic.num_partitions for topic in topics}
        for _ in range(100):  # a new topic is known to every broker a moment later
            found = {one["topic"]: len(one["partitions"]) for one in await self.admin.describe_topics(list(wanted))}
            if all(found.get(name) for name in wanted):
                break
            await asyncio.sleep(0.05)
        if found[_topic(stream)] != stream.shards:
            has = found[_topic(stream)]
            raise FeedError(
                "other_shards", f"stream '{stream.name}' has {has} shards, not {stream.shards}: open it with {has}"
            )


class _View:
    """What a publisher knows of a shard: how many more messages it takes."""

    __slots__ = ("looked_at", "room", "trimmed_at")

    def __init__(self) -> None:
        self.room = 0
        self.looked_at = 0.0
        self.trimmed_at = time.monotonic()


class KafkaMembership(ConsumerRebalanceListener):  # type: ignore[misc]
    """A membership by Kafka's own group protocol."""

    def __init__(self, engine: Kafka, stream: Stream, group: str, consumer: str) -> None:
        self._engine, self._stream, self._group = engine, stream, group
        self._owner: Owner
        self._client = AIOKafkaConsumer(
            bootstrap_servers=engine.servers,
            client_id=consumer,
            group_id=_group(stream, group),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=engine.lease_ms,
            heartbeat_interval_ms=engine.lease_ms // 4,
            rebalance_timeout_ms=2 * engine.lease_ms,
            max_poll_interval_ms=24 * 3600 * 1000,  # a slow consumer lives as long as its heart beats
            fetch_max_wait_ms=100,
            request_timeout_ms=int(REQUEST_S * 1000),
        )

    async def join(self, owner: Owner) -> None:
        """See `Membership`."""
        self._owner = owner
        self._client.subscribe([_topic(self._stream)], listener=self)
        try:
            async with calls():
                await self._client.start()
        except BaseException:  # half started it would stay a member, and its shards would have no reader
            await _stop(self._client)
            raise

    async def leave(self) -> None:
        """See `Membership`."""
        with contextlib.suppress(FeedError):
            await self._hand_over(0)
        await _stop(self._client)

    async def read(self, shard: int, start: int, count: int, wait_s: float) -> Sequence[Message]:
        """See `Membership`."""
        part = _part(self._stream, shard)
        async with calls():
            try:
                found = await self._client.getmany(part, timeout_ms=int(wait_s * 1000), max_records=count)
            except IllegalStateError:
                await asyncio.sleep(wait_s)
                return ()
        return [message(self._stream, shard, record) for record in found.get(part, ()) if record.offset >= start]

    async def commit(self, marks: Mapping[int, Mark]) -> set[int]:
        """See `Membership`."""
        offsets = {
            _part(self._stream, shard): (mark.position, f"{mark.attempts}:{int(mark.clean)}")
            for shard, mark in marks.items()
        }
        async with calls():
            try:
                async with asyncio.timeout(REQUEST_S):
                    await self._client.commit(offsets)
            except (CommitFailedError, IllegalStateError):
                return set(marks)
        return set()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called by the client before shards are dealt anew."""
        with contextlib.suppress(FeedError):
            await self._hand_over(self._engine.lease_ms / 1000)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called by the client when shards were dealt."""
        shards = [part.partition for part in assigned]
        while True:
            try:
                marks = await self._engine.marks(self._stream, self._group, shards)
                await self.commit({s: Mark(mark.position, mark.attempts, False) for s, mark in marks.items()})
                break
            except FeedError:  # the client waits for us; without marks nothing may be handed out
                await asyncio.sleep(0.2)
        self._owner.gain(marks)

    async def _hand_over(self, wait_s: float) -> None:
        marks = await self._owner.drain(range(self._stream.shards), wait_s)
        if marks:
            await self.commit(marks)


async def _stop(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client, with patience for a broker that does not answer."""
    with contextlib.suppress(KafkaError, TimeoutError, OSError):
        async with asyncio.timeout(REQUEST_S):
            await client.stop()


def message(stream: Stream, shard: int, record: Any) -> Message:
    """A record of the client as a message."""
    to = next((value.decode() for name, value in record.headers if name == "to"), "") if record.headers else ""
    return Message(stream.name, shard, record.offset, record.key.decode(), record.value, to)


def _topic(stream: Stream) -> str:
    return f"futstar.{stream.name}"


def _part(stream: Stream, shard: int) -> TopicPartition:
    return TopicPartition(f"futstar.{stream.name}", shard)


def _group(stream: Stream, group: str) -> str:
    return f"futstar.{stream.name}.{group}"


def _graveyard(stream: str, group: str) -> str:
    return f"futstar.{stream}.dead.{group}"


@asynccontextmanager
async def calls() -> AsyncIterator[None]:
    """Turns what the client raises into one sentence."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        if isinstance(error, KafkaError) and not error.retriable and not _is_connection(error):
            raise FeedError("bus_refused", f"Kafka refused a command ({type(error).__name__}: {error})"[:300]) from None
        raise down("Kafka", error) from None


def _is_connection(error: KafkaError) -> bool:
    """The client calls some errors final that only mean that no broker answers."""
    return "Connection" in type(error).__name__ or "Timeout" in type(error).__name__
