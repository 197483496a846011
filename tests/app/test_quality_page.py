"""The page of the feeds on the real API and database in a real browser: live, and honest when nobody answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from chromium import Page

from backend.api.app import create_app
from backend.api.context import Context
from backend.db.migrate import amigrate
from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.engines.postgres import Postgres
from backend.history.quality import FeedQuality, QualityStore
from backend.history.store import HistoryStore
from backend.serve import server
from ingest.history.model import Match

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"
AT_MS = 1_772_366_400_000
GOOD = FeedQuality(
    "m1", "statsperform", AT_MS, 400, 2_000, 0, 0, 900, 300, 1, 0, 0, 700, 90, 4, 2, 3, 0, 5, 120, 340, 97
)  # fmt: skip
ILL = replace(GOOD, provider="opta", health=31, silence_ms=26_000, gap_ms=61_000, gap_recent_ms=40_000, unknown_types=2)

pytestmark = pytest.mark.browser


@dataclass
class Site:
    url: str
    quality: QualityStore
    running: uvicorn.Server


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    engine = Postgres(tmp_path / "db")
    await engine.astart()
    try:
        await amigrate(engine.dsn)
        async with Database(engine.dsn) as database:
            store = HistoryStore(database)
            await store.pin(Match("m1", "statsperform", date(2026, 3, 1)))
            running = server(create_app(Context(database, Hub(database)), ROOT / "app"))
            listener = socket.create_server(("127.0.0.1", 0))
            task = asyncio.create_task(running.serve(sockets=[listener]))
            yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", QualityStore(database, store), running)
            running.should_exit = True
            await task
    finally:
        await engine.astop()


def row(number: int) -> str:
    return f"document.querySelector('#rows tr:nth-child({number})')"


async def test_the_page_shows_every_feed_live_and_says_when_nobody_answers(browser: Page, site: Site) -> None:
    await browser.open(f"{site.url}/quality", 1440, 900, theme="dark")
    await browser.until("!document.getElementById('empty').hidden")
    await site.quality.write([GOOD, ILL])
    await browser.until("document.querySelectorAll('#rows tr').length === 2")
    assert await browser.evaluate(f"{row(1)}.dataset.feed") == "m1/opta", "the weakest first"
    assert "26 s" in await browser.evaluate(f"{row(1)}.innerText")
    assert await browser.evaluate(f"{row(1)}.querySelector('meter').value") == 31
    assert await browser.evaluate(f"{row(1)}.querySelectorAll('[data-tone=alert]').length") == 3
    assert await browser.evaluate(f"{row(2)}.querySelectorAll('[data-tone=alert], [data-tone=warn]').length") == 0
    assert await browser.evaluate("document.getElementById('summary').textContent") == "2 feeds of 1 match, 1 below 60"
    await site.quality.write([replace(ILL, at_ms=AT_MS + 5_000, health=99, silence_ms=100)])
    await browser.until(f"{row(1)}.dataset.feed === 'm1/statsperform'")
    assert "0.1 s" in await browser.evaluate(f"{row(2)}.innerText")
    assert await browser.evaluate("document.body.dataset.phase") == "live"
    await browser.screenshot(ARTIFACTS / "quality-desk-dark.png")
    await browser.resize(360, 780)
    assert await browser.evaluate("document.documentElement.scrollWidth") <= 360
    assert browser.problems == []
    site.running.should_exit = True
    await browser.until("document.body.dataset.phase === 'waiting'")
    assert "2 feeds" in await browser.evaluate("document.getElementById('summary').textContent"), "the last word stays"


def test_the_page_is_small_and_needs_nothing_from_elsewhere() -> None:
    files = list((ROOT / "app" / "quality").iterdir())
    assert sum(path.stat().st_size for path in files) < 12_000
    for path in files:
        content = path.read_text()
        assert "http://" not in content
        assert "https://" not in content
    html = (ROOT / "app" / "quality" / "index.html").read_text()
    assert "<style" not in html
    assert "style=" not in html
    assert " onclick" not in html
