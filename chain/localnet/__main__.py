"""`python -m chain.localnet`: run the embedded cluster until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
import time
from pathlib import Path

from solders.pubkey import Pubkey

from chain.localnet.clock import ClockError, MatchClock, parse_speed
from chain.localnet.ledger import Ledger
from chain.localnet.methods import Node
from chain.localnet.server import PortInUseError, Server

_EXAMPLE = """example:
  python -m chain.localnet --rpc-port 8899 --speed 60 --start-unix-ms 1735689600000 \\
    --program 81WWN8VYjXbJEFwX9MUspXkdes9yZ4cHtTGzZJcnRCo6=programs/artifacts/oracle.so"""


class UsageError(Exception):
    """A bad option; the message is one line."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chain.localnet",
        description="An embedded Solana cluster with a controllable clock.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--rpc-port", type=int, default=8899, help="JSON-RPC port, 0 picks one (default 8899)")
    parser.add_argument("--ws-port", type=int, help="PubSub port (default: RPC port + 1; 0 picks one)")
    parser.add_argument(
        "--program", action="append", default=[], metavar="ID=PATH", help="load a program under the upgradeable loader"
    )
    parser.add_argument("--upgrade-authority", metavar="PUBKEY", help="who may upgrade the programs (default: nobody)")
    parser.add_argument("--start-unix-ms", type=int, help="match time at start, Unix milliseconds (default: now)")
    parser.add_argument("--speed", default="1", help="'manual', or match seconds per second such as 1 or 60")
    parser.add_argument("--seed", default="futstar-localnet", help="text that decides genesis and blockhashes")
    parser.add_argument("--max-history", type=int, default=200_000, help="transactions to remember")
    parser.add_argument("--die-with-parent", action="store_true", help="exit when standard input closes")
    return parser


def _key(text: str, what: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise UsageError(f"{what} {text!r} is not a Solana address") from None


def build(options: argparse.Namespace) -> Node:
    """Create the ledger and load the programs; raises `UsageError`."""
    start = int(time.time() * 1000) if options.start_unix_ms is None else options.start_unix_ms
    try:
        clock = MatchClock(start, parse_speed(options.speed))
    except ClockError as error:
        raise UsageError(str(error)) from None
    if options.max_history < 1:
        raise UsageError("--max-history must be at least 1")
    ledger = Ledger(start, seed=options.seed.encode(), max_history=options.max_history)
    authority = _key(options.upgrade_authority, "--upgrade-authority") if options.upgrade_authority else None
    for item in options.program:
        name, separator, path = item.partition("=")
        if not separator:
            raise UsageError(f"--program {item!r} must look like ID=PATH")
        try:
            elf = Path(path).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read program {path}: {error.strerror}") from None
        if elf[:4] != b"\x7fELF":
            raise UsageError(f"{path} is not a program (no ELF header)")
        ledger.add_program(_key(name, "--program"), elf, authority)
    return Node(ledger, clock)


async def serve(options: argparse.Namespace) -> None:
    """Serve until a signal arrives or, with --die-with-parent, standard input closes."""
    node = build(options)
    ws_port = options.ws_port
    if ws_port is None:
        ws_port = options.rpc_port + 1 if options.rpc_port else 0
    server = Server(node, options.host, options.rpc_port, ws_port)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await server.start()
    if options.die_with_parent:
        threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
    print(
        f"localnet ready: rpc http://{options.host}:{server.rpc_port} ws ws://{options.host}:{server.ws_port} "
        f"speed {options.speed} unix_ms {node.ledger.slots.unix_ms}",
        flush=True,
    )
    await stop.wait()
    await server.stop()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # A thread, because reading works the same for pipes, terminals and /dev/null.
    while sys.stdin.buffer.read(4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def main(arguments: list[str] | None = None) -> int:
    """Run; return the exit code: 0 stopped, 2 bad option, 3 port in use."""
    options = _parser().parse_args(arguments)
    try:
        try:
            import uvloop

            uvloop.run(serve(options))
        except ImportError:
            asyncio.run(serve(options))
    except UsageError as error:
        print(f"localnet: {error}", file=sys.stderr)
        return 2
    except PortInUseError as error:
        print(f"localnet: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
