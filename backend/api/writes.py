"""The routes that write: build an unsigned transaction, forward a signed one."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header
from pydantic import Field
from solders.pubkey import Pubkey
from starlette.responses import Response

from backend.api.context import Context, Ctx, json_answer
from backend.api.models import Address, Problem, Strict
from backend.api.problems import Problem as Refusal
from backend.trading.desk import Desk, Request

router = APIRouter(prefix="/v1", tags=["transactions"])
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem},
    409: {"model": Problem},
    422: {"model": Problem, "description": "Invalid, or refused by the program: `code` is the program's error."},
    503: {"model": Problem},
}
Kind = Literal[
    "create_margin",
    "deposit_collateral",
    "withdraw_collateral",
    "deposit_liquidity",
    "withdraw_liquidity",
    "submit_order",
    "settle_position",
]


class BuildRequest(Strict):
    """What to build, for whom. `params` by kind are listed in docs/api.md; amounts are decimals as text."""

    kind: Kind
    owner: Address
    params: dict[str, Any] = Field(default_factory=dict, examples=[{"amount": "100.0"}])
    simulate: bool = Field(default=True, description="False skips the simulation: the program alone decides.")


class Summary(Strict):
    """What the transaction does, for people and for checks before signing."""

    kind: str
    text: str
    fee_payer: Address
    programs: list[Address]
    compute_units: int | None
    client_id: str | None
    order: Address | None


class BuildAnswer(Strict):
    """An unsigned transaction; only the owner has to sign it."""

    transaction: str = Field(description="Base64.")
    blockhash: str
    last_valid_block_height: int
    summary: Summary


class SendRequest(Strict):
    """A signed transaction."""

    transaction: str = Field(max_length=2_000, description="Base64.")
    last_valid_block_height: int | None = Field(default=None, description="As given by build.")
    wait: bool = Field(default=True, description="Answer when it is confirmed; false answers at once.")


class SendAnswer(Strict):
    """What became of it."""

    signature: str
    status: Literal["sent", "confirmed", "expired", "unknown"]
    slot: int | None


@router.post("/transactions/build", response_model=BuildAnswer, responses=_PROBLEMS)
async def build_transaction(
    ctx: Ctx,
    body: BuildRequest,
    idempotency_key: Annotated[str | None, Header(max_length=100, description="Same as client_order_id.")] = None,
) -> Response:
    """Build and simulate. For orders the same Idempotency-Key (or `client_order_id`) always gives the same order."""
    try:
        owner = Pubkey.from_string(body.owner)
    except ValueError:
        raise Refusal(422, "bad_address", "Bad address", "owner is not a Solana address.") from None
    request = Request(body.kind, owner, body.params, body.simulate, idempotency_key)
    return json_answer(await _desk(ctx).build(request))


@router.post("/transactions", response_model=SendAnswer, responses=_PROBLEMS)
async def send_transaction(ctx: Ctx, body: SendRequest) -> Response:
    """Forward to the chain. Idempotent: the same bytes twice are one transaction with one signature."""
    try:
        wire = base64.b64decode(body.transaction, validate=True)
    except (binascii.Error, ValueError):
        detail = "transaction is not base64."
        raise Refusal(422, "not_a_transaction", "Not a transaction", detail) from None
    return json_answer(await _desk(ctx).submit(wire, body.last_valid_block_height, wait=body.wait))


def _desk(ctx: Context) -> Desk:
    if ctx.desk is None:
        detail = "This server reads only: it was started without a chain (--rpc and --exchange)."
        raise Refusal(503, "chain_unavailable", "Unavailable", detail)
    return ctx.desk
