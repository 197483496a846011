"""The command: one clear line for every mistake, no orphans, and the match clock from outside."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from chain.localnet.__main__ import main
from chain.localnet.clock import ClockError, MatchClock, parse_speed
from chain.localnet.server import Server
from chain.rpc import RpcPool

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "chain.localnet", "--rpc-port", "0"]


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"localnet ready: rpc (\S+) ws (\S+)", line)
    assert found is not None, line
    return process, found.group(1)


def test_it_ends_when_its_standard_input_closes() -> None:
    process, _ = start("--die-with-parent")
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(name: signal.Signals) -> None:
    process, _ = start()
    process.send_signal(name)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, "")


async def test_a_port_in_use_is_one_clear_line(server: Server) -> None:
    command = [sys.executable, "-m", "chain.localnet", "--rpc-port", str(server.rpc_port)]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.strip().count("\n") == 0
    assert f"cannot listen on 127.0.0.1:{server.rpc_port}" in done.stderr
    assert "--rpc-port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speed", "fast"], "speed must be 'manual' or a number"),
        (["--speed", "-1"], "speed must be above 0"),
        (["--program", "oracle.so"], "must look like ID=PATH"),
        (["--program", f"{Keypair().pubkey()}=/nowhere.so"], "cannot read program /nowhere.so"),
        (["--program", f"{Keypair().pubkey()}={__file__}"], "is not a program"),
        (["--program", f"nonsense={sys.executable}"], "is not"),
        (["--upgrade-authority", "nobody"], "is not a Solana address"),
        (["--start-unix-ms", "-5"], "at or after the Unix epoch"),
        (["--max-history", "0"], "--max-history must be at least 1"),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rpc-port", "0", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


async def test_the_manual_clock_moves_when_told_and_never_backwards() -> None:
    process, url = start("--speed", "manual", "--start-unix-ms", "1750000000000", "--die-with-parent")
    try:
        async with RpcPool([url]) as pool:
            first = await pool.call("localnet_getClock")
            await asyncio.sleep(0.05)
            assert await pool.call("localnet_getClock") == first
            moved = await pool.call("localnet_setClock", [{"unix_ms": 1_750_000_001_000}])
            assert moved["unix_ms"] == 1_750_000_001_000
            assert moved["slot"] == first["slot"] + 2
            assert moved["speed"] == "manual"
            with pytest.raises(Exception, match="cannot move backwards"):
                await pool.call("localnet_setClock", [{"unix_ms": 1_750_000_000_000}])
            faster = await pool.call("localnet_setSpeed", [{"speed": 60}])
            assert faster["speed"] == 60
            await asyncio.sleep(0.2)
            later: Any = await pool.call("localnet_getClock")
            assert later["unix_ms"] > moved["unix_ms"] + 5_000
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def test_a_scaled_clock_runs_at_its_speed_and_jumps_forward_only() -> None:
    wall = [100.0]
    clock = MatchClock(1_000_000, 60.0, lambda: wall[0])
    wall[0] += 2.0
    assert clock.now_ms() == 1_120_000
    assert clock.wall_seconds_until(1_180_000) == pytest.approx(1.0)
    clock.set(2_000_000)
    wall[0] += 1.0
    assert clock.now_ms() == 2_060_000
    with pytest.raises(ClockError, match="backwards"):
        clock.set(2_059_999)
    clock.set_speed(None)
    wall[0] += 100.0
    assert clock.now_ms() == 2_060_000
    assert clock.wall_seconds_until(3_000_000) is None


def test_speeds_are_read_as_people_write_them() -> None:
    assert parse_speed("manual") is None
    assert parse_speed("60x") == 60.0
    assert parse_speed("0.5") == 0.5
    with pytest.raises(ClockError):
        parse_speed("0")
