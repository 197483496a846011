"""The bookkeeping of a reconnecting PubSub client. Pure: text in, text and events out.

A subscription outlives its connections. After each (re)connection it is made again, and its reader first gets
`Resumed`: from then on nothing is missed, what happened before has to be read from the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_UNSUBSCRIBE = {
    name: name.replace("Subscribe", "Unsubscribe")
    for name in (
        "accountSubscribe",
        "programSubscribe",
        "logsSubscribe",
        "signatureSubscribe",
        "slotSubscribe",
        "rootSubscribe",
        "blockSubscribe",
    )
}


@dataclass(frozen=True, slots=True)
class Resumed:
    """The subscription is live again on `url`; take a snapshot now. `generation` counts connections from 1."""

    generation: int
    url: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The node does not take this subscription; it is not tried again."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. `slot` is its context (None for slot and root notifications)."""

    generation: int
    slot: int | None
    value: Any


Event = Resumed | Refused | Notification


@dataclass(slots=True)
class _Wanted:
    method: str
    params: tuple[Any, ...]
    server_id: int | None = None


class Book:
    """Which subscriptions are wanted and what the server of the current connection calls them."""

    def __init__(self) -> None:
        self._wanted: dict[int, _Wanted] = {}
        self._pending: dict[int, tuple[int, str] | None] = {}
        self._by_server_id: dict[int, int] = {}
        self._requests = 0
        self._keys = 0
        self._url = ""
        self.generation = 0
        self.open = False

    def add(self, method: str, params: Sequence[Any]) -> tuple[int, list[bytes]]:
        """Want a subscription; return its key and what to send now. Raises `ValueError` for an unknown method."""
        if method not in _UNSUBSCRIBE:
            raise ValueError(f"{method} is not a subscription; known: {', '.join(_UNSUBSCRIBE)}")
        self._keys += 1
        self._wanted[self._keys] = _Wanted(method, tuple(params))
        return self._keys, [self._request(self._keys)] if self.open else []

    def remove(self, key: int) -> list[bytes]:
        """Stop wanting a subscription; return what to send now."""
        wanted = self._wanted.pop(key, None)
        if wanted is None or wanted.server_id is None or not self.open:
            return []
        self._by_server_id.pop(wanted.server_id, None)
        self._requests += 1
        self._pending[self._requests] = None
        return [_frame(self._requests, _UNSUBSCRIBE[wanted.method], [wanted.server_id])]

    def opened(self, url: str) -> list[bytes]:
        """Note a new connection; return the requests that renew every subscription."""
        self.closed()
        self.open, self._url = True, url
        self.generation += 1
        return [self._request(key) for key in self._wanted]

    def closed(self) -> None:
        """Note that the connection is gone, and with it the server's names of the subscriptions."""
        self.open = False
        self._pending.clear()
        self._by_server_id.clear()
        for wanted in self._wanted.values():
            wanted.server_id = None

    def received(self, text: str | bytes) -> tuple[list[tuple[int, Event]], list[bytes]]:
        """Return events by subscription key, and what to send in answer. Raises `ValueError` for what is not JSON."""
        message = orjson.loads(text)
        if not isinstance(message, dict):
            return [], []
        if "method" in message:
            return self._notification(message), []
        return self._reply(message)

    def _request(self, key: int) -> bytes:
        self._requests += 1
        wanted = self._wanted[key]
        self._pending[self._requests] = (key, wanted.method)
        return _frame(self._requests, wanted.method, list(wanted.params))

    def _reply(self, message: dict[str, Any]) -> tuple[list[tuple[int, Event]], list[bytes]]:
        pending = self._pending.pop(message.get("id", 0), None)
        if pending is None:
            return [], []
        key, method = pending
        wanted = self._wanted.get(key)
        error = message.get("error")
        if error is not None:
            self._wanted.pop(key, None)
            return ([(key, Refused(error.get("code", 0), error.get("message", "")))] if wanted else []), []
        server_id = int(message["result"])
        if wanted is None:
            # It was given up before the server had named it.
            self._requests += 1
            return [], [_frame(self._requests, _UNSUBSCRIBE[method], [server_id])]
        wanted.server_id = server_id
        self._by_server_id[server_id] = key
        return [(key, Resumed(self.generation, self._url))], []

    def _notification(self, message: dict[str, Any]) -> list[tuple[int, Event]]:
        params = message.get("params") or {}
        key = self._by_server_id.get(params.get("subscription", -1))
        if key is None or key not in self._wanted:
            return []
        result = params.get("result")
        if isinstance(result, dict) and "context" in result:
            slot, value = result["context"].get("slot"), result.get("value")
        else:
            slot, value = None, result
        if self._wanted[key].method == "signatureSubscribe" and value != "receivedSignature":
            # The server ends it by itself; wanting it on would subscribe to an old signature on every reconnection.
            del self._wanted[key]
            self._by_server_id.pop(params["subscription"], None)
        return [(key, Notification(self.generation, slot, value))]


def _frame(request_id: int, method: str, params: list[Any]) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
