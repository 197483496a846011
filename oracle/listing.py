"""Instructions that list a match: the registries' entries first, then the feed in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import oracle as client

MAX_PUBLISHERS = 8
NAME_BYTES = 32


def register(
    *,
    authority: Pubkey,
    payer: Pubkey,
    config: Pubkey,
    set_id: int,
    publishers: Sequence[Pubkey],
    min_publishers: int,
    methodology: bytes,
    name: str,
) -> list[Instruction]:
    """The authority's two instructions: a publisher set and a methodology (``name`` in ASCII, 32 bytes at most)."""
    unused = (Pubkey.default(),) * (MAX_PUBLISHERS - len(publishers))
    encoded = name.encode("ascii")
    if len(encoded) > NAME_BYTES:
        raise ValueError(f"the methodology's name {name!r} is longer than {NAME_BYTES} bytes: shorten it")
    return [
        client.ix_register_publisher_set(
            authority=authority,
            payer=payer,
            config=config,
            set_id=set_id,
            publishers=(*publishers, *unused),
            n_publishers=len(publishers),
            min_publishers=min_publishers,
        ),
        client.ix_register_methodology(
            authority=authority, payer=payer, config=config, hash=methodology, name=encoded.ljust(NAME_BYTES, b"\0")
        ),
    ]


def list_feed(
    *,
    operator: Pubkey,
    payer: Pubkey,
    rent_receiver: Pubkey,
    config: Pubkey,
    set_id: int,
    methodology: bytes,
    match_id: bytes,
    start_unix_ms: int,
    bonded: Sequence[Pubkey] = (),
) -> list[Instruction]:
    """The operator's two instructions, for one transaction. ``bonded``: the set's publishers, where bonds are asked."""
    create = client.ix_create_feed(
        operator=operator,
        payer=payer,
        rent_receiver=rent_receiver,
        config=config,
        publisher_set=pda.publisher_set(config, set_id),
        methodology=pda.methodology(config, methodology),
        match_id=match_id,
        start_unix_ms=start_unix_ms,
        remaining_accounts=[AccountMeta(pda.bond(config, key), is_signer=False, is_writable=False) for key in bonded],
    )
    return [create, client.ix_grow_feed(payer=payer, feed=pda.feed(config, match_id))]
