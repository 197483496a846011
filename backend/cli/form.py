"""`futstar momentum form`: what earlier matches tell of two teams beside the odds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.progress import processes, progress_bar
from backend.cli.recorders import RECORDERS
from backend.errors import UserError

EXAMPLE = "Example: futstar momentum form --provider wyscout --input FOLDER --prior prior.csv.gz --out priors.csv"


def form(
    provider: Annotated[str, typer.Option(help=f"Who recorded the matches: {RECORDERS}.")],
    paths: Annotated[list[Path], typer.Option("--input", help="File, files or folder of the recordings.")],
    prior: Annotated[Path, typer.Option(help="CSV (or .gz) with the odds, as for replay.")],
    out: Annotated[
        Path | None, typer.Option(help="Prior file to write: the odds with the form before each match.")
    ] = None,
    home: Annotated[str | None, typer.Option(help="Provider's id of a team, for a match to come.")] = None,
    away: Annotated[str | None, typer.Option(help="Provider's id of its opponent.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at work; all cores unless given.")] = None,
) -> None:
    """Form: by how many points of index teams have lately had more of their matches than the odds foretold."""
    from momentum.formfile import prior_file, read_forms
    from momentum.prior import read_priors

    if out is None and home is None:
        raise UserError("bad_option", "nothing to tell: give --out FILE, or --home ID and --away ID")
    if (home is None) != (away is None):
        raise UserError("bad_option", "one team is no match: give both --home ID and --away ID")
    priors = read_priors(prior)
    with progress_bar("matches") as progress:
        found = read_forms(provider, paths, priors, processes(jobs), progress)
    for failure in found.failures:
        typer.echo(f"futstar: [{failure.code}] {failure.text}", err=True)
    if home is not None and away is not None:
        typer.echo(f"form {found.now(home, away):+.2f} points, from {len(found.played)} matches")
    if out is not None:
        try:
            out.write_bytes(prior_file(priors, found))
        except OSError as error:
            raise UserError(
                "cannot_write", f"cannot write {out} ({error.strerror or error}): choose a place"
            ) from error
        typer.echo(f"{out}: {len(found.form.keys() & priors.keys())} matches with odds and form")
    if found.failures:
        raise typer.Exit(1)
