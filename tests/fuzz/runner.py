"""Run the fuzzer: `python -m tests.fuzz --seed 1 --steps 20000`; `--hours 3` goes from seed to seed.

A violation prints seed, step, the invariant with its figures, the last steps, and the command that repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import episode, matches, report
from tests.fuzz.world import Violation, World
from tests.programs.svm import ARTIFACTS


@dataclass
class Outcome:
    """How a run ended; ``invariant`` is empty when nothing was found."""

    world: World
    seconds: float
    invariant: str = ""
    message: str = ""


def run(seed: int, steps: int, *, folder: Path = ARTIFACTS, shared: bool = True) -> Outcome:
    """Play episodes until ``steps`` are done or an invariant breaks."""
    world = World(seed, folder)
    found = matches.choose(world.rng, 2, shared=shared)
    started = time.perf_counter()
    try:
        while world.step < steps:
            episode.live(world, found, until=steps)
    except Violation as error:
        return Outcome(world, time.perf_counter() - started, error.invariant, str(error))
    return Outcome(world, time.perf_counter() - started)


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    parser.add_argument("--steps", type=int, default=20_000, help="steps of a seed")
    parser.add_argument("--hours", type=float, default=0.0, help="go on with the next seeds for so long")
    parser.add_argument("--programs", type=Path, default=ARTIFACTS, help="folder with the .so files under test")
    parser.add_argument("--least", type=int, default=0, help="fail unless every instruction succeeded so often")
    parser.add_argument("--no-shared", action="store_true", help="use the match of the kloppy package alone")
    return parser


def main() -> int:
    """Run the command line; 1 when something was found."""
    options = arguments().parse_args()
    seed, ends = options.seed, time.monotonic() + options.hours * 3_600
    while True:
        print(f"seed {seed}, {options.steps} steps", flush=True)
        outcome = run(seed, options.steps, folder=options.programs, shared=not options.no_shared)
        print(report.table(outcome.world, outcome.seconds), flush=True)
        if outcome.invariant:
            print(report.failure(outcome.world, outcome.message, sys.argv[1:], seed), flush=True)
            return 1
        missing = report.too_few(outcome.world, options.least)
        if missing:
            print(f"too few successes: {missing}")
            return 1
        if time.monotonic() >= ends:
            return 0
        seed += 1
