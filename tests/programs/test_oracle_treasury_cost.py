"""Compute units of the oracle and the treasury against their targets, and the sizes; docs/compute-units.md has both."""

from __future__ import annotations

import pytest

from chain.clients import market, oracle
from chain.clients.oracle import ErrorCode
from tests.programs.oracle_kit import FeedKit, quote
from tests.programs.svm import ARTIFACTS
from tests.programs.treasury_kit import TreasuryKit

PLAIN, AGGREGATE, AGGREGATE_OF_8 = 1_000, 4_000, 6_500
APPROVE, EXECUTE = 5_000, 8_000


@pytest.mark.parametrize(
    ("n", "minimum", "limit"),
    [(1, 1, AGGREGATE), (3, 2, AGGREGATE), (3, 3, AGGREGATE), (5, 3, AGGREGATE), (8, 8, AGGREGATE_OF_8)],
)
def test_a_quote_costs_a_thousand_units_and_its_aggregation_four_thousand(n: int, minimum: int, limit: int) -> None:
    kit = FeedKit.make(n, minimum)
    for tick in range(1, 130):
        # Descending quotes are the worst case of the sort; a minute mark is written every 60 ticks.
        for who in range(n):
            before = int(kit.feed().samples)
            spent = kit.push(who, quote(tick, x_e6=60_000_000 - 10_000 * who, conf_e4=3_000 - who))
            aggregated = int(kit.feed().samples) > before
            assert spent <= (limit if aggregated else PLAIN), (tick, who, aggregated)


def test_an_outage_of_a_whole_half_can_still_be_aggregated() -> None:
    kit = FeedKit.make(1, 1)
    kit.push(0, quote(1))
    assert kit.push(0, quote(2_701)) <= 20_000
    assert kit.feed().left_out_ms == 2_640_000


def test_a_refused_quote_costs_no_more_than_a_plain_one() -> None:
    kit = FeedKit.make()
    kit.push(0, quote(1))
    ix = oracle.ix_push_quote(publisher=kit.publishers[0].pubkey(), feed=kit.address, quote=quote(1))
    with pytest.raises(Exception, match=hex(ErrorCode.TICK_NOT_NEW)[2:]) as caught:
        kit.chain.send(ix, kit.publishers[0])
    spent = next(line.split() for line in str(caught.value).splitlines() if "consumed" in line)
    assert int(spent[3]) <= PLAIN


def test_approving_and_executing_stay_below_their_targets() -> None:
    kit = TreasuryKit.make(8, 8)
    exchange = kit.exchange()
    inner = market.ix_set_pause(signer=kit.executor, exchange=exchange, level=1)
    number = kit.propose(inner, 0)
    for member in kit.members:
        assert kit.chain.cu(kit.ix_approve(number, member.pubkey()), member) <= APPROVE
    assert kit.chain.cu(kit.ix_execute(number, inner)) <= EXECUTE


@pytest.mark.parametrize(("name", "limit"), [("oracle", 110_000), ("treasury", 160_000)])
def test_the_programs_are_small(name: str, limit: int) -> None:
    assert (ARTIFACTS / f"{name}.so").stat().st_size <= limit
