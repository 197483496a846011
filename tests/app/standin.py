"""A small server for working on the page: the same REST bodies and frames as the backend, from a seeded walk.

It exists so that the page can be developed and broken on purpose (cut, silence, hole in the offsets) without the
engines: ``python tests/app/standin.py --port 8099 --speed 60``. The final browser test runs on the real backend.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from aiohttp import WSMsgType, web

APP = Path(__file__).resolve().parents[2] / "app"
MATCH = "standin"
HEADERS = {"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff"}
WINDOWS = ["0-15", "15-30", "30-45", "45-60", "60-75", "75-90", "H1", "H2", "FT"]
STARTS_S = {
    "0-15": 0,
    "15-30": 900,
    "30-45": 1800,
    "45-60": 2700,
    "60-75": 3600,
    "75-90": 4500,
    "H1": 0,
    "H2": 2700,
    "FT": 0,
}
LENGTHS_S = {"H1": 2700, "H2": 2700, "FT": 5400}
Delta = tuple[str, dict[str, Any]]


def dec(value_e6: int) -> str:
    """An integer in 1e-6 as a decimal string."""
    sign = "-" if value_e6 < 0 else ""
    return f"{sign}{abs(value_e6) // 1_000_000}.{abs(value_e6) % 1_000_000:06d}"


class Walk:
    """A made-up match: every second some deltas, and the whole state for REST."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.match: dict[str, Any] = {
            "match_id": MATCH,
            "competition": "2. Bundesliga",
            "kickoff_at": "2021-09-11T11:30:00Z",
            "status": "live",
            "home_name": "Hamburger SV",
            "home_short": "HSV",
            "home_score": 0,
            "period": 0,
            "play_ms": 0,
            "in_break": False,
            "away_name": "SV Sandhausen 1916",
            "away_short": "SVS",
            "away_score": 0,
        }
        self.samples: list[dict[str, Any]] = []
        self.values_e6: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.revisions: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.windows = {name: {"name": name, "state": "open", "oi_long": "0", "oi_short": "0"} for name in WINDOWS}
        self.pool = {
            "cash": "250000",
            "reserved": "0",
            "margin": "42000",
            "position_collateral": "0",
            "fees_charged": "812.4",
            "insurance": "1200",
            "level": "confirmed",
        }
        self.x, self.drift, self.suspended_until, self.tick = 50.0, 0.0, -1, 0

    def seconds(self) -> Iterator[list[Delta]]:
        for period, length in ((1, 2700 + 130), (2, 2700 + 240)):
            self.match.update(period=period, in_break=False)
            for second in range(1, length + 1):
                yield self.second(period, second)
            self.match.update(in_break=True)
            yield [("match", dict(self.match))]
        self.match.update(status="final", in_break=False)
        yield [("match", dict(self.match))]

    def second(self, period: int, second: int) -> list[Delta]:
        rng, out = self.rng, []
        self.tick += 1
        if rng.random() < 0.008:
            self.drift = rng.uniform(-0.09, 0.1)
        self.x += self.drift + (52 - self.x) * 0.0012 + rng.gauss(0, 0.12)
        what = rng.random()
        side = "home" if rng.random() < self.x / 100 else "away"
        if what < 0.0045:
            out += self.event(period, second, "shot", side, goal=rng.random() < 0.13)
        elif what < 0.0052:
            out += self.event(period, second, "yellow", "away" if side == "home" else "home")
        elif what < 0.0053:
            out += self.event(period, second, "penalty_awarded", side)
        self.x = min(96, max(4, self.x))
        value = int(self.x * 1e6)
        suspended = self.tick < self.suspended_until
        sample = {
            "tick": self.tick,
            "period": period,
            "second": second,
            "data_ms": self.tick * 1000,
            "play_ms": self.tick * 1000,
            "x": dec(value),
            "status": "confirmed",
            "suspended": suspended,
        }
        self.samples.append(sample)
        self.values_e6.append(value)
        out.append(("tick", sample))
        if rng.random() < 0.0015 and self.events:
            event = rng.choice(self.events)
            revision = {
                "revision": len(self.revisions) + 1,
                "tick": self.tick - 30,
                "old_e6": value,
                "new_e6": value - 900_000,
                "old": dec(value),
                "new": dec(value - 900_000),
                "reason": "late edit",
                "event_id": event["event_id"],
                "data_ms": self.tick * 1000,
            }
            self.revisions.append(revision)
            out.append(("revision", revision))
        nominal = (period - 1) * 2700 + min(second, 2700)
        if second % 2 == 0:
            out += self.market(nominal)
        if rng.random() < 0.07:
            out += self.trade(period, second, nominal, suspended)
        return out

    def event(self, period: int, second: int, kind: str, side: str, goal: bool = False) -> list[Delta]:
        event = {
            "event_id": f"e{len(self.events)}",
            "version": 1,
            "deleted": False,
            "period": period,
            "play_ms": second * 1000,
            "kind": kind,
            "side": side,
            "goal": goal,
            "player": "A. Player",
            "text": "",
        }
        self.events.append(event)
        self.x += (4 if side == "home" else -4) * (2.2 if goal else 1)
        out: list[Delta] = [("event", event)]
        if goal or kind == "penalty_awarded":
            self.suspended_until = self.tick + 70
        if goal:
            self.match[f"{side}_score"] += 1
            out.append(("match", dict(self.match)))
        return out

    def market(self, nominal: int) -> list[Delta]:
        out: list[Delta] = []
        for name, window in self.windows.items():
            start, length = STARTS_S[name], LENGTHS_S.get(name, 900)
            if window["state"] == "final":
                continue
            played = self.values_e6[-min(length, 900) :] or [50_000_000]
            left = min(length, max(0, start + length - nominal))
            mean = sum(played) // len(played) if nominal > start else int(48e6 + self.x * 4e4)
            mark = (mean * (length - left) + left * int(50e6 * 0.7 + self.x * 3e5)) // length
            half = 550_000 if left >= 600 else 250_000 if left >= 180 else 60_000
            window.update(mark=dec(mark), bid=dec(mark - half), ask=dec(mark + half), level="confirmed")
            if left == 0:
                window.update(state="final", settlement=dec(mean))
            out.append(("window", dict(window)))
        return out

    def trade(self, period: int, second: int, nominal: int, suspended: bool) -> list[Delta]:
        rng = self.rng
        name = rng.choice(
            [w for w in WINDOWS if STARTS_S[w] <= nominal < STARTS_S[w] + LENGTHS_S.get(w, 900)] or ["FT"]
        )
        window, side, qty = self.windows[name], rng.choice(["long", "short"]), rng.randrange(5, 60)
        kind, reason = "trade", "filled"
        if suspended or rng.random() < 0.12:
            reason = "suspended" if suspended else rng.choice(["limit_not_met", "cap", "no_sample"])
        elif rng.random() < 0.04:
            kind = "liquidation"
        else:
            window[f"oi_{side}"] = dec(int(float(window[f"oi_{side}"]) * 1e6) + qty * 1_000_000)
            self.pool["reserved"] = dec(
                min(200_000_000_000, int(float(self.pool["reserved"]) * 1e6) + qty * 48_000_000)
            )
            self.pool["position_collateral"] = dec(
                int(float(self.pool["position_collateral"]) * 1e6) + qty * 15_000_000
            )
        trade = {
            "id": f"t{len(self.trades)}",
            "kind": kind,
            "side": side,
            "window": name,
            "qty": dec(qty * 1_000_000),
            "price": window.get("ask", "50"),
            "reason": reason,
            "closed": "0",
            "owner": rng.choice(["7xKqAda", "9fBoBo", "4mChiCh", "Ev2Even"]),
            "period": period,
            "play_ms": second * 1000,
            "level": "confirmed",
        }
        self.trades.append(trade)
        return [(kind, trade), ("pool", dict(self.pool))]


