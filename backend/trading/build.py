"""From what a trader wants to the instructions that do it. Pure: the accounts it needs are arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from spl.token.instructions import create_idempotent_associated_token_account, get_associated_token_address

from chain import pda
from chain.clients import market
from momentum import pricing
from oracle.resting import MARKET

_DECIMAL = re.compile(r"^(\d{1,13})(?:\.(\d{1,6}))?$")
U64 = (1 << 64) - 1
SIDES = {"long": 0, "short": 1}
REDUCE_ONLY = 1


class BadParameterError(ValueError):
    """A parameter is missing, unknown or malformed; the message names it and says what is wanted."""


@dataclass(frozen=True, slots=True)
class Venue:
    """The exchange a desk works for: its address and what its account says."""

    exchange: Pubkey
    account: Any  # market.Exchange

    @property
    def mint(self) -> Pubkey:
        """The collateral's mint."""
        return Pubkey.from_bytes(bytes(self.account.collateral_mint))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the chain says that an instruction needs: for orders the window with its feed, for ends the position.

    For liquidity the pool and an unused number of a request.
    """

    window: Any = None  # market.Window
    position: Any = None  # market.Position
    client_id: int = 0
    pool: Any = None  # market.Pool
    request_id: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """Instructions and one sentence about what they do."""

    instructions: tuple[Instruction, ...]
    text: str


class Params:
    """The parameters of one request; whatever was not asked for by the end is an error."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def _take(self, name: str) -> Any:
        return self._values.pop(name, None)

    def amount_e6(self, name: str, default: int | None = None) -> int:
        """A decimal as text with at most six places, in 1e-6."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        found = _DECIMAL.match(value) if isinstance(value, str) else None
        if found is None:
            raise BadParameterError(f'{name} must be a decimal as text with at most six places, such as "12.5"')
        return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))

    def whole(self, name: str, default: int, most: int) -> int:
        """A whole number, as number or text."""
        value = self._take(name)
        if value is None:
            return default
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise BadParameterError(f"{name} must be a whole number from 0 to {most}")
        return value

    def address(self, name: str, default: Pubkey | None = None) -> Pubkey:
        """A Solana address."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        try:
            return Pubkey.from_string(value)
        except (TypeError, ValueError):
            raise BadParameterError(f"{name} must be a Solana address (base58)") from None

    def side(self) -> int:
        """long or short."""
        value = self._take("side")
        if not isinstance(value, str) or value not in SIDES:
            raise BadParameterError('side must be "long" or "short"')
        return SIDES[value]

    def flag(self, name: str) -> bool:
        """True or false; false when it is missing."""
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            raise BadParameterError(f"{name} must be true or false")
        return bool(value)

    def text(self, name: str, longest: int) -> str | None:
        """Some text, or None."""
        value = self._take(name)
        if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= longest):
            raise BadParameterError(f"{name} must be text of at most {longest} characters")
        return value

    def done(self) -> None:
        """Refuse what nobody asked for: a misspelt limit must not become an order without one."""
        if self._values:
            raise BadParameterError(f"unknown parameter: {', '.join(sorted(self._values))}")


def usdc(amount_e6: int) -> str:
    """An amount for people."""
    return f"{amount_e6 / 1_000_000:,.2f} USDC"


