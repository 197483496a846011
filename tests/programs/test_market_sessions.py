"""Who may trade: delegates with a session, attested owners, and how often."""

from __future__ import annotations

from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as m
from tests.programs.market_base import LIMIT
from tests.programs.market_books import check
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT, USDC, Trader, events
from tests.programs.market_scene import FILLED, Scene

E = m.ErrorCode


@pytest.fixture
def scene() -> Scene:
    return Scene.make()


def by(scene: Scene, key: Keypair, session: Pubkey | None, qty: float = 1, side: int = LONG, **changes: Any) -> int:
    """Place an order of Ann's margin account signed and paid by another key; return its client id."""
    venue, ann = scene.venue, scene.ann
    venue.chain.clock(venue.chain.unix_s)
    fields = {"owner": key.pubkey(), "payer": key.pubkey(), "session": session} | changes
    venue.chain.send(venue.ix_submit(ann, scene.window, side, qty, **fields), key)
    client_id = ann.next_id
    venue.orders.add(pda.order(ann.margin, client_id))
    ann.next_id += 1
    return client_id


def get(scene: Scene, session: Pubkey) -> m.Session:
    """Return a session account."""
    return m.Session.from_account(scene.venue.chain.data(session))


def revoke(scene: Scene, session: Pubkey, key: Keypair) -> m.SessionChanged:
    """Revoke a session."""
    ix = m.ix_revoke_session(signer=key.pubkey(), session=session, rent_payer=get(scene, session).rent_payer)
    event: m.SessionChanged = events(scene.venue.chain.send(ix, key))[0]
    return event


