"""Bonds and public scores of publishers."""

from __future__ import annotations

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from chain import pda
from chain.clients import oracle
from chain.clients.oracle import ErrorCode
from tests.programs.oracle_kit import START_MS, ZERO, FeedKit, quote, rejected
from tests.programs.svm import Rejected

SOL = 1_000_000_000
WEEK_S = 7 * 86_400
NEXT = b"next".ljust(32, b"\0")


def bonded(n: int = 3, lamports: int = SOL) -> FeedKit:
    """Return a kit whose config asks for a bond of one SOL, and whose publishers posted `lamports` each."""
    kit = FeedKit.make(n, 1)
    kit.chain.send(kit.ix_params(min_bond_lamports=SOL), kit.authority)
    for who in range(n):
        kit.chain.send([kit.ix_open_bond(who), *kit.ix_post(who, lamports)], kit.publishers[who])
    return kit


def ix_list(kit: FeedKit, **changes: object) -> list[Instruction]:
    return kit.ix_create(NEXT, **({"bonded": [key.pubkey() for key in kit.publishers]} | changes))


def ix_slash(kit: FeedKit, who: int, lamports: int) -> Instruction:
    return oracle.ix_slash_bond(
        authority=kit.authority.pubkey(),
        config=kit.config,
        bond=pda.bond(kit.config, kit.publishers[who].pubkey()),
        bond_receiver=kit.receiver,
        lamports=lamports,
    )


def ix_release(kit: FeedKit, who: int) -> Instruction:
    key = kit.publishers[who].pubkey()
    return oracle.ix_request_bond_release(publisher=key, bond=pda.bond(kit.config, key))


def ix_withdraw(kit: FeedKit, who: int) -> Instruction:
    key = kit.publishers[who].pubkey()
    return oracle.ix_withdraw_bond(publisher=key, bond=pda.bond(kit.config, key))


def ix_score(kit: FeedKit, who: int) -> Instruction:
    return oracle.ix_record_score(feed=kit.address, bond=pda.bond(kit.config, kit.publishers[who].pubkey()))


def end(kit: FeedKit) -> None:
    """Finalise the feed by silence."""
    kit.wait(6 * 3600)
    kit.chain.send(
        oracle.ix_finalise_feed(operator=kit.operator.pubkey(), config=kit.config, feed=kit.address), kit.operator
    )


def test_a_feed_is_listed_on_the_bonds_of_all_its_publishers() -> None:
    kit = bonded()
    kit.chain.send(ix_list(kit), kit.operator)
    assert kit.chain.svm.get_account(pda.feed(kit.config, NEXT)) is not None


def test_a_feed_without_a_bond_in_its_place_is_refused() -> None:
    kit = bonded()
    keys = [key.pubkey() for key in kit.publishers]
    for given in ([], keys[:2], [keys[1], keys[0], keys[2]], [keys[0]] * 3, [*keys[:2], Keypair().pubkey()]):
        with rejected(ErrorCode.BOND_MISSING):
            kit.chain.send(ix_list(kit, bonded=given), kit.operator)
    create, _ = ix_list(kit)
    metas = list(create.accounts)
    metas[-1] = type(metas[-1])(kit.config, is_signer=False, is_writable=False)
    with rejected(ErrorCode.BOND_MISSING):
        kit.chain.send(Instruction(create.program_id, bytes(create.data), metas), kit.operator)


def test_a_bond_of_another_config_counts_for_nothing() -> None:
    kit = bonded(1)
    thief = kit.chain.wallet()
    kit.chain.send(
        oracle.ix_init_config(creator=thief.pubkey(), authority=thief.pubkey(), operator=thief.pubkey()), thief
    )
    other, key = pda.config(thief.pubkey()), kit.publishers[0].pubkey()
    kit.chain.send(oracle.ix_open_bond(payer=kit.chain.payer.pubkey(), publisher=key, config=other))
    create, _ = ix_list(kit)
    metas = list(create.accounts)
    metas[-1] = type(metas[-1])(pda.bond(other, key), is_signer=False, is_writable=False)
    with rejected(ErrorCode.BOND_MISSING):
        kit.chain.send(Instruction(create.program_id, bytes(create.data), metas), kit.operator)
    theirs = oracle.ix_slash_bond(
        authority=thief.pubkey(), config=other, bond=pda.bond(kit.config, key), bond_receiver=thief.pubkey(), lamports=1
    )
    kit.chain.send(
        oracle.ix_set_params(
            authority=thief.pubkey(),
            config=other,
            bond_receiver=thief.pubkey(),
            min_bond_lamports=0,
            retention_s=5 * 86_400,
        ),
        thief,
    )
    with rejected(ErrorCode.WRONG_CONFIG):
        kit.chain.send(theirs, thief)


