"""The bus: canonical events between processes, one interface over memory, Valkey streams and Kafka.

    async with open_bus("memory://", [Stream("events", groups=("index",))]) as bus:
        await bus.publish("events", match_id, value)
        async with bus.consume("events", "index", "worker-1") as subscription:
            async for batch in subscription:  # messages of one shard, in order
                for message in batch:
                    ...
                subscription.ack(batch[-1])

What it promises, on every engine; `tests/ingest/bus/test_contract.py` proves each on all three:

- **Order per key.** Messages of one key are handed to a group in the order in which they were published, by one
  consumer at a time, also when one of them fails and is tried again. A key lives in one shard, always the same.
- **At least once.** A publish that returned is not lost, also when the engine's process is killed. What was handed out
  and not acknowledged comes again, to another consumer when the first one died. `ingest.bus.seen.Seen` drops what was
  processed already, so that nothing counts twice.
- **Replay** of a shard or a key from any position still kept, beside the groups and without disturbing them.
- **Back-pressure.** A publisher waits while the slowest group of the stream is `Stream.backlog` messages behind; a
  consumer holds at most two batches of each shard.
- **Dead letters.** A message that failed `Stream.attempts` times, or whose consumer died so often over it, is put
  aside with the reason and its bytes, and the shard goes on. Dead letters are listed and sent again one by one.
- **Reconnect.** Publishers and consumers survive a restart of the engine; they wait for it.
- **Retention.** Nothing is removed that a group of the stream has not acknowledged, nor any of the last
  `Stream.keep` messages of a shard.
"""

from ingest.bus.bus import Bus
from ingest.bus.model import DeadLetter, Message, Stream, shard_of
from ingest.bus.opening import open_bus
from ingest.bus.subscription import Subscription

__all__ = ["Bus", "DeadLetter", "Message", "Stream", "Subscription", "open_bus", "shard_of"]
