"""What a twin's provider means, and that the same seed means the same."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ingest.events import FeedError
from ingest.feeds import ADAPTERS, Recorded, split
from ingest.timeline import Timeline
from ingest.twin.faults import CALM, HELL, OF_EVENTS, PRESETS, ROUGH, Fault, Faults, Ledger, preset
from ingest.twin.script import Script, unversioned, write
from ingest.twin.server import open_twin

NONE = Faults()


def script_of(recorded: Recorded, faults: Faults, seed: int = 1) -> tuple[Script, Ledger]:
    ledger = Ledger()
    return write(ADAPTERS[recorded.info.provider], recorded, faults, seed, ledger), ledger


def test_without_faults_the_truth_is_the_recording(recorded: Recorded) -> None:
    script, ledger = script_of(recorded, NONE)
    adapter = ADAPTERS[recorded.info.provider]
    timeline = Timeline(recorded.info)
    for row in recorded.rows:
        timeline.apply(split(adapter.parse(recorded.info, row.withdrawn or row.doc))[0])
    assert script.truth() == unversioned(timeline.events())
    assert set(ledger.counts()) <= {Fault.DELETED}  # what the recording itself holds withdrawn


def test_the_same_seed_means_the_same_match_and_another_seed_another(recorded: Recorded) -> None:
    first, second, third = (script_of(recorded, HELL, seed) for seed in (5, 5, 6))
    assert first == second
    assert first[0].steps != third[0].steps


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_mistake_stands_in_the_ledger_about_as_often_as_its_probability_says(hsv: Recorded, name: str) -> None:
    faults = PRESETS[name]
    script, ledger = script_of(hsv, faults)
    counts, events = ledger.counts(), len(script.standing(script.end_ms))
    for kind in (Fault.LATE, Fault.VANISHED, Fault.RESTORED):
        assert counts[kind] == pytest.approx(faults.of(kind) * events, rel=0.35, abs=8), kind
    assert set(counts) <= {*OF_EVENTS, Fault.SKEWED}


def test_versions_of_an_event_come_in_order_and_grow(recorded: Recorded) -> None:
    script, _ = script_of(recorded, HELL)
    adapter = ADAPTERS[recorded.info.provider]
    last: dict[str, int] = {}
    assert [step.at_ms for step in script.steps] == sorted(step.at_ms for step in script.steps)
    for step in script.steps:
        if step.doc is None:
            continue
        changes, _ = split(adapter.parse(recorded.info, step.doc))
        for change in changes:
            version = change.event.version if hasattr(change, "event") else change.version
            assert version > last.get(step.key, 0), step.key
        last[step.key] = max([last.get(step.key, 0), *(getattr(c, "event", c).version for c in changes)])


def test_what_vanished_is_not_among_the_truth_and_what_came_back_is(hsv: Recorded) -> None:
    script, ledger = script_of(hsv, HELL)
    standing = {event.event_id for event in script.truth()}
    gone = {entry.what for entry in ledger.entries if entry.fault is Fault.VANISHED}
    back = {entry.what for entry in ledger.entries if entry.fault in (Fault.RESTORED, Fault.GOAL_RETURNED)}
    assert gone
    assert not gone & standing
    assert back
    assert back <= standing


def test_a_skewed_clock_stays_within_its_bounds_and_never_runs_back(hsv: Recorded) -> None:
    script, _ = script_of(hsv, HELL, 3)
    off = [script.clock_ms(at) - script.start_unix_ms - at for at in range(0, script.end_ms, 60_000)]
    assert all(abs(ms) <= HELL.skew_ms + script.end_ms * HELL.drift_ppm // 1_000_000 + 1 for ms in off)
    times = [script.clock_ms(at) for at in range(100_000)]
    assert times == sorted(times)


def test_a_probability_beyond_one_and_a_sum_beyond_one_are_refused() -> None:
    for wrong in ({"late": 1.1}, {"stale": -0.1}, {"stale": 0.6, "slow": 0.6}):
        with pytest.raises(FeedError) as caught:
            Faults(**wrong)  # type: ignore[arg-type]
        assert caught.value.code == "bad_faults"


def test_every_kind_has_a_probability_and_the_presets_grow() -> None:
    names = {field.name for field in fields(Faults)}
    assert {kind.value for kind in Fault} - names == {"skewed"}
    for kind in Fault:
        assert CALM.of(kind) <= ROUGH.of(kind) <= HELL.of(kind), kind
        assert HELL.of(kind) > 0, kind
    assert ROUGH.scaled(0).of(Fault.STALE) == 0
    assert ROUGH.scaled(2).of(Fault.STALE) == 2 * ROUGH.stale


@pytest.mark.parametrize(
    ("wrong", "code"), [({"provider": "nobody"}, "unknown_provider"), ({"faults": "mild"}, "unknown_faults")]
)
def test_an_unknown_provider_or_preset_is_named(wrong: dict[str, str], code: str) -> None:
    with pytest.raises(FeedError) as caught:
        open_twin(**{"provider": "statsperform", **wrong})
    assert caught.value.code == code
    assert preset("rough") is ROUGH