def test_a_bond_that_is_too_small_or_being_released_lists_no_feed() -> None:
    kit = bonded(2, SOL - 1)
    with rejected(ErrorCode.BOND_TOO_SMALL):
        kit.chain.send(ix_list(kit), kit.operator)
    for who in range(2):
        kit.chain.send(kit.ix_post(who, 1), kit.publishers[who])
    kit.chain.send(ix_release(kit, 1), kit.publishers[1])
    with rejected(ErrorCode.BOND_RELEASING):
        kit.chain.send(ix_list(kit), kit.operator)
    kit.chain.send(kit.ix_post(1, 0), kit.publishers[1])
    kit.chain.send(ix_list(kit), kit.operator)


def test_a_bonded_feed_starts_within_four_days_so_that_no_cooldown_outruns_it() -> None:
    kit = bonded(1)
    day_ms = 86_400_000
    with rejected(ErrorCode.START_TOO_FAR):
        kit.chain.send(ix_list(kit, start_unix_ms=START_MS + 4 * day_ms + 1_000), kit.operator)
    kit.chain.send(ix_list(kit, start_unix_ms=START_MS + 4 * day_ms), kit.operator)


def test_lamports_that_did_not_arrive_are_not_booked() -> None:
    kit = FeedKit.make()
    kit.chain.send(kit.ix_open_bond(0))
    transferred, booked = kit.ix_post(0, 100)
    with rejected(ErrorCode.BOND_NOT_FUNDED):
        kit.chain.send(booked, kit.publishers[0])
    kit.chain.send(transferred, kit.publishers[0])
    kit.chain.send(booked, kit.publishers[0])
    with rejected(ErrorCode.BOND_NOT_FUNDED):
        kit.chain.send(booked, kit.publishers[0])
    too_many = oracle.ix_post_bond(
        publisher=kit.publishers[0].pubkey(),
        bond=pda.bond(kit.config, kit.publishers[0].pubkey()),
        lamports=(1 << 64) - 1,
    )
    with rejected(ErrorCode.BOND_NOT_FUNDED):
        kit.chain.send(too_many, kit.publishers[0])
    assert kit.bond(0).lamports == 100


def test_a_bond_comes_back_whole_a_week_after_the_request() -> None:
    kit = bonded(1)
    publisher = kit.publishers[0]
    with rejected(ErrorCode.NO_RELEASE):
        kit.chain.send(ix_withdraw(kit, 0), publisher)
    kit.chain.send(ix_release(kit, 0), publisher)
    kit.wait(WEEK_S - 1)
    with rejected(ErrorCode.COOLDOWN_RUNNING):
        kit.chain.send(ix_withdraw(kit, 0), publisher)
    kit.wait(1)
    before = kit.chain.account(publisher.pubkey()).lamports
    kit.chain.send(ix_withdraw(kit, 0), publisher)
    assert kit.chain.account(publisher.pubkey()).lamports == before + SOL
    bond = kit.bond(0)
    assert (bond.lamports, bond.release_unix_s) == (0, 0)
    rent = kit.chain.svm.minimum_balance_for_rent_exemption(oracle.PublisherBond.SPACE)
    assert kit.chain.account(pda.bond(kit.config, publisher.pubkey())).lamports == rent
    with rejected(ErrorCode.NO_RELEASE):
        kit.chain.send(ix_withdraw(kit, 0), publisher)


def test_only_the_publisher_posts_releases_and_withdraws_its_bond() -> None:
    kit = bonded(2)
    thief, bond = kit.publishers[1], pda.bond(kit.config, kit.publishers[0].pubkey())
    key = thief.pubkey()
    for ix in (
        oracle.ix_post_bond(publisher=key, bond=bond, lamports=0),
        oracle.ix_request_bond_release(publisher=key, bond=bond),
        oracle.ix_withdraw_bond(publisher=key, bond=bond),
    ):
        with rejected(ErrorCode.NOT_BOND_OWNER):
            kit.chain.send(ix, thief)


