"""One valid transaction for every instruction of the oracle that concerns a config or a feed."""

from __future__ import annotations

from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import oracle
from tests.programs.negative.world import Case, scene
from tests.programs.oracle_kit import FeedKit, quote
from tests.programs.svm import Chain
from tests.programs.test_oracle_bonds import NEXT, bonded, ix_list
from tests.programs.test_oracle_feed_end import ix_close, ix_finalise, ix_hold
from tests.programs.test_oracle_registry import FIRST_CONFIG_BYTES


@scene("oracle.init_config")
def init_config() -> Case:
    """Create a config."""
    chain = Chain()
    chain.load(oracle.PROGRAM_ID, "oracle")
    key, one, two = chain.wallet().pubkey(), chain.wallet().pubkey(), chain.wallet().pubkey()
    return Case(chain, oracle.ix_init_config(creator=key, authority=one, operator=two))


@scene("oracle.set_operator")
def set_operator() -> Case:
    """Name another operator."""
    kit, new = FeedKit.make(), Pubkey.new_unique()
    return Case(kit.chain, oracle.ix_set_operator(authority=kit.authority.pubkey(), config=kit.config, operator=new))


@scene("oracle.set_params")
def set_params() -> Case:
    """Ask for a bond."""
    kit = FeedKit.make()
    return Case(kit.chain, kit.ix_params(min_bond_lamports=1))


@scene("oracle.revoke_operator")
def revoke_operator() -> Case:
    """Leave the config without an operator."""
    kit = FeedKit.make()
    return Case(kit.chain, oracle.ix_revoke_operator(authority=kit.authority.pubkey(), config=kit.config))


def propose(kit: FeedKit, new: Pubkey) -> Instruction:
    """Return the offer of the authority."""
    return oracle.ix_propose_authority(authority=kit.authority.pubkey(), config=kit.config, new_authority=new)


@scene("oracle.propose_authority")
def propose_authority() -> Case:
    """Offer the authority to somebody."""
    kit = FeedKit.make()
    return Case(kit.chain, propose(kit, kit.chain.wallet().pubkey()))


@scene("oracle.accept_authority")
def accept_authority() -> Case:
    """Take the authority that was offered."""
    kit = FeedKit.make()
    new = kit.chain.wallet().pubkey()
    kit.chain.send(propose(kit, new), kit.authority)
    return Case(kit.chain, oracle.ix_accept_authority(pending_authority=new, config=kit.config))


@scene("oracle.migrate_config")
def migrate_config() -> Case:
    """Grow a config of the first version."""
    kit = FeedKit.make()
    full = kit.chain.account(kit.config)
    kit.chain.svm.set_account(kit.config, Account(full.lamports, full.data[:FIRST_CONFIG_BYTES], full.owner))
    return Case(kit.chain, oracle.ix_migrate_config(payer=kit.chain.wallet().pubkey(), config=kit.config))


@scene("oracle.create_feed")
def create_feed() -> Case:
    """List a second match on the bonds of three publishers; it grows in the next instruction."""
    kit = bonded()
    return Case(kit.chain, ix_list(kit, payer=kit.chain.wallet().pubkey())[0])


@scene("oracle.grow_feed")
def grow_feed() -> Case:
    """Grow a second feed that was created before."""
    kit = FeedKit.make()
    kit.chain.send(kit.ix_create(NEXT)[0], kit.operator)
    return Case(kit.chain, oracle.ix_grow_feed(payer=kit.chain.wallet().pubkey(), feed=pda.feed(kit.config, NEXT)))


@scene("oracle.push_quote")
def push_quote() -> Case:
    """Push the quote that completes the quorum."""
    kit = FeedKit.make()
    kit.push(0, quote(1))
    ix = oracle.ix_push_quote(publisher=kit.publishers[1].pubkey(), feed=kit.address, quote=quote(1))
    return Case(kit.chain, ix)


@scene("oracle.set_hold")
def set_hold() -> Case:
    """Suspend a feed by hand."""
    kit = FeedKit.make()
    return Case(kit.chain, ix_hold(kit, kit.operator, on=True))


@scene("oracle.finalise_feed")
def finalise_feed() -> Case:
    """Finalise a feed whose halves have ended."""
    kit = ended()
    return Case(kit.chain, ix_finalise(kit, kit.operator))


@scene("oracle.close_feed")
def close_feed() -> Case:
    """Close a final feed after its retention."""
    kit = ended()
    kit.chain.send(ix_finalise(kit, kit.operator), kit.operator)
    kit.wait(7 * 86_400)
    return Case(kit.chain, ix_close(kit))


def ended() -> FeedKit:
    """Return a feed whose second half is over."""
    kit = FeedKit.make()
    kit.tick(quote(1))
    kit.tick(quote(2, period=2, flags=4))
    return kit
