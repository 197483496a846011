"""Statuses, transactions and blocks of the past."""

from __future__ import annotations

from typing import Any

from chain.localnet import params as read
from chain.localnet.encode import account_keys_json, meta_json, transaction_json
from chain.localnet.errors import BLOCK_NOT_AVAILABLE, RpcError, invalid_params
from chain.localnet.methods.node import Handler, Node
from chain.localnet.params import Config, Params
from chain.localnet.records import Landed
from chain.localnet.slots import GENESIS_SLOT

_MAX_STATUSES = 256
_MAX_SIGNATURES = 1_000
_MAX_BLOCK_RANGE = 500_000


def status_json(node: Node, landed: Landed) -> dict[str, Any]:
    """Return the status of a landed transaction: confirmed at once, finalized when its slot is rooted."""
    final = landed.slot <= node.ledger.slots.root
    return {
        "slot": landed.slot,
        "confirmations": None if final else node.ledger.slots.slot - landed.slot,
        "err": landed.err,
        "status": {"Ok": None} if landed.err is None else {"Err": landed.err},
        "confirmationStatus": "finalized" if final else "confirmed",
    }


def _statuses(node: Node, params: Params) -> dict[str, Any]:
    wanted = params.need(0)
    if not isinstance(wanted, list):
        raise invalid_params("Invalid params: expected a list of signatures")
    if len(wanted) > _MAX_STATUSES:
        raise invalid_params(f"Too many inputs provided; max {_MAX_STATUSES}")
    found = [node.ledger.history.get(read.signature(item)) for item in wanted]
    processed = Config({"commitment": "processed"})
    return node.in_context(processed, [status_json(node, landed) if landed else None for landed in found])


def _not_processed(config: Config, method: str) -> None:
    if config.commitment() == "processed":
        raise invalid_params(f"Method does not support commitment below `confirmed`: {method}")


def _signatures_for_address(node: Node, params: Params) -> list[dict[str, Any]]:
    config = params.config(1)
    _not_processed(config, "getSignaturesForAddress")
    limit = config.integer("limit", _MAX_SIGNATURES) or 0
    if not 1 <= limit <= _MAX_SIGNATURES:
        raise invalid_params(f"Invalid limit; max {_MAX_SIGNATURES}")
    before, until = config.get("before"), config.get("until")
    rows = node.ledger.history.of_address(
        params.pubkey(0),
        newest_slot=node.slot(config),
        before=read.signature(before) if before is not None else None,
        until=read.signature(until) if until is not None else None,
        limit=limit,
    )
    root = node.ledger.slots.root
    return [
        {
            "signature": str(landed.signature),
            "slot": landed.slot,
            "err": landed.err,
            "memo": None,
            "blockTime": landed.unix_s,
            "confirmationStatus": "finalized" if landed.slot <= root else "confirmed",
        }
        for landed in rows
    ]


def _encoding_config(params: Params, index: int) -> Config:
    # Old clients pass the bare encoding instead of a configuration object.
    value = params.get(index)
    return Config({"encoding": value}) if isinstance(value, str) else params.config(index)


def _max_version(config: Config) -> int | None:
    return config.integer("maxSupportedTransactionVersion", None, 255)


def _transaction(node: Node, params: Params) -> dict[str, Any] | None:
    config = _encoding_config(params, 1)
    _not_processed(config, "getTransaction")
    encoding = config.transaction_encoding()
    landed = node.ledger.history.get(read.signature(params.need(0)))
    if landed is None or landed.slot > node.slot(config):
        return None
    body = transaction_json(landed, encoding, _max_version(config))
    return {"slot": landed.slot, "blockTime": landed.unix_s, **body}


def block_json(node: Node, slot: int, config: Config) -> dict[str, Any]:
    """Return the block of `slot` with the details the configuration asks for."""
    slots = node.ledger.slots
    rows = node.ledger.history.block(slot)
    body: dict[str, Any] = {
        "blockhash": str(slots.blockhash(slot)),
        "previousBlockhash": str(slots.blockhash(slot - 1)),
        "parentSlot": slot - 1,
        "blockHeight": slots.height(slot),
        "blockTime": slots.time_ms(slot) // 1000,
    }
    details = config.get("transactionDetails") or "full"
    encoding, version = config.transaction_encoding(), _max_version(config)
    if details == "full":
        body["transactions"] = [transaction_json(landed, encoding, version) for landed in rows]
    elif details == "accounts":
        body["transactions"] = [
            {
                "transaction": {
                    "accountKeys": account_keys_json(landed, landed.message()),
                    "signatures": [str(item) for item in landed.transaction().signatures],
                },
                "meta": meta_json(landed, "json"),
                "version": transaction_json(landed, "base64", 0)["version"],
            }
            for landed in rows
        ]
    elif details == "signatures":
        body["signatures"] = [str(landed.signature) for landed in rows]
    elif details != "none":
        raise invalid_params(f"unknown variant `{details}`, expected one of `full`, `accounts`, `signatures`, `none`")
    if config.get("rewards") is not False:
        body["rewards"] = []
    return body


def _block(node: Node, params: Params) -> dict[str, Any]:
    config = _encoding_config(params, 1)
    _not_processed(config, "getBlock")
    slot = read.integer(params.need(0), "slot")
    _available(node, slot, node.slot(config))
    return block_json(node, slot, config)


def _available(node: Node, slot: int, newest: int) -> None:
    if not GENESIS_SLOT <= slot <= newest:
        raise RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")


def _block_time(node: Node, params: Params) -> int:
    slot = read.integer(params.need(0), "slot")
    _available(node, slot, node.ledger.slots.slot)
    return node.ledger.slots.time_ms(slot) // 1000


def _blocks(node: Node, params: Params) -> list[int]:
    start = read.integer(params.need(0), "startSlot")
    end, config = params.get(1), params.config(2)
    if isinstance(end, dict):
        config, end = Config(end), None
    newest = node.slot(config)
    last = newest if end is None else min(read.integer(end, "endSlot"), newest)
    if last - start > _MAX_BLOCK_RANGE:
        raise invalid_params(f"Slot range too large; max {_MAX_BLOCK_RANGE}")
    return list(range(max(start, GENESIS_SLOT), last + 1))


def _blocks_with_limit(node: Node, params: Params) -> list[int]:
    start = read.integer(params.need(0), "startSlot")
    limit = read.integer(params.need(1), "limit", 0, _MAX_BLOCK_RANGE)
    first = max(start, GENESIS_SLOT)
    return list(range(first, min(first + limit, node.slot(params.config(2)) + 1)))


METHODS: dict[str, Handler] = {
    "getSignatureStatuses": _statuses,
    "getSignaturesForAddress": _signatures_for_address,
    "getTransaction": _transaction,
    "getBlock": _block,
    "getBlockTime": _block_time,
    "getBlocks": _blocks,
    "getBlocksWithLimit": _blocks_with_limit,
}
