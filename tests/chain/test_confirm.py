"""Whatever the network drops, repeats or delays: no second landing, and the outcome is the truth."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.signature import Signature

from chain.confirm import AskHeight, Confirmation, Expired, Landed, Poll, Send, Sign, Signed, Timing, Unknown

VALID_BLOCKS = 150
BLOCK_S = 0.4


def signature(number: int) -> Signature:
    return Signature(number.to_bytes(64, "little"))


def signed(number: int, last_valid: int) -> Signed:
    return Signed(signature(number), number.to_bytes(8, "little"), last_valid)


def patient(poll_s: float) -> Timing:
    """Resends every 1.5 s and does not look at the block height."""
    return Timing(resend_s=1.5, poll_s=poll_s, first_height_s=100, height_s=100)


@dataclass
class World:
    """A chain and a network with faults. Every block it includes what has reached it and is still valid."""

    random: random.Random
    drop: float
    lag_blocks: int
    fail: float
    height: int = 1_000
    waiting: list[tuple[int, int]] = field(default_factory=list)
    landed: dict[int, tuple[int, object]] = field(default_factory=dict)
    last_valid: dict[int, int] = field(default_factory=dict)

    def send(self, number: int) -> None:
        if self.random.random() < self.drop:
            return
        for _ in range(self.random.choice((1, 1, 2))):  # the network may deliver twice
            self.waiting.append((self.height + self.random.randrange(0, 60), number))

    def produce(self) -> None:
        self.height += 1
        due = [number for at, number in self.waiting if at <= self.height]
        self.waiting = [item for item in self.waiting if item[0] > self.height]
        for number in due:
            if number not in self.landed and self.height <= self.last_valid[number]:
                err = {"InstructionError": [0, {"Custom": 6000}]} if self.random.random() < self.fail else None
                self.landed[number] = (self.height, err)

    def node_height(self) -> int:
        """Each answer comes from some node behind the balancer, up to `lag_blocks` behind."""
        return self.height - self.random.randrange(0, self.lag_blocks + 1)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    drop=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    lost_answers=st.sampled_from([0.0, 0.5]),
    lag_blocks=st.integers(0, 40),
    fail=st.sampled_from([0.0, 0.5]),
    versions=st.integers(1, 3),
)
def test_at_most_one_version_lands_and_the_outcome_is_the_truth(
    seed: int, drop: float, lost_answers: float, lag_blocks: int, fail: float, versions: int
) -> None:
    world = World(random.Random(seed), drop, lag_blocks, fail)
    now_s = 0.0
    next_number = 1
    first = signed(next_number, world.height + VALID_BLOCKS)
    world.last_valid[1] = first.last_valid_block_height
    machine = Confirmation(first, now_s, timing=Timing(versions=versions, give_up_s=600.0))
    guard = 0
    while machine.outcome is None:
        guard += 1
        assert guard < 20_000
        actions = list(machine.due(now_s))
        while actions:
            action = actions.pop(0)
            if isinstance(action, Send):
                world.send(int.from_bytes(action.wire, "little"))
            elif isinstance(action, AskHeight):
                if world.random.random() >= lost_answers:
                    height = world.node_height()
                    machine.saw_height(height, height, now_s)
            elif isinstance(action, Poll):
                if world.random.random() < lost_answers:
                    continue
                at = world.node_height()
                known = False
                for item in action.signatures:
                    found = world.landed.get(int.from_bytes(bytes(item), "little"))
                    if found is not None and found[0] <= at:
                        known = True
                        machine.saw_status(item, found[0], found[1], "confirmed")
                if not known:
                    actions += machine.saw_nothing(at)
            elif isinstance(action, Sign):
                next_number += 1
                last_valid = world.height + VALID_BLOCKS
                world.last_valid[next_number] = last_valid
                machine.signed(signed(next_number, last_valid), now_s)
        step = max(machine.next_due_s() - now_s, 0.01)
        blocks = int((now_s + step) / BLOCK_S) - int(now_s / BLOCK_S)
        now_s += step
        for _ in range(blocks):
            world.produce()
    outcome = machine.outcome
    for _ in range(VALID_BLOCKS + 100):  # everything still under way arrives
        world.produce()
    assert len(world.landed) <= 1
    assert next_number <= versions
    if isinstance(outcome, Landed):
        number = int.from_bytes(bytes(outcome.signature), "little")
        assert world.landed[number] == (outcome.slot, outcome.err)
    elif isinstance(outcome, Expired):
        assert world.landed == {}
        assert len(outcome.signatures) == versions
    else:
        assert isinstance(outcome, Unknown)


def test_the_same_bytes_are_sent_again_until_something_is_seen() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0, timing=patient(10))
    assert [type(item) for item in machine.due(0.0)] == [Send, Poll]
    assert machine.due(1.4) == ()
    assert machine.due(1.5) == (Send(signed(1, 0).wire),)
    machine.saw_status(signature(1), 7, None, "processed")
    assert machine.due(3.0) == ()
    assert machine.outcome is None
    machine.saw_status(signature(1), 7, None, "confirmed")
    assert machine.outcome == Landed(signature(1), 7, None)


def test_a_transaction_that_a_fork_took_back_is_sent_again() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0, timing=patient(0.1))
    machine.due(0.0)
    machine.saw_status(signature(1), 7, None, "processed")
    assert machine.saw_nothing(9) == ()
    assert Send(signed(1, 0).wire) in machine.due(1.5)


def test_an_error_on_chain_ends_it_and_nothing_is_sent_again() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0)
    machine.due(0.0)
    err = {"InstructionError": [0, {"Custom": 6001}]}
    machine.saw_status(signature(1), 9, err, "confirmed")
    assert machine.outcome == Landed(signature(1), 9, err)
    assert machine.due(100.0) == ()


def test_passing_the_last_block_is_not_enough_without_a_status_at_that_slot() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0, timing=Timing(versions=2))
    machine.due(0.0)
    machine.saw_height(2_000, 1_151, 1.0)
    assert machine.saw_nothing(1_999) == ()  # a node that is behind cannot know
    assert machine.outcome is None
    assert all(not isinstance(item, Send) for item in machine.due(5.0))
    assert machine.saw_nothing(2_000) == (Sign(),)
    machine.signed(signed(2, 1_400), 6.0)
    assert machine.signatures == (signature(1), signature(2))
    assert [type(item) for item in machine.due(6.0)] == [Send, Poll]


def test_signing_anew_is_refused_while_the_old_version_can_land() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0)
    with pytest.raises(ValueError, match="could still land"):
        machine.signed(signed(2, 1_400), 1.0)


def test_an_unreachable_chain_ends_as_unknown_not_as_expired() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0, timing=Timing(give_up_s=30))
    machine.due(0.0)
    machine.due(30.0)
    assert machine.outcome == Unknown((signature(1),))


def test_a_finalized_wish_is_not_content_with_confirmed() -> None:
    machine = Confirmation(signed(1, 1_150), 0.0, wanted="finalized")
    machine.saw_status(signature(1), 7, None, "confirmed")
    assert machine.outcome is None
    machine.saw_status(signature(1), 7, None, "finalized")
    assert machine.outcome == Landed(signature(1), 7, None)
