"""The whole loop on one recorded match: engines up, venue founded, match played, books closed, report written."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from solders.keypair import Keypair

from backend.db.pool import Database
from backend.demo import evidence, invariants
from backend.demo.clocks import LockstepClock, MatchClock, ScaledClock
from backend.demo.engines import Engines
from backend.demo.fanout import Fanout
from backend.demo.founding import Founder
from backend.demo.loop import PublishedTick, ReplayLoop
from backend.demo.people import Person, Provider, foresight_of, windows_of
from backend.demo.recorder import Recorder
from backend.demo.report import build_report
from backend.demo.screen import Screen
from backend.demo.strategies import CAST
from backend.demo.stream import Stream
from backend.demo.wallet import keypair
from backend.demo.workspace import Workspace, evidence_folder, require_free_port
from backend.errors import UserError
from backend.feedstore import FeedStore, Score
from backend.history.meter import meter_of
from backend.history.quality import QualityStore
from backend.history.recorder import HistoryRecorder
from backend.history.store import HistoryStore
from ingest.events import Event, Kind, Upsert
from ingest.feed import write_feed
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import Adapter, Recorded, ReplayOptions, replay, require_index
from momentum.forecast.terms import Terms
from momentum.prior import read_priors
from oracle import transcript
from oracle.core import KeeperCore, Received
from oracle.keeper import Cranker
from oracle.publisher import Publisher
from oracle.windows import HALF_S

PUBLISHERS, QUORUM = 3, 2
PROVIDERS = (("Lily", 1_000_000), ("Ludo", 250_000))
SNAPSHOT_EVERY = 15
LOOK_EVERY = 3
BEFORE_MS = 3 * 86_400_000
MIRROR_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for. ``speed`` None is `max` (lockstep); ``until_s`` stops after so many ticks."""

    provider: str = "statsperform"
    paths: tuple[Path, ...] = ()
    match: str | None = None
    speed: float | None = 60.0
    seed: int = 7
    port: int = 8080
    data_dir: Path = Path(".futstar")
    headless: bool = False
    json_path: Path | None = None
    inject: str | None = None
    until_s: int | None = None
    prior: Path | None = None


