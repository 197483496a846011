"""Compute units and rent of every instruction of the oracle against their limits; docs/compute-units.md has both."""

from __future__ import annotations

import json
from typing import Any

import pytest
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.system_program import TransferParams, transfer

from chain import pda
from chain.clients import oracle
from chain.clients.oracle import ErrorCode
from oracle.publisher import PUSH_UNITS
from tests.programs.oracle_kit import METHODOLOGY, FeedKit, quote
from tests.programs.svm import ARTIFACTS
from tests.programs.test_oracle_registry import FIRST_CONFIG_BYTES

PLAIN, AGGREGATE, AGGREGATE_OF_8 = 1_000, 4_000, 6_500
WEEK_S = 7 * 86_400
LIMITS = {
    "init_config": 7_000,
    "migrate_config": 3_000,
    "set_params": 1_000,
    "set_operator": 1_000,
    "revoke_operator": 1_000,
    "propose_authority": 1_000,
    "accept_authority": 1_000,
    "register_publisher_set": 8_000,
    "retire_publisher_set": 1_000,
    "register_methodology": 8_000,
    "retire_methodology": 1_000,
    "create_feed": 8_000,
    "create_feed, 8 bonds": 10_000,
    "grow_feed": 4_000,
    "set_hold": 1_000,
    "finalise_feed": 1_500,
    "close_feed": 1_500,
    "record_score": 1_000,
    "open_bond": 8_000,
    "post_bond": 1_500,
    "request_bond_release": 1_000,
    "withdraw_bond": 1_500,
    "slash_bond": 1_500,
}
"""`push_quote` has limits of its own, below. Where an account is created, the search for its bump varies."""
RENT_LAMPORTS = {"Config": 2_616_960, "PublisherSet": 3_062_400, "Methodology": 1_670_400, "PublisherBond": 2_171_520}
FEED_RENT_LAMPORTS = 142_318_080


def measure(kit: FeedKit) -> dict[str, int]:
    """Run every instruction once on a kit of 8 publishers and return its compute units."""
    chain, spent = kit.chain, dict[str, int]()
    payer, authority, operator = chain.payer.pubkey(), kit.authority, kit.operator
    key, config = operator.pubkey(), kit.config
    governs: dict[str, Any] = {"authority": authority.pubkey(), "config": config}
    one = chain.wallet()

    spent["init_config"] = chain.cu(oracle.ix_init_config(creator=one.pubkey(), authority=key, operator=key), one)
    first = pda.config(one.pubkey())
    old = Account(chain.account(first).lamports, chain.data(first)[:FIRST_CONFIG_BYTES], oracle.PROGRAM_ID)
    chain.svm.set_account(first, old)
    spent["migrate_config"] = chain.cu(oracle.ix_migrate_config(payer=payer, config=first))
    entries = kit.ix_register(2, kit.publishers, 5)
    spent["register_publisher_set"] = chain.cu(entries, authority)
    spent["register_methodology"] = chain.cu(
        oracle.ix_register_methodology(**governs, payer=payer, hash=bytes(32), name=bytes(32)), authority
    )
    second = pda.publisher_set(config, 2)
    spent["retire_publisher_set"] = chain.cu(oracle.ix_retire_publisher_set(**governs, publisher_set=second), authority)
    spent["retire_methodology"] = chain.cu(
        oracle.ix_retire_methodology(**governs, methodology=pda.methodology(config, bytes(32))), authority
    )
    create, grow = kit.ix_create(b"2".ljust(32))
    spent["create_feed"] = chain.cu(create, operator)
    spent["grow_feed"] = chain.cu(grow)

    spent["set_params"] = chain.cu(kit.ix_params(min_bond_lamports=10), authority)
    for who, publisher in enumerate(kit.publishers):
        spent["open_bond"] = max(spent.get("open_bond", 0), chain.cu(kit.ix_open_bond(who)))
        moved = TransferParams(from_pubkey=payer, to_pubkey=pda.bond(config, publisher.pubkey()), lamports=10)
        chain.send(transfer(moved))
        spent["post_bond"] = chain.cu(kit.ix_post(who, 10)[1], publisher)
    bonded, _ = kit.ix_create(b"3".ljust(32), bonded=[key.pubkey() for key in kit.publishers])
    spent["create_feed, 8 bonds"] = chain.cu(bonded, operator)

    hold = oracle.ix_set_hold(signer=key, config=config, feed=kit.address, on=False)
    spent["set_hold"] = chain.cu(hold, operator)
    for who in range(8):
        kit.push(who, quote(1))
    kit.wait(6 * 3600)
    spent["finalise_feed"] = chain.cu(oracle.ix_finalise_feed(operator=key, config=config, feed=kit.address), operator)
    last = kit.publishers[-1]
    bond = pda.bond(config, last.pubkey())
    spent["record_score"] = chain.cu(oracle.ix_record_score(feed=kit.address, bond=bond))
    kit.wait(WEEK_S)
    spent["close_feed"] = chain.cu(
        oracle.ix_close_feed(operator=key, config=config, rent_receiver=kit.receiver, feed=kit.address), operator
    )
    spent["slash_bond"] = chain.cu(
        oracle.ix_slash_bond(**governs, bond=bond, bond_receiver=kit.receiver, lamports=1), authority
    )
    spent["request_bond_release"] = chain.cu(oracle.ix_request_bond_release(publisher=last.pubkey(), bond=bond), last)
    kit.wait(WEEK_S)
    spent["withdraw_bond"] = chain.cu(oracle.ix_withdraw_bond(publisher=last.pubkey(), bond=bond), last)

    spent["set_operator"] = chain.cu(oracle.ix_set_operator(**governs, operator=key), authority)
    spent["propose_authority"] = chain.cu(oracle.ix_propose_authority(**governs, new_authority=one.pubkey()), authority)
    spent["accept_authority"] = chain.cu(oracle.ix_accept_authority(pending_authority=one.pubkey(), config=config), one)
    spent["revoke_operator"] = chain.cu(oracle.ix_revoke_operator(authority=one.pubkey(), config=config), one)
    return spent


