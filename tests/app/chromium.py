"""Drives a headless Chromium over the DevTools protocol: just enough for the page's tests."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome; ``CHROMIUM`` names another."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Page:
    """One tab. ``problems`` collects console errors, exceptions and violations of the content security policy."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket, self._session = socket, session
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0
        self._reader = asyncio.create_task(self._read())
        self.problems: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One DevTools command; raises RuntimeError with Chromium's own message."""
        self._last_id += 1
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[self._last_id] = waiter
        await self._socket.send_json(
            {"id": self._last_id, "method": method, "params": params, "sessionId": self._session}
        )
        answer: dict[str, Any] = await asyncio.wait_for(waiter, 30)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    async def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression, awaited when it is a promise."""
        result = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    async def until(self, expression: str, timeout_s: float = 20) -> Any:
        """Wait until the expression is truthy and return its value."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not (value := await self.evaluate(expression)):
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"never true in {timeout_s} s: {expression}; problems: {self.problems}")
            await asyncio.sleep(0.1)
        return value

    async def open(self, url: str, width: int, height: int, theme: str = "light", *, motion: bool = True) -> None:
        """Load ``url`` in a window of that size and colour scheme."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.resize(width, height)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        if not motion:
            features.append({"name": "prefers-reduced-motion", "value": "reduce"})
        await self.call("Emulation.setEmulatedMedia", features=features)
        await self.call("Page.navigate", url=url)
        await self.loaded(f"location.href.startsWith({url!r})")

    async def loaded(self, also: str = "true") -> None:
        """Wait for the document that the last navigation asked for."""
        await self.until(f"{also} && !window.leaving && document.readyState === 'complete'")
        await self.evaluate("window.leaving = true; true")

    async def resize(self, width: int, height: int) -> None:
        """Another window size; phones get their pixel ratio."""
        phone = width < 700
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def screenshot(self, path: Path, *, full: bool = False) -> None:
        """Write a PNG of the window, or of the whole page."""
        shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def _read(self) -> None:
        async for message in self._socket:
            body = message.json()
            if (waiter := self._waiting.pop(body.get("id", 0), None)) and not waiter.done():
                waiter.set_result(body)
            elif body.get("method") == "Runtime.exceptionThrown":
                self.problems.append(str(body["params"]["exceptionDetails"]))
            elif body.get("method") == "Runtime.consoleAPICalled" and body["params"]["type"] in ("error", "warning"):
                self.problems.append(str(body["params"]["args"]))
            elif body.get("method") == "Log.entryAdded" and body["params"]["entry"]["level"] in ("error", "warning"):
                self.problems.append(body["params"]["entry"]["text"] + " " + body["params"]["entry"].get("url", ""))

    async def close(self) -> None:
        """Stop listening."""
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader


class Chromium:
    """One browser process with an empty profile: `start` it, open as many separate tabs as wanted, `stop` it."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    def start(self) -> None:
        """Start it; `tab` waits until it is ready."""
        path = find_chromium()
        assert path is not None
        self._process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """End it, and nothing else."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Page]:
        """A tab with storage of its own."""
        async with aiohttp.ClientSession() as http:
            socket = await self._connect(http)
            context = (await _ask(socket, -1, "Target.createBrowserContext"))["browserContextId"]
            target = await _ask(socket, -2, "Target.createTarget", url="about:blank", browserContextId=context)
            tab = await _ask(socket, -3, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
            page = Page(socket, tab["sessionId"])
            try:
                yield page
            finally:
                await page.close()
                await _ask(socket, -4, "Target.disposeBrowserContext", browserContextId=context)

    async def _connect(self, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        note = self._profile / "DevToolsActivePort"
        for _ in range(300):
            if note.exists() and len(lines := note.read_text().splitlines()) == 2:
                return await http.ws_connect(f"ws://127.0.0.1:{lines[0]}{lines[1]}", max_msg_size=0)
            await asyncio.sleep(0.1)
        raise TimeoutError("Chromium did not open its DevTools port within 30 s")


async def _ask(socket: aiohttp.ClientWebSocketResponse, number: int, method: str, **params: Any) -> dict[str, Any]:
    await socket.send_json({"id": number, "method": method, "params": params})
    while True:
        body = await socket.receive_json(timeout=30)
        if body.get("id") == number:
            return dict(body["result"])
