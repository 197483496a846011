"""Opaque cursors: the key of the last row, in a form that nobody should build by hand."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from backend.api.problems import Problem


def encode(*key: Any) -> str:
    """A cursor that continues after ``key``."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode(cursor: str | None, *types: type) -> list[Any] | None:
    """The key inside a cursor; None for no cursor. Raises Problem for one that is not ours."""
    if cursor is None:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (orjson.JSONDecodeError, binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(types):
        detail = "The cursor is not one of this list: pass next_cursor of the last page unchanged."
        raise Problem(400, "bad_cursor", "Bad cursor", detail)
    return key
