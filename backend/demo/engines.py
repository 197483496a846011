"""The demo's engines: database, chain and backend, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import TracebackType

import httpx
from solders.pubkey import Pubkey

from backend.demo.children import Child
from backend.demo.workspace import free_port
from backend.engines.postgres import Postgres
from backend.errors import UserError
from chain.clients import market, oracle, treasury
from chain.rpc import RpcPool

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "programs" / "artifacts"
APP = ROOT / "app"
READY_TIMEOUT_S = 30.0


class Engines:
    """Use as an async context manager; `start_backend` comes later, once the exchange's address is known."""

    def __init__(self, run: Path, database: Path, port: int, speed: str, start_unix_ms: int) -> None:
        self.run = run
        self.port = port
        self.rpc_url = ""
        self.ws_url = ""
        self._speed = speed
        self._start_unix_ms = start_unix_ms
        self.postgres = Postgres(database, database=f"run_{run.name}")
        self._children: list[Child] = []
        self.rpc: RpcPool = RpcPool(["http://127.0.0.1:1"])

    async def __aenter__(self) -> Engines:
        try:
            await asyncio.gather(self.postgres.astart(), self._start_localnet())
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start_localnet(self) -> None:
        rpc_port, ws_port = free_port(), free_port()
        self.rpc_url, self.ws_url = f"http://127.0.0.1:{rpc_port}", f"ws://127.0.0.1:{ws_port}"
        args = ["-m", "chain.localnet", "--rpc-port", str(rpc_port), "--ws-port", str(ws_port)]
        args += ["--start-unix-ms", str(self._start_unix_ms), "--speed", "manual"]
        for client in (oracle, market, treasury):
            name = client.__name__.rpartition(".")[2]
            args += ["--program", f"{client.PROGRAM_ID}={ARTIFACTS / name}.so"]
        child = Child("localnet", args, self.run / "localnet.log")
        await self._launch(child)
        self.rpc = RpcPool([self.rpc_url])
        await self._until_healthy(child, self.rpc_url, {"jsonrpc": "2.0", "id": 1, "method": "getHealth"})

    async def start_backend(self, exchange: Pubkey) -> None:
        """Mirror, API, stream and page for one exchange; returns when the API answers."""
        args = ["-m", "backend.serve", "--rpc", self.rpc_url, "--ws", self.ws_url]
        args += ["--database", self.postgres.dsn, "--host", "127.0.0.1", "--port", str(self.port)]
        args += ["--exchange", str(exchange), "--static", str(APP)]
        child = Child("backend", args, self.run / "backend.log")
        await self._launch(child)
        await self._until_healthy(child, f"http://127.0.0.1:{self.port}/v1/health", None)

    async def _launch(self, child: Child) -> None:
        self._children.append(child)
        await child.start()

    async def _until_healthy(self, child: Child, url: str, body: dict[str, object] | None) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        async with httpx.AsyncClient() as http:
            while True:
                child.check()
                try:
                    reply = await (http.post(url, json=body) if body else http.get(url))
                    if reply.is_success:
                        return
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline:
                    raise UserError(
                        f"{child.name}_slow", f"{child.name} did not answer within {READY_TIMEOUT_S:.0f} s", 1
                    )
                await asyncio.sleep(0.05)

    def check(self) -> None:
        """Raise when an engine has died."""
        for child in self._children:
            child.check()
        if not self.postgres.running:
            raise UserError("database_failed", f"the database stopped: see {self.run}", 1)

    async def _stop(self) -> None:
        await self.rpc.close()
        for child in reversed(self._children):
            await child.stop()
        await self.postgres.astop()
