"""`futstar history`: what is kept of past matches: list, export, import, replay, prune."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.errors import UserError

if TYPE_CHECKING:
    from backend.history.places import Places
    from ingest.history.model import MatchHistory

app = typer.Typer(
    help="Past matches: raw feed, canonical events, index samples and corrections; replay any of them bit for bit.",
    epilog="Example: futstar history replay 71pif9hi2vwzp6q0xzilyxst0",
    no_args_is_help=True,
)

Dsn = Annotated[str | None, typer.Option("--database", metavar="DSN", help="An existing PostgreSQL database.")]
DataDir = Annotated[Path, typer.Option(help="Folder of the embedded database, as for the demo.")]
DEFAULT_DIR = Path(".futstar")


def _with(dsn: str | None, data_dir: Path, work: Callable[[Places], Awaitable[Any]], create: bool = False) -> Any:
    from backend.history.places import opened

    async def run() -> Any:
        async with opened(dsn, data_dir, create=create) as places:
            return await work(places)

    return asyncio.run(run())


def _day(text: str | None, option: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UserError("bad_day", f"{option} {text!r} is no day: write it as 2026-03-01") from None


@app.command("list", epilog="Example: futstar history list --from 2026-03-01")
def list_matches(
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day (UTC).")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day (UTC).")] = None,
    database: Dsn = None,
    data_dir: DataDir = DEFAULT_DIR,
) -> None:
    """Name the matches that are kept, newest day first, with how much there is of each."""
    days = _day(first, "--from"), _day(last, "--to")
    for place, row in _with(database, data_dir, lambda places: places.matches(*days)):
        typer.echo(
            f"{row['day']}  {row['match_id']}  {row['provider']}  {row['lines']} lines, {row['records']} records, "
            f"{row['corrections']} corrections, {row['samples']} samples  [{place}]"
        )


@app.command("export", epilog="Example: futstar history export --from 2026-03-01 --to 2026-03-01 --out march-1")
def export(
    out: Annotated[Path, typer.Option(help="Folder to write; it must not exist yet.")],
    match: Annotated[list[str] | None, typer.Option(help="This match; repeat for more.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="Matches from this day on (UTC).")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Matches up to this day (UTC).")] = None,
    database: Dsn = None,
    data_dir: DataDir = DEFAULT_DIR,
) -> None:
    """Write matches as Parquet, with a manifest that proves every byte."""
    from ingest.history.archive import ArchiveWriter

    if bool(match) == bool(first or last):
        raise UserError("bad_option", "say what to export: --match ID, or --from DAY and --to DAY")
    days = _day(first, "--from"), _day(last, "--to")
    if days[0] is not None and days[1] is not None and days[0] > days[1]:
        raise UserError("bad_day", f"--from {first} is after --to {last}: exchange them")

    async def work(places: Places) -> Any:
        wanted = dict.fromkeys(match or [row["match_id"] for _, row in await places.matches(*days)])
        if not wanted:
            raise UserError("nothing_found", f"no match is kept of {first or 'the beginning'} to {last or 'today'}")
        with ArchiveWriter(out) as archive:
            for match_id in wanted:
                archive.add(await (await places.find(match_id)).read(match_id))
            return archive.keep()

    try:
        done = _with(database, data_dir, work)
    except OSError as error:
        raise UserError(
            "cannot_write", f"cannot write {out} ({error.strerror or error}): choose another place"
        ) from error
    matches = "1 match" if done.matches == 1 else f"{done.matches} matches"
    typer.echo(f"{out}: {matches}, {done.rows} rows, {done.size} bytes")


@app.command("import", epilog="Example: futstar history import .futstar/runs/000001")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Exported folder, run's folder, report.json or feed.jsonl.")],
    database: Dsn = None,
    data_dir: DataDir = DEFAULT_DIR,
) -> None:
    """Put matches into history: exports as they are, runs after their samples were recomputed and found equal.

    What is known already changes nothing.
    """
    from backend.history import runs
    from backend.history.store import HistoryStore

    async def work(places: Places) -> None:
        store: HistoryStore | None = None
        for path in paths:
            for history in runs.read(path):
                store = store or HistoryStore(await places.own())
                new = {name: count for name, count in (await store.put(history)).items() if count}
                told = ", ".join(f"{count} {name}" for name, count in new.items())
                typer.echo(f"{history.match.match_id}: {f'new are {told}' if new else 'nothing new'}")

    _with(database, data_dir, work, create=True)


@app.command("replay", epilog="Example: futstar history replay 71pif9hi2vwzp6q0xzilyxst0 --feed feed.jsonl")
def replay(
    match: Annotated[str, typer.Argument(help="The match's id.")],
    source: Annotated[
        Path | None, typer.Option("--input", help="An exported folder (or a run's), instead of a database.")
    ] = None,
    feed: Annotated[Path | None, typer.Option(help="Write the feed file back, byte for byte.")] = None,
    samples: Annotated[Path | None, typer.Option(help="Write the recomputed samples as Parquet.")] = None,
    database: Dsn = None,
    data_dir: DataDir = DEFAULT_DIR,
) -> None:
    """Compute a past match again from its raw feed and compare it bit for bit with what was published."""
    from backend.history import replay as core
    from ingest.history.parquet import SAMPLES, encode

    if source is not None:
        history = _from_files(source, match)
    else:

        async def work(places: Places) -> MatchHistory:
            return await (await places.find(match)).read(match)

        history = _with(database, data_dir, work)
    again, verdict = core.replay(history)
    if not history.samples and verdict.ok:
        header, messages = history.header(), history.messages()
        again = core.build(header, messages, core.every_second(header, messages))
    for path, data in ((feed, history.feed), (samples, lambda: encode(SAMPLES, again.match, again.samples))):
        if path is not None:
            _write(path, data())
    unkept = f"no samples are kept of it: {len(again.samples)} computed from its feed, nothing to compare"
    typer.echo(str(verdict) if history.samples or not verdict.ok else unkept)
    for difference in verdict.first:
        where = f"tick {difference.tick}: {difference.what}" if difference.tick >= 0 else difference.what
        typer.echo(f"  {where} stored {difference.published}, recomputed {difference.recomputed}")
    if not verdict.ok:
        raise typer.Exit(1)


def _from_files(source: Path, match: str) -> MatchHistory:
    from backend.history import runs
    from ingest.history.archive import Archive, is_archive

    if is_archive(source):
        return Archive.open(source).match(match)
    for history in runs.read(source):
        if history.match.match_id == match:
            return history
        raise UserError("unknown_match", f"{source} is of match {history.match.match_id}, not {match}")
    raise UserError("unknown_match", f"{source} has no match {match}")


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise UserError(
            "cannot_write", f"cannot write {path} ({error.strerror or error}): choose a place that can be written"
        ) from error
    finally:
        part.unlink(missing_ok=True)


@app.command("prune", epilog="Example: futstar history prune --raw-days 90 --canonical-days 1100 --database DSN")
def prune(
    raw_days: Annotated[int, typer.Option(help="Days for which raw fragments and feed lines are kept.")],
    canonical_days: Annotated[int, typer.Option(help="Days for which everything else is kept.")],
    detach: Annotated[bool, typer.Option("--detach", help="Set partitions aside instead of dropping them.")] = False,
    database: Dsn = None,
    data_dir: DataDir = DEFAULT_DIR,
) -> None:
    """Drop the days that are older, and make the partitions of the next ones."""
    from backend.history.retention import Retention, make_ahead, retire
    from backend.history.store import HistoryStore

    retention = Retention(raw_days, canonical_days, detach)
    today = datetime.now(UTC).date()

    async def work(places: Places) -> list[str]:
        own = await places.own()
        gone = await retire(own, retention, today)
        await make_ahead(HistoryStore(own), today)
        return gone

    gone = _with(database, data_dir, work)
    typer.echo(
        f"{len(gone)} partitions {'detached' if detach else 'dropped'}" + "".join(f"\n  {name}" for name in gone)
    )
