"""PubSub subscriptions: who wants which change, and the notifications they get.

Pure: it writes into sinks and never waits. Finalized subscribers get a change when its slot is rooted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM

from chain.localnet import params as read
from chain.localnet.encode import Slice, account_json
from chain.localnet.errors import INVALID_PARAMS, RpcError, invalid_params
from chain.localnet.methods.accounts import Test, filters
from chain.localnet.methods.history import block_json
from chain.localnet.methods.node import API_VERSION, Node
from chain.localnet.params import Config, Params
from chain.localnet.records import Change, Landed
from chain.localnet.slots import ROOT_LAG_SLOTS

_GONE = Account(0, b"", SYSTEM)
_MAX_SLOT_NOTIFICATIONS = 150
"""A clock that jumps by hours would otherwise notify hundreds of thousands of slots at once."""


class Sink(Protocol):
    """Where the notifications of one connection go."""

    def push(self, text: str) -> None:
        """Queue one message; must not block."""


@dataclass(slots=True)
class Subscription:
    """One subscription of one connection."""

    id: int
    kind: str
    sink: Sink
    config: Config
    finalized: bool
    key: Any = None
    encoding: str = "base64"
    data_slice: Slice | None = None
    tests: list[Test] = field(default_factory=list)

    def notify(self, result: bytes) -> None:
        """Send an already encoded result."""
        self.sink.push(
            f'{{"jsonrpc":"2.0","method":"{self.kind}Notification","params":{{"result":{result.decode()},'
            f'"subscription":{self.id}}}}}'
        )


class Hub:
    """All subscriptions of a server."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ids = 0
        self._by_id: dict[int, Subscription] = {}
        self._index: dict[tuple[str, Any], dict[int, Subscription]] = {}
        self._waiting: deque[tuple[int, int, bytes]] = deque()
        node.ledger.on_landed.append(self._landed)
        node.ledger.on_slot.append(self._slots)

    def __len__(self) -> int:
        return len(self._by_id)

    # --- subscribing ----------------------------------------------------------------------------

    def handles(self, method: str) -> bool:
        """Whether `method` subscribes or unsubscribes."""
        return method in _SUBSCRIBE or method in _UNSUBSCRIBE

    def call(self, method: str, params: Params, sink: Sink) -> tuple[Any, Callable[[], None] | None]:
        """Subscribe or unsubscribe; return the result and what to run once the result has been sent."""
        if method in _UNSUBSCRIBE:
            return self._unsubscribe(_UNSUBSCRIBE[method], params, sink), None
        kind = _SUBSCRIBE[method]
        subscription = _READERS[kind](params)
        self._ids += 1
        subscription.id, subscription.sink = self._ids, sink
        self._by_id[subscription.id] = subscription
        self._index.setdefault((kind, subscription.key), {})[subscription.id] = subscription
        return subscription.id, (lambda: self._catch_up(subscription)) if kind == "signature" else None

    def _unsubscribe(self, kind: str, params: Params, sink: Sink) -> bool:
        wanted = params.need(0)
        subscription = self._by_id.get(wanted) if isinstance(wanted, int) else None
        if subscription is None or subscription.kind != kind or subscription.sink is not sink:
            raise RpcError(INVALID_PARAMS, "Invalid subscription id.")
        self._remove(subscription)
        return True

    def drop(self, sink: Sink) -> None:
        """Forget every subscription of a connection."""
        for subscription in [item for item in self._by_id.values() if item.sink is sink]:
            self._remove(subscription)

    def _remove(self, subscription: Subscription) -> None:
        self._by_id.pop(subscription.id, None)
        group = self._index.get((subscription.kind, subscription.key), {})
        group.pop(subscription.id, None)
        if not group:
            self._index.pop((subscription.kind, subscription.key), None)

    def _of(self, kind: str, key: Any = None) -> list[Subscription]:
        group = self._index.get((kind, key))
        return list(group.values()) if group else []

    # --- events ---------------------------------------------------------------------------------

    def _send(self, subscription: Subscription, slot: int, result: bytes) -> None:
        if subscription.finalized and slot > self._node.ledger.slots.root:
            self._waiting.append((slot, subscription.id, result))
        else:
            subscription.notify(result)
            if subscription.kind == "signature":
                self._remove(subscription)

    def _catch_up(self, subscription: Subscription) -> None:
        landed = self._node.ledger.history.get(subscription.key)
        if landed is not None and subscription.id in self._by_id:
            self._send(subscription, landed.slot, _in_slot(landed.slot, {"err": landed.err}))

    def _landed(self, landed: Landed, changes: tuple[Change, ...]) -> None:
        if not self._by_id:
            return
        slot = landed.slot
        for subscription in self._of("signature", landed.signature):
            if subscription.config.flag("enableReceivedNotification"):
                subscription.notify(_in_slot(slot, "receivedSignature"))
            self._send(subscription, slot, _in_slot(slot, {"err": landed.err}))
        self._logs(landed)
        for change in changes:
            self._account(slot, change)

    def _logs(self, landed: Landed) -> None:
        wanted = self._of("logs")
        for key in set(landed.keys):
            wanted += self._of("logs", key)
        if wanted:
            value = {"signature": str(landed.signature), "err": landed.err, "logs": landed.meta.logs()}
            result = _in_slot(landed.slot, value)
            for subscription in wanted:
                self._send(subscription, landed.slot, result)

    def _account(self, slot: int, change: Change) -> None:
        after = change.after or _GONE
        for subscription in self._of("account", change.address):
            self._send(subscription, slot, _in_slot(slot, self._account_json(subscription, after)))
        for subscription in self._of("program", after.owner) if change.after else ():
            if all(test(after) for test in subscription.tests):
                value = {"pubkey": str(change.address), "account": self._account_json(subscription, after)}
                self._send(subscription, slot, _in_slot(slot, value))

    def _account_json(self, subscription: Subscription, account: Account) -> dict[str, Any]:
        decimals = self._node.ledger.accounts.decimals
        try:
            return account_json(account, subscription.encoding, subscription.data_slice, decimals)
        except RpcError:
            # Data that does not fit in base58 cannot be refused any more: base64 keeps the subscription alive.
            return account_json(account, "base64", subscription.data_slice, decimals)

    def _slots(self, before: int, after: int) -> None:
        slots = self._node.ledger.slots
        slot_subscribers, root_subscribers = self._of("slot"), self._of("root")
        blocks = self._of("block")
        if slot_subscribers or root_subscribers or blocks:
            for slot in range(max(before + 1, after - _MAX_SLOT_NOTIFICATIONS + 1), after + 1):
                root = slot - ROOT_LAG_SLOTS
                info = orjson.dumps({"parent": slot - 1, "root": root, "slot": slot})
                for subscription in slot_subscribers:
                    subscription.notify(info)
                for subscription in root_subscribers:
                    subscription.notify(str(root).encode())
                for subscription in blocks:
                    self._block(subscription, slot - 1)
        while self._waiting and self._waiting[0][0] <= slots.root:
            slot, subscription_id, result = self._waiting.popleft()
            waiting = self._by_id.get(subscription_id)
            if waiting is not None:
                self._send(waiting, slot, result)

    def _block(self, subscription: Subscription, slot: int) -> None:
        wanted = subscription.config.get("mentions")
        rows = self._node.ledger.history.block(slot)
        if not rows or (wanted is not None and not any(wanted in landed.keys for landed in rows)):
            return
        block = block_json(self._node, slot, subscription.config)
        self._send(subscription, slot, _in_slot(slot, {"slot": slot, "block": block, "err": None}))


