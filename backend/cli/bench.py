"""`futstar bench`: measured figures with the machine and the commit they belong to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.errors import UserError

ROOT = Path(__file__).parents[2]


def bench(
    name: Annotated[str | None, typer.Argument(help="Which benchmark; --list names them.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions: a smoke run.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the report to this file.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the benchmarks.")] = False,
) -> None:
    """Run a benchmark: prints machine, command, and median and spread of every figure.

    Example: futstar bench momentum --quick --json momentum.json
    """
    if not (ROOT / "bench" / "harness.py").is_file():
        raise UserError("no_benchmarks", f"no benchmarks beside {ROOT}: run this from a clone of the repository")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from bench import harness

    known = harness.names()
    if list_:
        for one in known:
            typer.echo(one)
        return
    if name is None or name not in known:
        raise UserError("unknown_benchmark", f"benchmark '{name or ''}' is not known: choose one of {', '.join(known)}")
    typer.echo(f"machine  {harness.machine()}")
    typer.echo(f"commit   {harness.commit()}")
    typer.echo(f"command  futstar bench {name}{' --quick' if quick else ''}")
    report = harness.run(name, quick)
    for row in report["results"]:
        typer.echo(str(harness.Result(**row)))
    if json_path is not None:
        try:
            harness.write(report, json_path)
        except OSError as error:
            raise UserError(
                "cannot_write", f"cannot write {json_path} ({error.strerror}): choose a place that can be written"
            ) from error
