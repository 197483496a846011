"""Every error code of every program by name, with what reaches it.

A new code needs one line here: `by("test_file:test_name")`, or a function that ends in the error. A code that nothing
can reach stands in `UNREACHABLE` with the reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from solders.account import Account
from solders.pubkey import Pubkey

from chain.clients import market as m
from chain.clients import oracle
from tests.programs.market_kit import LONG, SHORT, USDC, Venue
from tests.programs.market_scene import Scene
from tests.programs.negative.reaching import Reach, by
from tests.programs.oracle_kit import FeedKit
from tests.programs.oracle_kit import quote as tick_quote
from tests.programs.svm import Chain

WHO = by("test_oracle:test_only_publishers_push_only_the_operator_lists_only_the_authority_names_the_operator")
END = by("test_oracle_feed_end:test_a_feed_is_final_only_after_its_period_and_its_rent_goes_to_the_stored_receiver")
BOND = "test_oracle_bonds:"
REGISTRY = "test_oracle_registry:"
RELEASE = by(BOND + "test_a_bond_comes_back_whole_a_week_after_the_request")


def spoil(chain: Chain, address: Pubkey, dtype: np.dtype[Any], field: str, value: int) -> None:
    """Overwrite a number in an account, as no instruction can."""
    fields: Any = dtype.fields
    kind, at = fields[field][:2]
    account = chain.account(address)
    data = bytearray(account.data)
    data[8 + at : 8 + at + kind.itemsize] = value.to_bytes(kind.itemsize, "little")
    chain.svm.set_account(address, Account(account.lamports, bytes(data), account.owner))


def broken_feed() -> None:
    """Push a quote to a feed that leaves out more than was played."""
    kit = FeedKit.make(1, 1)
    kit.push(0, tick_quote(1))
    spoil(kit.chain, kit.address, oracle.FEED_DTYPE, "left_out_ms", 10_000)
    kit.push(0, tick_quote(2))


def quote(code: oracle.ErrorCode, **changes: int) -> Reach:
    """Push a bad quote."""
    return by("test_oracle:test_a_bad_quote_is_refused_with_its_reason", changes=changes, code=code)


BAD = oracle.ErrorCode
ORACLE: dict[str, Reach] = {
    "NotAuthority": WHO,
    "NotOperator": WHO,
    "NotPublisher": WHO,
    "BadPublishers": by(REGISTRY + "test_a_set_with_bad_publishers_is_refused", changes={"n_publishers": 0}),
    "AlreadyGrown": by("test_oracle:test_a_half_grown_feed_takes_no_quotes_and_a_grown_one_grows_no_more"),
    "TickNotNew": quote(BAD.TICK_NOT_NEW, tick=1),
    "AheadOfClock": by("test_oracle:test_a_quote_from_the_future_is_refused"),
    "BadQuote": quote(BAD.BAD_QUOTE, flags=16),
    "StepTooLarge": quote(BAD.STEP_TOO_LARGE, x_e6=76_000_000),
    "TimeWentBack": quote(BAD.TIME_WENT_BACK, data_ms=0, tick=9),
    "PeriodOver": by("test_oracle:test_periods_end_by_flag_and_the_next_one_continues_the_cumulative_clock"),
    "FeedFinal": END,
    "PeriodRunning": END,
    "FeedNotFinal": END,
    "WrongRentReceiver": END,
    "WrongConfig": by("test_oracle:test_another_configs_operator_cannot_finalise_the_feed"),
    "SetRetired": by(REGISTRY + "test_no_feed_is_listed_with_a_retired_set_and_the_old_one_goes_on"),
    "MethodologyRetired": by(REGISTRY + "test_no_feed_is_listed_with_a_retired_methodology"),
    "StartTooFar": by(BOND + "test_a_bonded_feed_starts_within_four_days_so_that_no_cooldown_outruns_it"),
    "BondMissing": by(BOND + "test_a_feed_without_a_bond_in_its_place_is_refused"),
    "BondTooSmall": by(BOND + "test_a_bond_that_is_too_small_or_being_released_lists_no_feed"),
    "BondNotFunded": by(BOND + "test_lamports_that_did_not_arrive_are_not_booked"),
    "BondReleasing": by(BOND + "test_a_bond_that_is_too_small_or_being_released_lists_no_feed"),
    "NotBondOwner": by(BOND + "test_only_the_publisher_posts_releases_and_withdraws_its_bond"),
    "NoRelease": RELEASE,
    "CooldownRunning": RELEASE,
    "WrongBondReceiver": by(BOND + "test_nothing_is_slashed_to_another_receiver_or_without_one"),
    "ScoreRecorded": by(BOND + "test_a_score_is_recorded_once_after_the_end_and_for_publishers_of_the_feed_only"),
    "NotPendingAuthority": by(REGISTRY + "test_a_proposed_authority_can_be_taken_back"),
    "BadParameter": by(REGISTRY + "test_retention_is_five_to_thirty_days"),
    "RetentionRunning": by("test_oracle_feed_end:test_a_final_feed_stays_for_its_retention_to_the_second"),
    "NotOldConfig": by(REGISTRY + "test_a_config_of_the_first_version_is_grown_and_works_on"),
    "TickAhead": quote(BAD.TICK_AHEAD, tick=2_000),
}


def order(code: m.ErrorCode, **changes: Any) -> Reach:
    """Submit a bad order."""
    return by("test_market_refusals:test_a_bad_order_is_refused", changes=changes, code=code)


def no_sample() -> None:
    """Ask for a price before the first sample."""
    venue = Venue.make()
    window = venue.open_window(0)
    venue.chain.send(m.ix_quote(exchange=venue.exchange, window=window, feed=venue.feed, side=0, qty_e6=USDC))


def wrong_account() -> None:
    """Use the window of one exchange with another."""
    s = Scene.make()
    other, creator = Pubkey.new_unique(), s.venue.chain.account(s.venue.exchange)
    s.venue.chain.svm.set_account(other, creator)
    s.venue.chain.send(m.ix_quote(exchange=other, window=s.window, feed=s.venue.feed, side=0, qty_e6=USDC))


def underflow() -> None:
    """Close a position whose window has lost its books."""
    s = Scene.make()
    s.venue.trade(s.ann, s.window, LONG, 1)
    spoil(s.venue.chain, s.window, m.WINDOW_DTYPE, "oi_long_e6", 0)
    s.venue.trade(s.ann, s.window, SHORT, 1)


def invariant_broken() -> None:
    """Deposit into a pool whose books hold more than its vault."""
    s = Scene.make()
    spoil(s.venue.chain, s.venue.pool, m.POOL_DTYPE, "insurance_e6", USDC)
    s.venue.deposit(s.ann, USDC)


SESSION = "test_market_sessions:"
RESTING = "test_market_resting:"
OUTFLOW = "test_market_outflow:"
LIQUIDITY = "test_market_liquidity:"
LOOKS = "attacks.test_liquidity_looks:"
MARKS = "test_market_marks:"
REFUSAL = "test_market_refusals:"
DISPUTE = "test_market_dispute:"
LIFE = "test_market_lifecycle:"
MIGRATION = "test_market_migration:"
AUTHORITY = "test_market_authority:"
SETTLEMENT = by(REFUSAL + "test_settlement_waits_for_the_end_and_for_the_dispute")
AMOUNTS = by(REFUSAL + "test_amounts_and_minimums_are_kept")
CODE = m.ErrorCode
MARKET: dict[str, Reach] = {
    "NotAuthority": by(AUTHORITY + "test_roles_are_given_and_revoked_by_the_authority_alone"),
    "NotOperator": by(REFUSAL + "test_only_the_operator_lists"),
    "OnlyTighten": by(AUTHORITY + "test_a_guardian_may_only_tighten_a_running_pause_to_the_same_end"),
    "WrongOwner": by(REFUSAL + "test_nobody_trades_or_withdraws_for_another"),
    "WrongAccount": wrong_account,
    "WrongFeed": by(REFUSAL + "test_a_feed_of_another_oracle_config_gets_no_market"),
    "BadParameter": order(CODE.BAD_PARAMETER, side=2),
    "Paused": by(AUTHORITY + "test_a_guardians_pause_ends_by_itself"),
    "Suspended": by(REFUSAL + "test_no_order_while_suspended"),
    "InBreak": by(REFUSAL + "test_no_order_in_a_break"),
    "NoSample": no_sample,
    "WindowNotOpen": by(REFUSAL + "test_no_order_in_a_final_window"),
    "WindowClosing": by(REFUSAL + "test_no_order_in_the_last_twenty_seconds"),
    "ClientIdUsed": order(CODE.CLIENT_ID_USED, client_id=0),
    "CollateralTooLow": order(CODE.COLLATERAL_TOO_LOW, collateral_e6=15 * USDC - 1),
    "InsufficientMargin": order(CODE.INSUFFICIENT_MARGIN, collateral_e6=500 * USDC),
    "NotRipe": by("test_market_orders:test_an_order_waits_until_its_sample_is_there"),
    "WrongSample": by("test_market_orders:test_nobody_can_choose_another_sample", index=5),
    "SameSlot": by(REFUSAL + "test_no_crank_in_the_slot_of_the_commit"),
    "FeedGone": by("test_market_orders:test_orders_end_after_the_feed_was_closed"),
    "StaleSample": by("test_market_liquidation:test_no_liquidation_on_an_old_sample"),
    "MarginSufficient": by("test_market_liquidation:test_a_healthy_position_is_left_alone"),
    "PositionEmpty": by("test_market_liquidation:test_an_empty_position_cannot_be_liquidated"),
    "WindowNotEnded": SETTLEMENT,
    "AlreadyFinal": by(REFUSAL + "test_no_order_in_a_final_window"),
    "NotFinal": by(DISPUTE + "test_what_is_not_final_cannot_be_challenged_or_voided"),
    "InDispute": SETTLEMENT,
    "OrdersPending": SETTLEMENT,
    "PositionsOpen": SETTLEMENT,
    "FeesDone": SETTLEMENT,
    "PoolBusy": by(LIQUIDITY + "test_open_positions_keep_the_liquidity_they_need"),
    "Slippage": AMOUNTS,
    "BadAmount": AMOUNTS,
    "Overflow": order(CODE.OVERFLOW, collateral_e6=2**64 - 1),
    "NotGuardian": by(DISPUTE + "test_only_guardian_and_authority_void_and_only_in_the_dispute_time"),
    "GuardianRests": by(AUTHORITY + "test_a_guardian_alone_cannot_stop_the_exchange_for_good"),
    "OutflowGrowth": by(AUTHORITY + "test_outflow_limits_grow_by_a_quarter_a_day_and_are_not_lifted"),
    "NoChallenges": by(DISPUTE + "test_an_exchange_without_challenges_takes_none"),
    "DisputeOver": by(DISPUTE + "test_only_guardian_and_authority_void_and_only_in_the_dispute_time"),
    "AlreadyChallenged": by(DISPUTE + "test_a_window_is_challenged_once"),
    "NotChallenged": by(DISPUTE + "test_a_window_is_challenged_once"),
    "NothingToMark": by(MARKS + "test_a_window_that_empties_takes_its_mark_along"),
    "StaleMark": by(MARKS + "test_nothing_moves_without_a_fresh_mark_of_every_live_window"),
    "MarksMissing": by(MARKS + "test_a_window_that_comes_alive_needs_a_mark_of_its_own"),
    "CoolingDown": by(LIQUIDITY + "test_a_withdrawal_waits_for_its_cooldown_even_when_the_parameter_changes"),
    "LastShares": by(LIQUIDITY + "test_the_last_shares_stay_until_no_position_is_open"),
    "OutflowHour": by(OUTFLOW + "test_an_hour_lets_no_more_winnings_out_than_its_limit_from_all_traders_together"),
    "OutflowDay": by(OUTFLOW + "test_a_day_lets_no_more_winnings_out_than_its_limit"),
    "RateLimited": by(SESSION + "test_orders_a_minute_are_limited_per_margin_account"),
    "NotEligible": by(SESSION + "test_where_an_attestor_is_set_only_attested_owners_open"),
    "NotAttestor": by(SESSION + "test_only_the_attestor_attests_and_revokes"),
    "BadSession": by(SESSION + "test_a_session_ends_by_itself"),
    "SessionLimit": by(SESSION + "test_a_session_limits_each_order_and_all_of_them_together"),
    "SessionRunning": by(SESSION + "test_owner_and_delegate_revoke_at_once_and_anybody_after_the_end"),
    "RestsOn": by(RESTING + "test_a_limit_order_waits_for_its_price_and_fills_the_delay_after_its_trigger"),
    "NotCancellable": by(RESTING + "test_cancels_that_are_not_possible_say_why"),
    "AlreadyCancelled": by(RESTING + "test_cancels_that_are_not_possible_say_why"),
    "WindowIdUsed": by(LIFE + "test_a_closed_id_does_not_return"),
    "FeesNotDone": by(LIFE + "test_a_window_closes_only_after_its_fees_are_distributed"),
    "ChallengeOpen": by(LIFE + "test_a_window_stays_until_the_bond_of_its_challenge_is_resolved"),
    "MatchRunning": by(LIFE + "test_a_market_closes_after_its_match_and_its_windows"),
    "WindowsLeft": by(LIFE + "test_a_market_closes_after_its_match_and_its_windows"),
    "RequestOver": by(LOOKS + "test_a_request_is_no_way_out_for_ever"),
    "RequestAlive": by(LOOKS + "test_a_held_result_is_its_owners_alone_however_long_it_waits"),
    "WrongReceiver": by(LOOKS + "test_a_request_is_no_way_out_for_ever"),
    "NoShares": by("test_market_liquidation:test_the_authority_alone_moves_insurance_and_only_into_the_pools_cash"),
    "NothingToCollect": by(
        "test_market_lifecycle:test_a_treasury_that_cannot_be_paid_holds_up_neither_fees_nor_the_end_of_a_window"
    ),
    "TooSmall": by(LIQUIDITY + "test_amounts_that_move_nothing_are_refused"),
    "WindowIsVoid": by(DISPUTE + "test_the_authority_voids_too"),
    "NotOldAccount": by(MIGRATION + "test_what_is_not_of_version_1_is_not_migrated"),
}

SPLIT = "test_treasury:"
ATTACK = "test_treasury_attacks:"
DRAFT = "test_treasury_drafts:"
MONEY = "test_treasury_money:"
UPGRADE = "test_treasury_upgrade:"
TREASURY: dict[str, Reach] = {
    "BadMembers": by(ATTACK + "test_members_are_set_and_different"),
    "NotMember": by(SPLIT + "test_an_approval_counts_once_and_only_from_a_member"),
    "NotExecutor": by(ATTACK + "test_nobody_acts_as_the_executor"),
    "BadProposal": by(SPLIT + "test_a_wrong_id_class_or_flag_is_refused"),
    "WrongId": by(SPLIT + "test_a_wrong_id_class_or_flag_is_refused"),
    "NotTightening": by(SPLIT + "test_class_0_carries_nothing_but_a_pause"),
    "AlreadyExecuted": by(SPLIT + "test_fees_leave_after_two_approvals_and_48_hours_and_only_once"),
    "Expired": by(DRAFT + "test_a_draft_expires_after_seven_days_and_can_be_closed_by_anyone"),
    "AlreadyApproved": by(SPLIT + "test_an_approval_counts_once_and_only_from_a_member"),
    "DurableNonce": by(SPLIT + "test_an_approval_on_a_durable_nonce_is_refused"),
    "NotEnoughApprovals": by(SPLIT + "test_tightening_needs_no_delay_but_still_the_threshold"),
    "MembersChanged": by(SPLIT + "test_members_change_by_proposal_only_and_older_approvals_lapse"),
    "TooEarly": by(DRAFT + "test_the_delay_of_a_draft_counts_from_its_activation"),
    "WrongAccounts": by(SPLIT + "test_only_the_approved_accounts_and_program_run"),
    "StillOpen": by(SPLIT + "test_a_proposal_closes_when_executed_or_expired_and_returns_its_rent"),
    "NotActive": by(DRAFT + "test_a_draft_cannot_be_approved_rejected_or_executed"),
    "NotDraft": by(DRAFT + "test_only_the_creator_writes_and_activates_and_nothing_changes_afterwards"),
    "NotCreator": by(DRAFT + "test_only_the_creator_writes_and_activates_and_nothing_changes_afterwards"),
    "Withdrawn": by(DRAFT + "test_the_creator_cancels_a_draft_or_an_approved_proposal_and_nobody_else"),
    "AlreadyRejected": by(DRAFT + "test_a_proposal_that_cannot_reach_its_threshold_is_over_and_closes_at_once"),
    "NotApproved": by(DRAFT + "test_a_revoked_approval_does_not_count"),
    "WindowsOpen": by(UPGRADE + "test_no_upgrade_while_a_window_is_open_except_when_halted"),
    "NoExchange": by(UPGRADE + "test_an_upgrade_names_an_exchange_that_the_executor_governs"),
    "NotExchange": by(UPGRADE + "test_only_the_executor_guards_and_only_an_exchange_of_its_own"),
    "BadLimit": by(MONEY + "test_a_member_listed_twice_is_refused_and_eight_of_each_are_not"),
    "LimitExceeded": by(MONEY + "test_a_limit_without_period_is_there_once"),
    "NotReceiver": by(MONEY + "test_who_is_not_listed_neither_pays_nor_is_paid"),
    "BadReceivers": by(MONEY + "test_receivers_are_different_token_accounts_of_the_vaults_mint_with_shares_of_10000"),
    "NoReceivers": by(MONEY + "test_only_the_executor_names_receivers_and_only_they_are_paid"),
    "NothingToDistribute": by(MONEY + "test_fees_are_split_by_shares_and_the_remainder_stays"),
    "AlreadyMigrated": by("test_treasury_layout:test_a_treasury_of_the_first_version_keeps_everything_and_grows"),
}

REACHED: dict[str, dict[str, Reach]] = {"oracle": ORACLE, "market": MARKET, "treasury": TREASURY}

UNREACHABLE: dict[str, dict[str, str]] = {
    "oracle": {"BrokenInvariant": "the last line of defence: wrong sums would need a fault in the program"},
    "market": {
        "Underflow": "books that hold less than what leaves them would need a fault in the program",
        "InvariantBroken": "the last line of defence: books beyond their vault would need a fault in the program",
    },
    "treasury": {},
}
"""Codes that no transaction can produce, with the reason; at most one in twenty."""

SPOILED: dict[str, dict[str, Reach]] = {
    "oracle": {"BrokenInvariant": broken_feed},
    "market": {"Underflow": underflow, "InvariantBroken": invariant_broken},
    "treasury": {},
}
"""The same codes on accounts whose bytes were overwritten: the defence is awake."""
