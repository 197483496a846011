"""Builds, simulates and forwards transactions. It holds no key: what it builds, only the owner can sign."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from backend.api.problems import Problem
from backend.db.pool import Database, row
from backend.trading.build import KINDS, U64, BadParameterError, Built, Facts, Params, Venue
from chain import pda
from chain.clients import PROGRAMS, market
from chain.codec import DecodeError
from chain.confirm import Landed, Timing
from chain.errors import Failure, RpcError, RpcUnavailableError, explain
from chain.rpc import Blockhash, RpcPool
from chain.sender import Sender

_UNITS_MARGIN = 1.2
_MOST_UNITS = 1_400_000
_MAX_WIRE_BYTES = 1_232
_NEED_MARGIN = frozenset({"deposit_collateral", "withdraw_collateral", "submit_order"})
_WAIT = Timing(poll_s=0.0, longest_poll_s=0.5, give_up_s=20.0)


@dataclass(frozen=True, slots=True)
class Request:
    """What to build. ``key`` is the client's own name for the order: the same key never becomes a second order."""

    kind: str
    owner: Pubkey
    params: Mapping[str, Any]
    simulate: bool = True
    key: str | None = None


class Desk:
    """One exchange's desk."""

    def __init__(self, rpc: RpcPool, exchange: Pubkey, database: Database) -> None:
        self._rpc = rpc
        self._exchange = exchange
        self._database = database
        self._sender = Sender(rpc, timing=_WAIT)

    async def build(self, request: Request) -> dict[str, Any]:
        """The unsigned transaction and what it would do. Raises Problem: bad parameter, unknown account, refusal."""
        maker = KINDS.get(request.kind)
        if maker is None:
            raise Problem(422, "unknown_kind", "Unknown kind", f"kind must be one of: {', '.join(KINDS)}.")
        values = dict(request.params)
        key = request.key or values.pop("client_order_id", None)
        values.pop("client_order_id", None)
        try:
            venue, margin = await self._venue(request.owner)
            client_id = 0
            if margin is None and request.simulate and request.kind in _NEED_MARGIN:
                raise _no_margin()
            if request.kind == "submit_order":
                chosen = Params({"client_id": values.pop("client_id", None)}).whole("client_id", 0, U64)
                client_id = await self._client_id(request, values, chosen, key, margin)
            facts = await self._facts(venue, request, values, client_id)
            built = maker(venue, request.owner, Params(values), facts)
            blockhash = await self._rpc.latest_blockhash()
            return await self._finish(request, venue, built, blockhash, client_id)
        except BadParameterError as error:
            raise Problem(422, "bad_parameter", "Bad parameter", f"{error}.") from None
        except RpcUnavailableError as error:
            raise _no_chain() from error

    async def _venue(self, owner: Pubkey) -> tuple[Venue, Any]:
        found = await self._rpc.accounts([self._exchange, pda.margin(self._exchange, owner)])
        if found[0] is None:
            raise Problem(503, "exchange_missing", "No exchange", "The exchange is not on the chain yet: try again.")
        margin = market.PROGRAM.decode_account(found[1].data) if found[1] else None
        return Venue(self._exchange, market.PROGRAM.decode_account(found[0].data)), margin

    async def _facts(self, venue: Venue, request: Request, values: Mapping[str, Any], client_id: int) -> Facts:
        if request.kind in ("deposit_liquidity", "withdraw_liquidity"):
            pool = await self._rpc.accounts([pda.pool(venue.exchange)])
            return Facts(pool=_decode(pool[0].data if pool[0] else b"", market.Pool), request_id=secrets.randbits(63))
        if request.kind not in ("submit_order", "settle_position"):
            return Facts()
        address = Params(values).address("window")
        position = pda.position(pda.margin(venue.exchange, request.owner), address)
        found = await self._rpc.accounts([address, position])
        window = _decode(found[0].data if found[0] else b"", market.Window)
        if window is None:
            raise Problem(
                404, "window_not_found", "Not found", "window is no window of this exchange: see /v1/markets."
            )
        held = _decode(found[1].data if found[1] else b"", market.Position)
        if request.kind == "settle_position" and held is None:
            raise Problem(404, "position_not_found", "Not found", "The owner has no position in this window.")
        return Facts(window, held, client_id)

    async def _client_id(self, request: Request, values: Mapping[str, Any], chosen: int, key: Any, margin: Any) -> int:
        """The order's number: the client's own, or the one that belongs to its key, or the next."""
        if key is not None and (not isinstance(key, str) or not 1 <= len(key) <= 100):
            raise BadParameterError("client_order_id must be text of at most 100 characters")
        if margin is None:
            raise _no_margin()
        digest = hashlib.sha256(orjson.dumps([chosen, dict(values)], option=orjson.OPT_SORT_KEYS)).hexdigest()
        address, owner = str(pda.margin(self._exchange, request.owner)), str(request.owner)
        async with self._database.transaction() as connection:
            # One at a time per account, so that two requests never get the same number.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [address])
            if key is not None:
                known = await row(
                    connection,
                    "SELECT client_id, request FROM client_orders WHERE owner = %s AND client_order_id = %s",
                    [owner, key],
                )
                if known is not None:
                    if known["request"] != digest:
                        detail = "This client_order_id or Idempotency-Key belongs to another order: choose a new one."
                        raise Problem(409, "idempotency_conflict", "Conflict", detail)
                    return int(known["client_id"])
            number = chosen
            if not number:
                found = await row(connection, _NEXT_NUMBER, [address, margin.last_client_id])
                assert found is not None
                number = int(found["last_client_id"])
            if key is not None:
                await connection.execute(
                    "INSERT INTO client_orders (owner, client_order_id, client_id, request) VALUES (%s, %s, %s, %s)",
                    [owner, key, number, digest],
                )
        return number

    async def _finish(
        self, request: Request, venue: Venue, built: Built, blockhash: Blockhash, client_id: int
    ) -> dict[str, Any]:
        plain = _unsigned(request.owner, built.instructions, blockhash)
        units = None
        if request.simulate:
            result = await self._rpc.simulate(bytes(plain), replace_blockhash=True)
            if result.err is not None:
                called = [item.program_id for item in built.instructions]
                raise refusal(explain(result.err, PROGRAMS, called=called, logs=result.logs))
            units = result.units
            limit = set_compute_unit_limit(min(_MOST_UNITS, int(units * _UNITS_MARGIN) + 1_000))
            plain = _unsigned(request.owner, (limit, *built.instructions), blockhash)
        document: dict[str, Any] = {
            "transaction": base64.b64encode(bytes(plain)).decode(),
            "blockhash": str(blockhash.blockhash),
            "last_valid_block_height": blockhash.last_valid_block_height,
            "summary": {
                "kind": request.kind,
                "text": built.text,
                "fee_payer": str(request.owner),
                "programs": sorted({str(item.program_id) for item in built.instructions}),
                "compute_units": units,
                "client_id": str(client_id) if client_id else None,
                "order": str(pda.order(pda.margin(venue.exchange, request.owner), client_id)) if client_id else None,
            },
        }
        return document

    async def submit(self, wire: bytes, last_valid_block_height: int | None, *, wait: bool) -> dict[str, Any]:
        """Forward a signed transaction; sending the same one again is harmless and gives the same answer.

        Raises Problem: not a transaction, not signed, not ours, failed on the chain (with the program's words).
        """
        transaction = read_signed(wire)
        signature = transaction.signatures[0]
        try:
            if not wait:
                await self._rpc.send(wire)
                return {"signature": str(signature), "status": "sent", "slot": None}
            height = last_valid_block_height
            if height is None:
                height = (await self._rpc.latest_blockhash()).last_valid_block_height
            sent = await self._sender.send_signed(wire, height)
        except RpcUnavailableError as error:
            raise _no_chain() from error
        except RpcError as error:
            raise Problem(422, "refused_by_node", "Refused", f"The node refused the transaction: {error}.") from error
        if sent.ok:
            return {"signature": str(signature), "status": "confirmed", "slot": sent.slot}
        if isinstance(sent.outcome, Landed):
            failure = sent.failure or Failure("Failed", "The transaction failed")
            raise refusal(failure, signature=str(signature), slot=sent.slot)
        return {"signature": str(signature), "status": "expired" if sent.failure else "unknown", "slot": None}


