"""What a run did, as text: successes and refusals of every instruction, attacks, ends, speed."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fuzz.excused import EXCUSED
from tests.fuzz.world import PROGRAMS, World


def instructions() -> list[str]:
    """Return the name of every instruction of every program."""
    return [f"{c.PROGRAM.name}.{name}" for c in PROGRAMS for name, _ in c.PROGRAM.instructions.values()]


def too_few(world: World, least: int) -> list[str]:
    """Return the instructions that succeeded less than ``least`` times and are not excused."""
    asked = [name for name in instructions() if name not in EXCUSED]
    return [f"{name} {world.done[name]}" for name in asked if world.done[name] < least]


def table(world: World, seconds: float) -> str:
    """Return the report of a run."""
    lines = [f"{world.step} steps in {seconds:.1f} s, {world.step / max(seconds, 0.001):.0f} steps/s"]
    for name in instructions():
        lines.append(f"  {name:32} {world.done[name]:7}" + (f"  ({EXCUSED[name]})" if name in EXCUSED else ""))
    lines.append(
        f"refused as predicted: {sum(world.refused.values())}; attacks repelled: {sum(world.attacks.values())}"
    )
    lines += [f"  refused {name}: {count}" for name, count in world.refused.most_common(25)]
    lines += [f"  {name}: {count}" for name, count in sorted(world.seen.items())]
    return "\n".join(lines)


def failure(world: World, message: str, arguments: Sequence[str], seed: int) -> str:
    """Return what was found and how to see it again."""
    rest = [
        a
        for i, a in enumerate(arguments)
        if a not in ("--seed", "--hours") and (i == 0 or arguments[i - 1] not in ("--seed", "--hours"))
    ]
    command = " ".join(["python -m tests.fuzz", f"--seed {seed}", *rest])
    trail = " | ".join(world.trail)
    return f"FOUND at seed {seed}, step {world.step}: {message}\nlast steps: {trail}\nrepeat: {command}"
