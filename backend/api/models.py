"""The shapes of requests and answers. Strict: a number where text is asked for is refused, unknown fields too.

Decimals are strings in points, contracts or USDC; `at` times are ISO-8601 in UTC; `slot` is a Solana slot.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
Decimal = Annotated[str, Field(pattern=r"^-?\d{1,20}(\.\d{1,6})?$", examples=["57.3"])]
Address = Annotated[str, Field(min_length=32, max_length=44, pattern=r"^[1-9A-HJ-NP-Za-km-z]+$")]
Time = Annotated[str, Field(examples=["2026-03-01T15:00:01.000Z"])]
Level = Literal["live", "confirmed", "finalized"]
SideName = Literal["long", "short"]


class Strict(BaseModel):
    """Base of everything."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Page(Strict, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    data: list[T]
    next_cursor: str | None = None


class Problem(BaseModel):
    """An error (RFC 9457). Match on `code`; `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str


class Health(Strict):
    """Whether everything runs."""

    status: Literal["ok", "degraded"]
    version: str
    database: Literal["ok", "down"]
    mirror: dict[str, Any] | None = Field(description="Slots and lag of the mirror; null when this process has none.")
    stream: dict[str, int]


class Match(Strict):
    """A match."""

    match_id: str
    provider: str | None
    competition: str | None
    home_name: str | None
    home_short: str | None
    home_score: int
    away_name: str | None
    away_short: str | None
    away_score: int
    kickoff_at: Time | None
    start_at: Time | None = Field(description="Start of the feed: data_ms counts from here.")
    status: Literal["scheduled", "live", "final"]
    period: int
    play_ms: int
    in_break: bool | None
    feed: Address | None
    tick: int | None
    suspended: bool | None
    suspend_reason: str | None


class Feed(Strict):
    """How good one provider's feed of a match is. Counts are since the match was first heard of."""

    match_id: str
    home_name: str | None
    away_name: str | None
    provider: str
    at: Time | None = Field(description="When this was measured.")
    health: int = Field(ge=0, le=100, description="100 is faultless.")
    silence_ms: int | None = Field(description="Since the last sign of life; null before the first.")
    quiet_ms: int | None = Field(description="Since the last new event in play; null outside play.")
    gap_ms: int = Field(description="Silence in play beyond what is allowed, in all.")
    gap_recent_ms: int = Field(description="The same, of the last five minutes.")
    corrections_last_minute: int
    unknown_types: int
    difference: Decimal = Field(description="Share by which it differs from the other providers, 0 to 1.")
    skew_ms: int | None = Field(description="Least arrival less event time: delay, plus the difference of clocks.")
    arrivals: int
    unchanged: int
    older: int
    broken: int
    lost: int
    events: int
    corrections: int
    deletions: int
    late: int
    problems: int


class Tick(Strict):
    """The index at one second of play."""

    tick: int
    period: int
    second: int = Field(description="Seconds since the kick-off of the period.")
    play_ms: int = Field(description="Play time, cumulative over the periods.")
    data_ms: int
    at: Time | None
    x: Decimal = Field(description="Momentum index, 0 to 100, the home side's share.")
    mu: Decimal
    s: Decimal
    conf: Decimal
    suspended: bool | None
    suspend_epoch: int | None
    sample_index: int | None
    slot: int | None
    status: Level


