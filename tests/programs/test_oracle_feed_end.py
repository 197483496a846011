"""How a feed is held, becomes final, and is closed."""

from __future__ import annotations

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import oracle
from chain.clients.oracle import ErrorCode
from tests.programs.oracle_kit import FeedKit, quote, rejected
from tests.programs.test_oracle_registry import FIRST_CONFIG_BYTES

HOURS_6 = 6 * 3600
DAYS_7 = 7 * 86_400
DAYS_5 = 5 * 86_400


def ix_finalise(kit: FeedKit, signer: Keypair) -> Instruction:
    return oracle.ix_finalise_feed(operator=signer.pubkey(), config=kit.config, feed=kit.address)


def ix_close(kit: FeedKit, receiver: Pubkey | None = None) -> Instruction:
    return oracle.ix_close_feed(
        operator=kit.operator.pubkey(), config=kit.config, rent_receiver=receiver or kit.receiver, feed=kit.address
    )


def ix_hold(kit: FeedKit, signer: Keypair, *, on: bool) -> Instruction:
    return oracle.ix_set_hold(signer=signer.pubkey(), config=kit.config, feed=kit.address, on=on)


def test_a_feed_is_final_only_after_its_period_and_its_rent_goes_to_the_stored_receiver() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1))
    with rejected(ErrorCode.PERIOD_RUNNING):
        kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    with rejected(ErrorCode.FEED_NOT_FINAL):
        kit.chain.send(ix_close(kit), kit.operator)
    kit.tick(quote(2, period=2, flags=4))
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    for ix in (ix_finalise(kit, kit.operator), ix_hold(kit, kit.operator, on=True)):
        with rejected(ErrorCode.FEED_FINAL):
            kit.chain.send(ix, kit.operator)
    with rejected(ErrorCode.FEED_FINAL):
        kit.push(0, quote(3))
    kit.wait(DAYS_7)
    with rejected(ErrorCode.WRONG_RENT_RECEIVER):
        kit.chain.send(ix_close(kit, kit.operator.pubkey()), kit.operator)
    rent = kit.chain.account(kit.address).lamports
    kit.chain.send(ix_close(kit), kit.operator)
    assert kit.chain.svm.get_account(kit.address) is None
    assert kit.chain.account(kit.receiver).lamports == rent


def test_a_final_feed_stays_for_its_retention_to_the_second() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1, period=2, flags=4))
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    assert kit.feed().finalised_unix_s == kit.chain.unix_s
    kit.wait(DAYS_7 - 1)
    with rejected(ErrorCode.RETENTION_RUNNING):
        kit.chain.send(ix_close(kit), kit.operator)
    kit.wait(1)
    kit.chain.send(ix_close(kit), kit.operator)


def test_a_migrated_config_without_a_retention_keeps_feeds_five_days() -> None:
    kit = FeedKit.make()
    now = kit.chain.account(kit.config)
    first = bytes(now.data)[:FIRST_CONFIG_BYTES]
    kit.chain.svm.set_account(kit.config, Account(now.lamports, first, oracle.PROGRAM_ID))
    kit.chain.send(oracle.ix_migrate_config(payer=kit.chain.payer.pubkey(), config=kit.config))
    kit.tick(quote(1, period=2, flags=4))
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    kit.wait(DAYS_5 - 1)
    with rejected(ErrorCode.RETENTION_RUNNING):
        kit.chain.send(ix_close(kit), kit.operator)
    kit.wait(1)
    kit.chain.send(ix_close(kit), kit.operator)
    assert kit.chain.svm.get_account(kit.address) is None


def test_the_operator_cannot_end_a_match_at_half_time_and_silence_can() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1))
    kit.tick(quote(2, flags=4))
    assert kit.feed().in_break == 1
    with rejected(ErrorCode.PERIOD_RUNNING):
        kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    kit.wait(HOURS_6)
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    assert kit.feed().status == 1


def test_the_operator_ends_a_match_after_its_second_half_and_not_in_extra_time() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1))
    for tick, period in ((2, 2), (4, 3)):
        start = 900_000 * period
        kit.tick(quote(tick, period=period, data_ms=start, play_ms=0))
        with rejected(ErrorCode.PERIOD_RUNNING):
            kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
        kit.tick(quote(tick + 1, period=period, data_ms=start + 1_000, play_ms=1_000, flags=4))
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)


