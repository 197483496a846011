"""A slice of the fuzzer for every run of the suite; `make fuzz` goes on for hours, `make mutants` plants bugs."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from solders.account import Account

from chain.clients import market as m
from tests.fuzz import episode, founding, matches, providers, report, runner, stage, traders
from tests.fuzz.excused import EXCUSED
from tests.fuzz.venue import Venue
from tests.fuzz.world import Violation, World

STEPS = 3_000
PLAYING = {
    "init_config",
    "register_publisher_set",
    "register_methodology",
    "set_params",
    "create_feed",
    "grow_feed",
    "push_quote",
    "record_score",
    "finalise_feed",
    "close_feed",
    "withdraw_bond",
    "set_operator",
}
"""Instructions of the oracle that every match needs: founding.py, publishing.py, episode.py."""
FOUNDING = {"init_exchange", "init_pool", "create_market", "create_margin", "migrate_account", "init_lp_escrow"}


def test_a_random_walk_of_everybody_over_a_real_match_breaks_no_invariant() -> None:
    outcome = runner.run(11, STEPS, shared=False)
    print(report.table(outcome.world, outcome.seconds))
    assert not outcome.invariant, report.failure(outcome.world, outcome.message, ["--no-shared"], 11)
    assert len(report.too_few(outcome.world, 1)) <= 4, (
        "a slice reaches nearly every instruction; CI's run all, 200 times"
    )
    assert outcome.world.seen["exchanges wound up to nothing"] > 5
    ends = {name for name in outcome.world.seen if name.startswith("order ended")}
    assert "order ended 0" in ends
    assert len(ends) >= 6
    assert sum(outcome.world.attacks.values()) > 100


def test_the_same_seed_takes_the_same_steps() -> None:
    runs = [runner.run(5, 250, shared=False).world for _ in range(2)]
    assert runs[0].trail == runs[1].trail
    assert runs[0].done == runs[1].done
    assert runs[0].chain.payer.pubkey() == runs[1].chain.payer.pubkey()


def test_every_instruction_has_an_action_or_a_stated_reason() -> None:
    acted = {name for action in stage.ACTIONS for name in action.instructions}
    acted = {name if "." in name else f"market.{name}" for name in acted}
    acted |= {f"oracle.{name}" for name in PLAYING} | {f"market.{name}" for name in FOUNDING}
    names = set(report.instructions())
    missing = sorted(names - acted - set(EXCUSED))
    assert not missing, f"no action in tests/fuzz (see stage.py) and no reason in excused.py: {missing}"
    assert not (set(EXCUSED) | acted) - names, "excused, but no such instruction"


def a_venue() -> Venue:
    """Return a venue with liquidity and one trader's order."""
    world = World(3)
    venue = founding.found(world, matches.choose(random.Random(3), 0, shared=False))
    providers.add_liquidity(venue, venue.lps[0], 5_000_000_000)
    traders.deposit(venue, venue.people[0], 700_000_000)
    return venue


@pytest.mark.parametrize(
    ("field", "by", "invariant"),
    [
        ("cash_e6", -1, "I1: vault"),
        ("margin_e6", -1, "I1: vault"),
        ("reserved_e6", 1, "I2: pool reserved"),
        ("fees_charged_e6", 1, "I12: fees charged"),
        ("open_positions", 1, "I9: open positions"),
        ("bad_debt_e6", 1, "ledger: .*bad_debt_e6"),
    ],
)
def test_a_balance_that_is_off_by_one_is_noticed_in_the_next_step(field: str, by: int, invariant: str) -> None:
    venue = a_venue()
    account = venue.world.chain.account(venue.pool)
    pool = m.Pool.from_account(bytes(account.data))
    changed = replace(pool, **{field: getattr(pool, field) + by})
    data = m.Pool.DISCRIMINATOR + changed.encode()
    venue.world.chain.svm.set_account(venue.pool, Account(account.lamports, data, account.owner))
    with pytest.raises(Violation, match=invariant):
        traders.deposit(venue, venue.people[0], 1)


def test_most_episodes_end_with_nothing_left() -> None:
    world = World(8)
    found = matches.choose(random.Random(8), 0, shared=False)
    for _ in range(5):
        episode.live(world, found, until=10_000)
    assert world.seen["exchanges wound up to nothing"] >= 3
