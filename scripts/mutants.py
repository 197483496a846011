"""Plant bugs in copies of the programs and see that the fuzzer finds each: `make mutants` (needs the Rust toolchain).

    python -m scripts.mutants                       every mutant, seeds 1 to 3
    python -m scripts.mutants --quick               every mutant, seed 1: what CI runs
    python -m scripts.mutants rounding fee-leak     some of them

A mutant is a file `programs/mutants/NAME.toml`: class, why, program, file, old text, new text. The old text must occur
exactly once, so a mutant that no longer fits its program fails loudly. The copy of the workspace lies in
programs/target/mutants and is kept: only what a mutation touches is built again.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "programs"
MUTANTS = PROGRAMS / "mutants"
COPY = Path(os.environ.get("MUTANTS_DIR", PROGRAMS / "target" / "mutants"))
SKIPPED = {"target", "artifacts", "mutants", ".build"}
STEPS = 100_000
"""The steps CI gives the fuzzer; a bug that needs more counts as not found."""
CLASSES = (
    "rounding",
    "missing signer",
    "stale price",
    "skipped reservation",
    "double settle",
    "fee leak",
    "replayed sample",
    "share inflation",
)
"""Classes of bugs of which one mutant must be there at least."""


class MutantError(Exception):
    """A mutant cannot be planted or built; the message says what to do."""


@dataclass(frozen=True)
class Mutant:
    """One planted bug."""

    name: str
    kind: str
    why: str
    program: str
    file: str
    old: str
    new: str

    @staticmethod
    def read(path: Path) -> Mutant:
        """Read a mutant's description."""
        table = tomllib.loads(path.read_text())
        kind = table.pop("class")
        return Mutant(name=path.stem, kind=kind, **table)

    def apply(self, source: str) -> str:
        """Return the mutated source; raises `MutantError` unless the old text is there exactly once."""
        found = source.count(self.old)
        if found != 1:
            raise MutantError(f"{self.name}: the old text occurs {found} times in {self.file}, not once: write it anew")
        return source.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    """Return all mutants."""
    return [Mutant.read(path) for path in sorted(MUTANTS.glob("*.toml"))]


def check_all(found: Sequence[Mutant]) -> None:
    """Raise `MutantError` when one does not fit its source, or a class has none."""
    for mutant in found:
        mutant.apply((PROGRAMS / mutant.file).read_text())
    missing = set(CLASSES) - {mutant.kind for mutant in found}
    if missing:
        raise MutantError(f"no mutant of class {', '.join(sorted(missing))}")


def sync(source: Path, target: Path) -> None:
    """Copy what differs, so that cargo builds again only what changed; drop what is gone."""
    target.mkdir(parents=True, exist_ok=True)
    names = {item.name for item in source.iterdir()} - SKIPPED
    for item in target.iterdir():
        if item.name not in names and item.name not in SKIPPED:
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    for name in sorted(names):
        if (source / name).is_dir():
            sync(source / name, target / name)
        elif not (target / name).exists() or not filecmp.cmp(source / name, target / name, shallow=False):
            shutil.copyfile(source / name, target / name)


def build(mutant: Mutant) -> Path:
    """Build the mutated program in the copy and return the folder with its shared object."""
    sync(PROGRAMS, COPY / "programs")
    shutil.copytree(
        ROOT / "scripts", COPY / "scripts", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    path = COPY / "programs" / mutant.file
    path.write_text(mutant.apply(path.read_text()))
    env = os.environ | {"CARGO_TARGET_DIR": str(COPY / "target")}
    script = "from scripts import build_programs as b; import sys; "
    script += "open(sys.argv[2], 'wb').write(b.build_program(sys.argv[1], b.toolchain()))"
    folder = COPY / "built" / mutant.name
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", script, mutant.program, str(folder / f"{mutant.program}.so")]
    env["PYTHONPATH"] = str(COPY)
    done = subprocess.run(command, cwd=COPY, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MutantError(f"{mutant.name} does not build:\n{done.stderr[-3_000:]}")
    return folder


def hunt(folder: Path, seed: int) -> str | None:
    """Run the fuzzer on a mutated program; return where it was found, None when it was not."""
    command = [sys.executable, "-m", "tests.fuzz", "--no-shared"]
    command += ["--seed", str(seed), "--steps", str(STEPS), "--programs", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.search(r"FOUND at seed \d+, step (\d+): ([^:]+): (.*)", done.stdout)
    if found:
        return f"step {found[1]} by {found[2]}: {found[3][:90]}"
    if done.returncode:
        raise MutantError(f"the fuzzer itself failed:\n{done.stdout[-1_000:]}{done.stderr[-3_000:]}")
    return None


def main() -> int:
    """Run the command line; 1 when a mutant was not found."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="default: all")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to this")
    parser.add_argument("--quick", action="store_true", help="seed 1 alone")
    options = parser.parse_args()
    try:
        everything = mutants()
        check_all(everything)
        chosen = [mutant for mutant in everything if not options.names or mutant.name in options.names]
        started, missed = time.monotonic(), []
        print(f"{len(chosen)} mutants, {STEPS} steps a seed", flush=True)
        for mutant in chosen:
            folder = build(mutant)
            for seed in range(1, (1 if options.quick else options.seeds) + 1):
                where = hunt(folder, seed)
                print(f"  {mutant.name:20} {mutant.kind:20} seed {seed}: {where or 'NOT FOUND'}", flush=True)
                if where is None:
                    missed.append(f"{mutant.name} on seed {seed}")
    except MutantError as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 1
    print(
        f"{len(chosen)} mutants in {time.monotonic() - started:.0f} s; "
        + (f"NOT FOUND: {missed}" if missed else "all found")
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
