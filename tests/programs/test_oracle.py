"""The oracle program on a chain in this process, from the committed artifact, through the generated client."""

from __future__ import annotations

import random
from dataclasses import astuple
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer

from chain import pda
from chain.clients import oracle
from chain.clients.oracle import ErrorCode
from oracle import listing
from oracle.aggregate import Feed, QuoteRejected, pack_sample
from tests.programs.oracle_kit import METHODOLOGY, START_MS, FeedKit, quote, rejected
from tests.programs.svm import START_UNIX_S, Rejected

DAYS_5 = 5 * 86_400
SCORE = ("accepted", "late", "used", "scored", "deviation_e6")


def sample_at(feed: oracle.Feed, index: int) -> oracle.Sample:
    """Return sample number `index` from the ring."""
    row = feed.ring[index % 512]
    return oracle.Sample.decode(row.tobytes())


def test_a_feed_is_created_and_grown_in_one_transaction() -> None:
    kit = FeedKit.make()
    feed = kit.feed()
    assert len(kit.chain.data(kit.address)) == oracle.Feed.SPACE
    assert kit.chain.account(kit.address).owner == oracle.PROGRAM_ID
    assert (feed.version, feed.in_break, feed.period, feed.samples) == (1, 1, 0, 0)
    assert (feed.config, feed.rent_receiver, feed.start_unix_ms) == (kit.config, kit.receiver, START_MS)
    rent = kit.chain.svm.minimum_balance_for_rent_exemption(oracle.Feed.SPACE)
    assert kit.chain.account(kit.address).lamports == rent


def test_a_tick_is_aggregated_once_when_more_than_half_have_quoted_it() -> None:
    kit = FeedKit.make(3, 1)
    kit.push(0, quote(1, x_e6=50_000_000))
    assert kit.feed().samples == 0
    kit.push(2, quote(1, x_e6=52_000_000))
    feed = kit.feed()
    assert (feed.samples, feed.tick) == (1, 1)
    kit.push(1, quote(1, x_e6=90_000_000, flags=1))
    after = kit.feed()
    assert (after.samples, bytes(after.hash_chain)) == (1, bytes(feed.hash_chain))
    assert [int(q.late) for q in after.quotes[:3]] == [0, 1, 0]


def test_a_minimum_above_the_half_is_waited_for() -> None:
    kit = FeedKit.make(3, 3)
    kit.tick(quote(1), publishers=2)
    assert kit.feed().samples == 0
    kit.push(2, quote(1))
    assert kit.feed().samples == 1


def test_an_outage_holds_sixty_seconds_and_leaves_out_the_rest() -> None:
    kit = FeedKit.make(1, 1)
    kit.push(0, quote(1, x_e6=40_000_000))
    kit.push(0, quote(151, x_e6=45_000_000))
    feed = kit.feed()
    assert feed.left_out_ms == 90_000
    assert sample_at(feed, 1).area == 40_000_000 * 60_000
    assert [int(v) for v in feed.minute_left_out_ms[0][:3]] == [0, 0, 60_000]


def test_one_liar_of_two_holds_the_index_back_but_does_not_take_it_away() -> None:
    kit = FeedKit.make(3, 2)
    kit.tick(quote(1, x_e6=50_000_000, conf_e4=0))
    for tick, (honest, lie, expected) in enumerate(
        [
            (51_000_000, 26_000_000, 50_000_000),
            (52_000_000, 74_000_000, 52_000_000),
            (51_500_000, 77_000_000, 52_000_000),
            (51_000_000, 27_000_000, 51_000_000),
        ],
        start=2,
    ):
        kit.push(2, quote(tick, x_e6=lie, conf_e4=0))
        kit.push(0, quote(tick, x_e6=honest, conf_e4=0))
        assert sample_at(kit.feed(), tick - 1).x_e6 == expected


def test_suspension_makes_the_epoch_odd_and_resumption_even() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1))
    kit.push(0, quote(2, flags=1, suspend_reason=3))
    kit.push(1, quote(2))
    feed = kit.feed()
    assert (feed.suspend_epoch, feed.suspend_reason, sample_at(feed, 1).suspend_epoch) == (1, 3, 1)
    kit.tick(quote(3))
    feed = kit.feed()
    assert (feed.suspend_epoch, feed.suspend_reason, sample_at(feed, 2).suspend_epoch) == (2, 0, 2)


def test_periods_end_by_flag_and_the_next_one_continues_the_cumulative_clock() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1))
    kit.tick(quote(61, flags=4))
    feed = kit.feed()
    assert (feed.period, feed.in_break, feed.periods[0].end_play_ms) == (1, 1, 60_000)
    late = kit.feed().data_ms + 900_000
    with rejected(ErrorCode.PERIOD_OVER):
        kit.push(0, quote(62, data_ms=late))
    kit.tick(quote(62, period=2, play_ms=0, data_ms=late))
    kit.tick(quote(63, period=2, play_ms=1_000, data_ms=late + 1_000))
    feed = kit.feed()
    assert (feed.period, feed.in_break, feed.play_ms) == (2, 0, 61_000)
    assert feed.periods[1].start_play_ms == 60_000


