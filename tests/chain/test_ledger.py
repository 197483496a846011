"""Properties of the ledger: finalized reads are the past, money is conserved, nothing lands twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from solders.account import Account
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.localnet.ledger import Ledger
from chain.localnet.records import NotLandedError
from chain.localnet.slots import BLOCKHASH_SLOTS, ROOT_LAG_SLOTS, Slots

START_MS = 1_750_000_000_000
SYSTEM = Pubkey.from_string("11111111111111111111111111111111")
PEOPLE = [Keypair.from_seed(bytes([at]) * 32) for at in range(1, 5)]
RICH = 10_000_000_000

steps = st.one_of(
    st.tuples(
        st.just("pay"), st.integers(0, 3), st.integers(0, 3), st.integers(1_000_000, 12_000_000_000), st.integers(0, 1)
    ),
    st.tuples(st.just("wait"), st.integers(1, 40_000)),
)


def balances(ledger: Ledger, *, finalized: bool) -> list[int]:
    found = [ledger.account(who.pubkey(), finalized=finalized) for who in PEOPLE]
    return [account.lamports if account else 0 for account in found]


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=40))
def test_finalized_reads_are_the_state_of_32_slots_ago_and_money_is_conserved(plan: list[tuple]) -> None:  # type: ignore[type-arg]
    ledger = Ledger(START_MS)
    for who in PEOPLE:
        ledger.set_account(who.pubkey(), Account(RICH, b"", SYSTEM))
    by_slot = {ledger.slots.slot: balances(ledger, finalized=False)}
    fees, sent = 0, []
    for step in plan:
        if step[0] == "wait":
            before = ledger.slots.slot
            ledger.advance(ledger.slots.unix_ms + step[1])
            for slot in range(before + 1, ledger.slots.slot + 1):
                by_slot[slot] = by_slot[before]
        else:
            _, payer, to, lamports, again = step
            pay = transfer(
                TransferParams(from_pubkey=PEOPLE[payer].pubkey(), to_pubkey=PEOPLE[to].pubkey(), lamports=lamports)
            )
            blockhash, _ = ledger.latest_blockhash()
            message = MessageV0.try_compile(PEOPLE[payer].pubkey(), [pay], [], blockhash)
            transaction = VersionedTransaction(message, [PEOPLE[payer]])
            transaction = sent[-1] if again and sent else transaction
            count = ledger.transaction_count
            try:
                landed = ledger.process(transaction)
                fees += landed.meta.fee()
                assert sum(landed.pre_balances) - sum(landed.post_balances) == landed.meta.fee()
                assert ledger.transaction_count == count + 1
            except NotLandedError:
                assert ledger.transaction_count == count
            sent.append(transaction)
            by_slot[ledger.slots.slot] = balances(ledger, finalized=False)
        assert sum(balances(ledger, finalized=False)) == RICH * len(PEOPLE) - fees
        expected = by_slot.get(ledger.slots.root)
        if expected is not None:
            assert balances(ledger, finalized=True) == expected
        else:
            assert balances(ledger, finalized=True) == [RICH] * len(PEOPLE)


@given(st.lists(st.integers(0, 500_000), max_size=30))
def test_a_blockhash_counts_for_exactly_150_slots_however_time_passes(waits: list[int]) -> None:
    slots = Slots(START_MS, b"seed")
    issued = {}
    for wait in waits:
        issued[slots.blockhash(slots.slot)] = slots.slot
        slots.advance(slots.unix_ms + wait)
        for blockhash, slot in issued.items():
            assert (slots.slot_of(blockhash) == slot) == (slots.slot - slot <= BLOCKHASH_SLOTS)
        assert slots.slot - slots.root == ROOT_LAG_SLOTS
        assert slots.time_ms(slots.slot) <= slots.unix_ms < slots.time_ms(slots.slot + 1)


def test_time_given_twice_or_from_the_past_changes_nothing() -> None:
    ledger = Ledger(START_MS)
    heard: list[tuple[int, int]] = []
    ledger.on_slot.append(lambda before, after: heard.append((before, after)))
    ledger.advance(START_MS + 1_000)
    ledger.advance(START_MS + 1_000)
    ledger.advance(START_MS)
    assert ledger.slots.unix_ms == START_MS + 1_000
    assert heard == [(1_032, 1_034)]


def test_the_same_seed_gives_the_same_cluster_and_another_seed_another() -> None:
    first, same, other = Ledger(START_MS), Ledger(START_MS), Ledger(START_MS, seed=b"other")
    assert first.latest_blockhash() == same.latest_blockhash()
    assert first.slots.genesis_hash != other.slots.genesis_hash
    key = PEOPLE[0].pubkey()
    assert first.airdrop(key, 1_000_000).signature == same.airdrop(key, 1_000_000).signature
