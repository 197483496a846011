"""`futstar momentum`: the index of recorded matches, and the methodologies' definitions."""

from __future__ import annotations

import json
import os
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli import evaluate, form
from backend.cli.progress import processes, progress_bar
from backend.cli.recorders import RECORDERS
from backend.errors import UserError

if TYPE_CHECKING:
    from momentum.methodology import Methodology
    from momentum.replay import Final

app = typer.Typer(
    help="The momentum index: replay recorded matches, explain and draw one, measure what it foretells.",
    epilog="Example: futstar momentum methodology spec-decay/1",
    no_args_is_help=True,
)
app.command("evaluate", epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command("form", epilog=form.EXAMPLE)(form.form)

PROVIDER_HELP = f"Who recorded the match: {RECORDERS}."
INPUT_HELP = "File, files or folder of the recording."
ONE_INPUT_HELP = "File, files or folder of the recording; without it the match in the kloppy package."

_REPLAY_EXAMPLE = "Example: futstar momentum replay --provider statsperform --input ma1.json ma3.json --out index.csv"
_EXPLAIN_EXAMPLE = "Example: futstar momentum explain --at 37:12 --methodology spec-box/1"
_PLOT_EXAMPLE = "Example: futstar momentum plot --out match.html"
_METHODOLOGY_EXAMPLE = "Example: futstar momentum methodology spec-decay/1"


@app.command("replay", epilog=_REPLAY_EXAMPLE)
def replay(
    provider: Annotated[str, typer.Option(help=PROVIDER_HELP)],
    paths: Annotated[list[Path], typer.Option("--input", help=INPUT_HELP)],
    out: Annotated[Path, typer.Option(help="Table to write; its ending decides: .csv or .parquet.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More input files.", metavar="[PATH]...")] = None,
    match: Annotated[str | None, typer.Option(help="Only this match of a folder.")] = None,
    prior: Annotated[
        Path | None, typer.Option(help="CSV (or .gz) with match_id, p_home, p_draw, p_away or prior_logit, and form.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at work; all cores unless given.")] = None,
) -> None:
    """Write every second of both halves, all corrections applied: indices, model, price of the 15-minute window.

    A match that cannot be replayed is named on stderr and makes the exit status 1; the others are written.
    """
    from momentum.batch import replay_to_file
    from momentum.prior import read_priors

    priors = read_priors(prior) if prior is not None else None
    try:
        with progress_bar("matches") as progress:
            report = replay_to_file(provider, [*paths, *(more or [])], out, match, priors, processes(jobs), progress)
    except OSError as error:
        raise _cannot_write(out, error) from error
    for failure in report.failures:
        typer.echo(f"futstar: [{failure.code}] {failure.text}", err=True)
    if report.problems:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(report.problems.items()))
        typer.echo(f"futstar: not used or odd in the recordings: {counts}", err=True)
    told = f"{out}: {report.matches} {'match' if report.matches == 1 else 'matches'}, {report.rows} seconds"
    if prior is not None:
        told += f", {report.priors} with a prior"
    if report.failures:
        typer.echo(f"{told}; {len(report.failures)} could not be replayed")
        raise typer.Exit(1)
    typer.echo(told)


def _one(provider: str, paths: list[Path] | None, match: str | None) -> Final:
    """One recorded match; without ``paths`` the complete one of the installed kloppy package."""
    from ingest.feeds import adapter, default_match_paths
    from ingest.feeds.base import require_index
    from momentum.replay import read_final

    source = adapter(provider)
    require_index(source)
    return read_final(source, paths or default_match_paths(provider), match)


def _cannot_write(out: Path, error: OSError) -> UserError:
    why = os.strerror(error.errno) if error.errno else str(error)
    return UserError("cannot_write", f"cannot write {out} ({why}): choose a place that can be written")