_NEXT_NUMBER = """
INSERT INTO order_numbers AS n (margin, last_client_id) VALUES (%s, %s::numeric + 1)
ON CONFLICT (margin) DO UPDATE SET last_client_id = greatest(n.last_client_id + 1, excluded.last_client_id)
RETURNING last_client_id
"""


def _decode(data: bytes, kind: type) -> Any:
    try:
        found = market.PROGRAM.decode_account(data)
    except DecodeError:
        return None
    return found if isinstance(found, kind) else None


def _unsigned(owner: Pubkey, instructions: tuple[Instruction, ...], blockhash: Blockhash) -> VersionedTransaction:
    message = MessageV0.try_compile(owner, list(instructions), [], blockhash.blockhash)
    unsigned = [Signature.default()] * message.header.num_required_signatures
    return VersionedTransaction.populate(message, unsigned)


def read_signed(wire: bytes) -> VersionedTransaction:
    """A transaction that is whole: every signature there and right, and one of our programs called."""
    if len(wire) > _MAX_WIRE_BYTES:
        raise Problem(422, "too_large", "Too large", f"A transaction has at most {_MAX_WIRE_BYTES} bytes.")
    try:
        transaction = VersionedTransaction.from_bytes(wire)
        message = transaction.message
    except ValueError:
        raise Problem(422, "not_a_transaction", "Not a transaction", "Send the signed bytes in base64.") from None
    if not isinstance(message, Message | MessageV0):
        raise Problem(422, "not_a_transaction", "Not a transaction", "This version of transactions is not supported.")
    if any(signature == Signature.default() for signature in transaction.signatures):
        raise Problem(422, "not_signed", "Not signed", "A signature is missing: let the owner's wallet sign first.")
    if not all(transaction.verify_with_results()):
        raise Problem(
            422, "wrong_signature", "Wrong signature", "A signature does not fit the transaction: sign again."
        )
    keys = message.account_keys
    called = {keys[item.program_id_index] for item in message.instructions if item.program_id_index < len(keys)}
    if not called & PROGRAMS.keys():
        detail = "This endpoint forwards only transactions that call Futstar's programs."
        raise Problem(422, "foreign_transaction", "Not ours", detail)
    return transaction


def snake(name: str) -> str:
    """CollateralTooLow becomes collateral_too_low."""
    return "".join(f"_{char.lower()}" if char.isupper() and at else char.lower() for at, char in enumerate(name))


def refusal(failure: Failure, **extra: Any) -> Problem:
    """A program's refusal with its own name and sentence."""
    error = {"program": failure.program, "name": failure.name, "code": failure.code, "instruction": failure.instruction}
    detail = failure.message or f"The chain refuses the transaction: {failure.name}."
    return Problem(422, snake(failure.name), "Refused by the program", detail, program_error=error, **extra)


def _no_margin() -> Problem:
    return Problem(409, "margin_missing", "No margin account", "Open one first with kind create_margin.")


def _no_chain() -> Problem:
    return Problem(503, "chain_unavailable", "Unavailable", "The chain does not answer at the moment: try again.")