def test_a_delegate_trades_within_its_session_and_pays_its_own_fees(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    session = venue.session(scene.ann, bot.pubkey())
    order = by(scene, bot, session)
    account = m.Order.from_account(venue.chain.data(pda.order(scene.ann.margin, order)))
    assert (account.owner, account.rent_payer) == (scene.ann.key.pubkey(), bot.pubkey())
    venue.tick(17)
    assert venue.crank(scene.ann, order).reason == FILLED
    assert get(scene, session).spent_e6 == 15 * USDC + 50_000
    closing = by(scene, bot, session, side=SHORT, flags=REDUCE_ONLY)
    venue.tick(24)
    assert venue.crank(scene.ann, closing).closed_e6 == USDC
    check(venue)


def test_a_delegate_places_and_cancels_orders_that_rest(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    session = venue.session(scene.ann, bot.pubkey())
    order = by(scene, bot, session, kind=LIMIT, limit_e6=40_000_000)
    scene.refused(E.WRONG_OWNER, lambda: venue.chain.send(venue.ix_cancel(scene.ann, order, bot.pubkey()), bot))
    venue.chain.send(venue.ix_cancel(scene.ann, order, bot.pubkey(), session), bot)
    assert m.Order.from_account(venue.chain.data(pda.order(scene.ann.margin, order))).cancelled == 1


def test_a_delegate_without_a_session_or_with_a_wrong_one_is_refused(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    scene.refused(E.WRONG_OWNER, lambda: by(scene, bot, None))
    bobs = venue.session(scene.bob, bot.pubkey())
    scene.refused(E.BAD_SESSION, lambda: by(scene, bot, bobs))
    others = venue.session(scene.ann, Pubkey.new_unique())
    scene.refused(E.BAD_SESSION, lambda: by(scene, bot, others))


def test_a_session_ends_by_itself(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    session = venue.session(scene.ann, bot.pubkey(), seconds=60)
    venue.tick(69)
    by(scene, bot, session)
    venue.tick(70)
    scene.refused(E.BAD_SESSION, lambda: by(scene, bot, session))


def test_a_session_limits_each_order_and_all_of_them_together(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    session = scene.venue.session(scene.ann, bot.pubkey(), qty=2, budget=46)
    scene.refused(E.SESSION_LIMIT, lambda: by(scene, bot, session, 2.000001))
    by(scene, bot, session, 2)
    by(scene, bot, session, 1)
    assert get(scene, session).spent_e6 == 45 * USDC + 150_000
    scene.refused(E.SESSION_LIMIT, lambda: by(scene, bot, session, 0.1))
    by(scene, scene.ann.key, None, 5)  # the owner is not bound by it


def test_a_delegate_can_never_withdraw(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    venue.session(scene.ann, bot.pubkey())
    thief = Trader(bot, scene.bob.tokens, scene.bob.shares, scene.ann.margin)
    scene.refused(E.WRONG_OWNER, lambda: venue.withdraw(thief, 1))


def test_owner_and_delegate_revoke_at_once_and_anybody_after_the_end(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    stranger = venue.chain.wallet()
    for key in (scene.ann.key, bot):
        session = venue.session(scene.ann, bot.pubkey())
        scene.refused(E.SESSION_RUNNING, lambda s=session: revoke(scene, s, stranger))  # type: ignore[misc]
        assert revoke(scene, session, key).active == 0
        assert not venue.chain.svm.get_account(session)
    session = venue.session(scene.ann, bot.pubkey(), seconds=60)
    rent = venue.chain.account(session).lamports
    before = venue.chain.account(venue.chain.payer.pubkey()).lamports
    venue.at(70)
    revoke(scene, session, stranger)
    fees = 2 * 5_000
    assert venue.chain.account(venue.chain.payer.pubkey()).lamports == before + rent - fees


def test_a_revoked_session_cannot_be_used_and_its_orders_live_on(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    session = venue.session(scene.ann, bot.pubkey())
    order = by(scene, bot, session)
    revoke(scene, session, scene.ann.key)
    with pytest.raises(Exception, match="AccountNotInitialized|InstructionError"):
        by(scene, bot, session)
    venue.tick(17)
    assert venue.crank(scene.ann, order).reason == FILLED


@pytest.mark.parametrize(
    "changes", [{"seconds": 0}, {"seconds": 30 * 86_400 + 1}, {"qty": 0.009999}, {"budget": 0}], ids=str
)
def test_a_session_without_bounds_is_refused(scene: Scene, changes: dict[str, Any]) -> None:
    bot = scene.venue.chain.wallet()
    scene.refused(E.BAD_PARAMETER, lambda: scene.venue.session(scene.ann, bot.pubkey(), **changes))


def test_only_the_owner_creates_a_session(scene: Scene) -> None:
    bot = scene.venue.chain.wallet()
    venue = scene.venue
    ix = m.ix_create_session(
        owner=bot.pubkey(),
        payer=bot.pubkey(),
        delegate=bot.pubkey(),
        margin=scene.ann.margin,
        expires_unix=venue.chain.unix_s + 60,
        max_qty_e6=USDC,
        budget_e6=USDC,
    )
    scene.refused(E.WRONG_OWNER, lambda: venue.chain.send(ix, bot))


def test_owner_payer_delegate_and_revoker_may_be_one_key(scene: Scene) -> None:
    venue, key = scene.venue, scene.ann.key
    ix = m.ix_create_session(
        owner=key.pubkey(),
        payer=key.pubkey(),
        delegate=key.pubkey(),
        margin=scene.ann.margin,
        expires_unix=venue.chain.unix_s + 60,
        max_qty_e6=USDC,
        budget_e6=USDC,
    )
    venue.chain.send(ix, key)
    session = pda.session(scene.ann.margin, key.pubkey())
    by(scene, key, session)
    assert get(scene, session).spent_e6 == 0
    revoke(scene, session, key)


# --- attestations --------------------------------------------------------------------------------------------------


def test_where_an_attestor_is_set_only_attested_owners_open(scene: Scene) -> None:
    venue, ann = scene.venue, scene.ann
    attestor = venue.chain.wallet()
    assert venue.trade(scene.bob, scene.window, LONG, 1).reason == FILLED
    venue.set_attestor(attestor.pubkey())
    scene.refused(E.NOT_ELIGIBLE, lambda: venue.submit(ann, scene.window, LONG, 1))
    mine = venue.attest(attestor, ann.key.pubkey(), 60)
    venue.submit(ann, scene.window, LONG, 1, attestation=mine)
    scene.refused(E.NOT_ELIGIBLE, lambda: venue.submit(scene.bob, scene.window, LONG, 1, attestation=mine))
    venue.tick(100)
    scene.refused(E.NOT_ELIGIBLE, lambda: venue.submit(ann, scene.window, LONG, 1, attestation=mine))
    venue.attest(attestor, ann.key.pubkey())
    venue.submit(ann, scene.window, LONG, 1, attestation=mine)
    closing = venue.submit(scene.bob, scene.window, SHORT, 1, flags=REDUCE_ONLY)  # closing needs none
    venue.tick(107)
    assert venue.crank(scene.bob, closing).reason == FILLED
    check(venue)


def test_a_new_attestor_starts_with_nobody_attested_and_none_lifts_the_rule(scene: Scene) -> None:
    venue, ann = scene.venue, scene.ann
    first, second = venue.chain.wallet(), venue.chain.wallet()
    venue.set_attestor(first.pubkey())
    mine = venue.attest(first, ann.key.pubkey())
    venue.set_attestor(second.pubkey())
    scene.refused(E.NOT_ELIGIBLE, lambda: venue.submit(ann, scene.window, LONG, 1, attestation=mine))
    venue.attest(second, ann.key.pubkey())
    venue.submit(ann, scene.window, LONG, 1, attestation=mine)
    venue.set_attestor(Pubkey.default())
    venue.submit(ann, scene.window, LONG, 1)


def test_only_the_attestor_attests_and_revokes(scene: Scene) -> None:
    venue, ann = scene.venue, scene.ann
    attestor, stranger = venue.chain.wallet(), venue.chain.wallet()
    venue.set_attestor(attestor.pubkey())
    scene.refused(E.NOT_ATTESTOR, lambda: venue.attest(stranger, ann.key.pubkey()))
    scene.refused(E.BAD_PARAMETER, lambda: venue.attest(attestor, ann.key.pubkey(), 0))
    mine = venue.attest(attestor, ann.key.pubkey())

    def take_back(key: Keypair) -> m.AttestationChanged:
        ix = m.ix_revoke_attestation(
            attestor=key.pubkey(),
            exchange=venue.exchange,
            attestation=mine,
            rent_payer=venue.chain.payer.pubkey(),
        )
        event: m.AttestationChanged = events(venue.chain.send(ix, key))[0]
        return event

    scene.refused(E.NOT_ATTESTOR, lambda: take_back(stranger))
    assert take_back(attestor).expires_unix == 0
    assert not venue.chain.svm.get_account(mine)
    scene.refused(E.NOT_ELIGIBLE, lambda: venue.submit(ann, scene.window, LONG, 1))


def test_only_the_authority_sets_the_attestor(scene: Scene) -> None:
    venue = scene.venue
    ix = m.ix_set_attestor(authority=venue.operator.pubkey(), exchange=venue.exchange, attestor=venue.operator.pubkey())
    scene.refused(E.NOT_AUTHORITY, lambda: venue.chain.send(ix, venue.operator))


def test_an_attestor_may_attest_and_pay_for_itself(scene: Scene) -> None:
    venue, key = scene.venue, scene.ann.key
    venue.set_attestor(key.pubkey())
    ix = m.ix_attest(
        attestor=key.pubkey(),
        payer=key.pubkey(),
        owner=key.pubkey(),
        exchange=venue.exchange,
        expires_unix=venue.chain.unix_s + 60,
    )
    venue.chain.send(ix, key)
    mine = pda.attestation(venue.exchange, key.pubkey())
    ix = m.ix_revoke_attestation(
        attestor=key.pubkey(), exchange=venue.exchange, attestation=mine, rent_payer=key.pubkey()
    )
    venue.chain.send(ix, key)


# --- rate ----------------------------------------------------------------------------------------------------------


def test_orders_a_minute_are_limited_per_margin_account() -> None:
    scene = Scene.make(orders_per_minute=2)
    venue = scene.venue
    for _ in range(2):
        venue.submit(scene.ann, scene.window, LONG, 1)
    scene.refused(E.RATE_LIMITED, lambda: venue.submit(scene.ann, scene.window, LONG, 1))
    venue.submit(scene.bob, scene.window, LONG, 1)
    venue.tick(69)
    scene.refused(E.RATE_LIMITED, lambda: venue.submit(scene.ann, scene.window, LONG, 1))
    venue.tick(70)
    venue.submit(scene.ann, scene.window, LONG, 1)
    assert venue.get_margin(scene.ann).rate_count == 1
