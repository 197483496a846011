"""Budgets: one credential's requests, shared fairly by its matches."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.net.budget import Bucket, Gate
from ingest.net.fleet import Fleet
from ingest.net.plan import Auth, BudgetSpec, Phase, Span
from ingest.net.poll import PollSource
from ingest.net.secret import Secret
from tests.ingest import virtualtime
from tests.ingest.netkit import KICKOFF_MS, Script, collect, kinds, network, ok, plan_of

NOON_MS = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp() * 1000)


@given(
    st.floats(0.5, 50),
    st.integers(1, 20),
    st.lists(st.integers(0, 5_000), min_size=1, max_size=200),
)
def test_no_window_ever_holds_more_requests_than_rate_and_burst_allow(rate: float, burst: int, gaps: list[int]) -> None:
    bucket = Bucket(BudgetSpec("b", rate, burst), 0)
    now, sent = 0, []
    for gap in gaps:
        now += gap
        wait = bucket.wait_ms(now)
        now += wait
        assert bucket.wait_ms(now) == 0
        bucket.take(now)
        sent.append(now)
    for i in range(len(sent)):
        for j in range(i, len(sent)):
            assert j - i + 1 <= burst + (sent[j] - sent[i]) * rate / 1000 + 1e-6


@given(st.integers(1, 400))
def test_a_daily_quota_is_never_exceeded_and_lasts_to_the_end_of_the_day(quota: int) -> None:
    bucket = Bucket(BudgetSpec("b", 10, 10, per_day=quota), NOON_MS)
    now, sent = NOON_MS, []
    midnight = NOON_MS + 12 * 3_600_000
    while True:
        now += bucket.wait_ms(now)
        if now >= midnight:
            break
        bucket.take(now)
        sent.append(now)
    assert len(sent) <= quota
    if quota >= 100:
        assert sent[-1] > midnight - 3_600_000  # spread out, not spent at once
    assert bucket.wait_ms(midnight) <= 1_000  # a new day


def test_a_count_that_was_kept_goes_on_after_a_restart() -> None:
    spec = BudgetSpec("b", 10, 10, per_day=100, per_month=1_000)
    bucket = Bucket(spec, NOON_MS)
    for _ in range(10):
        bucket.take(NOON_MS)
    again = Bucket(spec, NOON_MS + 60_000)
    again.restore(bucket.used(), NOON_MS + 60_000)
    assert again.used() == {"day": 10, "month": 10}
    again.restore({"day": 100}, NOON_MS)
    assert again.wait_ms(NOON_MS + 60_000) > 3_600_000
    assert again.short(NOON_MS)


def gate_run(rate: float, waiting: list[tuple[str, Phase]], seconds: float) -> tuple[list[str], Counter[str]]:
    """Every (match, phase) asks again and again; who was served, in order."""
    served: list[str] = []
    counts: Counter[str] = Counter()

    async def main() -> None:
        gate = Gate(Bucket(BudgetSpec("b", rate), virtualtime.now_ms()), virtualtime.now_ms, counts)

        async def asks(name: str, phase: Phase) -> None:
            while True:
                await gate.admit(name, phase)
                served.append(name)

        tasks = [asyncio.ensure_future(asks(name, phase)) for name, phase in waiting]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()

    virtualtime.run(main())
    return served, counts


def test_matches_of_one_credential_get_equal_shares() -> None:
    served, counts = gate_run(10, [(f"m{n}", Phase.IN_PLAY) for n in range(7)], 70)
    shares = Counter(served)
    assert len(shares) == 7
    assert max(shares.values()) - min(shares.values()) <= 1
    assert counts["budget_waited"] >= 600


def test_a_match_that_asks_more_often_gets_no_more() -> None:
    served, _ = gate_run(10, [("greedy", Phase.IN_PLAY)] * 5 + [("modest", Phase.IN_PLAY)], 60)
    assert abs(served.count("greedy") - served.count("modest")) <= 10


def test_matches_in_play_go_first_and_the_others_do_not_starve() -> None:
    served, _ = gate_run(2, [("play", Phase.IN_PLAY)] * 3 + [("before", Phase.BEFORE)], 600)
    assert 5 <= served.count("before") <= 30
    assert served.count("play") > 1_000


def test_giving_up_the_wait_takes_no_request() -> None:
    async def main() -> None:
        gate = Gate(Bucket(BudgetSpec("b", 1, per_day=10), virtualtime.now_ms()), virtualtime.now_ms, Counter())
        await gate.admit("a", Phase.IN_PLAY)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await gate.admit("b", Phase.IN_PLAY)
        await asyncio.sleep(5)
        assert gate.bucket.used() == {"day": 1}
        gate.forget("a")

    virtualtime.run(main())


def test_an_exhausted_budget_is_a_slow_feed_and_then_a_lost_one_and_no_crash() -> None:
    async def main() -> None:
        budget = BudgetSpec("small", 10, 10, per_day=20)
        span = Span(KICKOFF_MS, play_ms=30 * 3_600_000)
        async with network(Script(ok())) as net:
            plan = plan_of(budget=budget, span=span)
            arrivals = await collect(PollSource(plan, plan.documents[0], net), 26 * 3600)
            assert net.counts["budget_short"] >= 1
            assert net.used()["small"]["day"] <= 20
        found = kinds(arrivals)
        assert found[:15] == ["document"] * 15
        assert "lost" in found
        assert 50 <= found.count("document") <= 60  # twenty a calendar day, over three of them
        assert any("budget" in arrival.note for arrival in arrivals)

    virtualtime.run(main())


def test_two_hundred_matches_share_one_budget_and_all_are_served() -> None:
    async def main() -> None:
        script = Script(ok())
        budget = BudgetSpec("shared", 100, 100)
        async with network(script) as net:
            plans = [plan_of(match_id=f"m{n}", budget=budget) for n in range(200)]
            fleet = Fleet({plan.match_id: PollSource(plan, plan.documents[0], net) for plan in plans})
            shares: Counter[str] = Counter()
            try:
                async with asyncio.timeout(20.5):
                    async for name, _ in fleet.arrivals():
                        shares[name] += 1
            except TimeoutError:
                await fleet.close()
        assert len(shares) == 200
        assert sum(shares.values()) == pytest.approx(2_100, rel=0.03)  # the budget is used up
        assert max(shares.values()) - min(shares.values()) <= 2

    virtualtime.run(main())


def test_many_matches_do_not_ask_in_the_same_moment() -> None:
    async def main() -> None:
        script = Script(ok())
        async with network(script) as net:
            plans = [plan_of(match_id=f"m{n}") for n in range(20)]
            fleet = Fleet({plan.match_id: PollSource(plan, plan.documents[0], net) for plan in plans})
            try:
                async with asyncio.timeout(10):
                    async for _ in fleet.arrivals():
                        pass
            except TimeoutError:
                await fleet.close()
        moments = sorted(at for at in script.times if 5 <= at < 6)
        assert len(moments) == 20
        assert min(after - before for before, after in itertools.pairwise(moments)) > 0.015

    virtualtime.run(main())


def test_one_failing_match_leaves_the_others_alone() -> None:
    async def main() -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(403) if request.url.path == "/bad" else ok()

        async with network(Script(answer)) as net:
            bad, good = plan_of("https://feed.test/bad", match_id="bad"), plan_of(match_id="good")
            fleet = Fleet({p.match_id: PollSource(p, p.documents[0], net) for p in (bad, good)})
            seen: list[tuple[str, object]] = []
            async for name, item in fleet.arrivals():
                seen.append((name, item))
                if len(seen) == 10:
                    break
            await fleet.close()
        errors = [item for name, item in seen if name == "bad"]
        assert [error.code for error in errors if isinstance(error, FeedError)] == ["credentials_refused"]
        assert [name for name, _ in seen].count("good") == 9

    virtualtime.run(main())


def test_a_budget_that_allows_nothing_or_is_defined_twice_is_refused() -> None:
    with pytest.raises(FeedError):
        BudgetSpec("b", 0)

    async def main() -> None:
        async with network(Script(ok())) as net:
            net.gate(plan_of(budget=BudgetSpec("b", 1)))
            with pytest.raises(FeedError, match="two definitions"):
                net.gate(plan_of(budget=BudgetSpec("b", 2)))
            net.authoriser(plan_of(auth=Auth(query={"key": Secret("first-key")})))
            net.authoriser(plan_of(auth=Auth(query={"key": Secret("first-key")})))
            with pytest.raises(FeedError, match="two credentials"):
                net.authoriser(plan_of(auth=Auth(query={"key": Secret("second-key")})))

    virtualtime.run(main())