def create_margin(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Open the owner's margin account."""
    params.done()
    made = market.ix_create_margin(owner=owner, payer=owner, exchange=venue.exchange)
    return Built((made,), "Open a margin account.")


def deposit_collateral(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Token account to margin account."""
    amount = params.amount_e6("amount")
    source = params.address("source", get_associated_token_address(owner, venue.mint))
    params.done()
    made = market.ix_deposit_collateral(
        depositor=owner,
        exchange=venue.exchange,
        pool=pda.pool(venue.exchange),
        margin=pda.margin(venue.exchange, owner),
        vault=pda.vault(venue.exchange),
        source=source,
        amount_e6=amount,
    )
    return Built((made,), f"Deposit {usdc(amount)} as collateral.")


def withdraw_collateral(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Margin account to token account."""
    amount = params.amount_e6("amount")
    own = get_associated_token_address(owner, venue.mint)
    destination = params.address("destination", own)
    params.done()
    made = market.ix_withdraw_collateral(
        owner=owner,
        exchange=venue.exchange,
        pool=pda.pool(venue.exchange),
        margin=pda.margin(venue.exchange, owner),
        vault=pda.vault(venue.exchange),
        destination=destination,
        amount_e6=amount,
    )
    first = (create_idempotent_associated_token_account(owner, owner, venue.mint),) if destination == own else ()
    return Built((*first, made), f"Withdraw {usdc(amount)} of collateral.")


def deposit_liquidity(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Token account to pool, for shares: at once while no position is open, else a request for the next marks."""
    amount, least = params.amount_e6("amount"), params.amount_e6("min_shares", 0)
    source = params.address("source", get_associated_token_address(owner, venue.mint))
    params.done()
    lp_mint = pda.lp_mint(venue.exchange)
    shares = get_associated_token_address(owner, lp_mint)
    made = market.ix_request_deposit(
        owner=owner,
        payer=owner,
        exchange=venue.exchange,
        pool=pda.pool(venue.exchange),
        vault=pda.vault(venue.exchange),
        source=source,
        destination=shares,
        id=facts.request_id,
        amount_e6=amount,
        min_shares=least,
    )
    first = create_idempotent_associated_token_account(owner, owner, lp_mint)
    if facts.pool.live_windows:
        return Built((first, made), f"Ask to deposit {usdc(amount)} into the pool at the next marks.")
    return Built(
        (first, made, _execute(venue, owner, shares, facts.request_id)), f"Deposit {usdc(amount)} into the pool."
    )


def withdraw_liquidity(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Shares to money: at once while no position is open and no cooldown is set, else a request that waits."""
    shares, least = params.amount_e6("shares"), params.amount_e6("min_amount", 0)
    own = get_associated_token_address(owner, venue.mint)
    destination = params.address("destination", own)
    params.done()
    made = market.ix_request_withdrawal(
        owner=owner,
        payer=owner,
        exchange=venue.exchange,
        pool=pda.pool(venue.exchange),
        source=get_associated_token_address(owner, pda.lp_mint(venue.exchange)),
        destination=destination,
        id=facts.request_id,
        shares=shares,
        min_amount_e6=least,
    )
    first = (create_idempotent_associated_token_account(owner, owner, venue.mint),) if destination == own else ()
    amount = f"{shares / 1_000_000:,.6f} shares of the pool"
    if facts.pool.live_windows or venue.account.lp_cooldown_s:
        hours = venue.account.lp_cooldown_s / 3600
        return Built((*first, made), f"Ask to redeem {amount}, at the first marks after {hours:,.4g} hours.")
    return Built((*first, made, _execute(venue, owner, destination, facts.request_id)), f"Redeem {amount}.")


def _execute(venue: Venue, owner: Pubkey, destination: Pubkey, request_id: int) -> Instruction:
    pool = pda.pool(venue.exchange)
    return market.ix_execute_request(
        executor=owner,
        exchange=venue.exchange,
        pool=pool,
        vault=pda.vault(venue.exchange),
        lp_mint=pda.lp_mint(venue.exchange),
        destination=destination,
        request=pda.lp_request(pool, owner, request_id),
        rent_payer=owner,
    )


def submit_order(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Commit an order. Without `collateral` an opening order brings the initial margin."""
    window = params.address("window")
    side, qty = params.side(), params.amount_e6("qty")
    limit = params.amount_e6("limit")
    reduce_only = params.flag("reduce_only")
    least = 0 if reduce_only else pricing.margin_required(qty, venue.account.initial_margin_e6)
    collateral = params.amount_e6("collateral", least)
    expiry_ms = params.whole("expiry_ms", 0, 120_000)
    params.done()
    if limit > pricing.MAX_X_E6:
        raise BadParameterError("limit must be a price from 0 to 100")
    made = market.ix_submit_order(
        owner=owner,
        payer=owner,
        exchange=venue.exchange,
        pool=pda.pool(venue.exchange),
        window=window,
        feed=facts.window.feed,
        margin=pda.margin(venue.exchange, owner),
        client_id=facts.client_id,
        side=side,
        flags=REDUCE_ONLY if reduce_only else 0,
        qty_e6=qty,
        limit_e6=limit,
        collateral_e6=collateral,
        expiry_ms=expiry_ms,
        kind=MARKET,
        trigger_e6=0,
    )
    verb = ("Buy", "Sell")[side]
    bound = ("less", "more")[side]
    text = f"{verb} {qty / 1e6:,.6g} contracts at {limit / 1e6:.4g} or {bound}, {usdc(collateral)} collateral"
    return Built((made,), text + (", closing only." if reduce_only else "."))


def settle_position(venue: Venue, owner: Pubkey, params: Params, facts: Facts) -> Built:
    """Pay out the owner's position in a window that is final."""
    window = params.address("window")
    params.done()
    margin = pda.margin(venue.exchange, owner)
    made = market.ix_settle_position(
        exchange=venue.exchange,
        pool=pda.pool(venue.exchange),
        market=facts.window.market,
        window=window,
        margin=margin,
        position=pda.position(margin, window),
        rent_payer=facts.position.rent_payer,
    )
    return Built((made,), "Pay out the position.")


KINDS: dict[str, Callable[[Venue, Pubkey, Params, Facts], Built]] = {
    "create_margin": create_margin,
    "deposit_collateral": deposit_collateral,
    "withdraw_collateral": withdraw_collateral,
    "deposit_liquidity": deposit_liquidity,
    "withdraw_liquidity": withdraw_liquidity,
    "submit_order": submit_order,
    "settle_position": settle_position,
}
