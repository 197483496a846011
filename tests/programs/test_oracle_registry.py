"""Publisher sets, methodologies and who may do what: feeds are listed from registered entries only."""

from __future__ import annotations

from typing import Any

import pytest
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import oracle
from chain.clients.oracle import ErrorCode
from oracle import listing
from tests.programs.oracle_kit import METHODOLOGY, START_MS, ZERO, FeedKit, quote, rejected
from tests.programs.svm import Rejected

DAY_MS = 86_400_000
FIRST_CONFIG_BYTES = 112


def test_a_feed_takes_publishers_and_methodology_from_the_registries() -> None:
    kit = FeedKit.make(3, 2)
    feed = kit.feed()
    keys = [key.pubkey() for key in kit.publishers]
    assert list(feed.publishers) == keys + [ZERO] * 5
    assert (feed.n_publishers, feed.min_publishers, feed.set_id) == (3, 2, 1)
    assert feed.methodology == METHODOLOGY
    named = oracle.Methodology.from_account(kit.chain.data(pda.methodology(kit.config, METHODOLOGY)))
    assert (named.config, named.hash, named.name.rstrip(b"\0")) == (kit.config, METHODOLOGY, b"test")


@pytest.mark.parametrize(
    "changes",
    [
        {"n_publishers": 0},
        {"n_publishers": 9},
        {"n_publishers": 4},
        {"min_publishers": 0},
        {"min_publishers": 4},
        {"publishers": (Pubkey.new_unique(),) * 8},
    ],
)
def test_a_set_with_bad_publishers_is_refused(changes: dict[str, object]) -> None:
    kit = FeedKit.make()
    fields: dict[str, object] = {
        "authority": kit.authority.pubkey(),
        "payer": kit.chain.payer.pubkey(),
        "config": kit.config,
        "set_id": 2,
        "publishers": (*(key.pubkey() for key in kit.publishers), *[ZERO] * 5),
        "n_publishers": 3,
        "min_publishers": 2,
    }
    with rejected(ErrorCode.BAD_PUBLISHERS):
        kit.chain.send(oracle.ix_register_publisher_set(**(fields | changes)), kit.authority)  # type: ignore[arg-type]
    kit.chain.send(oracle.ix_register_publisher_set(**fields), kit.authority)  # type: ignore[arg-type]


def test_what_stands_behind_the_sets_last_publisher_is_not_kept() -> None:
    kit = FeedKit.make(1, 1)
    ix = oracle.ix_register_publisher_set(
        authority=kit.authority.pubkey(),
        payer=kit.chain.payer.pubkey(),
        config=kit.config,
        set_id=7,
        publishers=tuple(Pubkey.new_unique() for _ in range(8)),
        n_publishers=2,
        min_publishers=1,
    )
    kit.chain.send(ix, kit.authority)
    kept = oracle.PublisherSet.from_account(kit.chain.data(pda.publisher_set(kit.config, 7)))
    assert list(kept.publishers[2:]) == [ZERO] * 6


def test_a_registered_entry_cannot_be_registered_again() -> None:
    kit = FeedKit.make()
    for entry in kit.ix_register(1, kit.publishers, 1):
        with pytest.raises(Rejected):
            kit.chain.send(entry, kit.authority)


def test_no_feed_is_listed_with_a_retired_set_and_the_old_one_goes_on() -> None:
    kit = FeedKit.make()
    target = pda.publisher_set(kit.config, 1)
    kit.chain.send(
        oracle.ix_retire_publisher_set(authority=kit.authority.pubkey(), config=kit.config, publisher_set=target),
        kit.authority,
    )
    with rejected(ErrorCode.SET_RETIRED):
        kit.chain.send(kit.ix_create(bytes(32)), kit.operator)
    kit.tick(quote(1))
    assert kit.feed().samples == 1


def test_no_feed_is_listed_with_a_retired_methodology() -> None:
    kit = FeedKit.make()
    target = pda.methodology(kit.config, METHODOLOGY)
    kit.chain.send(
        oracle.ix_retire_methodology(authority=kit.authority.pubkey(), config=kit.config, methodology=target),
        kit.authority,
    )
    with rejected(ErrorCode.METHODOLOGY_RETIRED):
        kit.chain.send(kit.ix_create(bytes(32)), kit.operator)


