"""How an exchange with its matches comes to be; every instruction is a step like any other."""

from __future__ import annotations

from typing import Any

from chain import pda
from chain.clients import market as m
from chain.clients import oracle
from oracle import listing
from oracle.aggregate import Feed
from oracle.windows import HALF_MINUTES, PARTS, Part
from tests.fuzz import first_version
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.ledger.books import Margin, Market, Window
from tests.fuzz.ledger.exchange import Ledger
from tests.fuzz.ledger.rules import need
from tests.fuzz.matches import RealMatch
from tests.fuzz.timing import outcome
from tests.fuzz.venue import Person, Venue
from tests.fuzz.world import World
from tests.programs.market_base import PARAMS, USDC, mint_account, token_account

SPEC = bytes(range(32))
STYLES = ("follows", "fades", "whale", "scalps", "careless")

NO_BORROW = {"borrow_kink_bps": 0, "borrow_kink_e12": 0, "borrow_max_e12": 0}
BORROW = {"borrow_kink_bps": 3_000, "borrow_kink_e12": 9_000_001, "borrow_max_e12": 27_777_778}
NO_LIMITS = {"outflow_hour_e6": 0, "outflow_day_e6": 0}
LIMITS = {"outflow_hour_e6": 200 * USDC, "outflow_day_e6": 500 * USDC}


def no_rule() -> None:
    """Predict success without a booking."""


def random_params(world: World) -> dict[str, int]:
    """Return parameters within the limits; low margins, so that liquidations happen."""
    rng = world.rng
    lp, insurance = rng.choice(((7_000, 1_000), (6_000, 2_000), (3_333, 3_333), (0, 0), (7_000, 1_000), (10_000, 0)))
    return PARAMS | {
        "delay_ms": rng.choice((3_000, 5_000, 5_000, 8_000)),
        "order_expiry_ms": rng.choice((30_000, 90_000, 120_000)),
        "dispute_ms": rng.choice((0, 30_000, *(60_000,) * 7)),
        "fee_e6": rng.choice((0, 50_000, 50_000, 50_000, 123_457, 123_457, 1_000_000)),
        "initial_margin_e6": rng.choice((10_000_000, 10_000_000, 15_000_000)),
        "lp_bps": lp,
        "insurance_bps": insurance,
        "protocol_bps": 10_000 - lp - insurance,
        "cap_match_bps": rng.choice((6_000, 2_500)),
        "cap_user_bps": rng.choice((2_500, 900)),
        "tip_lamports": rng.choice((0, 15_000)),
        **rng.choice((NO_BORROW, BORROW)),
        "orders_per_minute": rng.choice((0, 0, 0, 2)),
        "lp_cooldown_s": rng.choice((0, 0, 0, 86_400)),
        **rng.choice((NO_LIMITS, NO_LIMITS, LIMITS)),
        "liquidation_dust_e6": rng.choice((0, USDC, 3_000_001)),
        "challenge_bond_e6": rng.choice((USDC, 5 * USDC, 12_345_678)),
        "challenge_ms": rng.choice((0, 20_000, *(60_000,) * 7)),
    }


