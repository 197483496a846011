"""How one group reads one shard: what to hand out next, what an acknowledgement or a failure means. A pure core.

One batch is out at a time, so order holds through failures. After a death or a failure messages go out one by one,
each counted in the stored mark before it goes: whichever kills its consumers is found, and none is given up on that
was not tried ``attempts`` times by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from ingest.bus.model import Mark, Message

DIED = "its consumer died each time it was delivered"


@dataclass(frozen=True, slots=True)
class Hand:
    """Give these to the consumer; where ``first`` is set, store it before."""

    messages: tuple[Message, ...]
    first: Mark | None = None


@dataclass(frozen=True, slots=True)
class Bury:
    """Put this message to the dead letters, then call `Cursor.buried`."""

    message: Message
    reason: str


class Cursor:
    """``mark`` is what should be stored; it changes with every acknowledgement and failure."""

    def __init__(self, group: str, mark: Mark, batch: int, attempts: int) -> None:
        self.mark = Mark(mark.position, mark.attempts, False)
        self._group, self._batch, self._attempts = group, batch, attempts
        self._careful = 0 if mark.clean else batch  # whatever was out when the last owner died is among so many
        self._ready: deque[Message] = deque()
        self._out: deque[Message] = deque()
        self.read_from = mark.position

    @property
    def hungry(self) -> bool:
        """Whether more should be read."""
        return len(self._ready) < self._batch

    @property
    def busy(self) -> bool:
        """Whether a batch is out."""
        return bool(self._out)

    def fill(self, messages: Sequence[Message]) -> None:
        """Messages were read from ``read_from``."""
        if messages:
            self._ready.extend(messages)
            self.read_from = messages[-1].position + 1
            self._pass_over()

    def step(self) -> Hand | Bury | None:
        """What to do next; None while a batch is out or nothing is there."""
        if self._out:
            return None
        self._pass_over()
        ready, group = self._ready, self._group
        if not ready:
            return None
        first = ready[0]
        tried = self.mark.attempts if first.position == self.mark.position else 0
        if tried >= self._attempts:
            self._out.append(ready.popleft())
            return Bury(replace(first, attempt=tried), DIED)
        if tried or self._careful:
            self._careful = max(0, self._careful - 1)
            self.mark = Mark(first.position, tried + 1, False)
            message = replace(first, attempt=tried + 1)
            ready.popleft()
            self._out.append(message)
            return Hand((message,), self.mark)
        if len(ready) <= self._batch:
            taken = list(ready)
            ready.clear()
        else:
            taken = [ready.popleft() for _ in range(self._batch)]
        self._out.extend(taken)
        return Hand(tuple([message for message in taken if message.to in ("", group)]))

    def ack(self, message: Message) -> bool:
        """It and all before it are done. False when it is not out: acknowledged before, or lost to another."""
        out = self._out
        if not out or not out[0].position <= message.position <= out[-1].position:
            return False
        upto = message.position
        if upto == out[-1].position:
            out.clear()
        else:
            while out and (out[0].position <= upto or out[0].to not in ("", self._group)):
                upto = max(upto, out.popleft().position)
        self.mark = Mark(upto + 1, 0, False)
        return True

    def fail(self, message: Message, reason: str, final: bool = False) -> Bury | None:
        """It was not processed, all before it were. It comes again, before all after it, unless it is given up on."""
        if not self._out or not self._out[0].position <= message.position <= self._out[-1].position:
            return None
        while self._out[0].position < message.position:
            self._out.popleft()
        if final or message.attempt >= self._attempts:
            self._ready.extendleft(reversed(list(self._out)[1:]))
            self._out = deque((message,))
            return Bury(message, reason)
        self._ready.extendleft(reversed(self._out))
        self._out.clear()
        self.mark = Mark(message.position, message.attempt, False)
        return None

    def buried(self, message: Message) -> None:
        """The dead letter is kept: go on after it."""
        self._out.clear()
        self.mark = Mark(message.position + 1, 0, False)

    def _pass_over(self) -> None:
        """What is for another group is done as soon as it is next."""
        while not self._out and self._ready and self._ready[0].to not in ("", self._group):
            self.mark = Mark(self._ready.popleft().position + 1, 0, False)

    def parting(self) -> Mark:
        """The mark to leave behind."""
        return replace(self.mark, clean=not self._out)
