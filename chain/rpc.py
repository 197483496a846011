"""JSON-RPC over several endpoints: failover, time limits, stale nodes, batches. The policy is in `endpoints`."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import aiohttp
import orjson
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.endpoints import DENIED_REST_S, Endpoint, Endpoints
from chain.errors import RpcError, RpcUnavailableError
from chain.rpc_types import AccountData, Blockhash, SignatureStatus, Simulation

__all__ = ["AccountData", "Blockhash", "RpcPool", "SignatureStatus", "Simulation"]

_NODE_BEHIND = frozenset({-32004, -32005, -32014, -32016})
"""Errors that say "not here, not yet": another endpoint may know."""
_RATE_LIMITED = frozenset({-32429, 429})
_MAX_KEYS = 100
_ROUND_PAUSE_S = 0.1
Call = tuple[str, Sequence[Any]]


class _TryNextError(Exception):
    """This endpoint cannot serve; `rest_s` None means the usual rest, `stale_slot` is where a stale node is."""

    def __init__(self, reason: str, rest_s: float | None = None, stale_slot: int | None = None) -> None:
        super().__init__(reason)
        self.rest_s = rest_s
        self.stale_slot = stale_slot


class RpcPool:
    """One client over several endpoints, the preferred one first. Use it as an async context manager."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_s: float = 5.0,
        rounds: int = 2,
        max_slot_lag: int = 100,
        max_batch: int = 100,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rounds` is how often all endpoints are tried before giving up; `max_slot_lag` counts slots."""
        self.endpoints = Endpoints.of(urls, max_slot_lag)
        self._timeout_s = timeout_s
        self._rounds = rounds
        self._max_batch = max_batch
        self._clock = clock
        self._ids = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> RpcPool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- requests -------------------------------------------------------------------------------

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Return the result of one request.

        Raises `RpcError` when a node refuses it, `RpcUnavailableError` when no endpoint can serve it.
        """
        result = await self._serve(method, lambda endpoint: self._single(endpoint, method, params))
        return result

    async def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Return results in order, an `RpcError` object in place of each refused one.

        Long batches are split; raises `RpcUnavailableError` like `call`.
        """
        results: list[Any] = []
        for start in range(0, len(calls), self._max_batch):
            part = calls[start : start + self._max_batch]
            name = f"batch of {len(part)}"
            results += await self._serve(name, lambda endpoint, part=part: self._many(endpoint, part))  # type: ignore[misc]
        return results

    async def _serve(self, name: str, attempt: Callable[[Endpoint], Any]) -> Any:
        reasons: list[str] = []
        stale: list[int] = []
        for turn in range(self._rounds):
            if turn:
                await asyncio.sleep(_ROUND_PAUSE_S)
            for endpoint in self.endpoints.order(self._clock()):
                try:
                    result = await attempt(endpoint)
                except _TryNextError as error:
                    self.endpoints.failed(endpoint, self._clock(), str(error), rest_s=error.rest_s)
                    reasons.append(f"{endpoint.url}: {error}")
                    if error.stale_slot is not None:
                        stale.append(error.stale_slot)
                    continue
                self.endpoints.succeeded(endpoint)
                return result
        if stale and len(stale) == len(reasons):
            # All of them stand where they say: the cluster was restarted or rolled back, so believe them from now on.
            self.endpoints.newest_slot = max(stale)
        raise RpcUnavailableError(name, reasons)

    async def _single(self, endpoint: Endpoint, method: str, params: Sequence[Any]) -> Any:
        self._ids += 1
        body = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": list(params)}
        reply = await self._post(endpoint, body)
        if not isinstance(reply, dict):
            raise _TryNextError("the answer is not a JSON-RPC object")
        result = self._result(endpoint, reply)
        if isinstance(result, RpcError):
            raise result
        return result

    async def _many(self, endpoint: Endpoint, calls: Sequence[Call]) -> list[Any]:
        first = self._ids + 1
        self._ids += len(calls)
        body = [
            {"jsonrpc": "2.0", "id": first + at, "method": method, "params": list(params)}
            for at, (method, params) in enumerate(calls)
        ]
        replies = await self._post(endpoint, body)
        if isinstance(replies, dict):
            error = self._result(endpoint, replies)
            raise error if isinstance(error, RpcError) else _TryNextError("a batch got a single answer")
        by_id = {reply.get("id"): reply for reply in replies if isinstance(reply, dict)}
        missing = [first + at for at in range(len(calls)) if first + at not in by_id]
        if missing:
            raise _TryNextError(f"{len(missing)} of {len(calls)} answers are missing")
        return [self._result(endpoint, by_id[first + at]) for at in range(len(calls))]

    def _result(self, endpoint: Endpoint, reply: dict[str, Any]) -> Any:
        """Return the result, or an `RpcError`; raises `_TryNextError` when another endpoint should be asked."""
        error = reply.get("error")
        if error is not None:
            code = error.get("code", 0) if isinstance(error, dict) else 0
            message = error.get("message", "") if isinstance(error, dict) else str(error)
            if code in _NODE_BEHIND or code in _RATE_LIMITED:
                raise _TryNextError(f"{message} (code {code})")
            return RpcError(code, message, error.get("data") if isinstance(error, dict) else None)
        if "result" not in reply:
            raise _TryNextError("the answer has neither result nor error")
        result = reply["result"]
        context = result.get("context") if isinstance(result, dict) else None
        if isinstance(context, dict) and isinstance(context.get("slot"), int):
            slot = context["slot"]
            if not self.endpoints.saw_slot(endpoint, slot):
                reason = f"the node is at slot {slot}, others are at {self.endpoints.newest_slot}"
                raise _TryNextError(reason, stale_slot=slot)
        return result

    async def _post(self, endpoint: Endpoint, body: Any) -> Any:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout, headers={"Content-Type": "application/json"})
        try:
            async with self._session.post(endpoint.url, data=orjson.dumps(body)) as response:
                raw = await response.read()
                status, retry_after = response.status, response.headers.get("Retry-After")
        except TimeoutError:
            raise _TryNextError(f"no answer within {self._timeout_s} s") from None
        except aiohttp.ClientError as error:
            raise _TryNextError(f"{type(error).__name__}: {error}") from None
        if status == 429:
            raise _TryNextError("too many requests (429)", _seconds(retry_after))
        if status in {401, 403}:
            raise _TryNextError(f"access denied ({status})", DENIED_REST_S)
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise _TryNextError(f"HTTP {status} without JSON") from None

    # --- typed requests -------------------------------------------------------------------------

    async def latest_blockhash(self, commitment: str = "confirmed") -> Blockhash:
        """Return the newest blockhash."""
        result = await self.call("getLatestBlockhash", [{"commitment": commitment}])
        value = result["value"]
        return Blockhash(Hash.from_string(value["blockhash"]), value["lastValidBlockHeight"], result["context"]["slot"])

    async def slot(self, commitment: str = "confirmed") -> int:
        """Return the slot of a commitment."""
        return int(await self.call("getSlot", [{"commitment": commitment}]))

    async def block_height(self, commitment: str = "confirmed") -> int:
        """Return the block height of a commitment."""
        return int(await self.call("getBlockHeight", [{"commitment": commitment}]))

    async def balance(self, address: Pubkey, commitment: str = "confirmed") -> int:
        """Return lamports."""
        result = await self.call("getBalance", [str(address), {"commitment": commitment}])
        return int(result["value"])

    async def rent_exempt_lamports(self, data_len: int) -> int:
        """Return the lamports that make an account of `data_len` bytes rent exempt."""
        return int(await self.call("getMinimumBalanceForRentExemption", [data_len]))

    async def account(
        self, address: Pubkey, commitment: str = "confirmed", min_context_slot: int | None = None
    ) -> AccountData | None:
        """Return an account, None when it does not exist."""
        return (await self.accounts([address], commitment, min_context_slot))[0]

    async def accounts(
        self, addresses: Sequence[Pubkey], commitment: str = "confirmed", min_context_slot: int | None = None
    ) -> list[AccountData | None]:
        """Return accounts in order, None for each that does not exist; a hundred per request, in one batch."""
        config: dict[str, Any] = {"encoding": "base64", "commitment": commitment}
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot
        calls: list[Call] = [
            ("getMultipleAccounts", [[str(key) for key in addresses[at : at + _MAX_KEYS]], config])
            for at in range(0, len(addresses), _MAX_KEYS)
        ]
        found: list[AccountData | None] = []
        for at, result in enumerate(await self.batch(calls) if len(calls) > 1 else await self._one_each(calls)):
            if isinstance(result, RpcError):
                raise result
            slot = result["context"]["slot"]
            keys = addresses[at * _MAX_KEYS : (at + 1) * _MAX_KEYS]
            found += [_account(key, row, slot) for key, row in zip(keys, result["value"], strict=True)]
        return found

    async def _one_each(self, calls: Sequence[Call]) -> list[Any]:
        return [await self.call(method, params) for method, params in calls]

    async def program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[dict[str, Any]] = (),
        commitment: str = "confirmed",
        min_context_slot: int | None = None,
    ) -> list[AccountData]:
        """Return every account of a program that passes `filters` (JSON-RPC form)."""
        config: dict[str, Any] = {"encoding": "base64", "commitment": commitment, "withContext": True}
        if filters:
            config["filters"] = list(filters)
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot
        result = await self.call("getProgramAccounts", [str(program), config])
        slot = result["context"]["slot"]
        rows = [_account(Pubkey.from_string(row["pubkey"]), row["account"], slot) for row in result["value"]]
        return [row for row in rows if row is not None]

    async def send(
        self, wire: bytes, *, skip_preflight: bool = True, max_retries: int = 0, preflight: str = "confirmed"
    ) -> Signature:
        """Hand a signed transaction to a node; raises `RpcError` when preflight refuses it.

        Sending the same bytes again is harmless: the chain accepts a signature once.
        """
        config = {
            "encoding": "base64",
            "skipPreflight": skip_preflight,
            "maxRetries": max_retries,
            "preflightCommitment": preflight,
        }
        text = base64.b64encode(wire).decode()
        return Signature.from_string(await self.call("sendTransaction", [text, config]))

    async def simulate(
        self,
        wire: bytes,
        *,
        commitment: str = "confirmed",
        replace_blockhash: bool = True,
        after: Sequence[Pubkey] = (),
    ) -> Simulation:
        """Run a transaction without committing; signatures are not checked. `after`: accounts to read afterwards."""
        config: dict[str, Any] = {
            "encoding": "base64",
            "commitment": commitment,
            "sigVerify": False,
            "replaceRecentBlockhash": replace_blockhash,
        }
        if after:
            config["accounts"] = {"encoding": "base64", "addresses": [str(key) for key in after]}
        result = await self.call("simulateTransaction", [base64.b64encode(wire).decode(), config])
        value, slot = result["value"], result["context"]["slot"]
        returned = value.get("returnData")
        rows = value.get("accounts") or [None] * len(after)
        return Simulation(
            err=value["err"],
            logs=tuple(value.get("logs") or ()),
            units=value.get("unitsConsumed") or 0,
            return_data=base64.b64decode(returned["data"][0]) if returned else b"",
            slot=slot,
            accounts=tuple(_account(key, row, slot) for key, row in zip(after, rows, strict=True)),
        )

    async def statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> tuple[int, list[SignatureStatus | None]]:
        """Return the slot of the answer and one status per signature, None for what the node does not know."""
        config = {"searchTransactionHistory": search_history}
        result = await self.call("getSignatureStatuses", [[str(item) for item in signatures], config])
        rows = [
            SignatureStatus(row["slot"], row["err"], row.get("confirmationStatus") or "finalized") if row else None
            for row in result["value"]
        ]
        return result["context"]["slot"], rows

    async def transaction(self, signature: Signature, commitment: str = "confirmed") -> dict[str, Any] | None:
        """Return a landed transaction in `json` encoding, None when the node does not know it."""
        config = {"encoding": "json", "commitment": commitment, "maxSupportedTransactionVersion": 0}
        result: dict[str, Any] | None = await self.call("getTransaction", [str(signature), config])
        return result

    async def transactions(
        self, signatures: Sequence[Signature], commitment: str = "confirmed"
    ) -> list[dict[str, Any] | None]:
        """Return landed transactions in order, in as few HTTP requests as possible; raises `RpcError`."""
        config = {"encoding": "json", "commitment": commitment, "maxSupportedTransactionVersion": 0}
        results = await self.batch([("getTransaction", [str(item), config]) for item in signatures])
        for result in results:
            if isinstance(result, RpcError):
                raise result
        return results

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: str = "confirmed",
        min_context_slot: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return what named `address`, newest first: rows with `signature`, `slot`, `err`, `confirmationStatus`."""
        config: dict[str, Any] = {"limit": limit, "commitment": commitment}
        config |= {"before": str(before)} if before else {}
        config |= {"until": str(until)} if until else {}
        config |= {"minContextSlot": min_context_slot} if min_context_slot is not None else {}
        result: list[dict[str, Any]] = await self.call("getSignaturesForAddress", [str(address), config])
        return result


def _account(address: Pubkey, row: dict[str, Any] | None, slot: int) -> AccountData | None:
    if row is None:
        return None
    data = base64.b64decode(row["data"][0])
    return AccountData(address, Pubkey.from_string(row["owner"]), row["lamports"], data, slot)


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
