"""What every benchmark shares: medians with their spread, the machine, the commit, and the JSON report.

A benchmark is a module of this folder with a docstring and ``run(quick: bool) -> list[Result]``. `quick` is
for smoke runs: fewer repetitions, the same code.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: ``value`` is a median, ``spread`` the distance between the lowest and the highest run."""

    name: str
    unit: str
    value: float
    spread: float

    def __str__(self) -> str:
        return f"{self.name:<44} {self.value:>14,.4g} {self.unit:<12} +- {self.spread:,.3g}"


def result(name: str, unit: str, runs: Sequence[float]) -> Result:
    """Median and spread of ``runs``."""
    return Result(name, unit, statistics.median(runs), max(runs) - min(runs))


def seconds(work: Callable[[], object], repeats: int) -> list[float]:
    """Wall seconds of each of ``repeats`` calls, after one that is not counted."""
    work()
    runs = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        runs.append(time.perf_counter() - start)
    return runs


def percentile(values: Sequence[float], per_cent: float) -> float:
    """The value below which ``per_cent`` of ``values`` lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * per_cent / 100))]


def machine() -> str:
    """Processor, cores, system and Python of this machine."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def commit() -> str:
    """The checked-out commit, marked when the tree differs from it; ``unknown`` outside a repository."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described.stdout.strip()


def names() -> list[str]:
    """All benchmarks."""
    return sorted(p.stem for p in FOLDER.glob("*.py") if p.stem not in ("__init__", "harness"))


def run(name: str, quick: bool) -> dict[str, Any]:
    """Run a benchmark; returns the report. KeyError for an unknown one."""
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"bench.{name}")
    results: list[Result] = module.run(quick)
    return {"machine": machine(), "commit": commit(), "results": [asdict(r) for r in results]}


def write(report: dict[str, Any], path: Path) -> None:
    """Write the report as JSON."""
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
