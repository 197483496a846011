"""`futstar ingest run` and `twin`: a match from its providers to the bus, and a provider to try it on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from backend.errors import UserError

if TYPE_CHECKING:
    from backend.cli.troubles import Troubles
    from ingest.feeds.base import Adapter
    from ingest.live import Feed, LiveMatch
    from ingest.net.arrival import Source
    from ingest.net.network import Network
    from ingest.service import Told

STATUS_S = 5.0
TWIN_FIELDS = {"outlet": "a-twin", "user": "a-twin", "password": "a-twin", "key": "a-twin", "tournament": "twin"}
"""What a twin is shown in place of credentials: it takes anything."""
HEADERLESS = ("statsbomb",)
"""Whose events do not tell who plays."""
RUN_EXAMPLE = "Example: futstar ingest run --feed statsperform:FIXTURE@http://127.0.0.1:9000 --journal match"
TWIN_EXAMPLE = "Example: futstar ingest twin --provider statsperform --port 9000 --speed 30 --faults rough"


def twin(
    provider: Annotated[str, typer.Option(help="Who is played: statsperform, opta, statsbomb or wyscout.")],
    paths: Annotated[list[Path] | None, typer.Option("--input", help="Recorded match; else the installed one.")] = None,
    match: Annotated[str | None, typer.Option(help="Which match of a folder of many.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")] = 9000,
    speed: Annotated[float, typer.Option(help="Match seconds per second.")] = 1.0,
    faults: Annotated[str, typer.Option(help="What goes wrong: calm, rough or hell.")] = "rough",
    seed: Annotated[int, typer.Option(help="Decides every fault.")] = 7,
    start: Annotated[int, typer.Option(min=0, help="Begin at this second of the recording.")] = 0,
) -> None:
    """Play a provider from a recorded match, with faults: a server for trying clients, until Ctrl-C."""
    from ingest.feeds import default_match_paths
    from ingest.twin.server import open_twin, serve

    if not speed > 0:
        raise UserError("bad_speed", f"speed {speed:g} does not move: give a number above 0")
    played = open_twin(provider, tuple(paths or ()), match=match, faults=faults, seed=seed)
    info = played.script.info

    async def listen() -> None:
        async with serve(played, port=port, speed=speed, start_ms=start * 1000) as served:
            typer.echo(f"{provider} plays {info.home.name} - {info.away.name} at {served.url}, {faults}, seed {seed}")
            feed = f"--feed {provider}:{info.match_id}@{served.url}"
            if provider in HEADERLESS:
                feed += f" --header {provider}={(paths or default_match_paths(provider))[0]}"
            typer.echo(f"follow it: futstar ingest run {feed} --journal FOLDER")
            while served.now_ms < played.script.end_ms:
                await asyncio.sleep(0.5)
            typer.echo(f"the recording is over, {len(played.ledger.entries):,} faults done; Ctrl-C ends the server")
            await asyncio.Event().wait()

    asyncio.run(listen())


def run(
    feeds: Annotated[
        list[str], typer.Option("--feed", help="PROVIDER:MATCH[@URL], the preferred one first; URL is a twin's.")
    ],
    journal: Annotated[Path, typer.Option(help="Folder of feed.jsonl; a run that was killed is taken up from it.")],
    match: Annotated[str | None, typer.Option(help="The match's own id; else the first feed's.")] = None,
    bus: Annotated[
        str, typer.Option(help="memory://, unix://SOCKET, redis://HOST, valkey://HOST or kafka://HOST:PORT.")
    ] = "memory://",
    group: Annotated[list[str] | None, typer.Option(help="A consumer of the bus that must not miss anything.")] = None,
    kickoff: Annotated[str | None, typer.Option(help="Planned kick-off, 2026-11-21T18:30Z; else now.")] = None,
    sides: Annotated[
        list[str] | None, typer.Option(help="PROVIDER=HOME_ID:AWAY_ID where names do not tell who is at home.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="PROVIDER=FILE that tells who plays, where its events do not (StatsBomb).")
    ] = None,
    linger: Annotated[int, typer.Option(min=0, help="Seconds to go on after the final whistle.")] = 60,
    seconds: Annotated[int | None, typer.Option(min=1, help="Stop after so many seconds.")] = None,
) -> None:
    """Follow a match at its providers, fused into one feed: journal first, then the bus.

    Credentials come from FUTSTAR_FEED_<PROVIDER>_<FIELD> (docs/feeds.md).
    """
    from ingest.feeds import adapter
    from ingest.live import Feed, LiveMatch

    planned_ms = _kickoff_ms(kickoff)
    places = _named([_place(text) for text in feeds])
    mapped = dict(_sides(text) for text in sides or ())
    if unknown := mapped.keys() - {name for name, _, _, _ in places}:
        raise UserError("bad_option", f"--sides names {sorted(unknown)[0]}, which is no --feed: name a feed's provider")
    matches = {name: key for name, _, key, _ in places}
    headers = dict(_header(text, matches) for text in header or ())
    followed = [
        (Feed(name, adapter(provider), key, headers.get(name), mapped.get(name)), url)
        for name, provider, key, url in places
    ]
    live = LiveMatch(match or places[0][2], [feed for feed, _ in followed])
    told = asyncio.run(_follow(live, followed, journal, bus, tuple(group or ()), planned_ms, linger, seconds))
    if live.header is None:
        raise UserError("no_feed", "no feed told who plays: the lines above say what each one answered", 1)
    typer.echo(
        f"{told.arrivals:,} arrivals, {told.records:,} records, {told.problems:,} problems, {told.switches} switches; "
        f"the journal is {journal / 'feed.jsonl'}"
    )


async def _follow(
    live: LiveMatch,
    followed: list[tuple[Feed, str]],
    folder: Path,
    bus_url: str,
    groups: tuple[str, ...],
    kickoff_ms: int,
    linger_s: int,
    seconds: int | None,
) -> Told:
    from backend.cli.troubles import Listened, Troubles
    from ingest import service
    from ingest.bus import open_bus
    from ingest.bus.tasks import end
    from ingest.net.network import Network

    journal = service.FileJournal(folder / "feed.jsonl")
    told = service.Told()
    try:
        async with open_bus(bus_url, service.streams(groups)) as bus, Network(_now_ms, random.Random()) as network:
            troubles = Troubles()
            sources = {
                feed.name: Listened(feed.name, _source(feed, url, network, kickoff_ms), troubles)
                for feed, url in followed
            }
            had = await service.take_up(live, journal, bus)
            if live.header is not None:
                typer.echo(f"taken up from the journal; the bus had {had:,} records")
            following = asyncio.create_task(service.run(live, sources, journal, bus, _now_ms, told, troubles.happened))
            watching = asyncio.create_task(_watch(live, told, troubles, linger_s, seconds))
            done, _ = await asyncio.wait({following, watching}, return_when=asyncio.FIRST_COMPLETED)
            await end(*({following, watching} - done))
            for task in done:
                task.result()
    finally:
        journal.close()
    return told


def _source(feed: Feed, url: str, network: Network, kickoff_ms: int) -> Source:
    """The provider's live source, or its twin's."""
    from ingest.net.files import FolderSource
    from ingest.net.fleet import open_source
    from ingest.net.plan import Transport
    from ingest.net.secret import credentials, variable

    try:
        client = import_module(f"ingest.feeds.{feed.adapter.name}.client")
        make = client.plan
    except (ModuleNotFoundError, AttributeError) as error:
        raise UserError("no_live_feed", f"{feed.adapter.name} cannot be followed live by this command") from error
    env = None
    if url:
        env = {variable(feed.adapter.name, name): value for name, value in {**TWIN_FIELDS, "base": url}.items()}
    keys = credentials(feed.adapter.name, env)
    plan = make(feed.match_id, keys, kickoff_ms)
    if plan.transport is Transport.FILES:
        return FolderSource(plan, Path(keys.get("folder", "")), client.patterns(feed.match_id), network)
    return open_source(plan, network, getattr(client, "classify", None))


async def _watch(live: LiveMatch, told: Told, troubles: Troubles, linger_s: int, seconds: int | None) -> None:
    """Say how it stands every few seconds, until the match is over."""
    began_s, over_s, before = time.monotonic(), 0.0, ""
    while seconds is None or time.monotonic() - began_s < seconds:
        await asyncio.sleep(min(STATUS_S, seconds or STATUS_S))
        line = _status(live, told) + troubles.take()
        if line != before:
            typer.echo(f"{datetime.now(UTC):%H:%M:%S}  {line}")
            before = line
        over_s = (over_s or time.monotonic()) if _is_over(live) else 0.0  # health goes on changing: it is no news
        if over_s and time.monotonic() - over_s >= linger_s:
            return


def _status(live: LiveMatch, told: Told) -> str:
    from ingest.decoder import FusedDecoder
    from ingest.events import score

    session = live.sessions.get(live.active)
    if session is None or session.info is None:
        return f"waiting for a feed to tell who plays ({told.arrivals:,} arrivals, {told.problems:,} problems)"
    events = session.timeline.events()
    home, away = score(events)
    last = events[-1] if events else None
    clock = f"period {last.period} {last.play_ms // 60_000}:{last.play_ms // 1000 % 60:02d}" if last else "not begun"
    feeds = live.active
    if isinstance(live.decoder, FusedDecoder):
        fusion = live.decoder.fusion
        health = {name: quality.health.score for name, quality in fusion.quality(_data_ms(live)).items()}
        feeds = ", ".join(
            f"{name} {state.value} {health[name]}{' (counts)' * (name == live.active)}"
            for name, state in fusion.states().items()
        )
        causes = ", ".join(f"{cause.value} ({who})" for cause, who in fusion.condition.causes)
        feeds += f"; not trusted: {causes}" if causes else ""
    if absent := _absent(live):
        feeds += f"; not in this journal: {', '.join(absent)} (a new folder takes every feed in)"
    return (
        f"{session.info.home.short} {home}-{away} {session.info.away.short}  {clock}  {len(events):,} events, "
        f"{told.records:,} records, {told.problems:,} problem{'s' * (told.problems != 1)}  {feeds}"
    )


def _absent(live: LiveMatch) -> list[str]:
    """Feeds that are asked and do not count: the journal was begun without them, and its header stands."""
    from ingest.decoder import FusedDecoder

    counting = live.decoder.fusion.states() if isinstance(live.decoder, FusedDecoder) else (live.active,)
    return [name for name in live.sessions if name not in counting]


def _is_over(live: LiveMatch) -> bool:
    from ingest.events import Kind

    session = live.sessions.get(live.active)
    events = session.timeline.events() if session is not None else ()
    return bool(events) and any(
        e.kind is Kind.PERIOD_END and e.period >= 2 and e.period == events[-1].period for e in events
    )


def _data_ms(live: LiveMatch) -> int:
    assert live.header is not None
    return max(0, _now_ms() - live.header.start_unix_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _place(text: str) -> tuple[str, str, str]:
    """Provider, its match id and the twin's address, if any."""
    head, at, url = text.partition("@http")
    provider, colon, key = head.partition(":")
    if not (provider and colon and key):
        raise UserError("bad_feed", f"--feed {text[:60]} is none: write PROVIDER:MATCH, or PROVIDER:MATCH@URL")
    if "://" in key:
        raise UserError(
            "bad_feed", f"--feed {text[:60]} has an address that is not of the web: write PROVIDER:MATCH@http://..."
        )
    return provider, key, f"http{url}" if at else ""


