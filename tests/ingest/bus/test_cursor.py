"""How a group reads a shard: no message skipped, none out of order, none given up on unfairly, whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.bus.cursor import DIED, Bury, Cursor, Hand
from ingest.bus.leases import share
from ingest.bus.model import Mark, Message, Stream, shard_of
from ingest.bus.seen import Seen
from ingest.events import FeedError


def message(position: int, to: str = "") -> Message:
    return Message("s", 0, position, "k", str(position).encode(), to)


def cursor(mark: Mark | None = None, count: int = 10, attempts: int = 3, batch: int = 4) -> Cursor:
    made = Cursor("g", mark or Mark(0), batch, attempts)
    made.fill([message(n) for n in range(made.read_from, count)])
    return made


def handed(step: Hand | Bury | None) -> list[int]:
    assert isinstance(step, Hand)
    return [one.position for one in step.messages]


def test_one_batch_is_out_at_a_time() -> None:
    one = cursor()
    assert handed(one.step()) == [0, 1, 2, 3]
    assert one.step() is None
    assert one.ack(message(3))
    assert handed(one.step()) == [4, 5, 6, 7]
    assert one.mark == Mark(4, 0, False)


def test_part_of_a_batch_can_be_acknowledged() -> None:
    one = cursor()
    one.step()
    assert one.ack(message(1))
    assert one.busy
    assert one.mark.position == 2
    assert not one.ack(message(1))
    assert not one.ack(message(9))
    assert one.ack(message(3))
    assert not one.busy


def test_a_failed_message_comes_again_alone_and_before_those_after_it() -> None:
    one = cursor()
    one.step()
    assert one.fail(message(2), "no") is None
    assert one.mark == Mark(2, 1, False)
    step = one.step()
    assert handed(step) == [2]
    assert isinstance(step, Hand)
    assert step.messages[0].attempt == 2
    assert step.first == Mark(2, 2, False)  # stored before it goes out
    assert one.ack(step.messages[0])
    assert handed(one.step()) == [3, 4, 5, 6]


def test_the_last_attempt_buries_it() -> None:
    one = cursor(attempts=1)
    one.step()
    bury = one.fail(message(1), "why")
    assert isinstance(bury, Bury)
    assert (bury.message.position, bury.reason) == (1, "why")
    assert one.step() is None
    one.buried(bury.message)
    assert handed(one.step()) == [2, 3, 4, 5]


def test_after_an_unclean_end_messages_go_out_one_by_one_until_the_batch_is_passed() -> None:
    one = cursor(Mark(2, 0, False))
    for position in (2, 3, 4, 5):
        step = one.step()
        assert handed(step) == [position]
        assert isinstance(step, Hand)
        assert step.first == Mark(position, 1, False)
        one.ack(message(position))
    assert handed(one.step()) == [6, 7, 8, 9]


def test_who_kills_every_consumer_is_buried_and_nobody_else() -> None:
    step = cursor(Mark(2, 3, False)).step()
    assert isinstance(step, Bury)
    assert (step.message.position, step.reason, step.message.attempt) == (2, DIED, 3)
    assert handed(cursor(Mark(2, 3, True), count=2).step() or Hand(())) == []  # not there yet: nothing is blamed


def test_messages_for_other_groups_are_passed_over() -> None:
    one = Cursor("g", Mark(0), 10, 3)
    one.fill([message(0, "x"), message(1, "x"), message(2), message(3, "x"), message(4, "g"), message(5, "x")])
    assert one.mark.position == 2
    assert handed(one.step()) == [2, 4]
    assert one.ack(message(4, "g"))
    assert one.mark.position == 6


def test_a_stream_of_no_shape_is_refused() -> None:
    for wrong in ({"name": "Bad Name"}, {"name": "s", "shards": 0}, {"name": "s", "groups": ("a b",)}):
        with pytest.raises(FeedError) as caught:
            Stream(**wrong)  # type: ignore[arg-type]
        assert caught.value.code == "bad_stream"


def test_a_key_lives_in_the_same_shard_for_ever() -> None:
    assert [shard_of(key, 4) for key in ("match-1", "match-2", "7unks9v5q", "schlüssel")] == [3, 1, 2, 2]


@given(st.integers(1, 16), st.sets(st.text("abcdef", min_size=1), min_size=1, max_size=8))
def test_the_living_share_all_shards_and_none_twice(shards: int, names: set[str]) -> None:
    members = sorted(names)
    shares = [share(shards, members, name) for name in members]
    assert sorted(shard for one in shares for shard in one) == list(range(shards))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert share(shards, members, "stranger") == set()


@given(st.lists(st.integers(1, 30), max_size=80), st.data())
def test_seen_is_a_set_that_survives_being_written_down(seqs: list[int], data: st.DataObject) -> None:
    seen, wanted = Seen(), set()
    for seq in seqs:
        assert seen.fresh("k", seq) == (seq not in wanted)
        seen.done("k", seq)
        wanted.add(seq)
        if data.draw(st.booleans()):
            seen = Seen(seen.dump())
    assert seen.missing("k") == sorted(set(range(1, max(wanted, default=0))) - wanted)
    seen.forget("k")
    assert all(seen.fresh("k", seq) for seq in range(1, 31))
    assert seen.dump() == {}


class OneShard(RuleBasedStateMachine):
    """A shard, its stored mark, and a group whose consumers die, fail and hand over at random.

    ``poison`` messages cannot be processed by anyone: half of them raise, half of them kill.
    """

    ATTEMPTS = 2

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Message] = []
        self.stored = Mark(0)
        self.effects: list[int] = []
        self.seen = Seen()
        self.buried: dict[int, str] = {}
        self.singles: dict[int, int] = {}
        self.cursor: Cursor | None = None
        self.out: list[Message] = []

    @staticmethod
    def raises(position: int) -> bool:
        return position % 7 == 3

    @staticmethod
    def kills(position: int) -> bool:
        return position % 11 == 5

    @rule(count=st.integers(1, 6), foreign=st.booleans())
    def publish(self, count: int, foreign: bool) -> None:
        for _ in range(count):
            self.log.append(message(len(self.log), "other" if foreign else ""))

    @precondition(lambda self: self.cursor is None)
    @rule()
    def take_over(self) -> None:
        self.cursor = Cursor("g", self.stored, 3, self.ATTEMPTS)
        self.stored = Mark(self.stored.position, self.stored.attempts, False)

    @precondition(lambda self: self.cursor is not None)
    @rule()
    def read(self) -> None:
        assert self.cursor is not None
        at = self.cursor.read_from
        self.cursor.fill(self.log[at : at + 3])

    @precondition(lambda self: self.cursor is not None)
    @rule(store=st.booleans())
    def work(self, store: bool) -> None:
        """Hand out, process, settle; the acknowledgement may not be stored yet."""
        assert self.cursor is not None
        step = self.cursor.step()
        if step is None:
            return
        if isinstance(step, Bury):
            self.bury(step)
            return
        if step.first is not None:
            self.stored = step.first
            self.singles[step.messages[0].position] = self.singles.get(step.messages[0].position, 0) + 1
        for one in step.messages:
            if self.kills(one.position):
                self.cursor = None
                return
            if self.raises(one.position):
                bury = self.cursor.fail(one, "raised")
                if bury is not None:
                    self.bury(bury)
                self.stored = self.cursor.mark
                return
            if self.seen.fresh("k", one.position + 1):
                self.effects.append(one.position)
                self.seen.done("k", one.position + 1)
        assert self.cursor.ack(step.messages[-1])
        if store:
            self.stored = self.cursor.mark

    def bury(self, step: Bury) -> None:
        assert self.cursor is not None
        self.buried[step.message.position] = step.reason
        self.cursor.buried(step.message)
        self.stored = self.cursor.mark

    @precondition(lambda self: self.cursor is not None)
    @rule()
    def die(self) -> None:
        self.cursor = None

    @precondition(lambda self: self.cursor is not None)
    @rule()
    def hand_over(self) -> None:
        assert self.cursor is not None
        self.stored = self.cursor.parting()
        self.cursor = None

    @invariant()
    def effects_are_in_order_and_once(self) -> None:
        assert self.effects == sorted(set(self.effects))

    @invariant()
    def nothing_is_passed_by(self) -> None:
        mine = [one.position for one in self.log if one.to == ""]
        settled = set(self.effects) | self.buried.keys()
        assert all(position in settled for position in mine if position < self.stored.position)

    @invariant()
    def only_poison_is_buried(self) -> None:
        """Or what was alone in the hands of so many consumers that died: nobody can tell that it was not to blame."""
        for position, reason in self.buried.items():
            alone = self.singles.get(position, 0) >= self.ATTEMPTS
            assert self.raises(position) if reason == "raised" else self.kills(position) or alone

    def teardown(self) -> None:
        """Left alone, the group finishes."""
        for _ in range(40 * (len(self.log) + 1)):
            if self.cursor is None:
                self.take_over()
            self.read()
            self.work(store=True)
            if self.cursor is not None and self.cursor.mark.position >= len(self.log):
                break
        mine = {one.position for one in self.log if one.to == ""}
        assert set(self.effects) | self.buried.keys() == mine
        self.effects_are_in_order_and_once()
        self.only_poison_is_buried()


OneShard.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, phases=[Phase.generate])
test_a_group_survives_any_sequence_of_deaths_failures_and_handovers = OneShard.TestCase
