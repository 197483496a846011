"""JSON-RPC 2.0: from the bytes of a request to the bytes of the answer. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson

from chain.localnet.errors import INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError
from chain.localnet.params import Params

Call = Callable[[str, Params], Any]
MAX_BATCH = 1_000
_log = logging.getLogger(__name__)


def answer(body: bytes | str, call: Call) -> bytes | None:
    """Answer one request or a batch; None when there is nothing to say (only notifications)."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps(_failure(None, RpcError(PARSE_ERROR, "Parse error")))
    if not isinstance(request, list):
        reply = _one(request, call)
        return None if reply is None else orjson.dumps(reply)
    if not request or len(request) > MAX_BATCH:
        return orjson.dumps(_failure(None, RpcError(INVALID_REQUEST, "Invalid Request")))
    replies = [reply for item in request if (reply := _one(item, call)) is not None]
    return orjson.dumps(replies) if replies else None


def _failure(request_id: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": error.to_json(), "id": request_id}


def _one(request: Any, call: Call) -> dict[str, Any] | None:
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        request_id = request.get("id") if isinstance(request, dict) else None
        return _failure(request_id, RpcError(INVALID_REQUEST, "Invalid request"))
    wants_reply, request_id = "id" in request, request.get("id")
    try:
        result = call(request["method"], Params(request.get("params")))
    except RpcError as error:
        return _failure(request_id, error) if wants_reply else None
    except BaseException as error:
        # A panic in the Rust of the SVM arrives as a BaseException; one transaction must not end the cluster.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        _log.exception("localnet: %s failed", request["method"])
        return _failure(request_id, RpcError(INTERNAL_ERROR, "Internal error")) if wants_reply else None
    return {"jsonrpc": "2.0", "result": result, "id": request_id} if wants_reply else None


def unknown(method: str) -> RpcError:
    """Return the error for a method that does not exist."""
    return RpcError(METHOD_NOT_FOUND, "Method not found", None if not method else {"method": method})
