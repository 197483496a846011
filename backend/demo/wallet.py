"""A person with a key and the public API, and nothing else: build, read, sign, send."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

import httpx
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction


def keypair(seed: int, name: str) -> Keypair:
    """The demo's key of that name: derived from the seed, so that equal seeds give equal runs. Worth nothing."""
    return Keypair.from_seed(hashlib.sha256(f"futstar demo {seed} {name}".encode()).digest())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said to a request: ``ok`` with its document, or the stable code and sentence of the refusal."""

    ok: bool
    document: dict[str, Any]
    code: str = ""
    detail: str = ""

    @staticmethod
    def of(response: httpx.Response) -> Answer:
        """Read a response; problem documents (RFC 9457) become refusals."""
        document: dict[str, Any] = response.json()
        if response.is_success:
            return Answer(True, document)
        return Answer(False, document, str(document.get("code", response.status_code)), str(document.get("detail", "")))


class ForeignSignatureError(Exception):
    """The API handed out a transaction this wallet must not sign."""


class Wallet:
    """Signs only transactions whose fee it pays itself and that need no other signature."""

    def __init__(self, http: httpx.AsyncClient, key: Keypair) -> None:
        self._http = http
        self._key = key
        self._signatures: list[str] = []

    @property
    def address(self) -> Pubkey:
        """The owner's public key."""
        return self._key.pubkey()

    async def get(self, path: str, **params: str | int) -> dict[str, Any]:
        """Read from the API. Raises httpx.HTTPStatusError for a refusal."""
        response = await self._http.get(path, params=params)
        response.raise_for_status()
        document: dict[str, Any] = response.json()
        return document

    async def do(self, kind: str, params: dict[str, Any], *, insist: bool = False) -> Answer:
        """Build ``kind``, sign it and send it; the answer of whichever step refused, or of the last.

        With ``insist`` the transaction is sent even though its simulation failed, past every check of the API, as
        any wallet can: what holds then is the program alone.
        """
        body: dict[str, Any] = {"kind": kind, "owner": str(self.address), "params": params}
        if insist:
            body["simulate"] = False
        built = Answer.of(await self._http.post("/v1/transactions/build", json=body))
        if not built.ok:
            return built
        signed = self.sign(base64.b64decode(built.document["transaction"]))
        sent = {
            "transaction": base64.b64encode(signed).decode(),
            "last_valid_block_height": built.document["last_valid_block_height"],
        }
        answer = Answer.of(await self._http.post("/v1/transactions", json=sent))
        if "signature" in answer.document:
            self._signatures.append(str(answer.document["signature"]))
        return answer

    def take_signatures(self) -> list[str]:
        """Transactions that the API took since the last call."""
        taken, self._signatures = self._signatures, []
        return taken

    def sign(self, unsigned: bytes) -> bytes:
        """Sign as the only signer and fee payer. Raises ForeignSignatureError for anything else."""
        message = VersionedTransaction.from_bytes(unsigned).message
        if message.header.num_required_signatures != 1 or message.account_keys[0] != self.address:
            raise ForeignSignatureError("the transaction asks for other signatures than this wallet's own")
        return bytes(VersionedTransaction(message, [self._key]))
