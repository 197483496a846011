"""Authority, operator and guardian at work: pauses, parameters, roles, and the dispute of settlements."""

from __future__ import annotations

from functools import partial

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import market as m
from chain.clients import oracle
from tests.fuzz import founding
from tests.fuzz.ledger import settlement
from tests.fuzz.ledger.rules import need
from tests.fuzz.stage import action, anyone
from tests.fuzz.venue import Venue


@action(1.5, "set_pause")
def pause(venue: Venue) -> None:
    """Set the pause level; the operator may only tighten it."""
    world, ledger = venue.world, venue.ledger
    level, by_operator = world.rng.choice((0, 0, 1, 2, 3, 4)), world.rng.random() < 0.4
    signer = venue.operator if by_operator else venue.authority

    def rule() -> dict[str, int]:
        need(level <= 3, "no such level")
        need(not by_operator or level >= ledger.authority_pause, "only tighten", "signer")
        before, ledger.authority_pause = ledger.authority_pause, level
        return {"before": before, "after": level}

    instruction = m.ix_set_pause(signer=signer.pubkey(), exchange=venue.exchange, level=level)
    world.attempt("set_pause", instruction, [signer], rule, venue, role=signer)


def unpause(venue: Venue) -> None:
    """Lift every pause."""
    if venue.ledger.authority_pause:

        def rule() -> None:
            venue.ledger.authority_pause = 0

        instruction = m.ix_set_pause(signer=venue.authority.pubkey(), exchange=venue.exchange, level=0)
        venue.world.attempt("set_pause", instruction, [venue.authority], rule, venue, role=venue.authority)
    clear_guardian_pause(venue)


@action(2, "guardian_pause")
def guardian_pause(venue: Venue) -> None:
    """Let the guardian tighten the pause for a while."""
    rng = venue.world.rng
    level, seconds = rng.choice((1, 1, 2, 2, 3, 0)), rng.choice((20, 30, 60, 60, 259_200, 259_201))
    signer = venue.guardian or venue.operator

    def rule() -> dict[str, int]:
        need(venue.guardian is not None, "there is no guardian", "signer")
        return venue.ledger.guard(level, seconds)

    instruction = m.ix_guardian_pause(guardian=signer.pubkey(), exchange=venue.exchange, level=level, seconds=seconds)
    venue.world.attempt("guardian_pause", instruction, [signer], rule, venue, role=signer)


@action(1.5, "clear_guardian_pause")
def clear_guardian_pause(venue: Venue) -> None:
    """Let the authority end the guardian's pause."""
    signer = venue.authority
    instruction = m.ix_clear_guardian_pause(authority=signer.pubkey(), exchange=venue.exchange)
    venue.world.attempt("clear_guardian_pause", instruction, [signer], venue.ledger.clear_guard, venue, role=signer)


