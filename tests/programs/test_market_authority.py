"""Who may do what on an exchange: authority in two steps, operator, guardian, and limits that only grow slowly."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.clients import market as m
from chain.clients.market import ErrorCode
from tests.programs.market_kit import USDC
from tests.programs.market_scene import Scene
from tests.programs.svm import Rejected
from tests.programs.test_market_dispute import appoint_guardian

ACTIVE, REDUCE, NO_NEW, HALTED = range(4)
HOUR, DAY = 3_600, 86_400
REST = 72 * HOUR
NOBODY = Pubkey.default()


@pytest.fixture
def scene() -> Scene:
    scene = Scene.make()
    appoint_guardian(scene.venue)
    return scene


def exchange(scene: Scene) -> m.Exchange:
    return m.Exchange.from_account(scene.venue.chain.data(scene.venue.exchange))


def wait(scene: Scene, seconds: int) -> None:
    scene.venue.chain.clock(scene.venue.chain.unix_s + seconds)


def pause(scene: Scene, level: int, seconds: int = HOUR, key: Keypair | None = None) -> None:
    signer = key or scene.venue.guardian
    ix = m.ix_guardian_pause(guardian=signer.pubkey(), exchange=scene.venue.exchange, level=level, seconds=seconds)
    scene.venue.chain.send(ix, signer)


def clear(scene: Scene, key: Keypair | None = None) -> None:
    signer = key or scene.venue.authority
    ix = m.ix_clear_guardian_pause(authority=signer.pubkey(), exchange=scene.venue.exchange)
    scene.venue.chain.send(ix, signer)


def can_trade(scene: Scene) -> bool:
    """Whether an order that opens would be taken now."""
    try:
        scene.venue.submit(scene.ann, scene.window, 0, 1)
    except Rejected as error:
        if error.code != ErrorCode.PAUSED:
            raise
        return False
    return True


def test_a_guardians_pause_ends_by_itself(scene: Scene) -> None:
    assert can_trade(scene)
    pause(scene, REDUCE, HOUR)
    assert not can_trade(scene)
    wait(scene, HOUR - 1)
    assert not can_trade(scene)
    wait(scene, 1)
    assert can_trade(scene)


def test_a_guardian_may_only_tighten_a_running_pause_to_the_same_end(scene: Scene) -> None:
    pause(scene, REDUCE, HOUR)
    until = exchange(scene).guardian_until_unix
    wait(scene, 60)
    scene.refused(ErrorCode.ONLY_TIGHTEN, lambda: pause(scene, REDUCE, REST))
    pause(scene, HALTED, REST)
    assert exchange(scene).guardian_until_unix == until
    wait(scene, HOUR)
    assert can_trade(scene)


def test_a_guardian_alone_cannot_stop_the_exchange_for_good(scene: Scene) -> None:
    pause(scene, HALTED, REST)
    wait(scene, REST + REST - 1)
    scene.refused(ErrorCode.GUARDIAN_RESTS, lambda: pause(scene, HALTED))
    wait(scene, 1)
    pause(scene, HALTED)


def test_the_authority_ends_a_guardians_pause_and_its_own_stays(scene: Scene) -> None:
    venue = scene.venue
    venue.pause(REDUCE)
    pause(scene, HALTED)
    clear(scene)
    assert not can_trade(scene)
    venue.pause(ACTIVE)
    assert can_trade(scene)
    scene.refused(ErrorCode.GUARDIAN_RESTS, lambda: pause(scene, HALTED))


@pytest.mark.parametrize(("level", "seconds"), [(ACTIVE, HOUR), (HALTED + 1, HOUR), (HALTED, 0), (HALTED, REST + 1)])
def test_a_pause_out_of_range_is_refused(scene: Scene, level: int, seconds: int) -> None:
    scene.refused(ErrorCode.BAD_PARAMETER, lambda: pause(scene, level, seconds))


def test_only_the_guardian_pauses_this_way_and_only_the_authority_clears(scene: Scene) -> None:
    for key in (scene.ann.key, scene.venue.operator, scene.venue.authority):
        scene.refused(ErrorCode.NOT_GUARDIAN, lambda k=key: pause(scene, HALTED, key=k))  # type: ignore[misc]
    for key in (scene.ann.key, scene.venue.guardian):
        scene.refused(ErrorCode.NOT_AUTHORITY, lambda k=key: clear(scene, k))  # type: ignore[misc]


def test_the_authority_changes_hands_only_when_the_successor_accepts(scene: Scene) -> None:
    venue, successor = scene.venue, scene.venue.chain.wallet()
    address = venue.exchange

    def accept(key: Keypair) -> None:
        venue.chain.send(m.ix_accept_authority(pending_authority=key.pubkey(), exchange=address), key)

    def propose(key: Keypair, to: Pubkey) -> None:
        venue.chain.send(m.ix_propose_authority(authority=key.pubkey(), exchange=address, successor=to), key)

    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: propose(scene.ann.key, scene.ann.key.pubkey()))
    propose(venue.authority, successor.pubkey())
    assert exchange(scene).authority == venue.authority.pubkey()
    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: accept(scene.ann.key))
    propose(venue.authority, NOBODY)
    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: accept(successor))
    propose(venue.authority, successor.pubkey())
    accept(successor)
    assert (exchange(scene).authority, exchange(scene).pending_authority) == (successor.pubkey(), NOBODY)
    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: propose(venue.authority, NOBODY))
    scene.refused(ErrorCode.NOT_AUTHORITY, lambda: accept(successor))


def test_roles_are_given_and_revoked_by_the_authority_alone(scene: Scene) -> None:
    venue, address = scene.venue, scene.venue.exchange
    key = venue.chain.wallet().pubkey()
    by = venue.authority.pubkey()
    for role, instruction in [
        ("operator", m.ix_set_operator(authority=by, exchange=address, operator=key)),
        ("guardian", m.ix_set_guardian(authority=by, exchange=address, guardian=key)),
    ]:
        venue.chain.send(instruction, venue.authority)
        assert getattr(exchange(scene), role) == key
    venue.chain.send(m.ix_revoke_operator(authority=by, exchange=address), venue.authority)
    venue.chain.send(m.ix_revoke_guardian(authority=by, exchange=address), venue.authority)
    assert (exchange(scene).operator, exchange(scene).guardian) == (NOBODY, NOBODY)
    other = scene.ann.key
    for instruction in (
        m.ix_set_guardian(authority=other.pubkey(), exchange=address, guardian=other.pubkey()),
        m.ix_revoke_operator(authority=other.pubkey(), exchange=address),
        m.ix_revoke_guardian(authority=other.pubkey(), exchange=address),
    ):
        scene.refused(ErrorCode.NOT_AUTHORITY, lambda ix=instruction: venue.chain.send(ix, other))  # type: ignore[misc]


def test_outflow_limits_grow_by_a_quarter_a_day_and_are_not_lifted(scene: Scene) -> None:
    venue = scene.venue
    venue.set_params(outflow_hour_e6=100 * USDC, outflow_day_e6=400 * USDC)
    for hour, day in ((126, 400), (100, 501), (0, 400), (100, 0)):
        changes = {"outflow_hour_e6": hour * USDC, "outflow_day_e6": day * USDC}
        scene.refused(ErrorCode.OUTFLOW_GROWTH, lambda c=changes: venue.set_params(**c))  # type: ignore[misc]
    venue.set_params(outflow_hour_e6=125 * USDC, outflow_day_e6=500 * USDC)
    more = {"outflow_hour_e6": 126 * USDC, "outflow_day_e6": 500 * USDC}
    wait(scene, DAY - 1)
    scene.refused(ErrorCode.OUTFLOW_GROWTH, lambda: venue.set_params(**more))
    wait(scene, 1)
    venue.set_params(**more)
    venue.set_params(outflow_hour_e6=1, outflow_day_e6=1)


@pytest.mark.parametrize(
    "bad",
    [
        {"borrow_kink_bps": 10_001},
        {"borrow_kink_e12": 2, "borrow_max_e12": 1},
        {"borrow_max_e12": 27_777_779},
        {"dispute_ms": 172_800_001},
        {"challenge_ms": 172_800_001, "challenge_bond_e6": USDC},
        {"challenge_ms": 1, "challenge_bond_e6": USDC - 1},
        {"challenge_ms": 1, "challenge_bond_e6": 0},
        {"lp_cooldown_s": 1},
        {"lp_cooldown_s": 86_399},
        {"lp_cooldown_s": 604_801},
    ],
)
def test_parameters_beyond_the_limits_in_the_code_are_refused(scene: Scene, bad: dict[str, int]) -> None:
    scene.refused(ErrorCode.BAD_PARAMETER, lambda: scene.venue.set_params(**bad))
