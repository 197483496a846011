"""Every program address of Futstar by its seeds, for accounts whose seeds the IDL does not tell. Pure.

Addresses are namespaced by their creator, so nobody can take one in advance.
"""

from __future__ import annotations

from solders.pubkey import Pubkey

ORACLE = Pubkey.from_string("81WWN8VYjXbJEFwX9MUspXkdes9yZ4cHtTGzZJcnRCo6")
MARKET = Pubkey.from_string("HsmqMHbomNoaCcqJcwJSxVMMd3pw1xF6P4tguJepRDD6")
TREASURY = Pubkey.from_string("31c5mHZYeqSc2DYxv7Lpc8qsMFSBP5cXHGPD5PvmBzj7")


def _find(program: Pubkey, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(seeds, program)[0]


def event_authority(program: Pubkey) -> Pubkey:
    """Return the signer by which a program records its events."""
    return _find(program, b"__event_authority")


def config(creator: Pubkey) -> Pubkey:
    """Return the oracle's config of a creator."""
    return _find(ORACLE, b"config", bytes(creator))


def feed(config_address: Pubkey, match_id: bytes) -> Pubkey:
    """Return the feed of a match; `match_id` is the 32 bytes stored on chain."""
    return _find(ORACLE, b"feed", bytes(config_address), match_id)


def publisher_set(config_address: Pubkey, set_id: int) -> Pubkey:
    """Return a registered set of publishers."""
    return _find(ORACLE, b"publisher-set", bytes(config_address), set_id.to_bytes(4, "little"))


def methodology(config_address: Pubkey, spec_hash: bytes) -> Pubkey:
    """Return a registered specification of the index; `spec_hash` is its SHA-256."""
    return _find(ORACLE, b"methodology", bytes(config_address), spec_hash)


def bond(config_address: Pubkey, publisher: Pubkey) -> Pubkey:
    """Return the account of a publisher's bond and score."""
    return _find(ORACLE, b"bond", bytes(config_address), bytes(publisher))


def exchange(creator: Pubkey) -> Pubkey:
    """Return the exchange of a creator."""
    return _find(MARKET, b"exchange", bytes(creator))


def pool(exchange_address: Pubkey) -> Pubkey:
    """Return the pool of an exchange."""
    return _find(MARKET, b"pool", bytes(exchange_address))


def vault(exchange_address: Pubkey) -> Pubkey:
    """Return the token account that holds all collateral of an exchange."""
    return _find(MARKET, b"vault", bytes(exchange_address))


def lp_mint(exchange_address: Pubkey) -> Pubkey:
    """Return the mint of the pool's shares."""
    return _find(MARKET, b"lp", bytes(exchange_address))


def lp_escrow(exchange_address: Pubkey) -> Pubkey:
    """Return the token account that holds the shares of waiting withdrawals."""
    return _find(MARKET, b"lp-escrow", bytes(exchange_address))


def lp_request(pool_address: Pubkey, owner: Pubkey, request_id: int) -> Pubkey:
    """Return a liquidity provider's request by the number its owner gave it."""
    return _find(MARKET, b"lp-request", bytes(pool_address), bytes(owner), request_id.to_bytes(8, "little"))


def market(exchange_address: Pubkey, feed_address: Pubkey) -> Pubkey:
    """Return the market of a feed."""
    return _find(MARKET, b"market", bytes(exchange_address), bytes(feed_address))


def window(market_address: Pubkey, window_id: int) -> Pubkey:
    """Return a window of a market (0..5 quarters of an hour, 6 H1, 7 H2, 8 FT)."""
    return _find(MARKET, b"window", bytes(market_address), bytes([window_id]))


def margin(exchange_address: Pubkey, owner: Pubkey) -> Pubkey:
    """Return the margin account of an owner."""
    return _find(MARKET, b"margin", bytes(exchange_address), bytes(owner))


def order(margin_address: Pubkey, client_id: int) -> Pubkey:
    """Return an order by the number its owner gave it."""
    return _find(MARKET, b"order", bytes(margin_address), client_id.to_bytes(8, "little"))


def position(margin_address: Pubkey, window_address: Pubkey) -> Pubkey:
    """Return the position of a margin account in a window."""
    return _find(MARKET, b"position", bytes(margin_address), bytes(window_address))


def session(margin_address: Pubkey, delegate: Pubkey) -> Pubkey:
    """Return the session by which a delegate trades with a margin account."""
    return _find(MARKET, b"session", bytes(margin_address), bytes(delegate))


def attestation(exchange_address: Pubkey, owner: Pubkey) -> Pubkey:
    """Return the attestation that an owner may open positions on an exchange."""
    return _find(MARKET, b"attestation", bytes(exchange_address), bytes(owner))


def treasury(create_key: Pubkey) -> Pubkey:
    """Return the treasury made with a key."""
    return _find(TREASURY, b"treasury", bytes(create_key))


def executor(treasury_address: Pubkey) -> Pubkey:
    """Return the address in whose name a treasury acts."""
    return _find(TREASURY, b"executor", bytes(treasury_address))


def fees(treasury_address: Pubkey) -> Pubkey:
    """Return the token account that receives a treasury's fees."""
    return _find(TREASURY, b"fees", bytes(treasury_address))


def proposal(treasury_address: Pubkey, proposal_id: int) -> Pubkey:
    """Return a proposal of a treasury."""
    return _find(TREASURY, b"proposal", bytes(treasury_address), proposal_id.to_bytes(8, "little"))


def spending_limit(treasury_address: Pubkey, limit_id: int) -> Pubkey:
    """Return a spending limit of a treasury."""
    return _find(TREASURY, b"limit", bytes(treasury_address), limit_id.to_bytes(8, "little"))
