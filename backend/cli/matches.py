"""`futstar matches`: the schedule as all sources know it, and who is who among them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from backend.errors import UserError

if TYPE_CHECKING:
    from backend.catalogue.rows import Connection

app = typer.Typer(
    help="Fixtures: list and show them, read sources again, decide what the machine leaves open.",
    epilog="Example: futstar matches list --date 2025-08-16 --competition england",
    no_args_is_help=True,
)

Database = Annotated[str | None, typer.Option("--database", help="Connection string; without it the embedded one.")]
Folder = Annotated[Path, typer.Option("--folder", help="Where the embedded database lies.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Zone = Annotated[
    str | None, typer.Option(help="Time zone of the local times, as Europe/Madrid; the machine's if none.")
]
FOLDER = Path(".futstar/matches")
MAX_ROWS = 10_000


@contextmanager
def _opened(database: str | None, folder: Path) -> Iterator[Connection]:
    from backend.catalogue.service import connected
    from backend.db.migrate import migrate
    from backend.engines.postgres import Postgres

    if database is not None:
        migrate(database)
        with connected(database) as connection:
            yield connection
        return
    with Postgres(folder) as server:
        migrate(server.dsn)
        with connected(server.dsn) as connection:
            yield connection


@app.command("list", epilog="Example: futstar matches list --date 2025-08-16 --days 2 --team arsenal --json")
def list_(
    database: Database = None,
    folder: Folder = FOLDER,
    day: Annotated[str | None, typer.Option("--date", help="First day, YYYY-MM-DD; all unless given.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How many days; all that follow unless given.")] = None,
    competition: Annotated[str | None, typer.Option(help="Id, or a part of its name or country.")] = None,
    team: Annotated[str | None, typer.Option(help="Id, or a part of one of its names.")] = None,
    status: Annotated[
        str | None, typer.Option(help="scheduled, postponed, live, abandoned, finished, cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_ROWS, help="Most rows to print.")] = 100,
    ics: Annotated[Path | None, typer.Option(help="Also write these fixtures as an iCalendar file.")] = None,
    zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Fixtures in order of date, with their times in UTC and in a local zone."""
    from backend.catalogue.ics import calendar
    from backend.catalogue.queries import FIXTURES, STATUSES, Filter, fixture_view

    if status is not None and status not in STATUSES:
        raise UserError("bad_option", f"'{status}' is no status: choose one of {', '.join(STATUSES)}")
    if days is not None and day is None:
        raise UserError("bad_option", "--days counts from a day: give --date YYYY-MM-DD")
    local = _zone(zone)
    first = None if day is None else _day(day)
    last = None if first is None or days is None else first + timedelta(days=days - 1)
    wanted = Filter(
        None if first is None else first.isoformat(),
        None if last is None else last.isoformat(),
        competition,
        team,
        status,
        limit=limit,
    )
    with _opened(database, folder) as connection:
        found = [fixture_view(row) for row in connection.execute(FIXTURES, wanted.values())]
    found.sort(key=lambda f: (f["kickoff_at"] or f["day"], f["fixture_id"]))
    if ics is not None:
        _write(ics, calendar(found))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for f in found:
        typer.echo(_line(f, local))
    if not found:
        typer.echo("no fixtures: futstar matches refresh reads them in", err=True)


