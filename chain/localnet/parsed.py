"""The part of `jsonParsed` that clients lean on: token accounts and mints, and common instructions.

Everything else is given partially decoded (program, accounts, data), which the protocol allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain import base58
from chain.localnet.accounts import TOKEN, TOKEN_2022, TOKEN_PROGRAMS

Decimals = Callable[[Pubkey], int]
_SYSTEM = Pubkey.from_string("11111111111111111111111111111111")
_MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
_STATES = {0: "uninitialized", 1: "initialized", 2: "frozen"}
_PROGRAM_NAMES = {TOKEN: "spl-token", TOKEN_2022: "spl-token-2022", _SYSTEM: "system", _MEMO: "spl-memo"}


def token_amount(amount: int, decimals: int) -> dict[str, Any]:
    """Return an amount (smallest unit) with its decimals and as a decimal string without trailing zeros."""
    digits = str(amount).rjust(decimals + 1, "0")
    text = digits
    if decimals:
        text = f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": amount / 10**decimals,
        "uiAmountString": text,
    }


def account(value: Account, decimals: Decimals | None) -> dict[str, Any] | None:
    """Return the parsed form of a token account or mint; None for anything else."""
    if value.owner not in TOKEN_PROGRAMS:
        return None
    data = value.data
    if len(data) == 82:
        info = _mint(data)
    elif len(data) >= 165:
        info = _token_account(data, decimals)
    else:
        return None
    kind = "mint" if len(data) == 82 else "account"
    return {"program": _PROGRAM_NAMES[value.owner], "parsed": {"type": kind, "info": info}, "space": len(data)}


def _option_key(data: bytes) -> str | None:
    return str(Pubkey.from_bytes(data[4:36])) if data[0] else None


def _mint(data: bytes) -> dict[str, Any]:
    return {
        "mintAuthority": _option_key(data[0:36]),
        "supply": str(int.from_bytes(data[36:44], "little")),
        "decimals": data[44],
        "isInitialized": bool(data[45]),
        "freezeAuthority": _option_key(data[46:82]),
    }


def _token_account(data: bytes, decimals: Decimals | None) -> dict[str, Any]:
    mint = Pubkey.from_bytes(data[0:32])
    places = decimals(mint) if decimals else 0
    info: dict[str, Any] = {
        "mint": str(mint),
        "owner": str(Pubkey.from_bytes(data[32:64])),
        "tokenAmount": token_amount(int.from_bytes(data[64:72], "little"), places),
        "state": _STATES.get(data[108], "uninitialized"),
        "isNative": bool(data[109]),
    }
    delegate = _option_key(data[72:108])
    if delegate is not None:
        info["delegate"] = delegate
        info["delegatedAmount"] = token_amount(int.from_bytes(data[121:129], "little"), places)
    return info


def instruction(
    keys: Sequence[Pubkey], program_index: int, accounts: Sequence[int], data: str, stack_height: int | None
) -> dict[str, Any]:
    """Return one instruction of a jsonParsed transaction; `data` is base58."""
    program = keys[program_index]
    names = [str(keys[index]) for index in accounts]
    found = _parse(program, names, base58.decode(data))
    if found is None:
        return {"programId": str(program), "accounts": names, "data": data, "stackHeight": stack_height}
    return {
        "program": _PROGRAM_NAMES[program],
        "programId": str(program),
        "parsed": found,
        "stackHeight": stack_height,
    }


def _parse(program: Pubkey, names: list[str], data: bytes) -> Any:
    try:
        if program == _MEMO:
            return data.decode()
        if program == _SYSTEM:
            return _system(names, data)
        if program in TOKEN_PROGRAMS:
            return _token(names, data)
    except (IndexError, UnicodeDecodeError):
        return None
    return None


def _system(names: list[str], data: bytes) -> dict[str, Any] | None:
    tag = int.from_bytes(data[:4], "little")
    lamports = int.from_bytes(data[4:12], "little")
    if tag == 2 and len(data) == 12:
        info = {"source": names[0], "destination": names[1], "lamports": lamports}
        return {"type": "transfer", "info": info}
    if tag == 0 and len(data) == 52:
        return {
            "type": "createAccount",
            "info": {
                "source": names[0],
                "newAccount": names[1],
                "lamports": lamports,
                "space": int.from_bytes(data[12:20], "little"),
                "owner": str(Pubkey.from_bytes(data[20:52])),
            },
        }
    return None


def _token(names: list[str], data: bytes) -> dict[str, Any] | None:
    tag = data[0]
    amount = int.from_bytes(data[1:9], "little")
    if tag == 3:
        info: dict[str, Any] = {"source": names[0], "destination": names[1], "authority": names[2]}
        return {"type": "transfer", "info": {**info, "amount": str(amount)}}
    if tag == 7:
        info = {"mint": names[0], "account": names[1], "mintAuthority": names[2], "amount": str(amount)}
        return {"type": "mintTo", "info": info}
    if tag == 8:
        info = {"account": names[0], "mint": names[1], "authority": names[2], "amount": str(amount)}
        return {"type": "burn", "info": info}
    if tag == 12:
        info = {"source": names[0], "mint": names[1], "destination": names[2], "authority": names[3]}
        return {"type": "transferChecked", "info": {**info, "tokenAmount": token_amount(amount, data[9])}}
    return None
