"""`futstar momentum`: the index of recorded matches, and the methodologies' definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.errors import UserError

app = typer.Typer(
    help="The momentum index: replay a recorded match, show a methodology.",
    epilog="Example: futstar momentum methodology spec-decay/1",
    no_args_is_help=True,
)

_REPLAY_EXAMPLE = "Example: futstar momentum replay --provider statsperform --input ma1.json ma3.json --out index.csv"
_METHODOLOGY_EXAMPLE = "Example: futstar momentum methodology spec-decay/1"


@app.command("replay", epilog=_REPLAY_EXAMPLE)
def replay(
    provider: Annotated[str, typer.Option(help="Who recorded the match: statsperform or wyscout.")],
    paths: Annotated[list[Path], typer.Option("--input", help="File, files or folder of the recording.")],
    out: Annotated[Path, typer.Option(help="CSV to write: match_id,period,second,spec_box,spec_decay.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More input files.", metavar="[PATH]...")] = None,
    match: Annotated[str | None, typer.Option(help="Only this match of a folder.")] = None,
) -> None:
    """Write the index of every second of both halves, in points, with all corrections applied."""
    from momentum.replay import replay_to_csv

    try:
        matches, rows = replay_to_csv(provider, [*paths, *(more or [])], out, match)
    except OSError as error:
        raise UserError(
            "cannot_write", f"cannot write {out} ({error.strerror}): choose a place that can be written"
        ) from error
    typer.echo(f"{out}: {matches} {'match' if matches == 1 else 'matches'}, {rows} seconds")


@app.command("methodology", epilog=_METHODOLOGY_EXAMPLE)
def methodology(
    name: Annotated[str | None, typer.Argument(help="Show this one's canonical definition.")] = None,
    table: Annotated[bool, typer.Option("--table", help="Print its weight table (2^-32 units by age in s).")] = False,
) -> None:
    """List the methodologies with their hashes, or print one's canonical JSON (its SHA-256 is the hash)."""
    from momentum.methodology import METHODOLOGIES, by_name

    if name is None:
        for known in METHODOLOGIES:
            typer.echo(f"{known.hash.hex()}  {known.name}")
        return
    try:
        chosen = by_name(name)
    except KeyError as error:
        raise UserError("unknown_methodology", str(error.args[0])) from error
    if table:
        for age_s, weight in enumerate(chosen.table.tolist()):
            typer.echo(f"{age_s},{weight}")
    else:
        typer.echo(chosen.canonical.decode())
