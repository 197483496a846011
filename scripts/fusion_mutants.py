"""Plant bugs in a copy of the fusion and see that its tests find each: `python -m scripts.fusion_mutants [NAME...]`.

Each mutant replaces one text, which must occur exactly once, so that one that no longer fits fails loudly.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = tuple(f"tests/ingest/test_fusion{part}.py" for part in ("_rules", "", "_goals", "_doubt"))
COPIED = ("ingest", "tests/ingest", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug."""

    name: str
    file: str
    old: str
    new: str


CRITICAL, SPLICE, CORE, MEMBER = (f"ingest/fusion/{name}.py" for name in ("critical", "splice", "core", "member"))
MUTANTS = (
    Mutant("no-matching", CRITICAL, "if one[0] != other[0] and a[0] == b[0]", "if False and a[0] == b[0]"),
    Mutant("own-twins", CRITICAL, "if one[0] != other[0] and a[0] == b[0]", "if a[0] == b[0]"),
    Mutant("window-edge", CRITICAL, "abs(a[1] - b[1]) <= window_ms", "abs(a[1] - b[1]) <= window_ms // 2"),
    Mutant("window-doubled", CRITICAL, "abs(a[1] - b[1]) <= window_ms", "abs(a[1] - b[1]) <= 2 * window_ms"),
    Mutant("pairs-twice", CRITICAL, "and other not in taken", "and True"),
    Mutant("farthest-first", CRITICAL, "(abs(a[1] - b[1]), one, other)", "(-abs(a[1] - b[1]), one, other)"),
    Mutant("no-rescue", CRITICAL, "if number else stretch.start", "if number < 0 else stretch.start"),
    Mutant("rescue-all", CRITICAL, "max(0, place[1] - by_ms)", "0"),
    Mutant("nothing-kept", CRITICAL, "if event.event_id == event_id:", "if event.event_id == provider:"),
    Mutant("told-forgotten", CRITICAL, "elif key in told and twin not in told:", "elif twin not in told:"),
    Mutant("told-never-stays", CRITICAL, "elif key in told and twin not in told:", "elif False:"),
    Mutant("sides-mixed", CRITICAL, 'return "goal" if event.goal else "shot", event.side,', 'return "goal", None,'),
    Mutant("offset-ignored", CRITICAL, "event.play_ms + self.offset_ms if", "event.play_ms if"),
    Mutant("seam-back", SPLICE, "at = max(at, self.stretches[-1].start)", "at = max(at, (0, 0))"),
    Mutant("kept-before", SPLICE, "(event.period, event.play_ms) >= at\n", "(event.period, event.play_ms) < at\n"),
    Mutant("former-stays", SPLICE, "for name in (former, provider):", "for name in (provider,):"),
    Mutant("late-kick-off", SPLICE, "and self._too_late(wanted)", "and False"),
    Mutant("clock-walks", CORE, "abs(estimate_ms - before_ms) > NEAR_MS", "True"),
    Mutant("no-dwell", CORE, "if now_ms - last_ms < self.bounds.dwell_ms:", "if now_ms < 0:"),
    Mutant("down-leads", CORE, "if member.may_return(now_ms)", "if True"),
    Mutant("no-catching-up", CORE, "elif not self._at_seam(active):", "elif False:"),
    Mutant("broken-lives", MEMBER, "self._alive(at_ms, False)", "self._alive(at_ms, True)"),
    Mutant("never-doubled", MEMBER, "<< min(max(0, recent - 1), MOST_DOUBLED)", "<< 0"),
    Mutant("sides-guessed", MEMBER, "raise FeedError(", "return False\n        raise FeedError("),
)


def found(mutant: Mutant, folder: Path) -> bool:
    """Whether a test fails with the bug in the copy at ``folder``."""
    path = folder / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(
            f"{mutant.name}: its old text occurs {text.count(mutant.old)} times in {mutant.file}: renew it"
        )
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
        return subprocess.run(run, cwd=folder, capture_output=True, check=False).returncode == 1
    finally:
        path.write_text(text)


def main() -> None:
    """Run the mutants named, or all."""
    wanted = [m for m in MUTANTS if not sys.argv[1:] or m.name in sys.argv[1:]]
    survivors = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in COPIED:
            target = folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / part, target)
        for mutant in wanted:
            ok = found(mutant, folder)
            print(f"{'found' if ok else 'SURVIVED':9}{mutant.name}", flush=True)
            survivors += [] if ok else [mutant.name]
    if survivors:
        raise SystemExit(f"{len(survivors)} of {len(wanted)} mutants survived: {', '.join(survivors)}")


if __name__ == "__main__":
    main()