def _named(places: list[tuple[str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Each feed with a name of its own: the provider's, numbered where it comes again."""
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise UserError(
            "bad_feed",
            f"--feed {twice[0]}:{twice[1][:60]} is given twice from one address: a standby is another provider's "
            "match, or another address",
        )
    named: list[tuple[str, str, str, str]] = []
    for provider, key, url in places:
        number = sum(provider == other for _, other, _, _ in named) + 1
        named.append((provider if number == 1 else f"{provider}-{number}", provider, key, url))
    return named


def _sides(text: str) -> tuple[str, tuple[str, str]]:
    provider, equals, ids = text.partition("=")
    home, colon, away = ids.partition(":")
    if not (provider and equals and colon and home and away):
        raise UserError("bad_option", f"--sides {text[:60]} is none: write PROVIDER=HOME_ID:AWAY_ID")
    return provider, (home, away)


def _header(text: str, matches: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """A feed's name and its header: of the provider's match document, of its list of matches, or of a recording."""
    from ingest.events import FeedError
    from ingest.feeds import adapter
    from ingest.feeds.files import read_bytes

    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise UserError("bad_option", f"--header {text[:60]} is none: write PROVIDER=FILE")
    if name not in matches:
        raise UserError("bad_option", f"--header names {name[:40]}, which is no --feed: name a feed's provider")
    read_by, match_id = adapter(name.partition("-")[0]), matches[name]
    if (found := _row_header(read_by, read_bytes(Path(path)), match_id)) is not None:
        return name, found
    try:
        recorded = read_by.load([Path(path)], match_id)
    except FeedError as error:
        raise UserError(
            "no_header", f"{path} does not tell who plays in {match_id[:40]} ({error}): give the provider's match list"
        ) from error
    for problem in recorded.problems:
        if problem.code == "home_side_unknown":
            typer.echo(f"futstar: [{problem.code}] {problem.where}: {problem.text}", err=True)
    return name, recorded.raw_info


def _row_header(read_by: Adapter, body: bytes, match_id: str) -> dict[str, Any] | None:
    """What a document tells of the match, or the match's row in a list of many."""
    from ingest.events import FeedError
    from ingest.feeds.files import decode

    try:
        content = decode(body)
    except FeedError:
        content = None
    rows = [orjson.dumps(row) for row in content if isinstance(row, dict)] if isinstance(content, list) else [body]
    for row in rows:
        try:
            document = read_by.document(row)
        except FeedError:
            continue
        if document.raw_info is not None and document.match_id in ("", match_id):
            return document.raw_info
    return None


def _kickoff_ms(text: str | None) -> int:
    if text is None:
        return _now_ms()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError("bad_option", f"--kickoff {text[:40]} is no time: write 2026-11-21T18:30Z") from error
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
