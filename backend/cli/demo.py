"""`futstar demo`: a real match becomes a market, with one command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.recorders import RECORDERS
from backend.errors import UserError

INVARIANTS = tuple(f"I{n}" for n in range(1, 13))


def demo(
    provider: Annotated[str, typer.Option(help=f"Who recorded the match: {RECORDERS}.")] = "statsperform",
    match: Annotated[
        list[Path] | None, typer.Option("--match", help="Match file or folder; repeat for MA1 and MA3.")
    ] = None,
    match_id: Annotated[str | None, typer.Option(help="Which match of a folder of many.")] = None,
    speed: Annotated[str, typer.Option(help="Match seconds per second: 1, 60, ... or max.")] = "60",
    seed: Annotated[int, typer.Option(help="Decides the feed's delays and edits, the keys and the traders.")] = 7,
    port: Annotated[int, typer.Option(help="Port of page, API and stream on 127.0.0.1.")] = 8080,
    headless: Annotated[bool, typer.Option("--headless", help="No live screen: a line every ten seconds.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the report to this file.")] = None,
    data_dir: Annotated[Path, typer.Option(help="Where runs and the database live.")] = Path(".futstar"),
    inject: Annotated[
        str | None, typer.Option(help="Spoil the evidence so that this invariant (I1 to I12) fails: tests the check.")
    ] = None,
    prior: Annotated[
        Path | None, typer.Option(help="CSV with odds before the match (see `momentum replay`): they enter the quote.")
    ] = None,
    until: Annotated[int | None, typer.Option(help="Stop after this many seconds of play.")] = None,
) -> None:
    """Replay a recorded match through the whole loop, with scripted traders, and check every invariant.

    Example: futstar demo --headless --speed max --json report.json
    """
    from backend.demo.clocks import parse_speed
    from backend.demo.run import Demo, Options
    from backend.demo.summary import print_summary

    try:
        factor = parse_speed(speed)
    except ValueError as error:
        raise UserError("bad_speed", str(error)) from error
    if inject is not None and inject not in INVARIANTS:
        raise UserError("unknown_invariant", f"invariant '{inject}' is not known: choose I1 to I12")
    ranges = (("seed", seed, 0, (1 << 31) - 1), ("port", port, 1, 65_535), ("until", until, 1, 18_000))
    for name, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            raise UserError("bad_option", f"--{name} {value} is out of range: give a number from {low} to {high}")
    if json_path is not None and not json_path.absolute().parent.is_dir():
        raise UserError("cannot_write", f"{json_path.absolute().parent} is no folder: name a place that can be written")
    options = Options(
        provider=provider,
        paths=tuple(match or ()),
        match=match_id,
        speed=factor,
        seed=seed,
        port=port,
        data_dir=data_dir,
        headless=headless,
        json_path=json_path,
        inject=inject,
        until_s=until,
        prior=prior,
    )
    run = Demo(options, lambda where: typer.echo(f"{title}, seed {seed}, speed {speed}: {where}"))
    title = f"{run.info.home.name} - {run.info.away.name} ({run.info.competition or provider})"
    report: dict[str, Any] = asyncio.run(run.run())
    print_summary(report, run.report_path)
    if not all(check["ok"] for check in report["invariants"].values()):
        raise typer.Exit(1)
