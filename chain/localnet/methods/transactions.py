"""Sending, simulating, airdrops."""

from __future__ import annotations

import contextlib
from typing import Any

from solders.pubkey import Pubkey

from chain.localnet import params as read
from chain.localnet.encode import account_json, inner_json, return_data_json
from chain.localnet.errors import (
    INTERNAL_ERROR,
    PREFLIGHT_FAILURE,
    SIGNATURE_VERIFICATION_FAILURE,
    RpcError,
    error_text,
    invalid_params,
)
from chain.localnet.ledger import NotLandedError, signatures_valid
from chain.localnet.methods.node import Handler, Node
from chain.localnet.params import Config, Params
from chain.localnet.records import Simulated


def _simulation_json(simulated: Simulated) -> dict[str, Any]:
    meta = simulated.meta
    return {
        "err": simulated.err,
        "logs": meta.logs() if meta else [],
        "accounts": None,
        "unitsConsumed": meta.compute_units_consumed() if meta else 0,
        "returnData": return_data_json(meta) if meta else None,
        "innerInstructions": None,
        "replacementBlockhash": None,
        "loadedAccountsDataSize": 0,
        "fee": meta.fee() if meta else None,
    }


def _send(node: Node, params: Params) -> str:
    config = params.config(1)
    transaction = read.transaction(params.need(0), config.get("encoding"))
    config.integer("maxRetries", None)
    skip = config.flag("skipPreflight")
    node.slot(Config({"commitment": config.get("preflightCommitment"), "minContextSlot": config.get("minContextSlot")}))
    signature = str(transaction.signatures[0])
    valid = signatures_valid(transaction)
    if not skip:
        if not valid:
            raise RpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")
        simulated = node.ledger.simulate(transaction)
        if simulated.err is not None:
            message = f"Transaction simulation failed: {error_text(simulated.err)}"
            raise RpcError(PREFLIGHT_FAILURE, message, _simulation_json(simulated))
    if valid:
        # Without preflight a node takes the bytes and the leader drops them: the client hears nothing.
        with contextlib.suppress(NotLandedError):
            node.ledger.process(transaction, verified=True)
    return signature


def _simulate(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    transaction = read.transaction(params.need(0), config.get("encoding"))
    verify, replace = config.flag("sigVerify"), config.flag("replaceRecentBlockhash")
    if verify and replace:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    if verify and not signatures_valid(transaction):
        raise RpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")
    simulated = node.ledger.simulate(transaction, any_blockhash=replace)
    body = _simulation_json(simulated)
    if replace:
        blockhash, last_valid = node.ledger.latest_blockhash()
        body["replacementBlockhash"] = {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid}
    if config.flag("innerInstructions") and simulated.meta:
        body["innerInstructions"] = inner_json(simulated.meta)
    wanted = config.get("accounts")
    if wanted is not None:
        body["accounts"] = _accounts_after(node, simulated, wanted)
    return node.in_context(Config({"commitment": "processed", "minContextSlot": config.get("minContextSlot")}), body)


def _accounts_after(node: Node, simulated: Simulated, wanted: Any) -> list[dict[str, Any] | None]:
    if not isinstance(wanted, dict) or not isinstance(wanted.get("addresses"), list):
        raise invalid_params("Invalid params: accounts.addresses must be a list")
    encoding = Config(wanted).account_encoding("base64")
    if encoding in {"binary", "base58"}:
        raise invalid_params("base58 encoding not supported")
    addresses = [read.pubkey(item) for item in wanted["addresses"]]
    if len(addresses) > len(simulated.keys):
        raise invalid_params(f"Too many accounts provided; max {len(simulated.keys)}")
    if simulated.err is not None:
        return [None] * len(addresses)
    after = dict(simulated.accounts)
    return [_account_after(node, after.get(address), address, encoding) for address in addresses]


def _account_after(node: Node, after: Any, address: Pubkey, encoding: str) -> dict[str, Any] | None:
    account = after if after is not None else node.ledger.account(address)
    if account is None or account.lamports == 0:
        return None
    return account_json(account, encoding, None, node.ledger.accounts.decimals)


def _airdrop(node: Node, params: Params) -> str:
    lamports = read.integer(params.need(1), "lamports")
    try:
        landed = node.ledger.airdrop(params.pubkey(0), lamports)
    except NotLandedError as error:
        raise RpcError(INTERNAL_ERROR, f"airdrop failed: {error_text(error.err)}") from None
    if landed.err is not None:
        raise RpcError(INTERNAL_ERROR, f"airdrop failed: {error_text(landed.err)}")
    return str(landed.signature)


METHODS: dict[str, Handler] = {
    "sendTransaction": _send,
    "simulateTransaction": _simulate,
    "requestAirdrop": _airdrop,
}
