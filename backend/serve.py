"""`python -m backend.serve`: mirror, API, stream and page in one process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from solders.pubkey import Pubkey

from backend.api.app import create_app
from backend.api.context import Context
from backend.db.migrate import amigrate
from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.engines.postgres import Postgres
from backend.errors import UserError, as_user_error
from backend.mirror.mirror import Mirror
from backend.trading.desk import Desk
from chain.pubsub import PubSub
from chain.rpc import RpcPool

_EXAMPLE = """example:
  python -m backend.serve --rpc http://127.0.0.1:8899 --ws ws://127.0.0.1:8900 \\
    --exchange PUBKEY --data-dir .futstar/db --static app/"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="python -m backend.serve",
        description="Serve the API, the stream and the page, and mirror the chain into the database.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--rpc", action="append", default=[], help="JSON-RPC endpoint; repeat for failover")
    options.add_argument("--ws", action="append", default=[], help="PubSub endpoint; repeat for failover")
    options.add_argument("--exchange", metavar="PUBKEY", help="the exchange to trade on")
    options.add_argument("--database", metavar="DSN", help="an existing PostgreSQL database")
    options.add_argument("--data-dir", type=Path, help="folder of an embedded PostgreSQL, instead of --database")
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    options.add_argument("--port", type=int, default=8080, help="port to listen on, 0 picks one (default 8080)")
    options.add_argument("--static", type=Path, help="folder of the page served at /")
    options.add_argument("--die-with-parent", action="store_true", help="exit when standard input closes")
    return options


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises UserError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise UserError(
            "port_in_use",
            f"cannot listen on {host}:{port} ({reason}): stop the process that uses it or choose another with --port",
        ) from error
    return listener


async def serve(options: argparse.Namespace) -> None:
    """Serve until a signal arrives or, with --die-with-parent, standard input closes."""
    if options.static is not None and not options.static.is_dir():
        raise UserError("static_missing", f"the page's folder {options.static} does not exist: correct --static")
    if bool(options.rpc) != bool(options.ws):
        raise UserError("chain_incomplete", "give both --rpc and --ws, or neither to serve what the database has")
    exchange = _address(options.exchange)
    listener = bind(options.host, options.port)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        dsn = options.database
        if dsn is None:
            if options.data_dir is None:
                raise UserError("database_missing", "say where the data are: --database DSN or --data-dir DIR")
            engine = Postgres(options.data_dir)
            stack.push_async_callback(engine.astop)
            dsn = await engine.astart()
        await amigrate(dsn)
        database = await stack.enter_async_context(Database(dsn, max_size=12))
        context = Context(database, Hub(database), str(exchange) if exchange else None)
        if options.rpc:
            rpc = await stack.enter_async_context(RpcPool(options.rpc))
            pubsub = await stack.enter_async_context(PubSub(options.ws))
            await _attach_chain(stack, context, rpc, pubsub, exchange)
        await _run(create_app(context, options.static), listener, options)


async def _attach_chain(
    stack: AsyncExitStack, context: Context, rpc: RpcPool, pubsub: PubSub, exchange: Pubkey | None
) -> None:
    """Trade and mirror; the mirror catches up in the background, so that health and reads answer at once."""
    if exchange is not None:
        context.desk = Desk(rpc, exchange, context.database)
    mirror = Mirror(rpc, pubsub, context.database, exchange)
    context.mirror = mirror.status
    stack.push_async_callback(mirror.stop)
    await mirror.start()


def server(app: FastAPI) -> uvicorn.Server:
    """The web server around an application."""
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # small frames to many: the time would go into compressing
        ws_max_size=65_536,
        ws_ping_interval=20,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


async def _run(app: FastAPI, listener: socket.socket, options: argparse.Namespace) -> None:
    running = server(app)
    loop = asyncio.get_running_loop()
    if options.die_with_parent:
        threading.Thread(target=_watch_stdin, args=(loop, running), daemon=True).start()
    host, port = listener.getsockname()[:2]
    print(f"backend ready: http://{host}:{port}", flush=True)
    await running.serve(sockets=[listener])


def _watch_stdin(loop: asyncio.AbstractEventLoop, running: uvicorn.Server) -> None:
    # A thread, because reading works the same for pipes, terminals and /dev/null.
    while sys.stdin.buffer.read(4096):
        pass
    loop.call_soon_threadsafe(setattr, running, "should_exit", True)


def _address(text: str | None) -> Pubkey | None:
    try:
        return None if text is None else Pubkey.from_string(text)
    except ValueError:
        raise UserError("bad_address", f"--exchange {text!r} is not a Solana address") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when stopped, otherwise one line on standard error says why."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        try:
            import uvloop

            uvloop.run(serve(options))
        except ImportError:
            asyncio.run(serve(options))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        shown = as_user_error(error)
        if shown is None:
            raise
        print(f"backend: [{shown.code}] {shown}", file=sys.stderr)
        return shown.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
