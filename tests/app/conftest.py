"""The page's server and browser for the tests that need them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent))

import standin
from chromium import Chromium, Page, find_chromium


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A headless Chromium, or a skip that says what is missing."""
    if find_chromium() is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium): the page is tested where it is")
    running = Chromium(tmp_path_factory.mktemp("chromium") / "profile")
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def browser(chromium: Chromium) -> AsyncIterator[Page]:
    """A tab of its own."""
    async with chromium.tab() as page:
        yield page


@pytest.fixture
async def standin_url() -> AsyncIterator[str]:
    """A stand-in of the backend at the 38th minute, which can be cut, silenced and made to lose frames."""
    runner = web.AppRunner(standin.make(seed=7, speed=30, start=2_250))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()