class MatchEvent(BaseModel):
    """A canonical event; attributes that do not apply are left out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    event_id: str
    version: int
    deleted: bool
    period: int
    play_ms: int
    data_ms: int | None
    kind: str
    side: Literal["home", "away"] | None
    x: float | None = None
    y: float | None = None
    success: bool | None = None
    goal: bool = False
    own_goal: bool = False
    big_chance: bool = False
    penalty: bool = False
    direct_free_kick: bool = False
    body: str | None = None
    attacking: bool | None = None
    aerial: bool = False
    xg: Decimal | None = None
    provisional: bool = False
    player: str | None = None
    text: str = ""


class Revision(Strict):
    """A published tick that would have another value with what became known later."""

    revision: int
    tick: int
    old: Decimal
    new: Decimal
    old_e6: int
    new_e6: int
    reason: str
    event_id: str | None
    data_ms: int | None


class Window(Strict):
    """A window contract and its live price for one contract."""

    address: Address
    market: Address
    feed: Address
    match_id: str | None
    window_id: int
    name: str
    state: Literal["open", "final", "void"]
    start_s: int = Field(description="Nominal start in seconds of match time without added time.")
    end_s: int
    mark: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    half_spread: Decimal | None
    conf: Decimal | None
    left_ms: int | None
    lead_ms: int | None
    maintenance_margin: Decimal | None
    tradable: bool
    oi_long: Decimal
    oi_short: Decimal
    impact_contracts: Decimal = Field(description="Contracts of net open interest that move the price by one point.")
    reserved: Decimal
    fee_escrow: Decimal
    fees_charged: Decimal
    open_positions: int
    pending_orders: int
    settlement: Decimal | None
    left_out_ms: int
    finalised_at: Time | None
    tick: int | None
    slot: int


class Position(Strict):
    """An open position."""

    address: Address
    owner: Address
    margin: Address
    match_id: str | None
    window: str | None
    window_address: Address
    side: SideName
    qty: Decimal
    entry_price: Decimal | None
    entry_cost: Decimal
    collateral: Decimal
    reserved: Decimal
    mark: Decimal | None
    pnl: Decimal | None
    equity: Decimal | None
    opened_at: Time | None
    slot: int


class Placed(Strict):
    """Where on the chain, and where in the match, something happened."""

    id: str
    kind: str
    at: Time | None
    slot: int
    signature: str
    level: Level
    match_id: str | None
    window: str | None
    window_address: Address
    period: int | None
    play_ms: int | None
    owner: Address
    side: SideName
    qty: Decimal


class Order(Placed):
    """An order; `status` is pending or the reason of its end."""

    margin: Address
    client_id: str
    client_order_id: str | None
    reduce_only: bool
    limit: Decimal
    collateral: Decimal
    fee_reserve: Decimal
    commit_at: Time
    expires_at: Time
    status: str


class Trade(Placed):
    """The end of an order: `reason` is filled, or why it was refunded."""

    client_id: str
    reason: str
    closed: Decimal
    price: Decimal | None
    forward: Decimal | None
    conf: Decimal | None
    fee: Decimal
    gain: Decimal
    loss: Decimal
    refund: Decimal
    sample_index: int | None
    data_at: Time | None
    commit_at: Time


class Liquidation(Placed):
    """A position closed for lack of margin."""

    position: Address
    price: Decimal
    mark: Decimal
    gain: Decimal
    loss: Decimal
    fee: Decimal
    reward: Decimal
    returned: Decimal


class Settlement(Placed):
    """A position paid out."""

    position: Address
    settlement: Decimal
    entry_cost: Decimal
    collateral: Decimal
    payout: Decimal
    pnl: Decimal


class Margin(Strict):
    """A margin account."""

    address: Address
    free: Decimal
    deposits: Decimal
    withdrawals: Decimal
    reserved: Decimal
    last_client_id: str
    open_orders: int
    open_positions: int
    slot: int


class Account(Strict):
    """Everything of one owner."""

    owner: Address
    margin: Margin | None = Field(description="Null until create_margin was sent.")
    shares: Decimal = Field(description="Shares of the pool received minus redeemed.")
    positions: list[Position]
    orders: list[Order] = Field(description="Pending orders.")


class Pool(Strict):
    """The pool's books."""

    address: Address
    exchange: Address | None
    cash: Decimal
    reserved: Decimal
    margin: Decimal
    position_collateral: Decimal
    order_escrow: Decimal
    fee_escrow: Decimal
    protocol_fees: Decimal
    insurance: Decimal
    claimable: Decimal
    bad_debt: Decimal
    fees_charged: Decimal
    open_positions: int
    slot: int
    level: Level


class PoolAnswer(Strict):
    """The pool."""

    data: Pool


FixtureStatus = Literal["scheduled", "postponed", "live", "abandoned", "finished", "cancelled"]


class Fixture(Strict):
    """A fixture of the schedule."""

    fixture_id: str
    competition_id: str
    competition: str
    country: str
    season: str = Field(examples=["2025/26"])
    round: str
    day: str = Field(description="Local day of the ground.", examples=["2025-08-16"])
    kickoff_at: Time | None = Field(description="Null where no source tells the hour.")
    status: FixtureStatus
    home_id: str
    home: str
    away_id: str
    away: str
    home_score: int | None
    away_score: int | None
    venue: str | None
    conflicts: list[str] = Field(description="Facts on which sources contradict each other: kickoff, status, score.")
    updated_at: Time


class FixtureSource(Strict):
    """A source's record of a fixture."""

    provider: str
    source_id: str
    how: Literal["certain", "new", "decided"]
    seen_at: Time | None


class LineupPlayer(Strict):
    """A player in a line-up; `player_id` is null while nobody knows for certain who he is."""

    side: Literal["home", "away"]
    starter: bool
    player_id: str | None
    name: str
    shirt: int | None


class FixtureChange(Strict):
    """What changed, when, and whose word it was."""

    at: Time
    kind: str
    source: str
    before: Any
    after: Any


class FixtureDetail(Fixture):
    """A fixture with the ids of all sources, line-ups and history."""

    merged_into: str | None = Field(description="The id that replaced this one.")
    sources: list[FixtureSource]
    lineups: list[LineupPlayer]
    changes: list[FixtureChange]
