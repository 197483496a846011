"""Balances and account data."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain import base58
from chain.localnet import params as read
from chain.localnet.accounts import TOKEN_PROGRAMS
from chain.localnet.encode import account_json
from chain.localnet.errors import invalid_params
from chain.localnet.methods.node import Handler, Node
from chain.localnet.params import Config, Params
from chain.localnet.parsed import token_amount

_MAX_MULTIPLE = 100
_MAX_FILTERS = 4
_MAX_MEMCMP_BYTES = 128
_TOKEN_ACCOUNT_LEN = 165
Test = Callable[[Account], bool]


def _account_or_none(node: Node, config: Config, address: Pubkey, encoding: str) -> dict[str, Any] | None:
    account = node.ledger.account(address, finalized=config.finalized)
    if account is None:
        return None
    return account_json(account, encoding, config.data_slice(), node.ledger.accounts.decimals)


def _account_info(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    value = _account_or_none(node, config, params.pubkey(0), config.account_encoding())
    return node.in_context(config, value)


def _multiple(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    keys = params.need(0)
    if not isinstance(keys, list):
        raise invalid_params("Invalid params: expected a list of addresses")
    if len(keys) > _MAX_MULTIPLE:
        raise invalid_params(f"Too many inputs provided; max {_MAX_MULTIPLE}")
    encoding = config.account_encoding("base64")
    return node.in_context(config, [_account_or_none(node, config, read.pubkey(key), encoding) for key in keys])


def _balance(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    account = node.ledger.account(params.pubkey(0), finalized=config.finalized)
    return node.in_context(config, account.lamports if account else 0)


def filters(value: Any) -> list[Test]:
    """Return one test per `dataSize`, `memcmp` or `tokenAccountState` filter."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_params("Invalid params: filters must be a list")
    if len(value) > _MAX_FILTERS:
        raise invalid_params(f"Too many filters provided; max {_MAX_FILTERS}")
    return [_filter(item) for item in value]


def _filter(item: Any) -> Test:
    if item == "tokenAccountState" or (isinstance(item, dict) and "tokenAccountState" in item):
        return lambda account: len(account.data) >= _TOKEN_ACCOUNT_LEN and account.data[108] != 0
    if isinstance(item, dict) and "dataSize" in item:
        size = read.integer(item["dataSize"], "dataSize")
        return lambda account: len(account.data) == size
    if isinstance(item, dict) and isinstance(item.get("memcmp"), dict):
        memcmp = item["memcmp"]
        start = read.integer(memcmp.get("offset"), "memcmp.offset")
        wanted = _memcmp_bytes(memcmp)
        return lambda account: account.data[start : start + len(wanted)] == wanted
    raise invalid_params(f"Invalid params: unknown filter {item}")


def _memcmp_bytes(memcmp: dict[str, Any]) -> bytes:
    value, encoding = memcmp.get("bytes"), memcmp.get("encoding", "base58")
    try:
        if isinstance(value, list):
            data = bytes(value)
        elif encoding == "base64":
            data = base64.b64decode(str(value), validate=True)
        elif encoding in {"base58", "binary"}:
            data = base58.decode(str(value))
        else:
            raise invalid_params(f"Invalid params: unknown memcmp encoding {encoding}")
    except (ValueError, binascii.Error):
        raise invalid_params("Invalid params: memcmp bytes cannot be decoded") from None
    if len(data) > _MAX_MEMCMP_BYTES:
        raise invalid_params(f"Invalid params: memcmp bytes are longer than {_MAX_MEMCMP_BYTES}")
    return data


def _keyed(node: Node, config: Config, rows: list[tuple[Pubkey, Account]], encoding: str) -> list[dict[str, Any]]:
    data_slice, decimals = config.data_slice(), node.ledger.accounts.decimals
    return [
        {"pubkey": str(key), "account": account_json(account, encoding, data_slice, decimals)} for key, account in rows
    ]


def _program_accounts(node: Node, params: Params) -> Any:
    config = params.config(1)
    tests = filters(config.get("filters"))
    rows = [
        (key, account)
        for key, account in node.ledger.program_accounts(params.pubkey(0), finalized=config.finalized)
        if all(test(account) for test in tests)
    ]
    body = _keyed(node, config, rows, config.account_encoding())
    slot_checked = node.in_context(config, body)
    return slot_checked if config.flag("withContext") else body


def _token_account(node: Node, config: Config, address: Pubkey) -> Account:
    account = node.ledger.account(address, finalized=config.finalized)
    if account is None:
        raise invalid_params("Invalid param: could not find account")
    if account.owner not in TOKEN_PROGRAMS:
        raise invalid_params("Invalid param: not a Token account")
    return account


def _token_balance(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    account = _token_account(node, config, params.pubkey(0))
    if len(account.data) < _TOKEN_ACCOUNT_LEN:
        raise invalid_params("Invalid param: not a Token account")
    decimals = node.ledger.accounts.decimals(Pubkey.from_bytes(account.data[0:32]))
    return node.in_context(config, token_amount(int.from_bytes(account.data[64:72], "little"), decimals))


def _token_supply(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    account = _token_account(node, config, params.pubkey(0))
    if len(account.data) != 82:
        raise invalid_params("Invalid param: not a Token mint")
    return node.in_context(config, token_amount(int.from_bytes(account.data[36:44], "little"), account.data[44]))


def _token_accounts(node: Node, params: Params, owner_offset: int) -> dict[str, Any]:
    owner = bytes(params.pubkey(0))
    chosen = params.need(1)
    config = params.config(2)
    if not isinstance(chosen, dict) or ("mint" in chosen) == ("programId" in chosen):
        raise invalid_params("Invalid params: give exactly one of mint and programId")
    mint = bytes(read.pubkey(chosen["mint"])) if "mint" in chosen else None
    programs = [read.pubkey(chosen["programId"])] if mint is None else list(TOKEN_PROGRAMS)
    if not set(programs) <= set(TOKEN_PROGRAMS):
        raise invalid_params("Invalid param: unrecognized Token program id")
    rows = [
        (key, account)
        for program in programs
        for key, account in node.ledger.program_accounts(program, finalized=config.finalized)
        if len(account.data) >= _TOKEN_ACCOUNT_LEN
        and account.data[owner_offset : owner_offset + 32] == owner
        and mint in {None, account.data[0:32]}
    ]
    return node.in_context(config, _keyed(node, config, rows, config.account_encoding()))


METHODS: dict[str, Handler] = {
    "getAccountInfo": _account_info,
    "getMultipleAccounts": _multiple,
    "getBalance": _balance,
    "getProgramAccounts": _program_accounts,
    "getTokenAccountBalance": _token_balance,
    "getTokenSupply": _token_supply,
    "getTokenAccountsByOwner": lambda node, params: _token_accounts(node, params, 32),
    "getTokenAccountsByDelegate": lambda node, params: _token_accounts(node, params, 76),
}
