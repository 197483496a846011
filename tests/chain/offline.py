"""A localnet without a server, for tests that ask through the JSON-RPC core."""

from __future__ import annotations

import base64
import json
from typing import Any

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    TransferParams,
    transfer,
)
from solders.transaction import VersionedTransaction

from chain.localnet.clock import MatchClock
from chain.localnet.ledger import Ledger
from chain.localnet.methods import METHODS, Node
from chain.localnet.params import Params
from chain.localnet.protocol import answer, unknown

START_MS = 1_750_000_000_000
SOL = 1_000_000_000


class Chain:
    """A node without a server; `ask` goes through the JSON-RPC core."""

    def __init__(self) -> None:
        self.node = Node(Ledger(START_MS), MatchClock(START_MS, None))
        self.ledger = self.node.ledger
        self.payer = Keypair()
        self.ledger.airdrop(self.payer.pubkey(), 100 * SOL)

    def _call(self, method: str, params: Params) -> Any:
        if method not in METHODS:
            raise unknown(method)
        self.node.tick()
        return METHODS[method](self.node, params)

    def raw(self, body: Any) -> Any:
        reply = answer(body if isinstance(body, bytes) else json.dumps(body).encode(), self._call)
        return None if reply is None else json.loads(reply)

    def ask(self, method: str, *params: Any) -> Any:
        reply = self.raw({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "error" not in reply, reply
        return reply["result"]

    def error(self, method: str, *params: Any) -> dict[str, Any]:
        reply = self.raw({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "result" not in reply, reply
        return reply["error"]

    def sign(self, *instructions: Instruction, blockhash: Hash | None = None, legacy: bool = False) -> bytes:
        blockhash = blockhash or self.ledger.latest_blockhash()[0]
        if legacy:
            message: Any = Message.new_with_blockhash(list(instructions), self.payer.pubkey(), blockhash)
        else:
            message = MessageV0.try_compile(self.payer.pubkey(), list(instructions), [], blockhash)
        return bytes(VersionedTransaction(message, [self.payer]))

    def pay(self, lamports: int = 10_000_000, to: Pubkey | None = None) -> Instruction:
        return transfer(
            TransferParams(from_pubkey=self.payer.pubkey(), to_pubkey=to or Keypair().pubkey(), lamports=lamports)
        )

    def pass_slots(self, slots: int) -> None:
        self.node.clock.set(self.node.clock.now_ms() + 400 * slots)
        self.node.tick()


def b64(wire: bytes) -> str:
    return base64.b64encode(wire).decode()


CONFIRMED = {"encoding": "base64", "preflightCommitment": "confirmed"}
SKIP = {"encoding": "base64", "skipPreflight": True}
