"""What only this cluster has: its clock can be moved by whoever runs it."""

from __future__ import annotations

from typing import Any

from chain.localnet import params as read
from chain.localnet.clock import ClockError
from chain.localnet.errors import invalid_params
from chain.localnet.methods.node import Handler, Node
from chain.localnet.params import Params


def _clock(node: Node, _params: Params) -> dict[str, Any]:
    slots = node.ledger.slots
    return {
        "unix_ms": slots.unix_ms,
        "slot": slots.slot,
        "block_height": slots.height(slots.slot),
        "root": slots.root,
        "speed": "manual" if node.clock.speed is None else node.clock.speed,
    }


def _set_clock(node: Node, params: Params) -> dict[str, Any]:
    value = params.need(0)
    if isinstance(value, dict):
        value = value.get("unix_ms")
    try:
        node.clock.set(read.integer(value, "unix_ms", 0, 1 << 53))
    except ClockError as error:
        raise invalid_params(str(error)) from None
    node.tick()
    return _clock(node, params)


def _set_speed(node: Node, params: Params) -> dict[str, Any]:
    value = params.need(0)
    if isinstance(value, dict):
        value = value.get("speed")
    if value == "manual":
        value = None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_params("speed must be 'manual' or a number of match seconds per second")
    try:
        node.clock.set_speed(value)
    except ClockError as error:
        raise invalid_params(str(error)) from None
    node.tick()
    return _clock(node, params)


METHODS: dict[str, Handler] = {
    "localnet_getClock": _clock,
    "localnet_setClock": _set_clock,
    "localnet_setSpeed": _set_speed,
}