def test_a_random_walk_gives_the_twins_marks_samples_and_hash_chain() -> None:
    for seed in range(3):
        rng = random.Random(seed)
        kit, twin = FeedKit.make(3, 2), Feed(3, 2, START_MS)
        tick, x = 1, 50_000_000
        for step in range(140):
            x = min(max(x + rng.randint(-6_000_000, 6_000_000), 0), 100_000_000)
            flags = 1 if step % 37 in (5, 6, 7) else 0
            for who in rng.sample(range(3), rng.choice([1, 2, 2, 3, 3])):
                own = min(max(x + rng.randint(-40_000, 40_000), 0), 100_000_000)
                value = quote(tick, x_e6=own, flags=flags, conf_e4=rng.randint(0, 5_000), inputs_hash=rng.randbytes(32))
                expected: str | None = None
                try:
                    twin.push(who, value, max(kit.chain.unix_s, START_UNIX_S + value.data_ms // 1000))
                except QuoteRejected as error:
                    expected = error.name
                if expected is None:
                    kit.push(who, value)
                else:
                    with pytest.raises(Rejected):
                        kit.push(who, value)
            tick += rng.choice([1, 1, 1, 7, 30, 80])
        feed = kit.feed()
        assert bytes(feed.hash_chain) == twin.hash_chain
        assert feed.samples == len(twin.samples) > 80
        assert [pack_sample(sample_at(feed, i)) for i in range(feed.samples)] == [pack_sample(s) for s in twin.samples]
        assert feed.minute_area.tolist() == twin.minute_area
        assert feed.minute_left_out_ms.tolist() == twin.minute_left_out_ms
        assert feed.minute_suspended_ms.tolist() == twin.minute_suspended_ms
        for name in ("left_out_ms", "suspend_epoch", "suspended_ms", "suspended_since_ms", "lone_ms", "lone_since_ms"):
            assert getattr(feed, name) == getattr(twin, name), name
        assert (feed.still_since_ms, list(feed.still_minutes)) == (twin.still_since_ms, twin.still_minutes)
        for index, score in twin.scores.items():
            kept = feed.quotes[index]
            assert [int(getattr(kept, name)) for name in SCORE] == list(astuple(score))


def test_the_ring_keeps_the_last_512_samples() -> None:
    kit = FeedKit.make(1, 1)
    for tick in range(1, 516):
        kit.push(0, quote(tick))
    feed = kit.feed()
    assert feed.samples == 515
    assert sample_at(feed, 514).play_ms == 514_000
    assert sample_at(feed, 3).play_ms == 3_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tick": 1}, ErrorCode.TICK_NOT_NEW),
        ({"x_e6": 76_000_000}, ErrorCode.STEP_TOO_LARGE),
        ({"mu_e6": 76_000_000}, ErrorCode.STEP_TOO_LARGE),
        ({"s_e4": (1 << 31) + 250_001}, ErrorCode.BAD_QUOTE),
        ({"s_e4": (1 << 31) - 250_001}, ErrorCode.BAD_QUOTE),
        ({"x_e6": 100_000_001}, ErrorCode.BAD_QUOTE),
        ({"mu_e6": 100_000_001}, ErrorCode.BAD_QUOTE),
        ({"period": 0}, ErrorCode.BAD_QUOTE),
        ({"period": 5}, ErrorCode.BAD_QUOTE),
        ({"flags": 16}, ErrorCode.BAD_QUOTE),
        ({"suspend_reason": 8}, ErrorCode.BAD_QUOTE),
        ({"play_ms": 7_200_001}, ErrorCode.BAD_QUOTE),
        ({"data_ms": 0, "tick": 9}, ErrorCode.TIME_WENT_BACK),
        ({"play_ms": 0, "tick": 9}, ErrorCode.TIME_WENT_BACK),
    ],
)
def test_a_bad_quote_is_refused_with_its_reason(changes: dict[str, int], code: ErrorCode) -> None:
    kit = FeedKit.make(1, 1)
    kit.push(0, quote(1, data_ms=1_000, play_ms=1_000))
    with rejected(code):
        kit.push(0, quote(**({"tick": 2, "data_ms": 2_000, "play_ms": 2_000} | changes)))
    assert kit.feed().samples == 1


def test_a_quote_from_the_future_is_refused() -> None:
    kit = FeedKit.make(1, 1)
    ahead = oracle.ix_push_quote(publisher=kit.publishers[0].pubkey(), feed=kit.address, quote=quote(1, data_ms=10_001))
    with rejected(ErrorCode.AHEAD_OF_CLOCK):
        kit.chain.send(ahead, kit.publishers[0])


