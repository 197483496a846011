"""Slots, epochs, fees, versions: the state of the cluster itself."""

from __future__ import annotations

from typing import Any

from chain.localnet import params as read
from chain.localnet.methods.node import API_VERSION, Handler, Node
from chain.localnet.params import Params
from chain.localnet.slots import GENESIS_SLOT, SLOTS_PER_EPOCH

_FEATURE_SET = 0
_IDENTITY = "Loca1net11111111111111111111111111111111111"


def _slot(node: Node, params: Params) -> int:
    return node.slot(params.config(0))


def _block_height(node: Node, params: Params) -> int:
    return node.ledger.slots.height(node.slot(params.config(0)))


def _epoch_info(node: Node, params: Params) -> dict[str, Any]:
    slot = node.slot(params.config(0))
    return {
        "absoluteSlot": slot,
        "blockHeight": node.ledger.slots.height(slot),
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": node.ledger.transaction_count,
    }


def _epoch_schedule(_node: Node, _params: Params) -> dict[str, Any]:
    return {
        "slotsPerEpoch": SLOTS_PER_EPOCH,
        "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
        "warmup": False,
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
    }


def _latest_blockhash(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(0)
    blockhash, last_valid = node.ledger.latest_blockhash(finalized=config.finalized)
    return node.in_context(config, {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid})


def _is_blockhash_valid(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    slot = node.ledger.slots.slot_of(read.blockhash(params.need(0)))
    return node.in_context(config, slot is not None and slot <= node.slot(config))


def _fee_for_message(node: Node, params: Params) -> dict[str, Any]:
    config = params.config(1)
    return node.in_context(config, node.ledger.fee_lamports(read.message(params.need(0))))


def _prioritization_fees(node: Node, params: Params) -> list[dict[str, int]]:
    for key in params.get(0) or []:
        read.pubkey(key)
    slot = node.ledger.slots.slot
    first = max(GENESIS_SLOT, slot - 149)
    return [{"slot": at, "prioritizationFee": 0} for at in range(first, slot + 1)]


def _rent(node: Node, params: Params) -> int:
    return node.ledger.rent_exempt_lamports(read.integer(params.need(0), "dataLength", 0, 10 * 1024 * 1024))


def _version(_node: Node, _params: Params) -> dict[str, Any]:
    return {"solana-core": API_VERSION, "feature-set": _FEATURE_SET}


def _performance(node: Node, params: Params) -> list[dict[str, int]]:
    read.integer(params.get(0) if params.get(0) is not None else 1, "limit", 0, 720)
    count = node.ledger.transaction_count
    return [
        {
            "slot": node.ledger.slots.slot,
            "numTransactions": count,
            "numNonVoteTransactions": count,
            "numSlots": node.ledger.slots.slot - GENESIS_SLOT + 1,
            "samplePeriodSecs": 60,
        }
    ]


def _leader(_node: Node, _params: Params) -> str:
    return _IDENTITY


METHODS: dict[str, Handler] = {
    "getSlot": _slot,
    "getBlockHeight": _block_height,
    "getEpochInfo": _epoch_info,
    "getEpochSchedule": _epoch_schedule,
    "getLatestBlockhash": _latest_blockhash,
    "isBlockhashValid": _is_blockhash_valid,
    "getFeeForMessage": _fee_for_message,
    "getRecentPrioritizationFees": _prioritization_fees,
    "getRecentPerformanceSamples": _performance,
    "getMinimumBalanceForRentExemption": _rent,
    "getVersion": _version,
    "getHealth": lambda _node, _params: "ok",
    "getGenesisHash": lambda node, _params: str(node.ledger.slots.genesis_hash),
    "getIdentity": lambda _node, _params: {"identity": _IDENTITY},
    "getSlotLeader": _leader,
    "getTransactionCount": lambda node, _params: node.ledger.transaction_count,
    "getFirstAvailableBlock": lambda _node, _params: GENESIS_SLOT,
    "minimumLedgerSlot": lambda _node, _params: GENESIS_SLOT,
    "getMaxRetransmitSlot": lambda node, _params: node.ledger.slots.slot,
    "getMaxShredInsertSlot": lambda node, _params: node.ledger.slots.slot,
}
