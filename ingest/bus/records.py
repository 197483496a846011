"""Canonical records on the bus: encoded on the way in, checked on the way out, each handled once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from ingest.bus.bus import Bus
from ingest.bus.model import Message
from ingest.bus.seen import Seen
from ingest.bus.subscription import Subscription
from ingest.events import FeedError
from ingest.record import Record, decode, encode

Handle = Callable[[Record], Awaitable[None] | None]


async def publish_records(bus: Bus, stream: str, records: Iterable[Record]) -> None:
    """Publish records in order, each under its match. Raises as `Bus.publish`."""
    await bus.publish_many(stream, [(record.match_id, encode(record)) for record in records])


def read_record(message: Message) -> Record:
    """The record of a message. Raises FeedError ``bad_record``, also for one that travels under another match."""
    record = decode(message.value)
    if record.match_id != message.key:
        raise FeedError(
            "bad_record",
            f"a record of match {record.match_id[:40]} came under key {message.key[:40]}: its publisher mixed them up",
        )
    return record


async def handle_records(subscription: Subscription, handle: Handle, seen: Seen | None = None) -> None:
    """Hand every record that comes to ``handle``, until cancelled.

    What is no record becomes a dead letter at once: its bytes will not get better. A record for which ``handle``
    raises is tried again and then becomes one. What ``seen`` has done already is acknowledged and not handed over.
    """
    async for batch in subscription:
        for message in batch:
            try:
                record = read_record(message)
            except FeedError as error:
                await subscription.fail(message, str(error), final=True)
                break
            if seen is not None and not seen.fresh(record.match_id, record.seq):
                continue
            try:
                waiting = handle(record)
                if waiting is not None:
                    await waiting
            except Exception as error:  # whatever it is, the messages after this one must go on
                await subscription.fail(message, f"{type(error).__name__}: {error}")
                break
            if seen is not None:
                seen.done(record.match_id, record.seq)
        else:
            subscription.ack(batch[-1])
