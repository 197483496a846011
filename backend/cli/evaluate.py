"""`futstar momentum evaluate`: what the indices foretell and how fair the prices are, on recorded matches."""

from __future__ import annotations

import datetime
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.progress import processes, progress_bar
from backend.cli.recorders import RECORDERS
from backend.errors import UserError
from backend.origin import commit, machine

EXAMPLE = "Example: futstar momentum evaluate --data ../shared/data --matches 200"


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder that holds wyscout/ and prior.csv.gz, or a provider's folder.")],
    provider: Annotated[str, typer.Option(help=f"Who recorded the matches: {RECORDERS}.")] = "wyscout",
    prior: Annotated[
        Path | None, typer.Option(help="Odds by match; prior.csv.gz in --data or beside it unless given.")
    ] = None,
    matches: Annotated[int | None, typer.Option(min=1, help="How many, chosen by --seed; all unless given.")] = None,
    seed: Annotated[int, typer.Option(help="Which matches, and the noise traders' chance.")] = 11,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at work; all cores unless given.")] = None,
    json_path: Annotated[Path, typer.Option("--json", help="Where to store every figure.")] = Path(
        "artifacts/evaluation.json"
    ),
) -> None:
    """Print and store the table of all indices, the errors of the prices, and what traders gain from them.

    Each match is judged by the model that has not seen its competition. A match that cannot be measured is named on
    stderr and makes the exit status 1; the tables are of the others.
    """
    from momentum.evaluation.report import text
    from momentum.evaluation.run import evaluate as measure
    from momentum.evaluation.run import locate, plain

    place = locate(data, provider, prior)
    part = json_path.with_name(json_path.name + ".part")
    try:
        # The place is tried first: the measuring takes minutes.
        json_path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise _cannot_write(json_path, error) from error
    workers, began = processes(jobs), time.monotonic()
    command = shlex.join(["futstar", *sys.argv[1:]])
    date = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    origin = {"machine": machine(), "commit": commit(), "command": command, "date": date}
    try:
        with progress_bar("matches") as progress:
            found = measure(place, matches, seed, workers, progress)
        origin["took"] = f"{time.monotonic() - began:.0f} s with {workers} processes"
        part.write_text(json.dumps({**origin, **plain(found)}, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        part.replace(json_path)
    except OSError as error:
        raise _cannot_write(json_path, error) from error
    finally:
        part.unlink(missing_ok=True)
    typer.echo("\n".join(f"{key:<8} {value}" for key, value in origin.items()) + "\n")
    typer.echo(text(found), nl=False)
    for failure in found.failures:
        typer.echo(f"futstar: [{failure.code}] {failure.text}", err=True)
    typer.echo(f"\n{json_path}: {found.matches} of {found.matches + len(found.failures)} matches")
    if found.failures:
        raise typer.Exit(1)


def _cannot_write(path: Path, error: OSError) -> UserError:
    why = os.strerror(error.errno) if error.errno else str(error)
    return UserError("cannot_write", f"cannot write {path} ({why}): choose a place that can be written")
