"""What every benchmark shares: medians with their spread, the machine, the commit, and the JSON report.

A benchmark is a module of this folder with a docstring and ``run(quick: bool) -> list[Result]``. `quick` is
for smoke runs: fewer repetitions, the same code.
"""

from __future__ import annotations

import importlib
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.origin import commit, machine

__all__ = ["Result", "commit", "machine", "names", "percentile", "result", "run", "seconds", "write"]

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
