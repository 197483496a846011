"""A page to fixtures and coarse events. Pure: the page is hostile, the site's mapping is trusted.

What a page does not say is not made up. A page that no longer has what the mapping expects is a `layout_changed`
problem and gives nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree, html

from ingest.feeds.base import Problem
from ingest.feeds.scraper.config import IGNORE, Rows, Site

MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_ROWS = 2_000
MAX_TEXT = 200
MAX_DEPTH = 30
BROKEN_SHARE = 0.2
"""With more than this share of rows unreadable the page's layout has changed."""
_MINUTE = re.compile(r"^\s*(\d{1,3})\s*(?:'|′|’|min\.?)?\s*(?:\+\s*(\d{1,2}))?\s*(?:'|′|’)?\s*$")
_STATUS = {
    "eventscheduled": "scheduled",
    "eventrescheduled": "rescheduled",
    "eventpostponed": "postponed",
    "eventcancelled": "cancelled",
}
Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fixture:
    """A match as a page announces it, for the catalogue. ``fixture_id`` is the page's own id, or made of its words."""

    site: str
    fixture_id: str
    home: str
    away: str
    kickoff_unix_ms: int | None
    competition: str = ""
    status: str = ""
    url: str = ""


@dataclass(slots=True)
class Page:
    """What a page gave."""

    fixtures: list[Fixture] = field(default_factory=list)
    events: list[Doc] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_page(site: Site, body: bytes, url: str) -> Page:
    """Fixtures and events of one page. Never raises for its content."""
    page = Page()
    if len(body) > MAX_PAGE_BYTES:
        page.problems.append(Problem("page_too_large", url[:MAX_TEXT], f"{len(body)} bytes"))
        return page
    try:
        root = _parsed(site, body)
        if root is None:
            page.problems.append(Problem("bad_page", url[:MAX_TEXT], "neither HTML nor JSON"))
            return page
        _fixtures(site, root, url, page)
        if site.events is not None:
            _events(site, site.events, root, url, page)
    except (etree.LxmlError, ValueError, TypeError, RecursionError, KeyError, AttributeError, OverflowError) as error:
        page.fixtures, page.events = [], []
        page.problems.append(Problem("bad_page", url[:MAX_TEXT], f"{type(error).__name__}: {error}"[:MAX_TEXT]))
    return page


def _parsed(site: Site, body: bytes) -> Any:
    """The page's tree: an lxml element, or decoded JSON; None when it is neither."""
    if site.kind == "json":
        return json.loads(body)
    # No network, no entities of its own, and libxml2's own limits on depth and size stay on.
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    return html.document_fromstring(body, parser=parser) if body.strip() else None


def _fixtures(site: Site, root: Any, url: str, page: Page) -> None:
    if site.fixtures is None:
        rows: list[dict[str, str]] = list(_linked_data(root, page, url))
        if not rows:
            page.problems.append(Problem("layout_changed", url[:MAX_TEXT], "no SportsEvent on the page"))
        empty = False
    else:
        rows, empty = _table(site, site.fixtures, root, url, page, "fixtures")
    found, broken = [], 0
    for row in rows:
        fixture = _fixture(site, row, page, url)
        if fixture is None:
            broken += 1
        else:
            found.append(fixture)
    if not empty and _changed(broken, len(rows)):
        page.problems.append(Problem("layout_changed", url[:MAX_TEXT], f"{broken} of {len(rows)} fixtures unreadable"))
        return
    page.fixtures = found


def _events(site: Site, mapping: Rows, root: Any, url: str, page: Page) -> None:
    rows, _ = _table(site, mapping, root, url, page, "events")
    found: list[Doc] = []
    broken = 0
    seen: dict[str, int] = {}
    for row in rows:
        if site.kinds.get(row.get("kind", "")) == IGNORE:
            continue
        event = _event(site, row)
        if isinstance(event, Problem):
            broken += 1
            page.problems.append(event)
            continue
        number = seen[event["id"]] = seen.get(event["id"], 0) + 1
        if number > 1:
            event["id"] += f"#{number}"
        found.append(event)
    if _changed(broken, len(rows)):
        page.problems.append(Problem("layout_changed", url[:MAX_TEXT], f"{broken} of {len(rows)} events unreadable"))
        return
    page.events = found


def _changed(broken: int, rows: int) -> bool:
    return broken > BROKEN_SHARE * rows


def _table(site: Site, mapping: Rows, root: Any, url: str, page: Page, what: str) -> tuple[list[dict[str, str]], bool]:
    """The rows' fields as text, and whether the page says that there are none."""
    pick = _json_pick if site.kind == "json" else _html_pick
    nodes = pick(root, mapping.rows)
    if not nodes:
        if mapping.empty and pick(root, mapping.empty):
            return [], True
        page.problems.append(Problem("layout_changed", url[:MAX_TEXT], f"no rows of {what} where they used to be"))
        return [], False
    if len(nodes) > MAX_ROWS:
        page.problems.append(Problem("too_many_rows", url[:MAX_TEXT], f"{len(nodes)} rows, {MAX_ROWS} are read"))
    return [
        {name: _text(pick(node, path)) for name, path in mapping.fields.items()} for node in nodes[:MAX_ROWS]
    ], False


