"""What is read from a site, as data: a TOML file with one table for each site. Nothing is read that is not enabled."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lxml import etree

from ingest.events import FeedError

LEAST_DELAY_S = 5.0
"""Never more than one request in so many seconds, whatever a site's robots.txt would allow."""
KINDS = ("jsonld", "html", "json")
FIXTURE_FIELDS = frozenset({"id", "home", "away", "kickoff", "competition", "status", "url"})
EVENT_FIELDS = frozenset({"id", "minute", "kind", "side", "player"})
EVENT_KINDS = frozenset(
    {"goal", "own_goal", "penalty_goal", "missed_penalty", "yellow", "second_yellow", "red", "substitution"}
)
IGNORE = "ignore"
"""What a site's word for an event that we do not want translates to."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Where rows stand on a page, and their fields within each: XPath 1.0 on HTML, dotted paths on JSON.

    ``empty`` finds what the page shows when there are no rows: without it, a page without rows is a changed one.
    """

    rows: str
    fields: Mapping[str, str]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """One site. ``kinds`` and ``sides`` translate the page's words for events and teams to ours."""

    name: str
    enabled: bool
    contact: str  # an address at which the site's owner reaches us; it stands in the User-Agent
    start: tuple[str, ...]  # pages with fixtures
    kind: str
    match_url: str = ""  # the page of one match, ``{id}`` for its id; empty: the site has none
    fixtures: Rows | None = None
    events: Rows | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    sides: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""  # of kick-offs that name none
    kickoff_format: str = ""  # strptime; empty: ISO 8601
    delay_s: float = 15.0  # between two requests
    play_s: float = 60.0  # between two looks at a match in play

    @property
    def host(self) -> str:
        """Scheme, host and port of all its pages."""
        parts = urlsplit(self.start[0])
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def user_agent(self) -> str:
        """Who asks, and where to complain."""
        return f"futstar-ingest/1 (+{self.contact})"


def load_sites(path: Path) -> dict[str, Site]:
    """The sites of a TOML file. Raises FeedError that names the site and what is wrong with it."""
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        raise FeedError("no_such_file", f"cannot read {path} ({error.strerror}): check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FeedError("bad_sites", f"{path} is no TOML ({error}): correct it") from error
    return {name: site(name, table) for name, table in tables.items()}


def site(name: str, table: object) -> Site:
    """One site's table. Raises FeedError for whatever would have to be guessed."""
    if not isinstance(table, dict):
        raise _bad(name, "it is no table")
    unknown = table.keys() - Site.__dataclass_fields__.keys()
    if unknown:
        raise _bad(name, f"unknown setting {sorted(map(str, unknown))[0][:40]}")
    try:
        found = Site(
            name=name,
            enabled=table.get("enabled", False) is True,
            contact=str(table.get("contact", "")),
            start=tuple(map(str, table.get("start", ()))),
            kind=str(table.get("kind", "jsonld")),
            match_url=str(table.get("match_url", "")),
            fixtures=_rows(name, table.get("fixtures"), FIXTURE_FIELDS),
            events=_rows(name, table.get("events"), EVENT_FIELDS),
            kinds={str(key): str(value) for key, value in dict(table.get("kinds", {})).items()},
            sides={str(key): str(value) for key, value in dict(table.get("sides", {})).items()},
            timezone=str(table.get("timezone", "")),
            kickoff_format=str(table.get("kickoff_format", "")),
            delay_s=float(table.get("delay_s", 15.0)),
            play_s=float(table.get("play_s", 60.0)),
        )
    except (TypeError, ValueError) as error:
        raise _bad(name, str(error)[:80]) from error
    _check(found)
    return found


def _rows(name: str, table: object, allowed: frozenset[str]) -> Rows | None:
    if table is None:
        return None
    if not isinstance(table, dict) or not table.get("rows") or not isinstance(table.get("fields"), dict):
        raise _bad(name, "a mapping needs rows and fields")
    fields = {str(key): str(value) for key, value in table["fields"].items()}
    if fields.keys() - allowed:
        raise _bad(name, f"unknown field {sorted(fields.keys() - allowed)[0][:40]}")
    return Rows(str(table["rows"]), fields, str(table.get("empty", "")))


def _check(found: Site) -> None:
    name = found.name
    if found.kind not in KINDS:
        raise _bad(name, f"kind '{found.kind[:20]}' is not one of {', '.join(KINDS)}")
    if not found.start:
        raise _bad(name, "no start page")
    for page in (*found.start, *([found.match_url] if found.match_url else [])):
        parts = urlsplit(page)
        local = parts.hostname in ("127.0.0.1", "localhost")
        if not parts.hostname or parts.username or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
            raise _bad(name, "a page is no https address, or carries a login")
        if f"{parts.scheme}://{parts.netloc}" != found.host:
            raise _bad(name, "its pages are on several hosts: make a site of each")
    if found.match_url and "{id}" not in found.match_url:
        raise _bad(name, "match_url has no {id}")
    contact = found.contact
    if not (("@" in contact or contact.startswith("https://")) and contact.isascii() and contact.isprintable()):
        raise _bad(name, "contact must be an e-mail or https address at which its owner reaches you")
    if found.kind != "jsonld" and (found.fixtures is None or not {"home", "away"} <= found.fixtures.fields.keys()):
        raise _bad(name, "fixtures need at least home and away")
    if found.events is not None and not {"minute", "kind", "side"} <= found.events.fields.keys():
        raise _bad(name, "events need minute, kind and side")
    if set(found.kinds.values()) - EVENT_KINDS - {IGNORE} or set(found.sides.values()) - {"home", "away"}:
        raise _bad(name, "kinds or sides translate to something unknown")
    if found.timezone:
        try:
            ZoneInfo(found.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise _bad(name, f"time zone '{found.timezone[:40]}' is not known") from error
    if not (found.delay_s >= 0 and found.play_s > 0):
        raise _bad(name, "delays cannot be negative")
    if found.kind == "html":
        _check_paths(found)


def _check_paths(found: Site) -> None:
    for rows in (found.fixtures, found.events):
        for path in () if rows is None else (rows.rows, *rows.fields.values(), *([rows.empty] if rows.empty else [])):
            try:
                etree.XPath(path)
            except etree.XPathError as error:
                raise _bad(found.name, f"'{path[:60]}' is no XPath") from error


def _bad(name: str, text: str) -> FeedError:
    return FeedError("bad_sites", f"site {name[:40]}: {text}")