class Demo:
    """One run. `run` returns the report."""

    def __init__(self, options: Options, announce: Callable[[str], object] = print) -> None:
        self.options = options
        self.announce = announce
        self.report_path = Path()
        source = adapter(options.provider)
        require_index(source)
        paths = options.paths or default_match_paths(options.provider)
        self.recorded = source.load(paths, options.match)
        priors = read_priors(options.prior) if options.prior else {}
        terms = Terms(priors.get(self.recorded.info.match_id))
        self.header, messages = replay(source, self.recorded, options.seed, ReplayOptions(), terms.as_dict())
        self.core = KeeperCore(self.header)
        self.messages = messages
        self.info = self.recorded.info
        self.start_ms = self.header.start_unix_ms
        self.lockstep = options.speed is None
        self._now_ms = self.start_ms - BEFORE_MS
        self._signed: list[str] = []
        self.snapshots: list[invariants.Snapshot] = []
        self.foresight: dict[int, str] = {}

    async def run(self) -> dict[str, Any]:
        """Run it all. Raises UserError for what a person can mend."""
        options = self.options
        require_free_port(options.port)
        with Workspace(options.data_dir) as workspace:
            engines = Engines(workspace.run, workspace.root / "db", options.port, "manual", self._now_ms)
            async with engines, contextlib.AsyncExitStack() as stack:
                self.engines, self.stack = engines, stack
                return await self._with_engines(workspace.run)

    async def _with_engines(self, run: Path) -> dict[str, Any]:
        founder = Founder(self.engines.rpc, self._key, self._move_s)
        self.publishers = [self._key(f"publisher {n}") for n in range(1, PUBLISHERS + 1)]
        self.venue = await founder.found(self.info, self.start_ms, self.publishers, QUORUM)
        await self.engines.start_backend(self.venue.exchange)
        self.announce(f"page at http://127.0.0.1:{self.options.port}")
        base = f"http://127.0.0.1:{self.options.port}"
        self.database = await self.stack.enter_async_context(Database(self.engines.postgres.dsn))
        self.http = await self.stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=30.0))
        store = FeedStore(self.database)
        await store.match(self.info, self.start_ms)
        self.recorder = Recorder(store, self.info.match_id)
        self.stack.push_async_callback(self.recorder.close)
        kept = HistoryStore(self.database)
        self.history = HistoryRecorder(
            kept, self.header, QualityStore(self.database, kept), meter_of(self.core, self.header)
        )
        await self.history.start()
        self.stack.push_async_callback(self.history.close)
        self.stream = await self.stack.enter_async_context(Stream(base.replace("http", "ws"), self.info.match_id))
        await self._gather_people(founder)
        self.screen = Screen(self.options, self.info, {str(p.wallet.address): p.name for p in self.people})
        self.stack.callback(self.screen.close)
        clock = await self._start_clock()
        loop = await self._play(clock)
        await self._close_books(founder, clock)
        write_feed(run / "feed.jsonl", self.header, loop.used)
        pushed = await transcript.collect(self.engines.rpc, self.venue.feed, run / "chain.jsonl.gz")
        return await self._report(run, loop, pushed)

    def _key(self, name: str) -> Keypair:
        return keypair(self.options.seed, name)

    async def _move_s(self, seconds: int) -> None:
        await self._set_clock(self._now_ms + seconds * 1000)

    async def _set_clock(self, unix_ms: int) -> None:
        self._now_ms = unix_ms
        await self.engines.rpc.call("localnet_setClock", [{"unix_ms": unix_ms}])

    async def _gather_people(self, founder: Founder) -> None:
        seed = self.options.seed
        self.people = [Person(self.http, self._key(s.name), s, seed) for s in CAST]
        self.providers = [Provider(self.http, self._key(name), name, usdc) for name, usdc in PROVIDERS]
        self.keeper_key = self._key("keeper")
        await founder.airdrop(self.keeper_key.pubkey())
        for person in self.people:
            await founder.airdrop(person.wallet.address)
            await founder.fund(self.venue.mint, person.wallet.address, 20_000)
            await person.join()
        for provider in self.providers:
            await founder.airdrop(provider.wallet.address)
            await founder.fund(self.venue.mint, provider.wallet.address, provider.usdc)
            await provider.join()
        await founder.open_margin(self.venue, self.keeper_key)

    async def _start_clock(self) -> MatchClock:
        await self._set_clock(self.start_ms)
        if self.options.speed is None:
            return LockstepClock(self._set_clock)
        reply = await self.engines.rpc.call("localnet_setSpeed", [{"speed": self.options.speed}])
        clock = ScaledClock(self.options.speed)
        clock.start(int(reply["unix_ms"]))
        return clock

    def _clock_reader(self, clock: MatchClock) -> Callable[[], int]:
        return clock.now_ms if isinstance(clock, ScaledClock) else lambda: self._now_ms

    async def _play(self, clock: MatchClock) -> ReplayLoop:
        now = self._clock_reader(clock)
        publisher = Publisher(self.engines.rpc, self.venue.feed, self.publishers, now)
        self.cranker = Cranker(self.engines.rpc, self.venue.exchange, self.venue.feed, self.keeper_key, now)
        loop = ReplayLoop(
            self.core, self.messages, self.start_ms, clock, publisher.push, QUORUM, self.options.speed or 1.0
        )
        goals = [
            (e.period, e.play_ms // 1000, str(e.side))
            for e in _foreseeable(adapter(self.options.provider), self.recorded)
        ]
        self.foresight = foresight_of(goals, {1: 0, 2: HALF_S})
        fanout: Fanout[PublishedTick] = Fanout([self._crank, self._trade, self._show], lockstep=self.lockstep)
        self.loop = loop

        async def received(item: Received) -> None:
            self.recorder.note(item.applied)
            self.history.received(item)
            self.screen.events(item.applied)

        async def ticked(tick: PublishedTick) -> None:
            home, away = self.core.score()
            revised = self.core.revisions[-1] if tick.sample.flags & 2 else None
            self.history.sample(tick.sample, revised)
            self.recorder.sample(tick.sample, revised, Score(home, away, tick.sample.period, tick.sample.play_ms))
            if self.lockstep:
                await self.recorder.flush()
                await self.stream.reached(tick.sample.tick, MIRROR_TIMEOUT_S)
            if tick.sample.tick % 60 == 0:
                self.engines.check()
            await fanout.publish(tick)

        try:
            await loop.run(received, ticked, self.options.until_s)
            await fanout.drain()
        finally:
            await fanout.close()
        home, away = self.core.score()
        self.recorder.final(self._now_ms, Score(home, away, 2, 0, "final"))
        await self.recorder.flush()
        await self.history.flush()
        return loop

    async def _crank(self, tick: PublishedTick) -> None:
        number = tick.sample.tick
        # Liquidations may wait as long as a sample stays young enough for them; orders may not.
        if number % LOOK_EVERY and not await self.cranker.orders_waiting():
            return
        books = await self.cranker.step()
        if number % SNAPSHOT_EVERY == 0:
            self.snapshots.append(evidence.snapshot(books))
        if self.lockstep:
            await self._mirrored(self.cranker.take_signatures())

    async def _trade(self, tick: PublishedTick) -> None:
        sample = tick.sample
        if sample.second >= HALF_S:
            return  # added time is in no window
        play_s = (sample.period - 1) * HALF_S + sample.second
        acting = [p for p in self.people if p.due(play_s, self.foresight)]
        if not acting:
            return
        markets = (await self.http.get("/v1/markets", params={"match_id": self.info.match_id, "limit": 50})).json()
        windows = windows_of(markets["data"])
        self.screen.markets(markets["data"])
        for person in acting:
            await person.act(play_s, sample.x_e6, windows, self.foresight)
        if self.lockstep:
            await self._mirrored([s for p in acting for s in p.wallet.take_signatures()])

    async def _show(self, tick: PublishedTick) -> None:
        self.screen.tick(tick, self.loop.stats, self.core, self.stream)

    async def _mirrored(self, signatures: list[str]) -> None:
        """The acknowledgement of the mirror: every transaction of this tick is in the database."""
        deadline = time.monotonic() + MIRROR_TIMEOUT_S
        while signatures:
            row = await self.database.row(
                "SELECT count(*) AS n FROM chain_transactions WHERE signature = ANY(%s)", [signatures]
            )
            if row is not None and row["n"] == len(set(signatures)):
                return
            if time.monotonic() > deadline:
                raise UserError(
                    "mirror_behind", f"the mirror did not see {signatures[0]} in {MIRROR_TIMEOUT_S:.0f} s", 1
                )
            await asyncio.sleep(0.001)

    async def _close_books(self, founder: Founder, clock: MatchClock) -> None:
        """Let the last windows settle, split the fees, and let everybody take their money out."""
        now = self._clock_reader(clock)()
        if not self.lockstep:
            await self.engines.rpc.call("localnet_setSpeed", [{"speed": "manual"}])
            now = int((await self.engines.rpc.call("localnet_getClock", []))["unix_ms"])
        self._now_ms = now
        self.cranker.now_ms = lambda: self._now_ms
        if self.core.finished:
            await founder.finalise_feed(self.venue)
        for _ in range(8):
            await self.cranker.step()
            await self._move_s(31)
        books = await self.cranker.step()
        self.snapshots.append(evidence.snapshot(books))
        await self._mirrored(self.cranker.take_signatures())
        if self.core.finished:
            for person in self.people:
                await person.leave()
            for provider in self.providers:
                await provider.leave()
            wallets = [p.wallet for p in self.people] + [p.wallet for p in self.providers]
            await self._mirrored([s for wallet in wallets for s in wallet.take_signatures()])

    async def _report(self, run: Path, loop: ReplayLoop, pushed: int) -> dict[str, Any]:
        books = await self.cranker.step()
        found = await evidence.collect(
            self.database, self.snapshots, books, evidence.sample_rows(run / "chain.jsonl.gz")
        )
        if self.options.inject is not None:
            found = invariants.inject(found, self.options.inject)
        checks = invariants.check(found)
        asked = {
            "seed": self.options.seed,
            "speed": "max" if self.options.speed is None else self.options.speed,
            "inject": self.options.inject,
        }
        report = await build_report(self, loop.stats, books, checks, self.cranker.stats, pushed, asked)
        data = orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        self.report_path = run / "report.json"
        self.report_path.write_bytes(data)
        if self.options.json_path is not None:
            self.report_path = self.options.json_path
            self.report_path.write_bytes(data)
            keep_evidence(run, self.report_path)
        return report


def keep_evidence(run: Path, report: Path) -> None:
    """Copy what `futstar verify` needs into ``REPORT.files/`` beside a report that lies elsewhere."""
    folder = evidence_folder(report)
    folder.mkdir(exist_ok=True)
    for name in ("feed.jsonl", "chain.jsonl.gz"):
        shutil.copyfile(run / name, folder / name)


def _foreseeable(source: Adapter, recorded: Recorded) -> list[Event]:
    """Goals and penalties as the recording ends: what somebody in the stadium sees before the feed tells it."""
    events = {}
    for row in recorded.rows:
        if row.withdrawn is not None:
            continue
        for change in source.parse(recorded.info, row.doc):
            if not isinstance(change, Upsert) or change.event.period > 2:
                continue
            if change.event.goal or change.event.kind is Kind.PENALTY_AWARDED:
                events[change.event.event_id] = change.event
    return [e for e in events.values() if e.side is not None]
