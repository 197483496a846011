"""The page in a real browser: it moves, says the truth about its connection, and stays within its policy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from chromium import Page

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
PHONE, SMALL_PHONE, DESK = (390, 844), (360, 780), (1440, 900)

pytestmark = pytest.mark.browser

CHART = "({...document.getElementById('chart').dataset})"
LIVE = "document.body.dataset.phase === 'live' && Number(document.getElementById('chart').dataset.samples) > 100"
# Sum of everything that moved without being asked to, as browsers measure it.
WATCH_SHIFTS = """(() => { window.shifted = 0; new PerformanceObserver(list => {
  for (const e of list.getEntries()) window.shifted += e.value; }).observe({type: 'layout-shift'}); })()"""


def text(name: str) -> str:
    """JavaScript for the text of an element."""
    return f"document.getElementById({name!r}).textContent"


async def post(url: str) -> None:
    """Tell the stand-in to break something."""
    async with aiohttp.ClientSession() as http, http.post(url) as answer:
        assert answer.status == 200


async def test_the_chart_moves_and_everything_is_shown_without_a_complaint(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *DESK, theme="dark")
    await browser.until(LIVE)
    before = await browser.evaluate(CHART)
    await browser.evaluate(WATCH_SHIFTS)
    await browser.until(f"Number({CHART}.tick) > {before['tick']} + 30")
    after = await browser.evaluate(CHART)
    assert after["index"] != before["index"]
    assert int(after["samples"]) == int(after["tick"]), "no second is missing"
    assert await browser.evaluate("document.querySelectorAll('#window-rows tr').length") == 9
    assert await browser.evaluate("document.querySelectorAll('#cards article').length") == 3
    card = await browser.evaluate("document.querySelector('#cards article').innerText")
    assert "Home momentum 30'–45'" in card
    assert "left" in card
    assert await browser.evaluate("document.querySelectorAll('#tape li').length") > 20
    assert "Refund" in await browser.evaluate(text("tape"))
    assert "$250,000" in await browser.evaluate(text("pool"))
    assert await browser.evaluate(text("home-name")) == "Hamburger SV"
    assert await browser.evaluate("window.shifted") < 0.01
    await browser.screenshot(ARTIFACTS / "page-standin-desk-dark.png")
    assert browser.problems == []


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "light"), (SMALL_PHONE, "dark"), (DESK, "light")])
async def test_nothing_is_wider_than_the_screen(
    browser: Page, standin_url: str, size: tuple[int, int], theme: str
) -> None:
    await browser.open(standin_url, *size, theme=theme)
    await browser.until(LIVE)
    assert await browser.evaluate("document.documentElement.scrollWidth") <= size[0]
    cut = """[...document.querySelectorAll('h1, h3, .state, .status, .clock, .link, dd, td, th, .value, .mark b')]
      .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
      .map(e => e.textContent)"""
    assert await browser.evaluate(cut) == []
    await browser.screenshot(ARTIFACTS / f"page-standin-{size[0]}-{theme}.png", full=True)
    assert browser.problems == []


async def test_a_cut_line_is_said_and_the_page_goes_on_where_it_stopped(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *PHONE)
    await browser.until(LIVE)
    await post(f"{standin_url}/test/cut")
    await browser.until("document.body.dataset.phase === 'waiting'")
    assert "Reconnecting" in await browser.evaluate(text("link-text"))
    await browser.until(LIVE)
    await asyncio.sleep(0.5)
    state = await browser.evaluate(CHART)
    assert int(state["samples"]) == int(state["tick"]), "what was missed was caught up"


async def test_silence_on_an_open_line_is_shown_as_stale(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *PHONE)
    await browser.until(LIVE)
    await post(f"{standin_url}/test/mute")
    await browser.until("document.body.dataset.phase === 'stale'")
    assert "nothing for" in await browser.evaluate(text("link-text"))
    await post(f"{standin_url}/test/unmute")
    await browser.until(LIVE)
    state = await browser.evaluate(CHART)
    assert int(state["samples"]) == int(state["tick"]), "the hole was filled from a snapshot"


async def test_lost_frames_are_noticed_and_healed(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *PHONE)
    await browser.until(LIVE)
    await post(f"{standin_url}/test/skip")
    tick = int((await browser.evaluate(CHART))["tick"])
    await browser.until(f"Number({CHART}.tick) > {tick} + 30")
    state = await browser.evaluate(CHART)
    assert int(state["samples"]) == int(state["tick"])


async def test_the_chart_can_be_read_with_the_keyboard(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *DESK)
    await browser.until(LIVE)
    await browser.evaluate("document.getElementById('chart').focus()")
    for key in ("Home", "ArrowRight", "ArrowRight"):
        await browser.call("Input.dispatchKeyEvent", type="keyDown", key=key)
    await browser.until(f"{text('readout')}.startsWith('00:21')")
    assert "confirmed" in await browser.evaluate(text("readout"))
    await browser.call("Input.dispatchKeyEvent", type="keyDown", key="Escape")
    await browser.until(f"{text('readout')}.startsWith('Touch')")


async def test_the_theme_can_be_chosen_and_is_kept(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *PHONE, theme="light")
    await browser.until(LIVE)
    colour = "getComputedStyle(document.body).backgroundColor"
    light = await browser.evaluate(colour)
    for _ in range(2):
        await browser.evaluate("document.getElementById('theme').click()")
    assert await browser.evaluate(colour) != light
    await browser.call("Page.reload")
    await browser.loaded()
    await browser.until(LIVE)
    assert await browser.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_text_can_be_read_by_weak_eyes(browser: Page, standin_url: str) -> None:
    """WCAG AA: 4.5 to 1 for every text on the plain surfaces, in both themes."""
    script = """(() => {
      const rgb = c => c.match(/[\\d.]+/g).map(Number);
      const lum = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
        return .2126 * r + .7152 * g + .0722 * b; };
      const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (rgb(c)[3] === undefined || rgb(c)[3] === 1) return c; } return 'rgb(255,255,255)'; };
      return [...document.querySelectorAll('main *, .top *, footer *')].filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
        .map(e => { const a = lum(getComputedStyle(e).color), b = lum(back(e)); return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className + ' ' + e.textContent.slice(0, 30)]; })
        .filter(([ratio]) => ratio < 4.5);
    })()"""  # noqa: E501
    for theme in ("light", "dark"):
        await browser.open(standin_url, *DESK, theme=theme)
        await browser.until(LIVE)
        assert await browser.evaluate(script) == [], theme


async def test_motion_stops_for_those_who_ask(browser: Page, standin_url: str) -> None:
    await browser.open(standin_url, *PHONE, motion=False)
    await browser.until(LIVE)
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).animationName !== 'none').length"
    assert await browser.evaluate(moving) == 0
