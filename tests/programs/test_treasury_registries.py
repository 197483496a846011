"""The treasury over the oracle's registries: taken away at once, named only after 48 hours."""

from __future__ import annotations

from solders.pubkey import Pubkey

from chain.clients import oracle
from chain.clients.treasury import ErrorCode
from tests.programs.treasury_kit import TreasuryKit, padded, rejected


def test_the_oracles_operator_publishers_and_methodologies_are_taken_away_at_once_and_named_after_48_hours() -> None:
    kit = TreasuryKit.make()
    creator, payer = kit.chain.wallet(), kit.chain.payer.pubkey()
    kit.chain.send(
        oracle.ix_init_config(creator=creator.pubkey(), authority=kit.executor, operator=creator.pubkey()), creator
    )
    config, spec = oracle.pda_config(creator.pubkey())[0], b"m" * 32
    add_set = oracle.ix_register_publisher_set(
        authority=kit.executor,
        payer=payer,
        config=config,
        set_id=0,
        publishers=padded([creator.pubkey()]),
        n_publishers=1,
        min_publishers=1,
    )
    add_spec = oracle.ix_register_methodology(
        authority=kit.executor, payer=payer, config=config, hash=spec, name=b"x".ljust(32, b"\0")
    )
    for inner in (add_set, add_spec):
        with rejected(ErrorCode.NOT_TIGHTENING):
            kit.propose(inner, 0)
        kit.run(inner)
    publisher_set, methodology = oracle.pda_publisher_set(config, 0)[0], oracle.pda_methodology(config, spec)[0]
    before = [kit.chain.data(key) for key in (publisher_set, methodology)]
    role = {"authority": kit.executor, "config": config}
    kit.at_once(oracle.ix_retire_publisher_set(publisher_set=publisher_set, **role))
    kit.at_once(oracle.ix_retire_methodology(methodology=methodology, **role))
    kit.at_once(oracle.ix_revoke_operator(**role))
    assert oracle.Config.from_account(kit.chain.data(config)).operator == Pubkey.default()
    sets = [oracle.PublisherSet.from_account(data).status for data in (before[0], kit.chain.data(publisher_set))]
    specs = [oracle.Methodology.from_account(data).status for data in (before[1], kit.chain.data(methodology))]
    assert sets == specs == [0, 1]
