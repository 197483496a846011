"""Accounts and transactions as nodes write them in JSON."""

from __future__ import annotations

import base64
from typing import Any

from solders.account import Account
from solders.message import Message, MessageV0
from solders.transaction_metadata import TransactionMetadata

from chain import base58
from chain.localnet import parsed
from chain.localnet.errors import UNSUPPORTED_TRANSACTION_VERSION, RpcError, invalid_params
from chain.localnet.records import Landed, TokenBalance

MAX_BASE58_BYTES = 128
ACCOUNT_ENCODINGS = ("binary", "base58", "base64", "base64+zstd", "jsonParsed")
TRANSACTION_ENCODINGS = ("binary", "base58", "base64", "json", "jsonParsed")
RENT_EXEMPT_EPOCH = 18_446_744_073_709_551_615
Slice = tuple[int, int]


def bytes_as(data: bytes, encoding: str) -> Any:
    """Return `data` the way a node writes it: a pair of text and encoding, or bare base58 for `binary`."""
    if encoding == "base64":
        return [base64.b64encode(data).decode(), "base64"]
    if encoding in {"binary", "base58"}:
        if len(data) > MAX_BASE58_BYTES:
            message = "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding."
            raise RpcError(-32600, message)
        text = base58.encode(data)
        return text if encoding == "binary" else [text, "base58"]
    raise invalid_params(f"encoding {encoding} is not supported here; use base64")


def account_json(
    account: Account, encoding: str, data_slice: Slice | None = None, decimals: parsed.Decimals | None = None
) -> dict[str, Any]:
    """Return an account; `data_slice` is (offset, length) in bytes."""
    data = account.data
    space = len(data)
    body: Any = None
    if encoding == "jsonParsed":
        body = parsed.account(account, decimals)
        encoding = "base64" if body is None else encoding
    if body is None:
        if data_slice is not None:
            data = data[data_slice[0] : data_slice[0] + data_slice[1]]
        body = bytes_as(data, encoding)
    return {
        "lamports": account.lamports,
        "data": body,
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": RENT_EXEMPT_EPOCH,
        "space": space,
    }


def return_data_json(meta: TransactionMetadata) -> dict[str, Any] | None:
    """Return what the last program returned; None when it returned nothing."""
    returned = meta.return_data()
    data = bytes(returned.data)
    if not data:
        return None
    return {"programId": str(returned.program_id), "data": [base64.b64encode(data).decode(), "base64"]}


def inner_json(meta: TransactionMetadata) -> list[dict[str, Any]]:
    """Return the inner instructions grouped by the outer instruction that made them."""
    groups = []
    for index, inner in enumerate(meta.inner_instructions()):
        if inner:
            rows = [
                {
                    "programIdIndex": item.instruction().program_id_index,
                    "accounts": list(item.instruction().accounts),
                    "data": base58.encode(bytes(item.instruction().data)),
                    "stackHeight": item.stack_height(),
                }
                for item in inner
            ]
            groups.append({"index": index, "instructions": rows})
    return groups


def token_balance_json(balance: TokenBalance) -> dict[str, Any]:
    """Return one entry of preTokenBalances or postTokenBalances."""
    return {
        "accountIndex": balance.account_index,
        "mint": str(balance.mint),
        "owner": str(balance.owner),
        "programId": str(balance.program_id),
        "uiTokenAmount": parsed.token_amount(balance.amount, balance.decimals),
    }


def meta_json(landed: Landed, encoding: str) -> dict[str, Any]:
    """Return the status meta of a landed transaction."""
    meta = landed.meta
    static = len(landed.keys) - landed.loaded_writable - landed.loaded_readonly
    loaded = [str(key) for key in landed.keys[static:]]
    inner = inner_json(meta)
    if encoding == "jsonParsed":
        for group in inner:
            group["instructions"] = [
                parsed.instruction(landed.keys, row["programIdIndex"], row["accounts"], row["data"], row["stackHeight"])
                for row in group["instructions"]
            ]
    body: dict[str, Any] = {
        "err": landed.err,
        "status": {"Ok": None} if landed.err is None else {"Err": landed.err},
        "fee": meta.fee(),
        "preBalances": landed.pre_balances,
        "postBalances": landed.post_balances,
        "innerInstructions": inner,
        "logMessages": meta.logs(),
        "preTokenBalances": [token_balance_json(item) for item in landed.pre_tokens],
        "postTokenBalances": [token_balance_json(item) for item in landed.post_tokens],
        "rewards": [],
        "loadedAddresses": {
            "writable": loaded[: landed.loaded_writable],
            "readonly": loaded[landed.loaded_writable :],
        },
        "computeUnitsConsumed": meta.compute_units_consumed(),
    }
    returned = return_data_json(meta)
    if returned is not None:
        body["returnData"] = returned
    return body


def transaction_json(landed: Landed, encoding: str, max_version: int | None) -> dict[str, Any]:
    """Return `transaction`, `meta` and `version` (only when the client named a version it can read)."""
    message = landed.message()
    version: str | int = "legacy" if isinstance(message, Message) else 0
    if version == 0 and max_version is None:
        raise RpcError(
            UNSUPPORTED_TRANSACTION_VERSION,
            "Transaction version (0) is not supported by the requesting client. Please try the request again with "
            'the following configuration parameter: "maxSupportedTransactionVersion": 0',
        )
    body: dict[str, Any] = {"transaction": _body(landed, message, encoding), "meta": meta_json(landed, encoding)}
    if max_version is not None:
        body["version"] = version
    return body


def _body(landed: Landed, message: Message | MessageV0, encoding: str) -> Any:
    if encoding == "base64":
        return [base64.b64encode(landed.wire).decode(), "base64"]
    if encoding in {"binary", "base58"}:
        text = base58.encode(landed.wire)
        return text if encoding == "binary" else [text, "base58"]
    signatures = [str(signature) for signature in landed.transaction().signatures]
    content: dict[str, Any] = {"recentBlockhash": str(message.recent_blockhash)}
    if encoding == "jsonParsed":
        content["accountKeys"] = account_keys_json(landed, message)
        content["instructions"] = [
            parsed.instruction(
                landed.keys, item.program_id_index, list(item.accounts), base58.encode(bytes(item.data)), 1
            )
            for item in message.instructions
        ]
    else:
        header = message.header
        content["header"] = {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        }
        content["accountKeys"] = [str(key) for key in message.account_keys]
        content["instructions"] = [
            {
                "programIdIndex": item.program_id_index,
                "accounts": list(item.accounts),
                "data": base58.encode(bytes(item.data)),
                "stackHeight": 1,
            }
            for item in message.instructions
        ]
    if isinstance(message, MessageV0):
        content["addressTableLookups"] = [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in message.address_table_lookups
        ]
    return {"signatures": signatures, "message": content}


def account_keys_json(landed: Landed, message: Message | MessageV0) -> list[dict[str, Any]]:
    """Return the account keys with their roles, as jsonParsed and the `accounts` detail level list them."""
    header = message.header
    static = len(message.account_keys)
    signers = header.num_required_signatures
    rows = []
    for at, key in enumerate(landed.keys):
        if at < static:
            writable = (
                at < signers - header.num_readonly_signed_accounts
                or signers <= at < static - header.num_readonly_unsigned_accounts
            )
            source = "transaction"
        else:
            writable, source = at - static < landed.loaded_writable, "lookupTable"
        rows.append({"pubkey": str(key), "signer": at < signers, "writable": writable, "source": source})
    return rows
