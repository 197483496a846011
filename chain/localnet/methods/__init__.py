"""The JSON-RPC methods, one module per subject. `METHODS` maps a name to its handler."""

from __future__ import annotations

from chain.localnet.methods import accounts, cluster, control, history, transactions
from chain.localnet.methods.node import Handler, Node

METHODS: dict[str, Handler] = {
    **accounts.METHODS,
    **cluster.METHODS,
    **control.METHODS,
    **history.METHODS,
    **transactions.METHODS,
}

__all__ = ["METHODS", "Handler", "Node"]