def _html_pick(node: Any, path: str) -> list[Any]:
    if not isinstance(node, etree._Element):
        return []
    found = node.xpath(path, smart_strings=False)
    return found if isinstance(found, list) else [found]


def _json_pick(node: Any, path: str) -> list[Any]:
    """``a.b[*].c``: names, and ``[*]`` for each item of a list. A dot alone is the node itself."""
    nodes = [node]
    for step in path.replace("[*]", ".*").split("."):
        if step == "":
            continue
        if step == "*":
            nodes = [item for found in nodes if isinstance(found, list) for item in found]
        else:
            nodes = [found[step] for found in nodes if isinstance(found, dict) and step in found]
    return nodes


def _text(found: list[Any]) -> str:
    """The first value's text, white space folded; empty where there is none."""
    if not found:
        return ""
    value = found[0]
    if isinstance(value, etree._Element):
        value = " ".join(value.itertext())
    if value is None or isinstance(value, dict | list):
        return ""
    return " ".join(str(value).split())[:MAX_TEXT]


def _linked_data(root: Any, page: Page, url: str) -> Iterator[dict[str, str]]:
    """schema.org SportsEvent objects in the page's JSON-LD, as rows."""
    for script in root.iter("script"):
        if str(script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        try:
            content = json.loads(script.text or "")
        except (ValueError, RecursionError) as error:
            page.problems.append(Problem("bad_linked_data", url[:MAX_TEXT], f"{error}"[:MAX_TEXT]))
            continue
        for thing in _things(content, 0):
            yield _sports_event(thing)


def _things(content: object, depth: int) -> Iterator[Doc]:
    if depth > MAX_DEPTH:
        return
    if isinstance(content, list):
        for item in content[:MAX_ROWS]:
            yield from _things(item, depth + 1)
    elif isinstance(content, dict):
        kinds = content.get("@type")
        if "SportsEvent" in (kinds if isinstance(kinds, list) else [kinds]):
            yield content
            return
        for value in content.values():
            if isinstance(value, dict | list):
                yield from _things(value, depth + 1)


def _sports_event(thing: Doc) -> dict[str, str]:
    def name(value: object) -> str:
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        found = value.get("name") if isinstance(value, dict) else value
        return _text([found]) if isinstance(found, str) else ""

    status = _text([thing.get("eventStatus")]).rsplit("/", 1)[-1].lower()
    identifier = thing.get("identifier") or thing.get("@id") or ""
    return {
        "id": _text([identifier]) if isinstance(identifier, str | int) else "",
        "home": name(thing.get("homeTeam")),
        "away": name(thing.get("awayTeam")),
        "kickoff": _text([thing.get("startDate")]),
        "competition": name(thing.get("superEvent")) or name(thing.get("organizer")),
        "status": _STATUS.get(status, ""),
        "url": _text([thing.get("url")]),
    }


def _fixture(site: Site, row: dict[str, str], page: Page, url: str) -> Fixture | None:
    home, away = row.get("home", ""), row.get("away", "")
    if not home or not away or home == away:
        # A list of competitors without home and away does not tell the sides; we do not guess.
        page.problems.append(Problem("bad_fixture", url[:MAX_TEXT], f"home '{home[:40]}', away '{away[:40]}'"))
        return None
    kickoff: int | None = None
    if row.get("kickoff"):
        try:
            kickoff = _unix_ms(site, row["kickoff"])
        except (ValueError, OverflowError):
            page.problems.append(Problem("bad_kickoff", url[:MAX_TEXT], f"'{row['kickoff'][:40]}'"))
            return None
    fixture_id = row.get("id") or f"{home} - {away} {row.get('kickoff', '')[:10]}".strip()
    return Fixture(
        site.name,
        fixture_id,
        home,
        away,
        kickoff,
        row.get("competition", ""),
        row.get("status", ""),
        row.get("url", ""),
    )


def _unix_ms(site: Site, text: str) -> int:
    if site.kickoff_format:
        moment = datetime.strptime(text, site.kickoff_format)  # noqa: DTZ007  (the zone is added below)
    else:
        if "T" not in text and " " not in text:
            raise ValueError("a day without a time")
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        if not site.timezone:
            raise ValueError("a time without its zone")
        moment = moment.replace(tzinfo=ZoneInfo(site.timezone))
    return int(moment.timestamp() * 1000)


def _event(site: Site, row: dict[str, str]) -> Doc | Problem:
    minute = _MINUTE.match(row.get("minute", ""))
    kind = site.kinds.get(row.get("kind", ""))
    side = site.sides.get(row.get("side", ""), row.get("side", ""))
    where = f"event {row.get('minute', '')[:20]} {row.get('kind', '')[:40]}"
    if kind is None:
        return Problem("unknown_type", where, "the site's mapping has no such kind")
    if minute is None or not 0 < int(minute[1]) <= 120:
        return Problem("bad_event", where, "no minute of a match")
    if side not in ("home", "away"):
        return Problem("unknown_team", where, f"'{side[:40]}' is neither home nor away")
    added, player = int(minute[2] or 0), row.get("player", "")
    identity = row.get("id") or f"{kind}:{side}:{minute[1]}+{added}:{player}"
    return {
        "id": identity,
        "kind": kind,
        "side": side,
        "minute": int(minute[1]),
        "added": added,
        "player": player,
        "modified": 0,
    }
