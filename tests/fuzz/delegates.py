"""Who may trade: sessions of delegates, and attestations where the exchange asks for them."""

from __future__ import annotations

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.fuzz.ledger.books import Session
from tests.fuzz.ledger.rules import MAX_SESSION_S, need
from tests.fuzz.stage import USDC, action, anyone
from tests.fuzz.venue import Person, Venue


@action(4, "create_session")
def create_session(venue: Venue) -> None:
    """Let a delegate trade for somebody, within limits."""
    world, ledger, rng = venue.world, venue.ledger, venue.world.rng
    who, delegate = anyone(venue), venue.world.wallet()
    key = pda.session(who.margin, delegate.pubkey())
    lasts = rng.choice((30, 600, 600, MAX_SESSION_S, MAX_SESSION_S + 1, 0))
    most, budget = rng.choice((USDC, 100 * USDC)), rng.choice((20 * USDC, 2_000 * USDC, 0))
    expires = world.chain.unix_s + lasts

    def rule() -> dict[str, int]:
        need(0 < lasts <= MAX_SESSION_S and budget > 0, "bad session", "session")
        ledger.sessions[key] = Session(who.margin, who.key.pubkey(), delegate.pubkey(), expires, most, budget)
        venue.delegates[key] = (who, delegate)
        return {"active": 1, "expires_unix": expires}

    instruction = m.ix_create_session(
        owner=who.key.pubkey(),
        payer=world.chain.payer.pubkey(),
        delegate=delegate.pubkey(),
        margin=who.margin,
        expires_unix=expires,
        max_qty_e6=most,
        budget_e6=budget,
    )
    world.attempt("create_session", instruction, [who.key], rule, venue, role=who.key)


@action(2.5, "revoke_session")
def revoke_session(venue: Venue) -> None:
    """End a session: owner and delegate may at once, anybody when its time is over."""
    world, ledger, rng = venue.world, venue.ledger, venue.world.rng
    if not ledger.sessions:
        return
    key = rng.choice(list(ledger.sessions))
    session = ledger.sessions[key]
    who, delegate = venue.delegates[key]
    signer = rng.choice((who.key, delegate, anyone(venue).key))

    def rule() -> dict[str, int]:
        entitled = signer.pubkey() in (session.owner, session.delegate)
        need(entitled or ledger.unix_s >= session.expires_unix, "the session runs", "session")
        del ledger.sessions[key]
        return {"active": 0}

    instruction = m.ix_revoke_session(signer=signer.pubkey(), session=key, rent_payer=world.chain.payer.pubkey())
    world.attempt("revoke_session", instruction, [signer], rule, venue)


def trader_of(venue: Venue, who: Person) -> tuple[Keypair, Pubkey | None]:
    """Return who signs an order of somebody, and the session by which."""
    rng = venue.world.rng
    mine = [key for key, (person, _) in venue.delegates.items() if person is who and key in venue.ledger.sessions]
    if mine and rng.random() < 0.7:
        key = rng.choice(mine)
        return venue.delegates[key][1], key
    return who.key, None


@action(1.5, "set_attestor")
def set_attestor(venue: Venue) -> None:
    """Ask for attestations, or no longer."""
    world, signer = venue.world, venue.authority
    fresh = world.wallet() if world.rng.random() < 0.4 else None

    def rule() -> None:
        venue.attestor = fresh
        venue.ledger.attestor = fresh.pubkey() if fresh else Pubkey.default()

    target = fresh.pubkey() if fresh else Pubkey.default()
    instruction = m.ix_set_attestor(authority=signer.pubkey(), exchange=venue.exchange, attestor=target)
    world.attempt("set_attestor", instruction, [signer], rule, venue, role=signer)
    if fresh:
        for who in venue.people:
            if world.rng.random() < 0.6:
                attest(venue, who)


@action(2, "attest")
def attest_anyone(venue: Venue) -> None:
    """Attest somebody for a while."""
    attest(venue, anyone(venue))


def attest(venue: Venue, who: Person) -> None:
    """Say that somebody may open positions."""
    world, ledger = venue.world, venue.ledger
    signer, key = venue.attestor or venue.operator, pda.attestation(venue.exchange, who.key.pubkey())
    expires = world.chain.unix_s + world.rng.choice((0, 60, 3_600, 3_600))

    def rule() -> dict[str, int]:
        need(venue.attestor is not None, "there is no attestor", "signer")
        need(expires > ledger.unix_s, "over already")
        ledger.attestations[key] = (signer.pubkey(), expires)
        return {"expires_unix": expires}

    instruction = m.ix_attest(
        attestor=signer.pubkey(),
        payer=world.chain.payer.pubkey(),
        owner=who.key.pubkey(),
        exchange=venue.exchange,
        expires_unix=expires,
    )
    world.attempt("attest", instruction, [signer], rule, venue, role=signer)


@action(7, "revoke_attestation")
def revoke_attestation(venue: Venue) -> None:
    """Take an attestation back."""
    world, ledger = venue.world, venue.ledger
    if not ledger.attestations:
        return
    key = world.rng.choice(list(ledger.attestations))
    signer = venue.attestor or venue.operator

    def rule() -> dict[str, int]:
        need(venue.attestor is not None, "there is no attestor", "signer")
        del ledger.attestations[key]
        return {"expires_unix": 0}

    instruction = m.ix_revoke_attestation(
        attestor=signer.pubkey(),
        exchange=venue.exchange,
        attestation=key,
        rent_payer=world.chain.payer.pubkey(),
    )
    world.attempt("revoke_attestation", instruction, [signer], rule, venue, role=signer)
