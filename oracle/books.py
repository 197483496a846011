"""The accounts of the market program, read straight from the chain in one look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from chain import pda
from chain.clients import market as client
from chain.rpc import RpcPool

_TOKEN_AMOUNT_AT = 64
_KINDS: tuple[Any, ...] = (client.Window, client.Order, client.Position, client.Margin, client.LpRequest)


@dataclass(frozen=True, slots=True)
class Books:
    """Every account of one exchange at one slot, by address. Amounts as in the program."""

    slot: int
    exchange: client.Exchange
    pool: client.Pool
    vault_e6: int
    windows: dict[Pubkey, client.Window]
    orders: dict[Pubkey, client.Order]
    positions: dict[Pubkey, client.Position]
    margins: dict[Pubkey, client.Margin]
    requests: dict[Pubkey, client.LpRequest]


async def read_books(rpc: RpcPool, exchange: Pubkey) -> Books:
    """Read everything. Raises LookupError where the exchange or its pool does not exist, ChainError without a node."""
    accounts = await rpc.program_accounts(client.PROGRAM_ID)
    vault = await rpc.account(pda.vault(exchange))
    data = {account.address: account.data for account in accounts}
    if vault is None or exchange not in data or pda.pool(exchange) not in data:
        raise LookupError(f"exchange {exchange} has no pool: initialise it first")
    found: dict[Any, dict[Pubkey, Any]] = {kind: {} for kind in _KINDS}
    for address, raw in data.items():
        for kind in _KINDS:
            if raw.startswith(kind.DISCRIMINATOR):
                found[kind][address] = kind.from_account(raw)
                break
    return Books(
        slot=vault.slot,
        exchange=client.Exchange.from_account(data[exchange]),
        pool=client.Pool.from_account(data[pda.pool(exchange)]),
        vault_e6=int.from_bytes(vault.data[_TOKEN_AMOUNT_AT : _TOKEN_AMOUNT_AT + 8], "little"),
        windows=found[client.Window],
        orders=found[client.Order],
        positions=found[client.Position],
        margins=found[client.Margin],
        requests=found[client.LpRequest],
    )