def _methodology(name: str | None) -> Methodology:
    """The methodology called ``name``, or the traded one."""
    from momentum.methodology import SPEC_DECAY, by_name

    if name is None:
        return SPEC_DECAY
    try:
        return by_name(name)
    except KeyError as error:
        raise UserError("unknown_methodology", str(error.args[0])) from error


@app.command("explain", epilog=_EXPLAIN_EXAMPLE)
def explain(
    at: Annotated[str, typer.Option(help="Match time: 37:12, 45+2:10, 93:05; the second half starts at 45:00.")],
    provider: Annotated[str, typer.Option(help=PROVIDER_HELP)] = "statsperform",
    paths: Annotated[list[Path] | None, typer.Option("--input", help=ONE_INPUT_HELP)] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="More input files.", metavar="[PATH]...")] = None,
    match: Annotated[str | None, typer.Option(help="The match's id, where the input holds several.")] = None,
    name: Annotated[str | None, typer.Option("--methodology", help="Which index; the traded one unless given.")] = None,
    period: Annotated[
        int | None, typer.Option(min=1, max=4, help="Count --at from this period's kick-off (3 and 4: extra time).")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many events to name.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say which events moved the index: its five shares and the events with the largest effect on this second."""
    from momentum import explain as core
    from momentum import minutes

    chosen = _methodology(name)
    at_period, second = minutes.parse(at, period)
    found = core.explain(_one(provider, [*(paths or []), *(more or [])], match), chosen, at_period, second, top)
    typer.echo(json.dumps(core.document(found), indent=2, ensure_ascii=False) if as_json else core.text(found))


@app.command("plot", epilog=_PLOT_EXAMPLE)
def plot(
    out: Annotated[Path, typer.Option(help="Picture to write; its ending decides: .png or .html.")],
    provider: Annotated[str, typer.Option(help=PROVIDER_HELP)] = "statsperform",
    paths: Annotated[list[Path] | None, typer.Option("--input", help=ONE_INPUT_HELP)] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="More input files.", metavar="[PATH]...")] = None,
    match: Annotated[str | None, typer.Option(help="The match's id, where the input holds several.")] = None,
    name: Annotated[str | None, typer.Option("--methodology", help="Which index; the traded one unless given.")] = None,
) -> None:
    """Draw a match: index, goals, shots, cards, and the 15-minute windows with their settlement."""
    from momentum.picture import picture
    from momentum.picture_html import write_html
    from momentum.picture_png import write_png

    write = {".png": write_png, ".html": write_html}.get(out.suffix.lower())
    if write is None:
        raise UserError("unknown_ending", f"{out} ends in neither .png nor .html: choose one of them")
    chosen = _methodology(name)
    found = picture(_one(provider, [*(paths or []), *(more or [])], match), chosen)
    part = out.with_name(out.name + ".part")
    try:
        write(found, part)
        part.replace(out)
    except OSError as error:
        raise _cannot_write(out, error) from error
    finally:
        part.unlink(missing_ok=True)
    typer.echo(f"{out}: {found.title}, {chosen.name}")


@app.command("methodology", epilog=_METHODOLOGY_EXAMPLE)
def methodology(
    name: Annotated[str | None, typer.Argument(help="Show this one's canonical definition.")] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Print its weights by age in s and feature, in 2^-32.")
    ] = False,
) -> None:
    """List the methodologies with their hashes, or print one's canonical JSON (its SHA-256 is the hash)."""
    from momentum.methodology import FEATURES, METHODOLOGIES

    if name is None:
        for known in METHODOLOGIES:
            typer.echo(f"{known.hash.hex()}  {known.name}")
        return
    chosen = _methodology(name)
    if table:
        tables = [memory.table.tolist() for memory in chosen.memories]
        typer.echo(",".join(("age_s", *FEATURES)))
        for age_s, weights in enumerate(zip_longest(*tables, fillvalue=0)):
            typer.echo(",".join(map(str, (age_s, *weights))))
    else:
        typer.echo(chosen.canonical.decode())