def test_entries_of_another_config_are_refused() -> None:
    kit = FeedKit.make()
    thief = kit.chain.wallet()
    key = thief.pubkey()
    other = pda.config(key)
    kit.chain.send(oracle.ix_init_config(creator=key, authority=key, operator=key), thief)
    own = listing.register(
        authority=key,
        payer=kit.chain.payer.pubkey(),
        config=other,
        set_id=1,
        publishers=[key],
        min_publishers=1,
        methodology=METHODOLOGY,
        name="own",
    )
    kit.chain.send(own, thief)
    entries = {
        config: (pda.publisher_set(config, 1), pda.methodology(config, METHODOLOGY)) for config in (kit.config, other)
    }
    for publishers, methodology in ((kit.config, other), (other, kit.config)):
        create = oracle.ix_create_feed(
            operator=key,
            payer=kit.chain.payer.pubkey(),
            rent_receiver=kit.receiver,
            config=other,
            publisher_set=entries[publishers][0],
            methodology=entries[methodology][1],
            match_id=bytes(32),
            start_unix_ms=START_MS,
        )
        with rejected(ErrorCode.WRONG_CONFIG):
            kit.chain.send(create, thief)
    foreign_set, foreign_methodology = entries[kit.config]
    for retire in (
        oracle.ix_retire_publisher_set(authority=key, config=other, publisher_set=foreign_set),
        oracle.ix_retire_methodology(authority=key, config=other, methodology=foreign_methodology),
    ):
        with rejected(ErrorCode.WRONG_CONFIG):
            kit.chain.send(retire, thief)


def test_a_feed_that_starts_in_more_than_a_year_is_refused() -> None:
    kit = FeedKit.make()
    with rejected(ErrorCode.START_TOO_FAR):
        kit.chain.send(kit.ix_create(bytes(32), start_unix_ms=START_MS + 367 * DAY_MS), kit.operator)
    with rejected(ErrorCode.START_TOO_FAR):
        kit.chain.send(kit.ix_create(bytes(32), start_unix_ms=(1 << 64) - 1), kit.operator)
    kit.chain.send(kit.ix_create(bytes(32), start_unix_ms=START_MS + 365 * DAY_MS), kit.operator)


def test_only_the_authority_keeps_registries_rules_and_powers() -> None:
    kit = FeedKit.make()
    thief = kit.chain.wallet()
    who: dict[str, Any] = {"authority": thief.pubkey(), "config": kit.config}
    payer = kit.chain.payer.pubkey()
    key = thief.pubkey()
    kit.chain.send(kit.ix_open_bond(0))
    attempts = [
        oracle.ix_register_publisher_set(
            **who, payer=payer, set_id=9, publishers=(key, *[ZERO] * 7), n_publishers=1, min_publishers=1
        ),
        oracle.ix_register_methodology(**who, payer=payer, hash=bytes(32), name=bytes(32)),
        oracle.ix_retire_publisher_set(**who, publisher_set=pda.publisher_set(kit.config, 1)),
        oracle.ix_retire_methodology(**who, methodology=pda.methodology(kit.config, METHODOLOGY)),
        oracle.ix_set_operator(**who, operator=key),
        oracle.ix_revoke_operator(**who),
        oracle.ix_set_params(**who, bond_receiver=key, min_bond_lamports=0, retention_s=0),
        oracle.ix_propose_authority(**who, new_authority=key),
        oracle.ix_slash_bond(
            **who, bond=pda.bond(kit.config, kit.publishers[0].pubkey()), bond_receiver=kit.receiver, lamports=0
        ),
    ]
    for attempt in attempts:
        with rejected(ErrorCode.NOT_AUTHORITY):
            kit.chain.send(attempt, thief)


def test_a_revoked_operator_can_do_nothing_and_nobody_takes_its_place() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1, flags=4))
    kit.chain.send(oracle.ix_revoke_operator(authority=kit.authority.pubkey(), config=kit.config), kit.authority)
    assert oracle.Config.from_account(kit.chain.data(kit.config)).operator == ZERO
    key = kit.operator.pubkey()
    for ix in (
        kit.ix_create(bytes(32))[0],
        oracle.ix_finalise_feed(operator=key, config=kit.config, feed=kit.address),
        oracle.ix_set_hold(signer=key, config=kit.config, feed=kit.address, on=True),
    ):
        with rejected(ErrorCode.NOT_OPERATOR):
            kit.chain.send(ix, kit.operator)


