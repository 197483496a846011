"""One valid transaction for every instruction of the oracle that concerns registries, bonds and scores."""

from __future__ import annotations

from chain import pda
from chain.clients import oracle
from tests.programs.negative.world import Case, scene
from tests.programs.oracle_kit import METHODOLOGY, FeedKit
from tests.programs.test_oracle_bonds import SOL, WEEK_S, bonded, end, ix_release, ix_score, ix_slash, ix_withdraw

OTHER_METHOD = bytes(range(1, 33))


def registered() -> FeedKit:
    """Return a config with two publisher sets and two methodologies."""
    kit = FeedKit.make()
    kit.chain.send(kit.ix_register(2, kit.publishers[:1], 1), kit.authority)
    method = oracle.ix_register_methodology(
        authority=kit.authority.pubkey(),
        payer=kit.chain.payer.pubkey(),
        config=kit.config,
        hash=OTHER_METHOD,
        name=bytes(32),
    )
    kit.chain.send(method, kit.authority)
    return kit


@scene("oracle.register_publisher_set")
def register_publisher_set() -> Case:
    """Register a third set."""
    kit = registered()
    ix = oracle.ix_register_publisher_set(
        authority=kit.authority.pubkey(),
        payer=kit.chain.wallet().pubkey(),
        config=kit.config,
        set_id=3,
        publishers=tuple(kit.chain.wallet().pubkey() for _ in range(8)),
        n_publishers=8,
        min_publishers=7,
    )
    return Case(kit.chain, ix)


@scene("oracle.register_methodology")
def register_methodology() -> Case:
    """Register a third methodology."""
    kit = registered()
    ix = oracle.ix_register_methodology(
        authority=kit.authority.pubkey(),
        payer=kit.chain.wallet().pubkey(),
        config=kit.config,
        hash=bytes(32),
        name=bytes(32),
    )
    return Case(kit.chain, ix)


@scene("oracle.retire_publisher_set")
def retire_publisher_set() -> Case:
    """Retire a set."""
    kit = registered()
    ix = oracle.ix_retire_publisher_set(
        authority=kit.authority.pubkey(), config=kit.config, publisher_set=pda.publisher_set(kit.config, 1)
    )
    return Case(kit.chain, ix)


@scene("oracle.retire_methodology")
def retire_methodology() -> Case:
    """Retire a methodology."""
    kit = registered()
    ix = oracle.ix_retire_methodology(
        authority=kit.authority.pubkey(), config=kit.config, methodology=pda.methodology(kit.config, METHODOLOGY)
    )
    return Case(kit.chain, ix)


@scene("oracle.open_bond")
def open_bond() -> Case:
    """Open the bond account of a new publisher."""
    kit = bonded()
    ix = oracle.ix_open_bond(
        payer=kit.chain.wallet().pubkey(), publisher=kit.chain.wallet().pubkey(), config=kit.config
    )
    return Case(kit.chain, ix)


@scene("oracle.post_bond")
def post_bond() -> Case:
    """Book lamports that arrived in a bond account."""
    kit = bonded()
    paid, booked = kit.ix_post(0, SOL)
    kit.chain.send(paid, kit.publishers[0])
    return Case(kit.chain, booked)


@scene("oracle.request_bond_release")
def request_bond_release() -> Case:
    """Ask for a bond back."""
    kit = bonded()
    return Case(kit.chain, ix_release(kit, 0))


@scene("oracle.withdraw_bond")
def withdraw_bond() -> Case:
    """Take a bond back a week after the request."""
    kit = bonded()
    for who in range(3):
        kit.chain.send(ix_release(kit, who), kit.publishers[who])
    kit.wait(WEEK_S)
    return Case(kit.chain, ix_withdraw(kit, 0))


@scene("oracle.slash_bond")
def slash_bond() -> Case:
    """Take a part of a bond."""
    kit = bonded()
    kit.chain.svm.airdrop(kit.receiver, SOL)
    return Case(kit.chain, ix_slash(kit, 0, SOL // 4))


@scene("oracle.record_score")
def record_score() -> Case:
    """Book the score of a final feed."""
    kit = bonded()
    end(kit)
    return Case(kit.chain, ix_score(kit, 0))
