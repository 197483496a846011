"""A consumer in a process of its own, to be killed: prints what it handled, and acknowledges one batch behind."""

from __future__ import annotations

import asyncio
import sys

from ingest.bus import Stream, open_bus


async def main(url: str, stream: str, group: str, batch: int, lease_ms: int) -> None:
    async with (
        open_bus(url, [Stream(stream, groups=(group,), shards=2, batch=batch)], lease_ms=lease_ms) as bus,
        bus.consume(stream, group, "child") as subscription,
    ):
        settled = 0
        async for messages in subscription:
            for message in messages:
                print(message.key, message.value.decode(), flush=True)
            if settled < 4:
                subscription.ack(messages[-1])
                await subscription.flush()
                settled += 1


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
