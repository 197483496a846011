"""The mirror's pure parts: samples from feed accounts, rows from transactions, batches that survive trouble."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from backend.db.pool import Database
from backend.mirror import records, replay, tables
from backend.mirror.book import Book
from backend.mirror.feeds import FeedProgress, Missing, SampleRow, match_id_of
from backend.mirror.records import EventRow, Listed, listed_row, plain, transaction_row
from backend.mirror.store import Batch
from backend.mirror.writer import Writer
from chain.clients.oracle import SAMPLE_DTYPE, ErrorCode, PeriodMark

RING = 512


def feed(seconds: list[int], tick: int, *, halves: int = 1) -> Any:
    """A feed account whose samples were taken at these seconds of play (cumulative)."""
    ring = np.zeros(RING, SAMPLE_DTYPE)
    for index, second in enumerate(seconds):
        ring[index % RING]["play_ms"] = ring[index % RING]["data_ms"] = second * 1000
        ring[index % RING]["s_e4"] = (1 << 31) - 5
    first = PeriodMark(start_play_ms=0, end_play_ms=0, start_data_ms=0, end_data_ms=0, start_area=0, end_area=0)
    second_half = PeriodMark(
        start_play_ms=2_700_000, end_play_ms=0, start_data_ms=2_700_000, end_data_ms=0, start_area=0, end_area=0
    )
    return SimpleNamespace(
        samples=len(seconds), tick=tick, last_slot=77, period=halves, ring=ring, periods=[first, second_half]
    )


def test_every_sample_is_taken_once() -> None:
    progress = FeedProgress()
    found = progress.take(feed([1, 2, 3], 3))
    assert isinstance(found, list)
    assert [(row.sample_index, row.tick, row.second, row.slot) for row in found] == [
        (0, 1, 1, None), (1, 2, 2, None), (2, 3, 3, 77),
    ]  # fmt: skip
    assert found[0].s_e4 == -5
    assert progress.take(feed([1, 2, 3], 3)) == []
    assert progress.take(feed([1, 2], 2)) == []  # an older state
    more = progress.take(feed([1, 2, 3, 4], 4))
    assert isinstance(more, list)
    assert [row.tick for row in more] == [4]


def test_missed_ticks_follow_from_the_play_time() -> None:
    found = FeedProgress().take(feed([1, 2, 5, 6], 6))
    assert isinstance(found, list)
    assert [row.tick for row in found] == [1, 2, 5, 6]


def test_ticks_that_do_not_fit_are_replayed() -> None:
    assert FeedProgress().take(feed([1, 2, 5, 6], 9)) == Missing(0, 3)


def test_a_ring_that_does_not_reach_back_is_replayed() -> None:
    assert FeedProgress().take(feed(list(range(1, 514)), 513)) == Missing(0, 512)
    assert isinstance(FeedProgress().take(feed(list(range(1, 513)), 512)), list)


def test_the_second_half_counts_its_own_seconds() -> None:
    found = FeedProgress().take(feed([2_699, 2_700, 2_701], 3, halves=2))
    assert isinstance(found, list)
    assert [(row.period, row.second) for row in found] == [(1, 2_699), (2, 0), (2, 1)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_looking_rarely_gives_the_same_samples_as_looking_always(steps: list[int]) -> None:
    total = sum(steps)
    seconds = list(range(1, total + 1))
    always, rarely, at = FeedProgress(), FeedProgress(), 0
    one: list[SampleRow] = []
    for count in range(1, total + 1):
        if count <= RING:
            found = always.take(feed(seconds[:count], count))
            assert isinstance(found, list)
            one += found
    other: list[SampleRow] = []
    for step in steps:
        at += step
        if at <= RING:
            found = rarely.take(feed(seconds[:at], at))
            assert isinstance(found, list)
            other += found
    assert [row.tick for row in other] == [row.tick for row in one[: len(other)]]
    assert [row.sample_index for row in other] == list(range(len(other)))


def test_match_ids_come_back_from_the_chain() -> None:
    assert match_id_of(b"abc".ljust(32, b"\0")) == "abc"
    assert match_id_of(bytes(range(200, 232))) == bytes(range(200, 232)).hex()
    assert match_id_of(bytes(32)) == bytes(32).hex()


def test_values_become_json() -> None:
    key = Pubkey.default()
    assert plain(key) == str(key)
    assert plain(b"\1\2") == "0102"
    assert plain(ErrorCode.NOT_AUTHORITY) == 6000
    assert plain(np.array([1, 2])) == [1, 2]
    assert plain((key, 5)) == [str(key), 5]


def listing(err: Any = None) -> dict[str, Any]:
    me, other = str(Keypair().pubkey()), str(Keypair().pubkey())
    message = {"accountKeys": [me, other], "instructions": [{"programIdIndex": 1, "accounts": [], "data": ""}]}
    balance = {"accountIndex": 1, "uiTokenAmount": {"amount": "5"}}
    return {
        "slot": 9,
        "blockTime": None,
        "transaction": {"signatures": ["sig"], "message": message},
        "meta": {"err": err, "fee": 5000, "preTokenBalances": [], "postTokenBalances": [balance]},
    }


def test_a_vaults_gain_is_what_its_balance_gained() -> None:
    document = listing()
    vault = document["transaction"]["message"]["accountKeys"][1]
    assert transaction_row(document, {vault}).vault_delta_e6 == 5
    assert transaction_row(document, {"else"}).vault_delta_e6 is None
    assert transaction_row(document).vault_delta_e6 is None
    assert transaction_row(document).program == ""


def test_a_failure_without_a_program_is_kept_too() -> None:
    row = transaction_row(listing("AccountNotFound"))
    assert (row.failed, row.error_name, row.err) == (True, "AccountNotFound", '"AccountNotFound"')


def test_an_unknown_instruction_is_named_so() -> None:
    document = listing()
    document["transaction"]["message"]["accountKeys"][1] = str(records.PRIORITY[0])
    assert transaction_row(document).instructions == ["market.unknown"]


def test_an_event_without_its_columns_is_not_taken() -> None:
    event = EventRow("s", 0, 0, 0, 1, None, "market", "OrderPlaced", {"order": "x"})
    with pytest.raises(KeyError):
        tables.event_values(event)
    assert tables.event_values(EventRow("s", 0, 0, 0, 1, None, "market", "PauseChanged", {})) is None
    assert tables.account_values(object()) is None


def test_a_replay_that_does_not_end_at_the_accounts_hash_is_an_error() -> None:
    account: Any = SimpleNamespace(
        n_publishers=1, min_publishers=1, start_unix_ms=0, publishers=[Pubkey.default()], hash_chain=b"x" * 32,
        samples=3,
    )  # fmt: skip
    failed = {"meta": {"err": "x"}}
    with pytest.raises(replay.ReplayError, match="hash chains differ"):
        replay.samples_of(account, "feed", [failed])


async def test_a_database_that_is_away_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(database, Book())
    monkeypatch.setattr("backend.mirror.writer._RETRY_S", 0.01)
    calls = 0
    honest = writer._write

    async def shaky(batch: Batch) -> Any:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise psycopg.OperationalError("gone")
        return await honest(batch)

    monkeypatch.setattr(writer, "_write", shaky)
    row = listed_row(Listed("sig", 5, None, None), "market")
    written = await writer.commit(Batch(transactions=[(row, [])], covered=[("market", 0, 5)]))
    assert (calls, written.signatures) == (3, ["sig"])
    assert (await writer.commit(Batch(transactions=[(row, [])]))).signatures == []
    assert await database.row("SELECT first_slot, last_slot FROM covered_slots") == {"first_slot": 0, "last_slot": 5}


async def test_everything_kicked_is_written_before_drained_returns(database: Database) -> None:
    writer = Writer(database, Book())
    task = asyncio.create_task(writer.run())
    for number in range(50):
        writer.pending.transactions.append((listed_row(Listed(f"s{number}", 5, None, None), "market"), []))
        writer.kick()
        await asyncio.sleep(0)
    await writer.drained()
    assert await database.row("SELECT count(*) AS n FROM chain_transactions") == {"n": 50}
    task.cancel()
