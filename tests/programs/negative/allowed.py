"""Substitutions that are accepted on purpose, each with the reason. `program.*` speaks of all its instructions.

Whoever adds an entry says who could lose what by it: nobody. An entry that nothing needs any more fails its test.
"""

from __future__ import annotations

from tests.programs.negative.substitute import DUPLICATE, KINDS, OTHER, OWNER, SIGNER, STRANGER, TYPE
from tests.programs.negative.world import base

ANY = frozenset(KINDS)
Allowed = dict[tuple[str, str], tuple[frozenset[str], str]]

PAYER = (frozenset({SIGNER, DUPLICATE}), "whoever signs may pay; owner and payer may be one key")
PAYER_ALONE = (frozenset({SIGNER}), "whoever signs may pay")
STORED = frozenset({STRANGER, DUPLICATE, OTHER, TYPE})
OWN_MONEY = (frozenset({OTHER}), "who signs for the money chooses where it goes")
MEMBER = (frozenset({SIGNER}), "every member may")

ALLOWED: Allowed = {
    ("market.*", "program"): (ANY, "never read: an event goes to the program's own id"),
    ("market.create_margin", "payer"): PAYER,
    ("market.create_market", "payer"): PAYER,
    ("market.crank_order", "cranker"): (frozenset({SIGNER, DUPLICATE}), "anybody may crank, the rent's payer too"),
    ("market.create_session", "payer"): PAYER,
    ("market.deposit_collateral", "margin"): (frozenset({OTHER}), "anybody may deposit for anybody of the exchange"),
    ("market.attest", "payer"): PAYER,
    ("market.cancel_order", "order"): (frozenset({OTHER}), "an owner may cancel any of his orders"),
    ("market.cancel_order (delegate)", "owner"): (frozenset({SIGNER}), "the owner may do what a delegate may"),
    ("market.cancel_request", "destination"): OWN_MONEY,
    ("market.cancel_request", "request"): (frozenset({OTHER}), "an owner may take back any of his requests"),
    ("market.execute_request", "destination"): (frozenset({OWNER}), "not paid then: the request holds the result"),
    ("market.execute_request", "executor"): (frozenset({SIGNER, DUPLICATE}), "anybody may, the rent's payer too"),
    ("market.execute_request", "request"): (frozenset({OTHER}), "any request that pays to the same account"),
    ("market.mark_window", "window"): (frozenset({OTHER}), "anybody may mark any window of the feed"),
    ("market.request_deposit", "destination"): OWN_MONEY,
    ("market.request_deposit", "payer"): PAYER,
    ("market.request_withdrawal", "destination"): OWN_MONEY,
    ("market.request_withdrawal", "payer"): PAYER,
    ("market.init_exchange", "authority"): (STORED, "only its address is stored: the creator's choice"),
    ("market.init_exchange", "operator"): (STORED, "only its address is stored: the creator's choice"),
    ("market.init_exchange", "oracle_config"): (frozenset({OTHER}), "the creator chooses whose feeds it trusts"),
    ("market.init_exchange", "payer"): PAYER,
    ("market.init_pool", "payer"): PAYER_ALONE,
    ("market.init_lp_escrow", "payer"): PAYER_ALONE,
    ("market.migrate_account", "account"): (frozenset({OTHER}), "anybody may grow any old account, at his own cost"),
    ("market.migrate_account", "payer"): PAYER_ALONE,
    ("market.open_custom_window", "payer"): PAYER,
    ("market.open_window", "payer"): PAYER,
    ("market.quote", "window"): (frozenset({OTHER}), "one may ask for the price of any window of the feed"),
    ("market.revoke_attestation", "attestation"): (frozenset({OTHER}), "the attestor may take back any of its own"),
    ("market.revoke_session", "session"): (frozenset({OTHER}), "an owner may end any of his sessions"),
    ("market.revoke_session", "signer"): (frozenset({SIGNER}), "the delegate may end its session too"),
    ("market.submit_order", "payer"): PAYER,
    ("market.submit_order (delegate)", "owner"): (frozenset({SIGNER}), "the owner may do what a delegate may"),
    ("market.void_window", "signer"): (frozenset({SIGNER}), "the authority may do it as well as the guardian"),
    ("market.withdraw_collateral", "destination"): OWN_MONEY,
    ("oracle.create_feed", "payer"): PAYER,
    ("oracle.create_feed", "rent_receiver"): (STORED, "only its address is stored: the operator's choice"),
    ("oracle.grow_feed", "feed"): (frozenset({OTHER}), "anybody may grow any feed, at his own cost"),
    ("oracle.grow_feed", "payer"): PAYER_ALONE,
    ("oracle.init_config", "authority"): (STORED - {TYPE}, "only its address is stored: the creator's choice"),
    ("oracle.push_quote", "publisher"): (frozenset({SIGNER}), "the feed's other publishers may quote too"),
    ("oracle.migrate_config", "config"): (frozenset({OTHER}), "anybody may migrate any config, at his own cost"),
    ("oracle.migrate_config", "payer"): PAYER_ALONE,
    ("oracle.open_bond", "payer"): PAYER,
    ("oracle.record_score", "bond"): (frozenset({OTHER}), "anybody may book the score of any publisher of the feed"),
    ("oracle.register_methodology", "payer"): PAYER,
    ("oracle.register_publisher_set", "payer"): PAYER,
    ("oracle.retire_methodology", "methodology"): (frozenset({OTHER}), "the authority may retire any of its own"),
    ("oracle.retire_publisher_set", "publisher_set"): (frozenset({OTHER}), "the authority may retire any of its own"),
    ("oracle.set_hold", "signer"): (frozenset({SIGNER}), "the authority may do it as well as the operator"),
    ("oracle.slash_bond", "bond"): (frozenset({OTHER}), "the authority may slash every publisher's bond"),
    ("treasury.add_spending_limit", "mint"): (
        frozenset({OTHER}),
        "the members vote for the mint",
    ),
    ("treasury.add_spending_limit", "payer"): PAYER_ALONE,
    ("treasury.approve", "member"): MEMBER,
    ("treasury.approve", "proposal"): (frozenset({OTHER}), "a member may approve every open proposal"),
    ("treasury.cancel_proposal", "proposal"): (frozenset({OTHER}), "a creator may cancel any of his proposals"),
    ("treasury.close_proposal", "proposal"): (
        frozenset({OTHER}),
        "all that expired may be closed for their payer",
    ),
    ("treasury.create_draft", "creator"): MEMBER,
    ("treasury.create_draft", "payer"): PAYER,
    ("treasury.create_proposal", "creator"): MEMBER,
    ("treasury.create_proposal", "payer"): PAYER,
    ("treasury.init_treasury", "mint"): (frozenset({OTHER}), "the creator chooses the mint of the fee vault"),
    ("treasury.init_treasury", "payer"): PAYER_ALONE,
    ("treasury.migrate_treasury", "payer"): PAYER_ALONE,
    ("treasury.migrate_treasury", "treasury"): (
        frozenset({OTHER}),
        "anybody may migrate any, at his own cost",
    ),
    ("treasury.reject", "member"): MEMBER,
    ("treasury.reject", "proposal"): (frozenset({OTHER}), "a member may vote against every open proposal"),
    ("treasury.use_spending_limit", "member"): (frozenset({SIGNER}), "the limit lists two members"),
}

INDEPENDENT: dict[str, tuple[frozenset[str], str]] = {
    "market.init_exchange": (frozenset({"collateral_mint", "treasury_vault"}), "a vault of the mint the creator chose"),
}
"""Slots that may come from another venue together with others, beyond what `ALLOWED` says of them one by one."""

REPEATABLE: dict[str, str] = {
    "market.attest": "the attestor renews an attestation with the same instruction",
}
"""Scenes that create an account and may be sent again, with the reason."""


def reason(name: str, slot: str, kind: str) -> tuple[tuple[str, str], str] | None:
    """Return the entry that allows a substitution, with its reason."""
    for key in ((name, slot), (base(name), slot), (f"{name.split('.', maxsplit=1)[0]}.*", slot)):
        kinds, why = ALLOWED.get(key, (frozenset(), ""))
        if kind in kinds:
            return key, why
    return None