def test_the_default_key_signs_nothing() -> None:
    kit = FeedKit.make()
    kit.chain.send(oracle.ix_revoke_operator(authority=kit.authority.pubkey(), config=kit.config), kit.authority)
    unsigned = oracle.ix_set_hold(signer=ZERO, config=kit.config, feed=kit.address, on=True)
    for meta in unsigned.accounts:
        assert meta.pubkey != ZERO or meta.is_signer
    metas = [type(m)(m.pubkey, is_signer=False, is_writable=m.is_writable) for m in unsigned.accounts]
    with pytest.raises(Rejected):
        kit.chain.send(type(unsigned)(unsigned.program_id, bytes(unsigned.data), metas))


def test_the_authority_changes_hands_in_two_steps() -> None:
    kit = FeedKit.make()
    heir, stranger = kit.chain.wallet(), kit.chain.wallet()
    propose: dict[str, Any] = {"authority": kit.authority.pubkey(), "config": kit.config}
    accept = oracle.ix_accept_authority(pending_authority=heir.pubkey(), config=kit.config)
    with rejected(ErrorCode.NOT_PENDING_AUTHORITY):
        kit.chain.send(accept, heir)
    kit.chain.send(oracle.ix_propose_authority(**propose, new_authority=heir.pubkey()), kit.authority)
    with rejected(ErrorCode.NOT_PENDING_AUTHORITY):
        kit.chain.send(oracle.ix_accept_authority(pending_authority=stranger.pubkey(), config=kit.config), stranger)
    kit.chain.send(oracle.ix_set_operator(**propose, operator=kit.operator.pubkey()), kit.authority)
    kit.chain.send(accept, heir)
    config = oracle.Config.from_account(kit.chain.data(kit.config))
    assert (config.authority, config.pending_authority) == (heir.pubkey(), ZERO)
    with rejected(ErrorCode.NOT_AUTHORITY):
        kit.chain.send(oracle.ix_revoke_operator(**propose), kit.authority)
    with rejected(ErrorCode.NOT_PENDING_AUTHORITY):
        kit.chain.send(accept, heir)


def test_a_proposed_authority_can_be_taken_back() -> None:
    kit = FeedKit.make()
    heir = kit.chain.wallet()
    for key in (heir.pubkey(), ZERO):
        propose = oracle.ix_propose_authority(authority=kit.authority.pubkey(), config=kit.config, new_authority=key)
        kit.chain.send(propose, kit.authority)
    with rejected(ErrorCode.NOT_PENDING_AUTHORITY):
        kit.chain.send(oracle.ix_accept_authority(pending_authority=heir.pubkey(), config=kit.config), heir)


def test_retention_is_five_to_thirty_days() -> None:
    kit = FeedKit.make()
    for days, beyond in ((5, -1), (30, 1)):
        with rejected(ErrorCode.BAD_PARAMETER):
            kit.chain.send(kit.ix_params(retention_s=days * 86_400 + beyond), kit.authority)
        kit.chain.send(kit.ix_params(retention_s=days * 86_400), kit.authority)


def test_a_config_of_the_first_version_is_grown_and_works_on() -> None:
    kit = FeedKit.make()
    now = kit.chain.account(kit.config)
    before = bytes(now.data)[:FIRST_CONFIG_BYTES]
    kit.chain.svm.set_account(kit.config, Account(now.lamports, before, oracle.PROGRAM_ID))
    revoke = oracle.ix_revoke_operator(authority=kit.authority.pubkey(), config=kit.config)
    with pytest.raises(Rejected):
        kit.chain.send(revoke, kit.authority)
    migrate = oracle.ix_migrate_config(payer=kit.chain.payer.pubkey(), config=kit.config)
    kit.chain.send(migrate)
    grown = kit.chain.data(kit.config)
    assert grown == before.ljust(oracle.Config.SPACE, b"\0")
    kit.chain.send(revoke, kit.authority)
    for wrong in (kit.config, kit.address, pda.publisher_set(kit.config, 1)):
        with rejected(ErrorCode.NOT_OLD_CONFIG):
            kit.chain.send(oracle.ix_migrate_config(payer=kit.chain.payer.pubkey(), config=wrong))


def test_a_new_config_keeps_feeds_a_week_and_asks_for_no_bonds() -> None:
    kit = FeedKit.make()
    config = oracle.Config.from_account(kit.chain.data(kit.config))
    assert (config.retention_s, config.min_bond_lamports, config.bond_receiver) == (7 * 86_400, 0, ZERO)
    assert Keypair().pubkey() not in (config.authority, config.operator)