def test_only_publishers_push_only_the_operator_lists_only_the_authority_names_the_operator() -> None:
    kit = FeedKit.make()
    stranger = kit.chain.wallet()
    with rejected(ErrorCode.NOT_PUBLISHER):
        kit.push(0, quote(1), key=stranger)
    with rejected(ErrorCode.NOT_OPERATOR):
        kit.chain.send(kit.ix_create(bytes(32), operator=stranger.pubkey()), stranger)
    change: dict[str, Any] = {"config": kit.config, "operator": stranger.pubkey()}
    with rejected(ErrorCode.NOT_AUTHORITY):
        kit.chain.send(oracle.ix_set_operator(authority=stranger.pubkey(), **change), stranger)
    kit.chain.send(oracle.ix_set_operator(authority=kit.authority.pubkey(), **change), kit.authority)
    kit.chain.send(kit.ix_create(bytes(32), operator=stranger.pubkey()), stranger)


def test_a_half_grown_feed_takes_no_quotes_and_a_grown_one_grows_no_more() -> None:
    kit = FeedKit.make()
    create, grow = kit.ix_create(bytes(32))
    kit.chain.send(create, kit.operator)
    half = oracle.pda_feed(kit.config, bytes(32))[0]
    push = oracle.ix_push_quote(publisher=kit.publishers[0].pubkey(), feed=half, quote=quote(1))
    with pytest.raises(Rejected):
        kit.chain.send(push, kit.publishers[0])
    kit.chain.send(grow)
    kit.chain.send(push, kit.publishers[0])
    with rejected(ErrorCode.ALREADY_GROWN):
        kit.chain.send(grow)


def test_a_feed_of_another_program_and_a_config_in_place_of_a_feed_are_refused() -> None:
    kit = FeedKit.make()
    for wrong in (kit.config, Keypair().pubkey(), kit.chain.payer.pubkey()):
        ix = oracle.ix_push_quote(publisher=kit.publishers[0].pubkey(), feed=wrong, quote=quote(1))
        with pytest.raises(Rejected):
            kit.chain.send(ix, kit.publishers[0])


def test_another_configs_operator_cannot_finalise_the_feed() -> None:
    kit = FeedKit.make()
    kit.tick(quote(1, period=2, flags=4))
    thief = kit.chain.wallet()
    init = oracle.ix_init_config(creator=thief.pubkey(), authority=thief.pubkey(), operator=thief.pubkey())
    kit.chain.send(init, thief)
    own = oracle.pda_config(thief.pubkey())[0]
    with pytest.raises(Rejected):
        kit.chain.send(oracle.ix_finalise_feed(operator=thief.pubkey(), config=own, feed=kit.address), thief)


def test_one_key_may_be_creator_authority_operator_publisher_and_payer() -> None:
    kit = FeedKit.make()
    key = kit.chain.payer.pubkey()
    config = oracle.pda_config(key)[0]
    kit.chain.send(oracle.ix_init_config(creator=key, authority=key, operator=key))
    registered = listing.register(
        authority=key,
        payer=key,
        config=config,
        set_id=1,
        publishers=[key],
        min_publishers=1,
        methodology=METHODOLOGY,
        name="test",
    )
    kit.chain.send(registered)
    kit.chain.send(kit.ix_create(bytes(32), operator=key, config=config, rent_receiver=key))
    feed = pda.feed(config, bytes(32))
    kit.chain.send(oracle.ix_push_quote(publisher=key, feed=feed, quote=quote(1, period=2, flags=4)))
    for on in (True, False):
        kit.chain.send(oracle.ix_set_hold(signer=key, config=config, feed=feed, on=on))
    kit.chain.send(
        oracle.ix_set_params(
            authority=key, config=config, bond_receiver=key, min_bond_lamports=0, retention_s=5 * 86_400
        )
    )
    bond = pda.bond(config, key)
    kit.chain.send(oracle.ix_open_bond(payer=key, publisher=key, config=config))
    kit.chain.send(
        [
            transfer(TransferParams(from_pubkey=key, to_pubkey=bond, lamports=5)),
            oracle.ix_post_bond(publisher=key, bond=bond, lamports=5),
        ]
    )
    kit.chain.send(oracle.ix_slash_bond(authority=key, config=config, bond=bond, bond_receiver=key, lamports=2))
    kit.chain.send(oracle.ix_request_bond_release(publisher=key, bond=bond))
    kit.chain.send(oracle.ix_finalise_feed(operator=key, config=config, feed=feed))
    kit.chain.send(oracle.ix_record_score(feed=feed, bond=bond))
    kit.wait(5 * 86_400)
    kit.chain.send(oracle.ix_close_feed(operator=key, config=config, rent_receiver=key, feed=feed))
    assert kit.chain.svm.get_account(feed) is None
    kit.wait(7 * 86_400)
    kit.chain.send(oracle.ix_withdraw_bond(publisher=key, bond=bond))
    kit.chain.send(oracle.ix_propose_authority(authority=key, config=config, new_authority=key))
    kit.chain.send(oracle.ix_accept_authority(pending_authority=key, config=config))