class Server:
    """Serves the page, the state and the stream; `cut`, `mute` and `skip` break it on purpose."""

    def __init__(self, seed: int, speed: float, start: int) -> None:
        self.walk, self.speed, self.offset = Walk(seed), speed, 0
        self.steps = self.walk.seconds()
        self.sockets: set[web.WebSocketResponse] = set()
        self.log: list[bytes] = []
        self.muted = False
        for _ in range(start):
            next(self.steps)

    async def run(self, _app: web.Application) -> None:
        self.task = asyncio.create_task(self.play())

    async def stop(self, _app: web.Application) -> None:
        self.task.cancel()
        for socket in list(self.sockets):
            await socket.close()

    async def play(self) -> None:
        for deltas in self.steps:
            await asyncio.sleep(1 / self.speed)
            for kind, data in deltas:
                self.offset += 1
                frame = orjson.dumps(
                    {"type": "delta", "match": MATCH, "offset": self.offset, "kind": kind, "data": data}
                )
                self.log.append(frame)
                if not self.muted:
                    for socket in list(self.sockets):
                        await socket.send_str(frame.decode())

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        since = request.query.get("offset")
        if since is not None and 0 <= int(since) <= self.offset:
            await socket.send_str(orjson.dumps({"type": "resumed", "match": MATCH, "offset": int(since)}).decode())
            for frame in self.log[int(since) :]:
                await socket.send_str(frame.decode())
        else:
            await self.reply(socket, "resync")
        self.sockets.add(socket)
        async for message in socket:
            if message.type == WSMsgType.TEXT and not self.muted:
                await self.reply(socket, orjson.loads(message.data)["type"])
        self.sockets.discard(socket)
        return socket

    async def reply(self, socket: web.WebSocketResponse, what: str) -> None:
        if what == "ping":
            await socket.send_str(orjson.dumps({"type": "pong", "offset": self.offset}).decode())
        else:
            w = self.walk
            data = {
                "match": w.match,
                "momentum": {"data": w.samples[-600:], "events": w.events[-100:], "revisions": []},
                "markets": list(w.windows.values()),
                "trades": w.trades[:-100:-1],
                "pool": w.pool,
            }
            frame = {"type": "snapshot", "match": MATCH, "offset": self.offset, "data": data}
            await socket.send_str(orjson.dumps(frame).decode())

    async def command(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        if what == "cut":
            for socket in list(self.sockets):
                await socket.close()
        elif what in ("mute", "unmute"):
            self.muted = what == "mute"
        elif what == "skip":
            self.offset += 5
            self.log += [b'{"type":"lost"}'] * 5
        return web.json_response({"done": what})


def make(seed: int = 7, speed: float = 60, start: int = 0) -> web.Application:
    """The application; ``start`` seconds of play have already happened."""
    server = Server(seed, speed, start)
    walk = server.walk

    def rows(get: Any) -> Any:
        async def answer(_request: web.Request) -> web.Response:
            return web.json_response(get(), headers=HEADERS)

        return answer

    async def asset(request: web.Request) -> web.FileResponse:
        return web.FileResponse(APP / (request.match_info["name"] or "index.html"), headers=HEADERS)

    app = web.Application()
    app.on_startup.append(server.run)
    app.on_shutdown.append(server.stop)
    app.add_routes(
        [
            web.get("/v1/matches", rows(lambda: {"data": [walk.match], "next_cursor": None})),
            web.get("/v1/matches/{id}/momentum", rows(lambda: {"data": walk.samples, "next_cursor": None})),
            web.get("/v1/matches/{id}/events", rows(lambda: {"data": walk.events, "next_cursor": None})),
            web.get("/v1/matches/{id}/revisions", rows(lambda: {"data": walk.revisions, "next_cursor": None})),
            web.get("/v1/markets", rows(lambda: {"data": list(walk.windows.values())})),
            web.get("/v1/trades", rows(lambda: {"data": walk.trades[:-200:-1]})),
            web.get("/v1/pool", rows(lambda: {"data": walk.pool})),
            web.get("/v1/stream", server.stream),
            web.post("/test/{what}", server.command),
            web.get("/{name:[a-z.]*}", asset),
        ]
    )
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--speed", type=float, default=60)
    parser.add_argument("--start", type=int, default=0)
    args = parser.parse_args()
    web.run_app(make(speed=args.speed, start=args.start), host="127.0.0.1", port=args.port)
