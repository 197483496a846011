"""Where measured figures come from: the machine and the commit that they belong to."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent


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
