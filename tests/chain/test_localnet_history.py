"""The past: signatures of an address, blocks, and the bound on what is remembered."""

from __future__ import annotations

from typing import Any

from solders.keypair import Keypair

from chain.localnet.ledger import Ledger
from tests.chain.offline import CONFIRMED, START_MS, Chain, b64


def test_signatures_of_an_address_page_backwards(chain: Chain) -> None:
    to = Keypair().pubkey()
    sent = [chain.ask("sendTransaction", b64(chain.sign(chain.pay(1_000_000 + at, to))), CONFIRMED) for at in range(5)]
    newest_first = sent[::-1]
    at = {"commitment": "confirmed"}

    def page(**options: Any) -> list[str]:
        return [row["signature"] for row in chain.ask("getSignaturesForAddress", str(to), {**at, **options})]

    assert page() == newest_first
    assert page(limit=2) == newest_first[:2]
    assert page(before=newest_first[1], limit=2) == newest_first[2:4]
    assert page(until=newest_first[3]) == newest_first[:3]
    assert chain.ask("getSignaturesForAddress", str(to)) == []
    assert chain.error("getSignaturesForAddress", str(to), {"limit": 1001})["code"] == -32602


def test_history_is_bounded_and_drops_the_oldest() -> None:
    ledger = Ledger(START_MS, max_history=3)
    key = Keypair().pubkey()
    landed = [ledger.airdrop(key, 1_000_000 + at) for at in range(5)]
    assert len(ledger.history) == 3
    assert ledger.history.get(landed[1].signature) is None
    rows = ledger.history.of_address(key, newest_slot=10**9, before=None, until=None, limit=10)
    assert [row.signature for row in rows] == [item.signature for item in landed[:1:-1]]
    assert [row.signature for row in ledger.history.block(landed[0].slot)] == [item.signature for item in landed[2:]]
    assert ledger.history.first_slot() == landed[2].slot


def test_blocks_hold_their_transactions(chain: Chain) -> None:
    chain.pass_slots(1)
    signature = chain.ask("sendTransaction", b64(chain.sign(chain.pay())), CONFIRMED)
    slot = chain.ledger.slots.slot
    config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    block = chain.ask("getBlock", slot, config)
    assert block["transactions"][0]["transaction"]["signatures"] == [signature]
    assert block["parentSlot"] == slot - 1
    assert block["blockHeight"] == chain.ask("getBlockHeight", {"commitment": "confirmed"})
    assert chain.ask("getBlock", slot, {**config, "transactionDetails": "signatures"})["signatures"] == [signature]
    accounts = chain.ask("getBlock", slot, {**config, "transactionDetails": "accounts"})
    assert accounts["transactions"][0]["transaction"]["signatures"] == [signature]
    assert "transactions" not in chain.ask("getBlock", slot, {**config, "transactionDetails": "none"})
    assert chain.ask("getBlocks", slot - 2, slot, {"commitment": "confirmed"}) == [slot - 2, slot - 1, slot]
    assert chain.ask("getBlocksWithLimit", slot - 2, 2, {"commitment": "confirmed"}) == [slot - 2, slot - 1]
    assert chain.ask("getBlockTime", slot) == (START_MS + 400) // 1000
