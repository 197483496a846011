"""The whole loop: latencies at 1x, seconds of play a second at full speed, and memory of all processes.

Runs the demo as a command, twice: in real time for a while, and as fast as it goes. The embedded chain's slot is 400 ms
of match time and it confirms at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from backend.demo.workspace import free_port
from bench.harness import Result, result

ROOT = Path(__file__).parents[1]


def _run(speed: str, until: int) -> tuple[dict[str, Any], float, float]:
    """The report, the largest resident memory of all processes in MB, and wall seconds."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        args = ["demo", "--headless", "--speed", speed, "--until", str(until), "--json", str(report)]
        args += ["--port", str(free_port()), "--data-dir", str(Path(folder) / "data")]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.cli.main", *args], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        top = 0.0
        while process.poll() is None:
            top = max(top, _resident_mb(process.pid))
            time.sleep(0.5)
        if process.returncode:
            raise RuntimeError(f"the demo ended with code {process.returncode}")
        return json.loads(report.read_bytes()), top, time.monotonic() - began


def _resident_mb(pid: int) -> float:
    """Proportional where the kernel tells it (shared pages counted once), else resident."""
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for member in family:
        try:
            info = member.memory_full_info()
            total += getattr(info, "pss", 0) or info.rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 1e6


def run(quick: bool = False) -> list[Result]:
    """Three times 60 s of play in real time and 600 s at full speed (quick: once 30 s and 200 s)."""
    repeats, live_s, fast_s = (1, 30, 200) if quick else (3, 60, 600)
    live = [_run("1", live_s) for _ in range(repeats)]
    fast = [_run("max", fast_s) for _ in range(repeats)]

    def late(name: str) -> list[float]:
        return [float(report["latency_ms"][name]) for report, _, _ in live]

    return [
        result("sample due to confirmed at 1x, p50", "ms", late("p50")),
        result("sample due to confirmed at 1x, p95", "ms", late("p95")),
        result("event to confirmed at 1x, p50", "ms", late("event_p50")),
        result("event to confirmed at 1x, p95", "ms", late("event_p95")),
        result("samples missed at 1x", "samples", [float(r["samples"]["missed"]) for r, _, _ in live]),
        result("play a wall second at full speed, with start-up", "s/s", [fast_s / wall_s for _, _, wall_s in fast]),
        result("memory of all processes", "MB", [memory for _, memory, _ in live + fast]),
    ]