@action(2, "set_params")
def params(venue: Venue) -> None:
    """Change the parameters within the limits; pending orders keep theirs."""
    world = venue.world
    chosen, ledger = founding.random_params(world), venue.ledger
    for name in founding.LIMITS:
        before = ledger.params[name]
        chosen[name] = world.rng.choice((before, before, before * 5 // 4, before * 2, 0, before // 2 + 50_000_000))

    def rule() -> None:
        grows = False
        for name in founding.LIMITS:
            before, after = ledger.params[name], chosen[name]
            if before and (after == 0 or after > before):
                need(0 < after <= before + before // 4, "the outflow grows too fast", "outflow")
                grows = True
        if grows:
            need(ledger.unix_s >= ledger.outflow_raised_unix + 86_400, "the outflow grew today", "outflow")
            ledger.outflow_raised_unix = ledger.unix_s
        ledger.params = chosen

    instruction = m.ix_set_params(
        authority=venue.authority.pubkey(), exchange=venue.exchange, params=m.ExchangeParams(**chosen)
    )
    world.attempt("set_params", instruction, [venue.authority], rule, venue, role=venue.authority)


@action(2, "release_insurance")
def release_insurance(venue: Venue) -> None:
    """Let the authority move insurance into the pool's cash, mostly no more than there is."""
    held, signer = venue.ledger.pool.insurance_e6, venue.authority
    amount = venue.world.rng.choice((held // 2, held, 1, held + 1))
    instruction = m.ix_release_insurance(
        authority=signer.pubkey(), exchange=venue.exchange, pool=venue.pool, lp_mint=venue.lp_mint, amount_e6=amount
    )
    rule = partial(settlement.release_insurance, venue.ledger, amount)
    venue.world.attempt("release_insurance", instruction, [signer], rule, venue, role=signer)


@action(1, "set_operator")
def set_operator(venue: Venue) -> None:
    """Give the operator's role to a new key, in market and oracle."""
    fresh = venue.world.wallet()

    def rule() -> None:
        venue.operator = fresh

    both = [
        m.ix_set_operator(authority=venue.authority.pubkey(), exchange=venue.exchange, operator=fresh.pubkey()),
        oracle.ix_set_operator(authority=venue.oracle_authority.pubkey(), config=venue.config, operator=fresh.pubkey()),
    ]
    signers = [venue.authority, venue.oracle_authority]
    venue.world.attempt("set_operator", both, signers, rule, venue, role=venue.authority)


@action(1, "revoke_operator")
def revoke_operator(venue: Venue) -> None:
    """Leave the exchange without an operator, see that it may do nothing, and appoint another."""
    gone, signer = venue.operator, venue.authority
    nobody: Keypair | None = None

    def rule() -> None:
        venue.operator = nobody  # type: ignore[assignment]

    instruction = m.ix_revoke_operator(authority=signer.pubkey(), exchange=venue.exchange)
    venue.world.attempt("revoke_operator", instruction, [signer], rule, venue, role=signer)

    def never() -> None:
        need(False, "the operator is revoked", "signer")

    tighten = m.ix_set_pause(signer=gone.pubkey(), exchange=venue.exchange, level=3)
    venue.world.attempt("set_pause by a revoked operator", tighten, [gone], never, venue)
    set_operator(venue)


@action(1, "set_guardian")
def set_guardian(venue: Venue) -> None:
    """Appoint a guardian."""
    fresh, signer = venue.world.wallet(), venue.authority

    def rule() -> None:
        venue.guardian = fresh

    instruction = m.ix_set_guardian(authority=signer.pubkey(), exchange=venue.exchange, guardian=fresh.pubkey())
    venue.world.attempt("set_guardian", instruction, [signer], rule, venue, role=signer)


@action(1, "revoke_guardian")
def revoke_guardian(venue: Venue) -> None:
    """Leave the exchange without a guardian; mostly another follows."""
    signer = venue.authority

    def rule() -> None:
        venue.guardian = None

    instruction = m.ix_revoke_guardian(authority=signer.pubkey(), exchange=venue.exchange)
    venue.world.attempt("revoke_guardian", instruction, [signer], rule, venue, role=signer)
    if venue.world.rng.random() < 0.7:
        set_guardian(venue)


@action(2, "propose_authority", "accept_authority")
def authority(venue: Venue) -> None:
    """Offer the authority to another key, which mostly accepts."""
    world, successor, signer = venue.world, venue.world.wallet(), venue.authority

    def offer() -> None:
        venue.pending_authority = successor

    proposal = m.ix_propose_authority(authority=signer.pubkey(), exchange=venue.exchange, successor=successor.pubkey())
    world.attempt("propose_authority", proposal, [signer], offer, venue, role=signer)
    taker = world.rng.choice((successor, successor, successor, world.wallet()))

    def take() -> None:
        need(taker == venue.pending_authority, "not the successor", "signer")
        venue.authority, venue.pending_authority = successor, None

    acceptance = m.ix_accept_authority(pending_authority=taker.pubkey(), exchange=venue.exchange)
    world.attempt("accept_authority", acceptance, [taker], take, venue, role=taker)


# --- disputes ------------------------------------------------------------------------------------------------------


@action(2, "challenge_window")
def challenge(venue: Venue) -> None:
    """Doubt any window's settlement."""
    challenge_window(venue, venue.world.rng.choice(list(venue.ledger.windows)))


def challenge_window(venue: Venue, key: Pubkey) -> None:
    """Doubt a window's settlement with a bond."""
    who, world = anyone(venue), venue.world
    instruction = m.ix_challenge_window(
        challenger=who.key.pubkey(),
        exchange=venue.exchange,
        pool=venue.pool,
        window=key,
        vault=venue.ledger.vault,
        source=who.tokens,
    )

    def rule() -> dict[str, int]:
        return settlement.challenge(venue.ledger, key, who.key.pubkey(), who.tokens, world.now())

    world.attempt("challenge_window", instruction, [who.key], rule, venue)


@action(0.5, "void_window")
def void(venue: Venue) -> None:
    """Try to void any window."""
    void_window(venue, venue.world.rng.choice(list(venue.ledger.windows)))


def void_window(venue: Venue, key: Pubkey) -> None:
    """Undo a settlement: guardian and authority may, inside the dispute time."""
    world = venue.world
    signer = world.rng.choice((venue.authority, venue.guardian or venue.authority))

    def rule() -> dict[str, int]:
        said = settlement.void(venue.ledger, key, world.now())
        for position in list(venue.payouts):
            if venue.ledger.positions[position].window == key:
                del venue.payouts[position]  # what was known at the settlement holds no more
        return said

    instruction = m.ix_void_window(signer=signer.pubkey(), exchange=venue.exchange, window=key)
    world.attempt("void_window", instruction, [signer], rule, venue, role=signer)


@action(1, "resolve_challenge")
def resolve(venue: Venue) -> None:
    """Try to resolve any window's challenge, sometimes into somebody else's pocket."""
    resolve_challenge(venue, venue.world.rng.choice(list(venue.ledger.windows)))


def resolve_challenge(venue: Venue, key: Pubkey, *, honest: float = 0.85) -> None:
    """Return a challenge's bond, or give it to the insurance; sometimes try it twice."""
    world, ledger = venue.world, venue.ledger
    owner = next((who for who in venue.people if who.key.pubkey() == ledger.windows[key].challenger), None)
    target = owner if owner and world.rng.random() < honest else anyone(venue)
    instruction = m.ix_resolve_challenge(
        exchange=venue.exchange, pool=venue.pool, window=key, vault=ledger.vault, destination=target.tokens
    )

    def rule() -> dict[str, int]:
        return settlement.resolve(ledger, key, target.tokens, target.key.pubkey(), world.now())

    for name in ("resolve_challenge", "resolve_challenge again")[: 1 + (world.rng.random() < 0.1)]:
        world.attempt(name, instruction, [], rule, venue)