def found(world: World, matches: list[RealMatch]) -> Venue:
    """Create config, feeds, exchange, pool, markets and windows, and the people."""
    rng, chain = world.rng, world.chain
    creator, authority, operator = world.wallet(), world.wallet(), world.wallet()
    mint, treasury = world.address(), world.address()
    chain.svm.set_account(mint, mint_account(creator.pubkey(), 0))
    chain.svm.set_account(treasury, token_account(mint, authority.pubkey()))
    exchange = pda.exchange(creator.pubkey())
    ledger = Ledger(random_params(world), pda.vault(exchange), treasury, pda.lp_escrow(exchange))
    venue = Venue(
        world,
        ledger,
        creator,
        authority,
        operator,
        mint,
        pda.config(creator.pubkey()),
        exchange,
        pda.pool(exchange),
        pda.lp_mint(exchange),
        [world.wallet() for _ in range(3)],
        world.wallet(),
        world.wallet(),
    )
    ledger.tokens[treasury] = 0
    oracle_authority = venue.oracle_authority.pubkey()
    init = oracle.ix_init_config(creator=creator.pubkey(), authority=oracle_authority, operator=operator.pubkey())
    world.attempt("init_config", init, [creator], no_rule, None)
    venue.retention_s = rng.choice((5, 7)) * 86_400
    rules = [
        *listing.register(
            authority=oracle_authority,
            payer=chain.payer.pubkey(),
            config=venue.config,
            set_id=1,
            publishers=[key.pubkey() for key in venue.publishers],
            min_publishers=2,
            methodology=SPEC,
            name="fuzz",
        ),
        oracle.ix_set_params(
            authority=oracle_authority,
            config=venue.config,
            bond_receiver=creator.pubkey(),
            min_bond_lamports=0,
            retention_s=venue.retention_s,
        ),
    ]
    signer = venue.oracle_authority
    world.attempt("register", rules, [signer], no_rule, venue, role=signer)
    init_exchange = m.ix_init_exchange(
        creator=creator.pubkey(),
        payer=chain.payer.pubkey(),
        authority=authority.pubkey(),
        operator=operator.pubkey(),
        oracle_config=venue.config,
        collateral_mint=mint,
        treasury_vault=treasury,
        params=m.ExchangeParams(**ledger.params),
    )
    world.attempt("init_exchange", init_exchange, [creator], no_rule, venue)
    old = rng.random() < 0.75
    if old:
        first_version.age(venue, exchange, m.Exchange)

    def pool_rule() -> None:
        ledger.tokens[ledger.vault] = 0
        ledger.shares[ledger.lp_escrow] = 0

    init_pool = m.ix_init_pool(payer=chain.payer.pubkey(), exchange=exchange, collateral_mint=mint)
    world.attempt("init_pool", init_pool, [], pool_rule, venue)
    if old:
        first_version.age(venue, venue.pool, m.Pool)
        first_version.lose_escrow(venue)
    for match in matches:
        house = list_match(venue, match)
        for window_id in [*rng.sample(range(9), rng.choice((0, 0, 1, 2))), house.first_window()]:
            open_window(venue, house, window_id)
    for style in rng.sample(STYLES, 3):
        venue.people.append(person(venue, style, 3_000))
    for _ in range(2):
        venue.lps.append(person(venue, "provides", 20_000))
    return venue


def list_match(venue: Venue, match: RealMatch) -> Feedhouse:
    """Create a feed and its market."""
    world, operator = venue.world, venue.operator
    start = world.chain.unix_s + 10
    house_stands = world.rng.random() < 0.06
    name = f"match-{len(venue.feeds)}".encode().ljust(32, b"\0")
    address = pda.feed(venue.config, name)
    house = Feedhouse(address, match, venue.publishers, Feed(3, 2, start * 1000), start)
    house.stood_still = house_stands
    house.period, house.second = world.rng.choice(((1, 0), (1, 0), (1, 30), (1, 880), (1, 1_790), (2, 0), (2, 1_780)))
    listed = listing.list_feed(
        operator=operator.pubkey(),
        payer=world.chain.payer.pubkey(),
        rent_receiver=venue.creator.pubkey(),
        config=venue.config,
        set_id=1,
        methodology=SPEC,
        match_id=name,
        start_unix_ms=start * 1000,
    )

    def feed_rule() -> None:
        venue.feeds[address] = house

    world.attempt("create_feed", listed, [operator], feed_rule, venue, role=operator)
    key = pda.market(venue.exchange, address)

    def market_rule() -> None:
        need(key not in venue.ledger.markets, "listed already")
        venue.ledger.markets[key] = Market(rent_receiver=venue.lister.pubkey())

    creation = m.ix_create_market(
        operator=operator.pubkey(), payer=venue.lister.pubkey(), exchange=venue.exchange, feed=address
    )
    world.attempt("create_market", creation, [operator, venue.lister], market_rule, venue, role=operator)
    return house