@app.command("show", epilog="Example: futstar matches show fx-0123456789abcdef")
def show(
    fixture: Annotated[str, typer.Argument(help="The fixture's id.")],
    database: Database = None,
    folder: Folder = FOLDER,
    zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """One fixture: the ids of all sources, line-ups, and everything that changed."""
    from backend.catalogue.queries import CHANGES, FIXTURE, LINEUPS, SOURCES, detail_view

    local = _zone(zone)
    with _opened(database, folder) as connection:
        row = connection.execute(FIXTURE, [fixture]).fetchone()
        if row is None:
            raise UserError("unknown_id", f"there is no fixture '{fixture}': futstar matches list names them")
        parts = [connection.execute(query, [fixture]).fetchall() for query in (SOURCES, LINEUPS, CHANGES)]
    found = detail_view(row, *parts)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(_line(found, local))
    told = [found["country"], found["competition"], found["season"], f"round {found['round'] or '?'}", found["venue"]]
    typer.echo("  " + ", ".join(part for part in told if part))
    if found["merged_into"]:
        typer.echo(f"  is now {found['merged_into']}")
    for what in found["conflicts"]:
        typer.echo(f"  sources contradict each other: {what}")
    for source in found["sources"]:
        typer.echo(f"  {source['provider']} {source['source_id']} ({source['how']}, seen {source['seen_at']})")
    for side in ("home", "away"):
        named = [p for p in found["lineups"] if p["side"] == side]
        if named:
            typer.echo(f"  {found[side]}: " + ", ".join(p["name"] for p in named if p["starter"]))
            typer.echo("    bench: " + ", ".join(p["name"] for p in named if not p["starter"]))
    for change in found["changes"]:
        typer.echo(f"  {change['at']} {change['source']}: {change['kind']}{_step(change)}")


@app.command("refresh", epilog="Example: futstar matches refresh --source openfootball --input en.1.json")
def refresh(
    source: Annotated[str, typer.Option(help="Who made the files: statsperform, wyscout, openfootball.")],
    paths: Annotated[list[Path], typer.Option("--input", help="Calendar file, files or folder.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More input files.", metavar="[PATH]...")] = None,
    database: Database = None,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Read calendar files into the catalogue. The same files again change nothing."""
    from backend.catalogue.service import refresh as take
    from ingest.catalogue import read_paths

    every = [*paths, *(more or [])]
    documents = [(path, _sha256(path), snapshot) for path, snapshot in read_paths(source, every)]
    told = []
    with _opened(database, folder) as connection:
        for path, sha256, snapshot in documents:
            report = take(connection, path.name, sha256, snapshot, time.time_ns() // 1_000_000)
            told.append({"file": path.name, **report.counts()})
            if not as_json:
                typer.echo(f"{path.name}: {_told(report.counts())}")
            for problem in report.problems:
                typer.echo(f"futstar: {path.name}: {problem}", err=True)
            for flag in report.flags:
                typer.echo(f"futstar: [{flag.code}] {flag.text}", err=True)
    if as_json:
        typer.echo(json.dumps(told))


@app.command(
    "review", epilog="Example: futstar matches review --out review.tsv; edit it; ... review --apply review.tsv"
)
def review(
    out: Annotated[Path | None, typer.Option(help="Write the open questions to this file.")] = None,
    apply: Annotated[Path | None, typer.Option(help="Apply the decisions in this edited file.")] = None,
    who: Annotated[str, typer.Option(help="Who decides; kept with every decision.")] = "",
    note: Annotated[str, typer.Option(help="Why; kept with every decision.")] = "",
    database: Database = None,
    folder: Folder = FOLDER,
) -> None:
    """What the machine leaves open: written to a file for a person, and applied from it, all or nothing."""
    from backend.catalogue.service import decide, questions
    from ingest.identity.review import write

    if apply is not None:
        if out is not None:
            raise UserError("bad_option", "--out writes a file and --apply reads one: give one of them")
        text = _read(apply)
        with _opened(database, folder) as connection:
            count, report = decide(connection, text, who, time.time_ns() // 1_000_000, note)
        typer.echo(f"{count} decisions applied; {_told(report.counts())}")
        return
    with _opened(database, folder) as connection:
        found = questions(connection)
    if out is None:
        typer.echo(write(found), nl=False)
        return
    _write(out, write(found))
    typer.echo(f"{out}: {len(found)} questions")


@app.command("decide", epilog="Example: futstar matches decide team odds PSG same --candidate te-... --who ann")
def decide_(
    kind: Annotated[str, typer.Argument(help="competition, team, fixture or player.")],
    source: Annotated[str, typer.Argument(help="Whose record.")],
    source_id: Annotated[str, typer.Argument(help="The record's id there.")],
    verdict: Annotated[str, typer.Argument(help="same, different, new or undo.")],
    who: Annotated[str, typer.Option(help="Who decides; kept with the decision.")],
    candidate: Annotated[str, typer.Option(help="The id that it is (same) or is not (different).")] = "",
    note: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    database: Database = None,
    folder: Folder = FOLDER,
) -> None:
    """One decision without a file: join a record, split one that was joined, or take a decision back."""
    from backend.catalogue.service import decide
    from ingest.identity.review import TITLE

    row = "\t".join((verdict, kind, source, source_id, "", candidate))
    with _opened(database, folder) as connection:
        _, report = decide(connection, f"{TITLE}\n{row}\n", who, time.time_ns() // 1_000_000, note)
    typer.echo(_told(report.counts()))


def _told(counts: dict[str, Any]) -> str:
    if counts["unchanged"]:
        return "unchanged"
    words = [f"{counts['entries']} fixtures"]
    words += [f"{number} {kind}" for kind, number in counts["changes"].items()]
    words += [f"{counts[key]} {key}" for key in ("asked", "held", "stale", "problems") if counts[key]]
    return ", ".join(words)


def _line(f: dict[str, Any], local: ZoneInfo | None) -> str:
    when = f"{f['day']} --:-- UTC              "
    if f["kickoff_at"] is not None:
        at = datetime.fromisoformat(f["kickoff_at"])
        there = at.astimezone(local)
        when = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC {there:%d %b %H:%M %Z}".ljust(38)
    score = "" if f["home_score"] is None else f" {f['home_score']}-{f['away_score']}"
    return f"{f['fixture_id']}  {when} {f['status']:<9} {f['home']} - {f['away']}{score}"


def _step(change: dict[str, Any]) -> str:
    if change["kind"] == "kickoff_moved":
        pair = [
            datetime.fromtimestamp(c["kickoff_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            if c["kickoff_ms"] is not None
            else c["day"]
            for c in (change["before"], change["after"])
        ]
        return f" {pair[0]} -> {pair[1]}"
    if isinstance(change["after"], str):
        return f" {change['before']} -> {change['after']}"
    return ""


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError("bad_option", f"'{name}' is no time zone: write one as Europe/Madrid") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError("bad_date", f"'{text}' is no day of the calendar ({error}): write YYYY-MM-DD") from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("file_unreadable", f"cannot read {path} ({error}): give the edited review file") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UserError("cannot_write", f"cannot write {path} ({error.strerror}): choose another place") from error