def test_a_bond_is_slashed_to_the_configs_receiver_also_while_it_is_being_released() -> None:
    kit = bonded(1)
    kit.chain.send(ix_release(kit, 0), kit.publishers[0])
    kit.wait(WEEK_S)
    kit.chain.send(ix_slash(kit, 0, SOL // 4), kit.authority)
    assert kit.chain.account(kit.receiver).lamports == SOL // 4
    bond = kit.bond(0)
    assert (bond.lamports, bond.slashed_lamports) == (SOL - SOL // 4, SOL // 4)
    with rejected(ErrorCode.BOND_TOO_SMALL):
        kit.chain.send(ix_slash(kit, 0, SOL), kit.authority)
    before = kit.chain.account(kit.publishers[0].pubkey()).lamports
    kit.chain.send(ix_withdraw(kit, 0), kit.publishers[0])
    assert kit.chain.account(kit.publishers[0].pubkey()).lamports == before + SOL - SOL // 4
    kit.chain.send(kit.ix_params(min_bond_lamports=SOL), kit.authority)
    with rejected(ErrorCode.BOND_TOO_SMALL):
        kit.chain.send(ix_list(kit), kit.operator)


def test_nothing_is_slashed_to_another_receiver_or_without_one() -> None:
    kit = bonded(1)
    receiver, kit.receiver = kit.receiver, kit.authority.pubkey()
    with rejected(ErrorCode.WRONG_BOND_RECEIVER):
        kit.chain.send(ix_slash(kit, 0, 1), kit.authority)
    kit.chain.send(kit.ix_params(bond_receiver=ZERO), kit.authority)
    kit.receiver = receiver
    with rejected(ErrorCode.WRONG_BOND_RECEIVER):
        kit.chain.send(ix_slash(kit, 0, 1), kit.authority)
    kit.receiver = ZERO
    with pytest.raises(Rejected):
        kit.chain.send(ix_slash(kit, 0, 1), kit.authority)


def test_a_score_counts_what_was_due_in_time_late_and_how_far_off() -> None:
    kit = bonded(3)
    for tick in (1, 2, 3, 4):
        kit.push(0, quote(tick, x_e6=50_000_000))
        kit.push(1, quote(tick, x_e6=50_400_000))
        if tick < 3:
            kit.push(2, quote(tick, x_e6=51_000_000))
    # The median of the votes of two publishers 0.4 apart with a confidence of 0.2 lies in their middle.
    sample = int(kit.feed().ring[0]["x_e6"])
    end(kit)
    for who in range(3):
        kit.chain.send(ix_score(kit, who))
    scores = [kit.bond(who) for who in range(3)]
    assert [(s.feeds, s.due, s.accepted, s.late, s.used, s.scored) for s in scores] == [
        (1, 4, 4, 0, 4, 4),
        (1, 4, 4, 0, 4, 4),
        (1, 4, 2, 2, 0, 2),
    ]
    off = [4 * abs(50_000_000 - sample), 4 * abs(50_400_000 - sample), 2 * abs(51_000_000 - sample)]
    assert [s.deviation_e6 for s in scores] == off


def test_a_score_is_recorded_once_after_the_end_and_for_publishers_of_the_feed_only() -> None:
    kit = bonded(1)
    kit.push(0, quote(1))
    with rejected(ErrorCode.FEED_NOT_FINAL):
        kit.chain.send(ix_score(kit, 0))
    end(kit)
    kit.chain.send(ix_score(kit, 0))
    with rejected(ErrorCode.SCORE_RECORDED):
        kit.chain.send(ix_score(kit, 0))
    stranger = Keypair().pubkey()
    kit.chain.send(oracle.ix_open_bond(payer=kit.chain.payer.pubkey(), publisher=stranger, config=kit.config))
    with rejected(ErrorCode.NOT_PUBLISHER):
        kit.chain.send(oracle.ix_record_score(feed=kit.address, bond=pda.bond(kit.config, stranger)))
    assert kit.bond(0).feeds == 1


def test_the_scores_of_several_feeds_add_up_and_outlive_the_bond() -> None:
    kit = bonded(1)
    kit.push(0, quote(1))
    end(kit)
    kit.chain.send(ix_score(kit, 0))
    kit.chain.send(ix_list(kit, start_unix_ms=kit.chain.unix_s * 1000), kit.operator)
    kit.address = pda.feed(kit.config, NEXT)
    for tick in (1, 2):
        kit.push(0, quote(tick))
    end(kit)
    kit.chain.send(ix_score(kit, 0))
    kit.chain.send(ix_release(kit, 0), kit.publishers[0])
    kit.wait(WEEK_S)
    kit.chain.send(ix_withdraw(kit, 0), kit.publishers[0])
    bond = kit.bond(0)
    assert (bond.feeds, bond.due, bond.used, bond.lamports) == (2, 3, 3, 0)


def test_a_score_of_another_configs_bond_is_refused() -> None:
    kit = bonded(1)
    end(kit)
    thief = kit.chain.wallet()
    kit.chain.send(
        oracle.ix_init_config(creator=thief.pubkey(), authority=thief.pubkey(), operator=thief.pubkey()), thief
    )
    other, key = pda.config(thief.pubkey()), kit.publishers[0].pubkey()
    kit.chain.send(oracle.ix_open_bond(payer=kit.chain.payer.pubkey(), publisher=key, config=other))
    with rejected(ErrorCode.WRONG_CONFIG):
        kit.chain.send(oracle.ix_record_score(feed=kit.address, bond=pda.bond(other, key)))
