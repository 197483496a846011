"""SYNTHETIC: a page made up for these tests, the mapping of its site, and the document that the scraper makes of it."""

from __future__ import annotations

from typing import Any

import orjson

from ingest.feeds.scraper.config import site
from ingest.feeds.scraper.extract import read_page
from tests.ingest.netkit import KICKOFF_MS

TABLE: dict[str, Any] = {
    "enabled": True,
    "contact": "https://futstar.test/bot",
    "start": ["https://site.test/fixtures"],
    "kind": "html",
    "match_url": "https://site.test/match/{id}",
    "timezone": "Europe/Berlin",
    "kickoff_format": "%d.%m.%Y %H:%M",
    "fixtures": {
        "rows": "//table[@id='fixtures']//tr[td]",
        "empty": "//p[@class='no-matches']",
        "fields": {"id": "@data-id", "home": "td[1]", "away": "td[2]", "kickoff": "td[3]", "competition": "td[4]"},
    },
    "events": {
        "rows": "//ol[@id='events']/li",
        "empty": "//p[@class='no-events']",
        "fields": {"minute": "b", "kind": "@class", "side": "@data-team", "player": "span"},
    },
    "kinds": {"goal": "goal", "yellow": "yellow", "sub": "substitution", "og": "own_goal", "comment": "ignore"},
    "sides": {"h": "home", "a": "away"},
}
SITE = site("test", TABLE)
ROW = "<tr data-id='{0}'><td>FC Home</td><td>{1}</td><td>01.02.2026 18:30</td><td>League</td></tr>"
EVENTS = (
    "<li class='goal' data-team='h'><b>23'</b> <span>Kim  Sued</span></li>"
    "<li class='yellow' data-team='a'><b>45+2'</b> <span>Per West</span></li>"
    "<li class='comment' data-team='h'><b>50'</b> what a game</li>"
    "<li class='sub' data-team='a'><b>46'</b> <span>Ali Neu</span></li>"
    "<li class='og' data-team='h'><b>90+4'</b></li>"
)


def page(*rows: str, events: str = EVENTS, layout: str = "fixtures") -> bytes:
    table = f"<table id='{layout}'>{''.join(rows)}</table>"
    return f"<!doctype html><html><body>{table}<ol id='events'>{events}</ol></body></html>".encode()


def match_page(events: str = EVENTS, layout: str = "fixtures") -> bytes:
    return page(ROW.format("m1", "SV Away"), events=events, layout=layout)


def document(events: list[dict[str, Any]] | None = None) -> bytes:
    """What the client makes of the page, or of other events."""
    match = {"id": "m1", "home": "FC Home", "away": "SV Away", "kickoff_unix_ms": KICKOFF_MS, "competition": "League"}
    rows = read_page(SITE, match_page(), "u").events if events is None else events
    return orjson.dumps({"scraper": 1, "site": "test", "url": "u", "match": match, "events": rows})