def _in_slot(slot: int, value: Any) -> bytes:
    return orjson.dumps({"context": {"apiVersion": API_VERSION, "slot": slot}, "value": value})


class _Nowhere:
    def push(self, text: str) -> None:
        raise AssertionError("a subscription was used before it had a connection")


def _new(kind: str, config: Config, key: Any = None, **options: Any) -> Subscription:
    return Subscription(0, kind, _Nowhere(), config, config.finalized, key, **options)


def _account(params: Params) -> Subscription:
    config = params.config(1)
    encoding = config.account_encoding()
    return _new("account", config, params.pubkey(0), encoding=encoding, data_slice=config.data_slice())


def _program(params: Params) -> Subscription:
    config = params.config(1)
    return _new(
        "program",
        config,
        params.pubkey(0),
        encoding=config.account_encoding(),
        data_slice=config.data_slice(),
        tests=filters(config.get("filters")),
    )


def _mentioned(value: Any) -> Pubkey:
    mentions = value.get("mentions") if isinstance(value, dict) else None
    if not isinstance(mentions, list) or len(mentions) != 1:
        raise invalid_params("Invalid Request: Only 1 address supported")
    return read.pubkey(mentions[0])


def _logs(params: Params) -> Subscription:
    wanted = params.need(0)
    return _new("logs", params.config(1), None if wanted in ("all", "allWithVotes") else _mentioned(wanted))


def _signature(params: Params) -> Subscription:
    key: Signature = read.signature(params.need(0))
    return _new("signature", params.config(1), key)


def _block(params: Params) -> Subscription:
    wanted, config = params.need(0), params.config(1)
    mentions = None
    if wanted != "all":
        account = wanted.get("mentionsAccountOrProgram") if isinstance(wanted, dict) else None
        mentions = read.pubkey(account)
    config = Config({**config.values, "mentions": mentions})
    config.transaction_encoding()
    return _new("block", config)


_READERS: dict[str, Callable[[Params], Subscription]] = {
    "account": _account,
    "program": _program,
    "logs": _logs,
    "signature": _signature,
    "block": _block,
    "slot": lambda _params: _new("slot", Config({"commitment": "processed"})),
    "root": lambda _params: _new("root", Config({"commitment": "processed"})),
}
_SUBSCRIBE = {f"{kind}Subscribe": kind for kind in _READERS}
_UNSUBSCRIBE = {f"{kind}Unsubscribe": kind for kind in _READERS}