def test_every_instruction_stays_below_its_limit() -> None:
    spent = measure(FeedKit.make(8, 5))
    print(json.dumps(spent, indent=1))
    over = {name: (units, LIMITS[name]) for name, units in spent.items() if units > LIMITS[name]}
    assert not over, over
    named = {item["name"] for item in json.loads((ARTIFACTS / "oracle.json").read_text())["instructions"]}
    assert {name.partition(",")[0] for name in spent} | {"push_quote"} == named
    assert LIMITS.keys() == spent.keys()


@pytest.mark.parametrize(
    ("n", "minimum", "limit"),
    [(1, 1, AGGREGATE), (3, 2, AGGREGATE), (3, 3, AGGREGATE), (5, 3, AGGREGATE), (8, 8, AGGREGATE_OF_8)],
)
def test_a_quote_costs_a_thousand_units_and_its_aggregation_four_thousand(n: int, minimum: int, limit: int) -> None:
    kit = FeedKit.make(n, minimum)
    plain, aggregated = [0], [0]
    for tick in range(1, 130):
        # Descending quotes are the worst case of the sort; a minute mark is written every 60 ticks.
        for who in range(n):
            before = int(kit.feed().samples)
            spent = kit.push(who, quote(tick, x_e6=60_000_000 - 10_000 * who, conf_e4=3_000 - who))
            (aggregated if int(kit.feed().samples) > before else plain).append(spent)
    print(f"{minimum} of {n}: plain {max(plain)}, aggregation {min(aggregated[1:])} to {max(aggregated)}")
    assert max(plain) <= PLAIN
    assert max(aggregated) <= limit


def test_an_outage_of_a_whole_half_can_still_be_aggregated_with_the_keepers_limit() -> None:
    kit = FeedKit.make(8, 8)
    for who in range(8):
        kit.push(who, quote(1, flags=1))
    for who, publisher in enumerate(kit.publishers):
        kit.wait(2_701)
        push = oracle.ix_push_quote(publisher=publisher.pubkey(), feed=kit.address, quote=quote(2_701, conf_e4=who))
        kit.chain.send([set_compute_unit_limit(PUSH_UNITS), push], publisher)
    feed = kit.feed()
    assert (feed.samples, feed.left_out_ms, feed.suspended_ms) == (2, 2_640_000, 2_700_000)


def test_a_refused_quote_costs_no_more_than_a_plain_one() -> None:
    kit = FeedKit.make()
    kit.push(0, quote(1))
    ix = oracle.ix_push_quote(publisher=kit.publishers[0].pubkey(), feed=kit.address, quote=quote(1))
    with pytest.raises(Exception, match=hex(ErrorCode.TICK_NOT_NEW)[2:]) as caught:
        kit.chain.send(ix, kit.publishers[0])
    spent = next(line.split() for line in str(caught.value).splitlines() if "consumed" in line)
    assert int(spent[3]) <= PLAIN


def test_the_rent_of_each_account_is_stated() -> None:
    kit = FeedKit.make()
    kit.chain.send(kit.ix_open_bond(0))
    places = {
        "Config": kit.config,
        "PublisherSet": pda.publisher_set(kit.config, 1),
        "Methodology": pda.methodology(kit.config, METHODOLOGY),
        "PublisherBond": pda.bond(kit.config, kit.publishers[0].pubkey()),
    }
    assert {name: kit.chain.account(place).lamports for name, place in places.items()} == RENT_LAMPORTS
    assert kit.chain.account(kit.address).lamports == FEED_RENT_LAMPORTS


def test_the_program_is_small() -> None:
    assert (ARTIFACTS / "oracle.so").stat().st_size <= 110_000
