"""A localnet in this process, on free ports, with a clock the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chain.localnet.clock import MatchClock
from chain.localnet.ledger import Ledger
from chain.localnet.methods import Node
from chain.localnet.server import Server
from tests.chain.offline import Chain

START_MS = 1_750_000_000_000


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    node = Node(Ledger(START_MS), MatchClock(START_MS, None))
    running = Server(node, "127.0.0.1", 0, 0)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def chain() -> Chain:
    return Chain()
