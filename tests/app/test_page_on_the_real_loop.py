"""The page on the whole loop: a real match, the programs, the database, the API and the stream, in a real browser."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from chromium import Chromium, Page

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"
CHART = "({...document.getElementById('chart').dataset})"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo_url(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`futstar demo` at 60 times the match's pace, past its first minutes of play; ended by Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "backend.cli.main", "demo", "--headless", "--speed", "60"]
    log = (home / "demo.log").open("w+")
    demo = subprocess.Popen(
        [*command, "--port", str(port), "--data-dir", str(home / "data")],
        cwd=ROOT,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        deadline = time.monotonic() + 150
        while True:
            try:
                rows = httpx.get(f"http://127.0.0.1:{port}/v1/matches", timeout=5).json()["data"]
                if rows and (rows[0]["tick"] or 0) > 120:
                    break
            except httpx.HTTPError:
                pass
            log.seek(0)
            assert demo.poll() is None, f"the demo ended with {demo.returncode}: {log.read()[-3000:]}"
            assert time.monotonic() < deadline, f"no match in 150 s: {log.read()[-3000:]}"
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        if demo.poll() is None:
            demo.send_signal(signal.SIGINT)
        try:
            demo.wait(60)
        except subprocess.TimeoutExpired:
            demo.kill()
            demo.wait()
        log.close()


async def test_a_real_match_moves_on_the_page(browser: Page, demo_url: str) -> None:
    await browser.open(demo_url, 1440, 900, theme="light")
    await browser.until("document.body.dataset.phase === 'live'")
    before = await browser.until(f"Number({CHART}.samples) > 60 && {CHART}")
    after = await browser.until(f"Number({CHART}.tick) > {before['tick']} + 60 && {CHART}", timeout_s=40)
    assert after["index"] != before["index"]
    assert int(after["samples"]) > int(before["samples"])
    await browser.until("document.querySelectorAll('#tape li').length > 3", timeout_s=60)
    cards = await browser.evaluate("document.getElementById('cards').innerText")
    assert "Home momentum 0'–15'" in cards
    marks = "[...document.querySelectorAll('#cards .mark b')].map(e => Number(e.textContent))"
    assert all(0 < mark < 100 for mark in await browser.evaluate(marks))
    assert await browser.evaluate("document.querySelectorAll('#window-rows tr').length") == 9
    assert await browser.evaluate("document.getElementById('home-name').textContent") == "Hamburger SV"
    assert "$" in await browser.evaluate("document.getElementById('pool').textContent")
    await browser.screenshot(ARTIFACTS / "page-desk-light.png")
    assert browser.problems == []


async def test_a_phone_gets_the_whole_page_from_the_real_backend(browser: Page, demo_url: str) -> None:
    await browser.open(demo_url, 390, 844, theme="dark")
    await browser.until("document.body.dataset.phase === 'live'")
    await browser.until(f"Number({CHART}.samples) > 60")
    await asyncio.sleep(1)
    state = await browser.evaluate(CHART)
    # Late seconds are skipped by the oracle and stay skipped; what it did publish is on the page without a hole.
    listed = httpx.get(f"{demo_url}/v1/matches").json()["data"][0]["match_id"]
    rows = httpx.get(f"{demo_url}/v1/matches/{listed}/momentum", params={"limit": 6000, "to": state["tick"]}).json()
    assert int(state["samples"]) == len(rows["data"])
    assert await browser.evaluate("document.documentElement.scrollWidth") <= 390
    await browser.screenshot(ARTIFACTS / "page-phone-dark.png", full=True)
    assert browser.problems == []
