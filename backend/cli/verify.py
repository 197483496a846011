"""`futstar verify`: anybody recomputes a finished run from its raw feed and the chain's own record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from backend.demo.workspace import run_file
from backend.errors import UserError


def verify(
    report: Annotated[Path, typer.Option("--report", help="The report.json of a run.")],
    feed: Annotated[Path | None, typer.Option("--feed", help="Another feed file than the report names.")] = None,
    chain: Annotated[Path | None, typer.Option("--chain", help="Another transcript than the report names.")] = None,
) -> None:
    """Recompute every published sample from the raw feed, the methodology and the chain alone.

    Example: futstar verify --report report.json
    """
    from momentum.methodology import by_hash
    from momentum.verify import verify as recompute
    from oracle import transcript

    document = _read(report)
    try:
        claimed = int(document["samples"]["landed"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError("not_a_report", f"{report} is no report of a run (no {error}): give its report.json") from error
    feed, chain = feed or run_file(report, "feed.jsonl"), chain or run_file(report, "chain.jsonl.gz")
    record = transcript.read(chain)
    samples = transcript.published(transcript.aggregate(record))
    methodology = by_hash(bytes(record.account.methodology))
    # The last sample's inputs hash commits to the feed up to it; nothing after it is published.
    verdict = recompute(feed, samples, methodology)
    typer.echo(str(verdict))
    for difference in verdict.first:
        typer.echo(
            f"  tick {difference.tick}: {difference.what} published {difference.published}, "
            f"recomputed {difference.recomputed}"
        )
    if claimed != len(samples):
        typer.echo(f"  the report claims {claimed} samples, the chain has {len(samples)}")
    if not verdict.ok or claimed != len(samples):
        raise typer.Exit(1)


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise UserError("report_unreadable", f"cannot read {path} ({error.strerror}): check the path") from error
    except orjson.JSONDecodeError as error:
        raise UserError("not_a_report", f"{path} is not JSON ({error}): give the report.json of a run") from error
