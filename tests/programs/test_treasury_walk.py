"""Random members do random things to random proposals; a model in Python foretells every outcome."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import treasury
from chain.clients.treasury import ErrorCode
from tests.programs.svm import Rejected
from tests.programs.treasury_kit import DAY_S, TreasuryKit, level_of, padded, pause

STEPS = 1_000
SEEDS = (1, 2, 3)
OPEN, EXECUTED, REJECTED, CANCELLED = 0, 1, 3, 4
DELAY_S = 2 * DAY_S
LIFE_S = 7 * DAY_S


def code_of(send: Callable[[], object]) -> int | None:
    """Return the error a transaction fails with; None when it passes."""
    try:
        send()
    except Rejected as error:
        return error.code
    return None


@dataclass
class Held:
    """What the model knows of a proposal."""

    number: int
    kind: int
    inner: Instruction
    creator: Keypair
    born: int
    epoch: int
    level: int | None
    members: tuple[list[Keypair], int] | None
    status: int = OPEN
    approvals: set[Pubkey] = field(default_factory=set)
    rejections: set[Pubkey] = field(default_factory=set)


class Walk:
    """A treasury, an exchange and the model of both."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.kit = TreasuryKit.make(4, 2)
        self.exchange = self.kit.exchange()
        self.people = [*self.kit.members, *(self.kit.chain.wallet() for _ in range(3))]
        self.members, self.threshold, self.epoch, self.level = list(self.kit.members), 2, 1, 0
        self.held: list[Held] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    @property
    def now(self) -> int:
        """Time of the cluster."""
        return self.kit.chain.unix_s

    def somebody(self) -> Keypair:
        """Return a member most of the time."""
        return self.rng.choice(self.members if self.rng.random() < 0.8 else self.people)

    def attempt(self, name: str, expected: ErrorCode | None, send: Callable[[], object]) -> bool:
        """Send and compare with what the model expects; return whether it passed."""
        code = code_of(send)
        assert code == expected, (name, code, expected)
        if expected is not None:
            self.refused[expected.name] += 1
            return False
        self.done[name] += 1
        return True

    def closed(self, held: Held) -> ErrorCode | None:
        """Why nobody can vote on a proposal."""
        if held.status == EXECUTED:
            return ErrorCode.ALREADY_EXECUTED
        if held.status in (REJECTED, CANCELLED):
            return ErrorCode.WITHDRAWN
        return ErrorCode.EXPIRED if self.now >= held.born + LIFE_S else None

    def propose(self) -> None:
        """Propose a pause, tightening or not, or other members."""
        who, kind = self.somebody(), self.rng.choice([0, 1])
        level: int | None = self.rng.randrange(4) if kind == 0 else self.rng.randrange(2)
        members = None
        if self.rng.random() < 0.15:
            chosen = self.rng.sample(self.people, self.rng.randint(2, 5))
            level, members = None, (chosen, self.rng.randint(1, min(3, len(chosen))))
            inner = treasury.ix_set_members(
                executor=self.kit.executor,
                treasury=self.kit.address,
                members=padded([key.pubkey() for key in chosen]),
                n_members=len(chosen),
                threshold=members[1],
            )
        else:
            assert level is not None
            inner = pause(self.kit, self.exchange, level)
        expected = None if who in self.members else ErrorCode.NOT_MEMBER
        if expected is None and kind == 0 and members is not None:
            expected = ErrorCode.NOT_TIGHTENING
        number = self.kit.get().next_id
        make = self.kit.draft if who is self.kit.members[0] and self.rng.random() < 0.5 else self.kit.propose
        send = (lambda: make(inner, kind)) if make == self.kit.draft else (lambda: make(inner, kind, who=who))
        if self.attempt("propose", expected, send):
            self.held.append(Held(number, kind, inner, who, self.now, self.epoch, level, members))

    def vote(self, what: str) -> None:
        """Approve, reject or revoke as anybody."""
        held, who = self.rng.choice(self.held[-4:]), self.somebody()
        key = who.pubkey()
        fresh = held.epoch != self.epoch
        approvals, rejections = (set(), set()) if fresh else (held.approvals, held.rejections)
        expected = self.closed(held)
        if expected is None and who not in self.members:
            expected = ErrorCode.NOT_MEMBER
        if expected is None and what == "approve" and key in approvals:
            expected = ErrorCode.ALREADY_APPROVED
        if expected is None and what == "reject" and key in rejections:
            expected = ErrorCode.ALREADY_REJECTED
        if expected is None and what == "revoke" and key not in approvals:
            expected = ErrorCode.NOT_APPROVED
        ix = {"approve": treasury.ix_approve, "reject": treasury.ix_reject, "revoke": treasury.ix_revoke_approval}[what]
        proposal = self.kit.proposal_key(held.number)
        send = ix(member=key, treasury=self.kit.address, proposal=proposal)
        if not self.attempt(what, expected, lambda: self.kit.chain.send(send, who)):
            return
        held.epoch, held.approvals, held.rejections = self.epoch, set(approvals) - {key}, set(rejections) - {key}
        if what == "approve":
            held.approvals.add(key)
        if what == "reject":
            held.rejections.add(key)
            if len(self.members) - len(held.rejections) < self.threshold:
                held.status = REJECTED

    def cancel(self) -> None:
        """Cancel as the creator or as somebody."""
        held = self.rng.choice(self.held)
        who = held.creator if self.rng.random() < 0.3 else self.somebody()
        expected = ErrorCode.NOT_CREATOR if who is not held.creator else self.closed(held)
        ix = treasury.ix_cancel_proposal(creator=who.pubkey(), proposal=self.kit.proposal_key(held.number))
        if self.attempt("cancel", expected, lambda: self.kit.chain.send(ix, who)):
            held.status = CANCELLED

    def execute(self) -> None:
        """Execute anything."""
        held = self.rng.choice(self.held[-8:])
        expected = self.closed(held)
        if expected is None and held.epoch != self.epoch:
            expected = ErrorCode.MEMBERS_CHANGED
        if expected is None and len(held.approvals) < self.threshold:
            expected = ErrorCode.NOT_ENOUGH_APPROVALS
        if expected is None and held.kind == 1 and self.now < held.born + DELAY_S:
            expected = ErrorCode.TOO_EARLY
        if expected is None and held.kind == 0 and (held.level is None or held.level <= self.level):
            expected = ErrorCode.NOT_TIGHTENING
        ix = self.kit.ix_execute(held.number, held.inner)
        if not self.attempt(f"execute {held.kind}", expected, lambda: self.kit.chain.send(ix)):
            return
        held.status = EXECUTED
        if held.level is not None:
            self.level = held.level
        if held.members is not None:
            self.members, self.threshold = held.members
            self.epoch += 1

    def step(self) -> None:
        """Do one thing."""
        name = self.rng.choices(
            ["propose", "approve", "reject", "revoke", "cancel", "execute", "wait"], [4, 12, 1, 1, 0.3, 6, 1]
        )[0]
        if name == "propose" or not self.held:
            self.propose()
        elif name == "wait":
            self.kit.later(self.rng.choice([60, DAY_S // 2, DAY_S, DELAY_S]))
        elif name == "cancel":
            self.cancel()
        elif name == "execute":
            self.execute()
        else:
            self.vote(name)
        self.check()

    def check(self) -> None:
        """Compare the chain with the model."""
        state = self.kit.get()
        keys = tuple(key.pubkey() for key in self.members)
        assert (state.members[: state.n_members], state.threshold) == (keys, self.threshold)
        assert (state.members_epoch, level_of(self.kit, self.exchange)) == (self.epoch, self.level)
        for held in self.held[-6:]:
            found = self.kit.proposal(held.number)
            assert (found.status, found.activated_unix) == (held.status, held.born)
            if held.epoch == self.epoch:
                bits = {i for i in range(8) if found.approvals >> i & 1}
                assert {keys[i] for i in bits} == held.approvals


@pytest.mark.parametrize("seed", SEEDS)
def test_every_outcome_of_a_random_walk_is_foretold(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
    least = {"propose": 50, "approve": 50, "reject": 5, "revoke": 3, "cancel": 1, "execute 0": 3, "execute 1": 5}
    assert {name for name, count in least.items() if walk.done[name] < count} == set(), walk.done
    expected = {"TOO_EARLY", "NOT_ENOUGH_APPROVALS", "EXPIRED", "NOT_MEMBER", "NOT_TIGHTENING", "MEMBERS_CHANGED"}
    assert expected <= set(walk.refused), walk.refused


@settings(max_examples=15, deadline=None)
@given(
    period_s=st.sampled_from([0, 3_600, DAY_S, 30 * DAY_S]),
    steps=st.lists(st.tuples(st.integers(0, 40 * DAY_S), st.integers(0, 130)), max_size=20),
)
def test_a_spending_limit_never_pays_more_than_its_amount_in_a_period(
    period_s: int, steps: list[tuple[int, int]]
) -> None:
    kit = TreasuryKit.make(1, 1)
    kit.pay(10_000)
    me, receiver, start = kit.members[0], kit.token_account(), 0
    add = treasury.ix_add_spending_limit(
        executor=kit.executor,
        payer=kit.chain.payer.pubkey(),
        treasury=kit.address,
        mint=kit.mint,
        id=0,
        amount=100,
        period_s=period_s,
        members=(me.pubkey(),),
        receivers=(receiver,),
    )
    kit.run(add)
    start, paid = kit.chain.unix_s, Counter[int]()
    for wait, amount in steps:
        kit.later(wait)
        period = (kit.chain.unix_s - start) // period_s if period_s else 0
        ix = treasury.ix_use_spending_limit(
            member=me.pubkey(),
            treasury=kit.address,
            executor=kit.executor,
            limit=pda.spending_limit(kit.address, 0),
            source=kit.fees,
            receiver=receiver,
            amount=amount,
        )
        fits = 0 < amount <= 100 - paid[period]
        assert code_of(partial(kit.chain.send, ix, me)) == (None if fits else ErrorCode.LIMIT_EXCEEDED)
        paid[period] += amount * fits
    assert kit.balance(receiver) == sum(paid.values())