def open_window(venue: Venue, house: Feedhouse, window_id: int) -> None:
    """Open a standard window; refused when it exists or is over."""
    _open(venue, house, window_id, PARTS[window_id])


def open_custom_window(venue: Venue, house: Feedhouse, window_id: int, first: int, last: int) -> None:
    """Open a window over the minutes `first` to `last` of the match; refused unless they are 10 or more of one half."""
    period = 1 if last <= HALF_MINUTES else 2
    kick_off = (period - 1) * HALF_MINUTES
    fits = window_id >= len(PARTS) and first >= kick_off and last <= kick_off + HALF_MINUTES and last - first >= 10
    _open(venue, house, window_id, ((period, first - kick_off, last - kick_off),), (first, last), fits=fits)


def _open(
    venue: Venue,
    house: Feedhouse,
    window_id: int,
    parts: tuple[Part, ...],
    minutes: tuple[int, int] | None = None,
    *,
    fits: bool = True,
) -> None:
    world, ledger = venue.world, venue.ledger
    market = pda.market(venue.exchange, house.address)
    key = pda.window(market, window_id)
    k_e6 = world.rng.choice((2, 50, 500, 5_000)) * USDC + world.rng.randint(0, 999_999)

    def rule() -> dict[str, Any]:
        need(key not in ledger.windows, "opened already")
        need(not ledger.markets[market].closed >> window_id & 1, "closed, and its id does not return", "I9")
        need(not house.closed, "no feed")
        need(fits, "not a custom window")
        twin = house.twin
        need(outcome(twin, parts, twin.final) is None, "over")
        ledger.windows[key] = Window(window_id, house, market, parts, k_e6, rent_receiver=venue.lister.pubkey())
        ledger.markets[market].windows |= 1 << window_id
        ledger.open_windows += 1
        return {"window_id": window_id, "k_e6": k_e6}

    slots: dict[str, Any] = {
        "operator": venue.operator.pubkey(),
        "payer": venue.lister.pubkey(),
        "exchange": venue.exchange,
        "market": market,
        "feed": house.address,
        "window": key,
        "window_id": window_id,
        "k_e6": k_e6,
    }
    if minutes is None:
        name, opening = "open_window", m.ix_open_window(**slots)
    else:
        name = "open_custom_window"
        opening = m.ix_open_custom_window(**slots, from_minute=minutes[0], to_minute=minutes[1])
    world.attempt(name, opening, [venue.operator, venue.lister], rule, venue, role=venue.operator)


def person(venue: Venue, style: str, usdc: int) -> Person:
    """Create a wallet with tokens and a margin account."""
    world, ledger = venue.world, venue.ledger
    key = world.wallet()
    tokens, shares = world.address(), world.address()
    world.chain.svm.set_account(tokens, token_account(venue.mint, key.pubkey(), usdc * USDC))
    world.chain.svm.set_account(shares, token_account(venue.lp_mint, key.pubkey()))
    ledger.tokens[tokens], ledger.shares[shares] = usdc * USDC, 0
    venue.minted_e6 += usdc * USDC
    margin = pda.margin(venue.exchange, key.pubkey())

    def rule() -> None:
        ledger.margins[margin] = Margin(key.pubkey())

    create = m.ix_create_margin(owner=key.pubkey(), payer=world.chain.payer.pubkey(), exchange=venue.exchange)
    world.attempt("create_margin", create, [], rule, venue)
    if world.rng.random() < 0.2:
        first_version.age(venue, margin, m.Margin)
    if world.rng.random() < 0.05:
        first_version.grow(venue, margin)
    return Person(key, tokens, shares, margin, style)