def test_anyone_may_finalise_a_feed_that_was_silent_for_six_hours() -> None:
    kit = FeedKit.make()
    passer_by = kit.chain.wallet()
    for tick in (1, 61):
        kit.tick(quote(tick))
    assert kit.feed().last_unix_s == kit.chain.unix_s
    kit.wait(HOURS_6 - 1)
    with rejected(ErrorCode.NOT_OPERATOR):
        kit.chain.send(ix_finalise(kit, passer_by), passer_by)
    kit.wait(1)
    kit.chain.send(ix_finalise(kit, passer_by), passer_by)
    feed = kit.feed()
    assert (feed.status, feed.in_break, feed.periods[0].end_play_ms) == (1, 1, 60_000)
    assert feed.periods[0].end_area == 50_000_000 * 60_000


def test_silence_is_counted_from_kick_off_when_no_sample_came() -> None:
    kit = FeedKit.make()
    later = b"later".ljust(32, b"\0")
    start = kit.chain.unix_s + 10_000
    kit.chain.send(kit.ix_create(later, start_unix_ms=start * 1000), kit.operator)
    kit.address = pda.feed(kit.config, later)
    passer_by = kit.chain.wallet()
    kit.wait(HOURS_6)
    with rejected(ErrorCode.NOT_OPERATOR):
        kit.chain.send(ix_finalise(kit, passer_by), passer_by)
    kit.chain.clock(start + HOURS_6)
    kit.chain.send(ix_finalise(kit, passer_by), passer_by)
    assert kit.feed().status == 1


def test_the_operator_may_finalise_and_close_a_feed_that_never_had_a_sample() -> None:
    kit = FeedKit.make()
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    kit.wait(DAYS_7)
    kit.chain.send(ix_close(kit), kit.operator)
    assert kit.chain.svm.get_account(kit.address) is None


def test_only_the_operator_closes_a_feed() -> None:
    kit = FeedKit.make()
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    kit.wait(DAYS_7)
    thief = kit.chain.wallet()
    ix = oracle.ix_close_feed(operator=thief.pubkey(), config=kit.config, rent_receiver=kit.receiver, feed=kit.address)
    with rejected(ErrorCode.NOT_OPERATOR):
        kit.chain.send(ix, thief)


def test_a_held_feed_is_suspended_until_the_hold_is_lifted_whatever_the_publishers_say() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1))
    kit.chain.send(ix_hold(kit, kit.operator, on=True), kit.operator)
    assert kit.feed().suspend_epoch == 0
    for tick in (2, 3, 4):
        kit.tick(quote(tick))
        feed = kit.feed()
        assert (feed.suspend_epoch, feed.suspend_reason) == (1, 7)
    kit.chain.send(ix_hold(kit, kit.authority, on=False), kit.authority)
    kit.tick(quote(5))
    feed = kit.feed()
    assert (feed.suspend_epoch, feed.suspend_reason) == (2, 0)
    assert (feed.suspended_ms, feed.suspended_since_ms) == (3_000, 0)


def test_a_suspension_by_a_publisher_goes_on_after_the_hold() -> None:
    kit = FeedKit.make()
    kit.chain.send(ix_hold(kit, kit.authority, on=True), kit.authority)
    kit.tick(quote(1, flags=1, suspend_reason=2))
    assert kit.feed().suspend_reason == 7
    kit.chain.send(ix_hold(kit, kit.operator, on=False), kit.operator)
    kit.tick(quote(2, flags=1, suspend_reason=2))
    feed = kit.feed()
    assert (feed.suspend_epoch, feed.suspend_reason) == (1, 2)


def test_a_publisher_can_neither_hold_nor_lift_a_hold() -> None:
    kit = FeedKit.make()
    kit.chain.send(ix_hold(kit, kit.operator, on=True), kit.operator)
    for on in (True, False):
        with rejected(ErrorCode.NOT_OPERATOR):
            kit.chain.send(ix_hold(kit, kit.publishers[0], on=on), kit.publishers[0])
    assert kit.feed().hold == 1


def test_another_configs_operator_can_neither_hold_finalise_nor_close() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1, period=2, flags=4))
    thief = kit.chain.wallet()
    key = thief.pubkey()
    kit.chain.send(oracle.ix_init_config(creator=key, authority=key, operator=key), thief)
    own = pda.config(key)
    for ix in (
        oracle.ix_set_hold(signer=key, config=own, feed=kit.address, on=True),
        oracle.ix_finalise_feed(operator=key, config=own, feed=kit.address),
    ):
        with rejected(ErrorCode.WRONG_CONFIG):
            kit.chain.send(ix, thief)
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    kit.wait(DAYS_7)
    close = oracle.ix_close_feed(operator=key, config=own, rent_receiver=kit.receiver, feed=kit.address)
    with rejected(ErrorCode.WRONG_CONFIG):
        kit.chain.send(close, thief)
