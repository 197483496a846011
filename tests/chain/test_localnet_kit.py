"""`@solana/kit` in Node drives the localnet as its own process, at sixty times the speed of a match."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

KIT = Path(__file__).parent / "kit"
ROOT = Path(__file__).parents[2]
LEAST_NODE = (20, 18)


@pytest.fixture(scope="module")
def kit() -> Path:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js and npm are not installed: @solana/kit cannot drive the localnet")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2])
    if version < LEAST_NODE:
        pytest.skip(f"Node.js {said.strip()} is too old for @solana/kit, which needs 20.18")
    if not (KIT / "node_modules" / "@solana" / "kit").exists():
        made = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=KIT, capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"npm could not install @solana/kit (offline?): {made.stderr.strip()[-200:]}")
    return KIT


@pytest.fixture
def localnet() -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-m", "chain.localnet", "--rpc-port", "0", "--speed", "60", "--die-with-parent"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        found = re.search(r"rpc (\S+) ws (\S+)", line)
        assert found is not None, line
        yield found.group(1), found.group(2)
        process.stdin.close()  # --die-with-parent: this alone must end it
        assert process.wait(10) == 0


@pytest.mark.node
def test_kit_airdrops_transfers_confirms_and_subscribes(kit: Path, localnet: tuple[str, str]) -> None:
    done = subprocess.run(
        ["node", "drive.mjs", *localnet], cwd=kit, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["airdrop"] == "2000000000"
    assert report["notified"] == "500000000"
    assert report["slotAhead"] is True
    assert (report["parsed"], report["fee"], report["version"]) == ("transfer", "5000", 0)
    assert report["status"] in {"confirmed", "finalized"}
    assert report["friend"] == "501000000"
    assert report["error"] == "SolanaError"
    assert "Custom program error: #1" in report["cause"]
    assert report["finalized"] == "finalized"
