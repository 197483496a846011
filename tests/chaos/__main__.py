"""`python -m tests.chaos`: days of matches with every fault, from a seed that is printed."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from ingest.feeds import Recorded
from ingest.twin.faults import PRESETS, preset
from tests.chaos.recordings import all_there, installed
from tests.chaos.report import report
from tests.chaos.simulation import Day, Rules, play


@cache
def _recordings(archive: bool) -> list[Recorded]:
    """Loaded once in each process."""
    return all_there() if archive else installed()


def _day(rules: Rules, seed: int, archive: bool) -> Day:
    return play(_recordings(archive), rules, seed)


def main() -> int:
    """Returns 1 when anything was lost, doubled, out of order, uncounted or leaked, or too little was injected."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="day n plays seed * 1000 + n; random and printed when left out")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--matches", type=int, default=10, help="a day")
    parser.add_argument("--faults", choices=sorted(PRESETS), default="hell")
    parser.add_argument("--poll", type=int, default=30, help="seconds between two requests for a document")
    parser.add_argument("--least", type=int, default=0, help="fail unless so many faults were injected")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--archive", action="store_true", help="matches of the archive beside the repository, too")
    chosen = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if chosen.seed is None else chosen.seed
    rules = Rules(preset(chosen.faults), chosen.matches, chosen.poll * 1000)
    again = (
        f"--seed {seed} --days {chosen.days} --matches {chosen.matches} --faults {chosen.faults} --poll {chosen.poll}"
    )
    print(f"python -m tests.chaos {again}{' --archive' if chosen.archive else ''}", flush=True)
    began = time.monotonic()
    seeds = [seed * 1000 + day for day in range(chosen.days)]
    days: list[Day] = []
    if chosen.workers > 1:
        with ProcessPoolExecutor(chosen.workers) as pool:
            for done in pool.map(_day, [rules] * len(seeds), seeds, [chosen.archive] * len(seeds)):
                days.append(done)
                _tell(done, chosen.days)
    else:
        for one in seeds:
            days.append(_day(rules, one, chosen.archive))
            _tell(days[-1], chosen.days)
    print(report(days, rules, time.monotonic() - began))
    injected = sum(sum(day.faults.values()) for day in days)
    if injected < chosen.least:
        print(f"only {injected:,} faults were injected, {chosen.least:,} are wanted", file=sys.stderr)
    failed = [day.seed for day in days if day.wrong]
    if failed:
        print(
            f"{len(failed)} of {len(days)} days went wrong; the command in the first line repeats them", file=sys.stderr
        )
    return int(bool(failed) or injected < chosen.least)


def _tell(day: Day, days: int) -> None:
    if days > 1:
        print(f"day {day.seed}: {sum(day.faults.values()):,} faults, {'WRONG' if day.wrong else 'right'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
