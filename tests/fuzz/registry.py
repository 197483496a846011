"""The oracle's powers at work: registries, holds, bonds and scores of publishers, its authority and operator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from chain import pda
from chain.clients import oracle
from oracle import listing
from tests.fuzz import founding
from tests.fuzz.feeds import Feedhouse
from tests.fuzz.ledger.books import Bond
from tests.fuzz.ledger.rules import need
from tests.fuzz.stage import action
from tests.fuzz.venue import Venue

COOLDOWN_S = 7 * 86_400


@action(1.5, "oracle.set_hold")
def hold(venue: Venue) -> None:
    """Let operator or authority hold a feed suspended, or lift the hold."""
    rng = venue.world.rng
    house = rng.choice(list(venue.feeds.values()))
    on, signer = rng.random() < 0.5, rng.choice((venue.operator, venue.oracle_authority))

    def rule() -> None:
        need(not house.closed and not house.twin.final, "final")
        house.twin.hold = on

    instruction = oracle.ix_set_hold(signer=signer.pubkey(), config=venue.config, feed=house.address, on=on)
    venue.world.attempt("set_hold", instruction, [signer], rule, venue, role=signer)


@action(
    0.8,
    "oracle.register_publisher_set",
    "oracle.register_methodology",
    "oracle.retire_publisher_set",
    "oracle.retire_methodology",
)
def registries(venue: Venue) -> None:
    """Register a set and a methodology, retire one of them at least, and see that nothing is listed with them."""
    world, signer = venue.world, venue.oracle_authority
    venue.sets += 1
    number, spec = venue.sets, world.rng.randbytes(32)
    register = listing.register(
        authority=signer.pubkey(),
        payer=world.chain.payer.pubkey(),
        config=venue.config,
        set_id=number,
        publishers=[world.address() for _ in range(world.rng.randint(1, 8))],
        min_publishers=1,
        methodology=spec,
        name="other",
    )
    world.attempt("register", register, [signer], founding.no_rule, venue, role=signer)
    keys: dict[str, Any] = {"authority": signer.pubkey(), "config": venue.config}
    retire = [
        oracle.ix_retire_publisher_set(**keys, publisher_set=pda.publisher_set(venue.config, number)),
        oracle.ix_retire_methodology(**keys, methodology=pda.methodology(venue.config, spec)),
    ]
    world.rng.shuffle(retire)
    for instruction in retire[: world.rng.randint(1, 2)]:
        world.attempt("retire", instruction, [signer], founding.no_rule, venue, role=signer)

    def never() -> None:
        need(False, "set or methodology are retired", "registry")

    listed = listing.list_feed(
        operator=venue.operator.pubkey(),
        payer=world.chain.payer.pubkey(),
        rent_receiver=venue.creator.pubkey(),
        config=venue.config,
        set_id=number,
        methodology=spec,
        match_id=world.rng.randbytes(32),
        start_unix_ms=world.chain.unix_s * 1000,
    )
    world.attempt("create_feed with what is retired", listed, [venue.operator], never, venue)


@action(1, "oracle.propose_authority", "oracle.accept_authority")
def authority(venue: Venue) -> None:
    """Hand the oracle's authority over in two steps."""
    world, signer, successor = venue.world, venue.oracle_authority, venue.world.wallet()
    offer = oracle.ix_propose_authority(
        authority=signer.pubkey(), config=venue.config, new_authority=successor.pubkey()
    )
    world.attempt("oracle propose_authority", offer, [signer], founding.no_rule, venue, role=signer)
    taker = world.rng.choice((successor, successor, world.wallet()))

    def take() -> None:
        need(taker == successor, "not the successor", "signer")
        venue.oracle_authority = successor

    accept = oracle.ix_accept_authority(pending_authority=taker.pubkey(), config=venue.config)
    world.attempt("oracle accept_authority", accept, [taker], take, venue, role=taker)


@action(0.8, "oracle.revoke_operator")
def revoke_operator(venue: Venue) -> None:
    """Leave the oracle without an operator, see that it may do nothing, and appoint it again."""
    world, signer, gone = venue.world, venue.oracle_authority, venue.operator
    revoke = oracle.ix_revoke_operator(authority=signer.pubkey(), config=venue.config)
    world.attempt("oracle revoke_operator", revoke, [signer], founding.no_rule, venue, role=signer)
    house = world.rng.choice(list(venue.feeds.values()))

    def never() -> None:
        need(False, "the operator is revoked", "signer")

    held = oracle.ix_set_hold(signer=gone.pubkey(), config=venue.config, feed=house.address, on=True)
    world.attempt("set_hold by a revoked operator", held, [gone], never, venue)
    again = oracle.ix_set_operator(authority=signer.pubkey(), config=venue.config, operator=gone.pubkey())
    world.attempt("oracle set_operator", again, [signer], founding.no_rule, venue, role=signer)


# --- bonds ---------------------------------------------------------------------------------------------------------


def bond_of(venue: Venue, publisher: Keypair) -> Pubkey:
    """Return the address of a publisher's bond account."""
    return pda.bond(venue.config, publisher.pubkey())


