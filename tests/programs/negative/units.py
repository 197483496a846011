"""Compute units of every instruction and rent of every account, measured on the scenes.

`python -m tests.programs.negative.units` prints the tables of docs/compute-units.md.
"""

from __future__ import annotations

import re
import statistics

from solders.transaction_metadata import FailedTransactionMetadata

from tests.programs.negative import test_scenes as _  # noqa: F401 - it registers every scene
from tests.programs.negative.layouts import layouts
from tests.programs.negative.world import IDLS, IDS, SCENES, World, base
from tests.programs.svm import ARTIFACTS

RUNS = 5
ACCOUNT_OVERHEAD, LAMPORTS_PER_BYTE = 128, 6_960
CONSUMED = re.compile(r"^Program (\w+) consumed (\d+) of \d+ compute units$")


def units(name: str) -> int:
    """Return what the scene's own instruction consumes, without what stands before and after it."""
    world = World.make(name)
    done = world.send()
    if isinstance(done, FailedTransactionMetadata):
        raise RuntimeError(f"{name}: {done.err()}")
    depth, spent = 0, []
    for line in done.logs():
        if re.match(r"^Program \w+ invoke \[1\]$", line):
            depth = 1
        elif " invoke [" in line:
            depth += 1
        elif found := CONSUMED.match(line):
            if depth == 1:
                spent.append((found[1], int(found[2])))
        elif re.match(r"^Program \w+ (success|failed)", line):
            depth -= 1
    program = str(IDS[base(name).split(".")[0]])
    return [count for address, count in spent if address == program][-1]


def main() -> None:
    """Print both tables as Markdown."""
    for program, parsed in IDLS.items():
        size = (ARTIFACTS / f"{program}.so").stat().st_size
        print(f"\n`{program}.so`: {size:,} bytes, {len(parsed.instructions)} instructions\n")
        print(f"| instruction | units, median of {RUNS} | least to most |\n|---|---|---|")
        for name in sorted(scene for scene in SCENES if scene.startswith(program)):
            counts = [units(name) for _run in range(RUNS)]
            print(f"| {name.split('.')[1]} | {statistics.median(counts):,.0f} | {min(counts):,} to {max(counts):,} |")
    print("\n| account | bytes | rent, lamports |\n|---|---|---|")
    for name, layout in sorted(layouts().items()):
        size = layout["size"]
        print(f"| {name} | {size:,} | {(ACCOUNT_OVERHEAD + size) * LAMPORTS_PER_BYTE:,} |")


if __name__ == "__main__":
    main()
