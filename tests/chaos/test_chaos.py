"""A short piece of the simulation in the suite. `make chaos` and `make soak` play more."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.feed import FeedHeader
from ingest.feeds import Recorded
from ingest.net.plan import Phase
from ingest.twin.faults import HELL, ROUGH, Fault
from tests.chaos import simulation
from tests.chaos.consumer import Store
from tests.chaos.loop import run
from tests.chaos.match import Match
from tests.chaos.process import Crashes, Disk, End, Engine, Kernel, Killed
from tests.chaos.recordings import installed
from tests.chaos.report import report
from tests.chaos.simulation import Day, Rules, play

ROOT = Path(__file__).resolve().parents[2]
SEED = 11


def short(recorded: Recorded, minutes: int) -> Recorded:
    """The first minutes of a match, which a test can afford."""
    start = min(row.unix_ms for row in recorded.rows)
    return replace(recorded, rows=tuple(row for row in recorded.rows if row.unix_ms < start + minutes * 60_000))


@pytest.fixture(scope="module")
def recordings() -> list[Recorded]:
    return [short(recorded, 12) for recorded in installed()]


RULES = Rules(HELL, matches=4, poll_ms=10_000, crash=0.01, publisher_life_s=600.0, consumer_life_s=300.0)


@pytest.fixture(scope="module")
def day(recordings: list[Recorded]) -> Day:
    return play(recordings, RULES, SEED)


def test_through_every_fault_nothing_is_lost_doubled_out_of_order_uncounted_or_leaked(day: Day) -> None:
    assert day.wrong == ()
    assert day.events > 600
    assert day.records >= day.events


def test_every_kind_of_fault_and_of_death_was_there(day: Day) -> None:
    rare = {Fault.GOAL_DROPPED, Fault.GOAL_RETURNED}  # 12 minutes may pass without a goal
    assert set(Fault) - rare <= set(day.faults)
    assert len(day.crashes) >= 7
    assert sum(day.crashes.values()) > 20
    assert day.dropped > 0


def test_the_report_names_every_kind_with_its_probability(day: Day) -> None:
    text = report([day], RULES, 1.0)
    for kind in Fault:
        assert kind.value in text
    assert "none lost, none doubled" in text


def test_the_same_seed_is_the_same_run_in_another_process_and_another_seed_is_not(recordings: list[Recorded]) -> None:
    rules = replace(RULES, matches=1)
    code = (
        "from tests.chaos.test_chaos import *\n"
        "found = [short(recorded, 12) for recorded in installed()]\n"
        "print(play(found, replace(RULES, matches=1), 5).digest)"
    )
    env = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert play(recordings, rules, 5).digest == other.stdout.strip()
    assert play(recordings, rules, 6).digest != other.stdout.strip()


def test_a_lost_event_a_doubled_event_and_a_leaked_secret_are_found(
    recordings: list[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulation must be able to fail."""
    rules = replace(RULES, faults=ROUGH, matches=1)
    commit = Store.commit
    monkeypatch.setattr(Store, "commit", lambda store, batch: commit(store, [r for r in batch if r.seq % 50]))
    with pytest.raises(AssertionError, match="came where"):
        play(recordings, rules, 1)
    monkeypatch.undo()
    compared = simulation._compared

    def forgetful(match: Match, store: Store) -> list[str]:
        del store.records[match.fixture.key][-40:]
        return compared(match, store)

    monkeypatch.setattr(simulation, "_compared", forgetful)
    assert any("lost or different" in text for text in play(recordings, rules, 1).wrong)
    monkeypatch.undo()
    phase = Match._phase

    def chatty(match: Match, now_ms: int) -> Phase | None:
        simulation.logging.getLogger("someone").info("asking https://feed.example/%s/events", match.secret)
        return phase(match, now_ms)

    monkeypatch.setattr(Match, "_phase", chatty)
    assert any("is in the log" in text for text in play(recordings, rules, 1).wrong)


def test_a_killed_process_takes_its_tasks_along_and_says_no_goodbye() -> None:
    said: list[str] = []

    async def child() -> None:
        await asyncio.sleep(50)
        said.append("child")

    async def body() -> None:
        kept = asyncio.create_task(child())
        await asyncio.sleep(100)
        said.append(f"parent {kept}")

    async def dies() -> None:
        raise Killed

    async def main() -> list[End]:
        kernel = Kernel()
        ends = [await kernel.run(body, 10.0), await kernel.run(dies, 10.0)]
        await asyncio.sleep(1_000)
        return ends

    assert run(main()) == [End.KILLED, End.DIED]
    assert said == []


def test_a_journal_torn_in_a_line_is_read_up_to_the_line_before() -> None:
    always = Crashes(random.Random(3), 1.0, lambda: False)
    never = Crashes(random.Random(3), 0.0, lambda: False)
    header = FeedHeader.make("statsperform", "m1", 0, 0, {}).line
    line = b'{"at_ms":1,"doc":{"id":1}}\n'
    disk = Disk(never, random.Random(1))
    assert disk.read() is None
    disk.append([header, line, line])
    disk._crashes = always
    with pytest.raises(Killed):
        disk.append([line])
    assert always.counts == {"publisher died writing its journal": 1}
    found = disk.read()
    assert found is not None
    assert [message.doc for message in found[1]] == [{"id": 1}] * 2
    assert bytes(disk.data) == header + line * 2
    assert Engine().name == "memory"