@action(8, "oracle.open_bond", "oracle.post_bond", "oracle.request_bond_release", "oracle.slash_bond")
def bonds(venue: Venue) -> None:
    """Open, fill, slash or ask back a publisher's bond."""
    world, rng = venue.world, venue.world.rng
    publisher = rng.choice(venue.publishers)
    key, ledger = bond_of(venue, publisher), venue.ledger
    if key not in ledger.bonds:

        def opened() -> None:
            ledger.bonds[key] = Bond(publisher.pubkey())

        instruction = oracle.ix_open_bond(
            payer=world.chain.payer.pubkey(), publisher=publisher.pubkey(), config=venue.config
        )
        world.attempt("open_bond", instruction, [], opened, venue)
        return
    book = ledger.bonds[key]
    lamports = rng.randint(1, 10**9)
    what = rng.choice(("post", "post", "slash", "slash", "release", "withdraw"))
    if what == "post":
        short = rng.random() < 0.15  # booked, but not paid

        def posted() -> None:
            need(not short, "not funded", "bond")
            book.lamports += lamports
            book.release_unix_s = 0

        pay = TransferParams(
            from_pubkey=publisher.pubkey(), to_pubkey=key, lamports=lamports - 1 if short else lamports
        )
        post = oracle.ix_post_bond(publisher=publisher.pubkey(), bond=key, lamports=lamports)
        world.attempt("post_bond", [transfer(pay), post], [publisher], posted, venue)
    elif what == "slash":
        taken = rng.choice((book.lamports, book.lamports // 3, book.lamports + 1))

        def slashed() -> None:
            need(taken <= book.lamports, "more than the bond", "bond")
            book.lamports -= taken
            book.slashed_lamports += taken

        signer = venue.oracle_authority
        instruction = oracle.ix_slash_bond(
            authority=signer.pubkey(),
            config=venue.config,
            bond=key,
            bond_receiver=venue.creator.pubkey(),
            lamports=taken,
        )
        world.attempt("slash_bond", instruction, [signer], slashed, venue, role=signer)
    elif what == "release":

        def asked() -> None:
            book.release_unix_s = world.chain.unix_s + COOLDOWN_S

        instruction = oracle.ix_request_bond_release(publisher=publisher.pubkey(), bond=key)
        world.attempt("request_bond_release", instruction, [publisher], asked, venue, role=publisher)
    else:
        withdraw_bond(venue, publisher)


def withdraw_bond(venue: Venue, publisher: Keypair) -> None:
    """Try to take a bond back."""
    world, key = venue.world, bond_of(venue, publisher)
    book = venue.ledger.bonds[key]

    def withdrawn() -> None:
        need(book.release_unix_s > 0, "no release", "bond")
        need(world.chain.unix_s >= book.release_unix_s, "cooling down", "bond")
        book.lamports = book.release_unix_s = 0

    instruction = oracle.ix_withdraw_bond(publisher=publisher.pubkey(), bond=key)
    world.attempt("withdraw_bond", instruction, [publisher], withdrawn, venue, role=publisher)


def record_scores(venue: Venue, house: Feedhouse) -> None:
    """Record the score of every bonded publisher of a final feed; sometimes try it twice."""
    world, ledger = venue.world, venue.ledger
    for number, publisher in enumerate(venue.publishers):
        key = bond_of(venue, publisher)
        if key not in ledger.bonds:
            continue
        book, recorded = ledger.bonds[key], house.recorded

        def rule(number: int = number, book: Bond = book, recorded: set[int] = recorded) -> None:
            need(house.twin.final, "not final")
            need(number not in recorded, "recorded already", "I4")
            recorded.add(number)
            score = house.twin.scores.get(number)
            book.feeds += 1
            book.due += len(house.twin.samples)
            if score is not None:
                for name in ("accepted", "late", "used", "scored", "deviation_e6"):
                    setattr(book, name, getattr(book, name) + getattr(score, name))

        instruction = oracle.ix_record_score(feed=house.address, bond=key)
        for name in ("record_score", "record_score again")[: 1 + (world.rng.random() < 0.2)]:
            world.attempt(name, instruction, [], rule, venue)


def take_bonds_back(venue: Venue) -> None:
    """Ask for every bond and take it a week later."""
    world, ledger = venue.world, venue.ledger
    bonded = [publisher for publisher in venue.publishers if bond_of(venue, publisher) in ledger.bonds]
    for publisher in bonded:
        book, key = ledger.bonds[bond_of(venue, publisher)], bond_of(venue, publisher)

        def asked(book: Bond = book) -> None:
            book.release_unix_s = world.chain.unix_s + COOLDOWN_S

        instruction = oracle.ix_request_bond_release(publisher=publisher.pubkey(), bond=key)
        world.attempt("request_bond_release", instruction, [publisher], asked, venue, role=publisher)
    if bonded:
        world.chain.clock(world.chain.unix_s + COOLDOWN_S)
    for publisher in bonded:
        before = replace(ledger.bonds[bond_of(venue, publisher)])
        withdraw_bond(venue, publisher)
        world.seen["lamports of bonds given back"] += before.lamports
