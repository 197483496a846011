"""`futstar ingest`: what match files are and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import live
from backend.errors import UserError

if TYPE_CHECKING:
    from ingest.doctor import Finding, PeriodReport, Report

app = typer.Typer(
    help="The feeds: what match files are and what is wrong with them.",
    epilog="Example: futstar ingest doctor --input ma3.json ma1.json",
    no_args_is_help=True,
)

LISTED = 5
"""Findings of one code that are written out; --all writes every one."""

_EXAMPLE = "Example: futstar ingest doctor --provider opta --input f24.xml f7.xml"


app.command("twin", epilog=live.TWIN_EXAMPLE)(live.twin)
app.command("run", epilog=live.RUN_EXAMPLE)(live.run)


@app.callback()
def ingest() -> None:
    """The feeds: what match files are and what is wrong with them."""


@app.command("doctor", epilog=_EXAMPLE)
def doctor(
    paths: Annotated[list[Path], typer.Option("--input", help="File, files or folder; .gz and feed.jsonl, too.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More input files.", metavar="[PATH]...")] = None,
    provider: Annotated[str | None, typer.Option(help="Whose files they are; recognised unless given.")] = None,
    match: Annotated[str | None, typer.Option(help="Only this match of a folder.")] = None,
    gap: Annotated[int, typer.Option(min=1, help="Seconds without an event that count as a gap.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Write out every finding.")] = False,
) -> None:
    """Tell what match files are and what is wrong with them.

    The exit status is 0 for clean files, 1 when problems were found, 2 when the files cannot be used at all.
    """
    reports, failures = _examined([*paths, *(more or ())], provider, match, gap)
    if as_json:
        found = {"reports": [_plain(report) for report in reports], "unusable": failures}
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        typer.echo("\n\n".join("\n".join(lines(report, every)) for report in reports))
        for failure in failures:
            typer.echo(f"futstar: [{failure['code']}] {failure['text']}", err=True)
    if not reports:
        raise typer.Exit(2)
    if failures or not all(report.clean for report in reports):
        raise typer.Exit(1)


def _examined(
    paths: list[Path], provider: str | None, match: str | None, gap_s: int
) -> tuple[list[Report], list[dict[str, str]]]:
    """A report for each match that can be read, and why the others cannot. Raises for files that hold no match."""
    from ingest.doctor import examine, facts_report
    from ingest.events import FeedError
    from ingest.intake import header_only, material, recognise

    try:
        one, sources = recognise(paths, provider)
    except FeedError:
        facts = header_only(paths, provider) if all(path.exists() for path in paths) else None
        if facts is None:
            raise
        return [facts_report(facts)], _unreadable(paths)
    if match is not None and match not in sources:
        known = ", ".join(list(sources)[:5])
        raise UserError("no_such_match", f"no match {match} there ({len(sources)} matches: {known} ...): name one")
    reports, failures = [], []
    for key, files in sources.items():
        if match in (None, key):
            try:
                reports.append(examine(material(one, files, key), gap_s))
            except FeedError as error:
                failures.append({"match": key, "code": error.code, "text": str(error)})
    return reports, failures


def _unreadable(paths: list[Path]) -> list[dict[str, str]]:
    """Why files beside a header cannot be read: they may be the events that it lacks."""
    from ingest.events import FeedError
    from ingest.feeds.files import JSON_OR_XML, decode, match_files, read_bytes

    failures = []
    for path in match_files(paths, JSON_OR_XML):
        try:
            decode(read_bytes(path))
        except FeedError as error:
            text = str(error) if str(path) in str(error) else f"{path} is {error}"
            failures.append({"match": "", "code": error.code, "text": text})
    return failures


def _plain(report: Report) -> dict[str, Any]:
    """The report as JSON holds it."""
    return {**json.loads(json.dumps(asdict(report), default=str)), "kinds": dict(report.kinds), "clean": report.clean}


def lines(report: Report, every: bool = False) -> Iterator[str]:
    """The report for people, line by line."""
    yield _line("match", f"{report.home} - {report.away}")
    about = [_kickoff(report.kickoff_unix_ms), report.competition, f"match {report.match_id}", report.provider]
    yield _line("", ", ".join(word for word in about if word))
    for source in report.sources:
        rows = "no events" if source.rows is None else f"{source.rows:,} rows"
        yield _line("file", f"{source.path.name}  ({source.form}, {_size(source.size)}, {rows})")
    yield _line("what", ", ".join(_what(report)))
    yield _line("score", _score(report))
    if report.rows:
        yield _line(
            "rows",
            f"{report.rows:,} rows: {report.used:,} used, {report.outside} outside play, {report.unusable} unusable",
        )
        yield _line(
            "",
            f"{report.events:,} events, {report.deleted} deleted; {report.duplicates} rows came twice, "
            f"{report.corrections} with other content, {report.out_of_order} out of time order",
        )
        yield from _wrapped("events", [f"{name} {count}" for name, count in report.kinds])
    for period in report.periods:
        yield _line("clock", _period(period))
    yield from _findings(report, every)
    problems = sum(one.problem for one in report.findings)
    yield _line("verdict", "clean" if report.clean else f"{problems} problem{'s' * (problems != 1)}")


def _line(name: str, text: str) -> str:
    return f"{name:<10}{text}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _kickoff(unix_ms: int) -> str:
    from ingest.feeds.reading import UNKNOWN_KICKOFF_MS

    if unix_ms == UNKNOWN_KICKOFF_MS:
        return "kick-off not told"
    return f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _what(report: Report) -> Iterator[str]:
    if not report.rows:
        yield "a match header without events"
    elif not report.feeds_index:
        yield "goals, cards and the like, no passes"
    else:
        yield "a whole match" if report.whole else "an excerpt, or a match in play"
    if report.status != "unknown":
        yield f"status {report.status}"
    yield f"line-ups of {' and '.join(map(str, report.line_ups))}" if report.line_ups else "no line-ups"


def _score(report: Report) -> str:
    told = []
    if report.rows:
        told.append("{}-{} by the events".format(*report.score_by_events))
    if report.score_by_header is not None:
        told.append("{}-{} by the header".format(*report.score_by_header))
    return ", ".join(told if report.score_by_header is not None else [*told, "none in the header"])


def _period(one: PeriodReport) -> str:
    from ingest.doctor import clock

    edges = ["" if one.started else "no kick-off", "" if one.ended else "no final whistle"]
    added = f"+{one.announced_s // 60} announced" if one.announced_s is not None else ""
    silent = f"longest silence {one.longest_gap_ms // 1000} s at {clock(one.gap_at_ms)}"
    words = [f"{clock(one.first_ms)} to {clock(one.last_ms)}", f"{one.events} events", added, *edges, silent]
    return f"period {one.period}: {', '.join(word for word in words if word)}"


def _wrapped(name: str, words: list[str], width: int = 100) -> Iterator[str]:
    text = ""
    for word in words:
        if text and len(text) + len(word) + 2 > width:
            yield _line(name, f"{text},")
            name, text = "", word
        else:
            text = f"{text}, {word}" if text else word
    if text:
        yield _line(name, text)


def _findings(report: Report, every: bool) -> Iterator[str]:
    by_code: dict[str, list[Finding]] = {}
    for one in report.findings:
        by_code.setdefault(one.code, []).append(one)
    for code, found in by_code.items():
        kind = "problem" if found[0].problem else "note"
        yield _line(kind, f"[{code}] {len(found)}" + (f": {found[0].advice}" if found[0].advice else ""))
        shown = found if every else found[:LISTED]
        for one in shown:
            yield _line("", f"  {one.where}: {one.text}")
        if len(shown) < len(found):
            yield _line("", f"  and {len(found) - len(shown)} more (--all writes them out)")
