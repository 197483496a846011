"""How each provider writes a document: from raw rows back to the bytes that its adapter reads.

One `Form` for each provider. A row becomes bytes once; a document is its rows with a frame around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from ingest.events import FeedError
from ingest.feeds.wyscout.parse import PERIOD_END, PERIOD_START

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """``document(raw_info, made_unix_ms, rows)`` frames rows; ``header`` is the document without events, if there is
    one; ``strange`` gives a row a type that nobody knows; ``foreign`` makes header and rows those of another match.
    """

    content_type: str
    row: Callable[[Doc], bytes]
    document: Callable[[Doc, int, Sequence[bytes]], bytes]
    strange: Callable[[Doc], Doc]
    foreign: Callable[[Doc, Doc], tuple[Doc, Doc]]
    header: Callable[[Doc, int], bytes] | None = None
    header_mark: str = ""  # an address with this asks for the header


def _iso(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ma3(raw_info: Doc, made_unix_ms: int, rows: Sequence[bytes]) -> bytes:
    info = orjson.dumps({**raw_info, "lastUpdated": _iso(made_unix_ms)})
    return b'{"matchInfo":' + info + b',"liveData":{"event":[' + b",".join(rows) + b"]}}"


def _ma1(raw_info: Doc, made_unix_ms: int) -> bytes:
    info = {**raw_info, "lastUpdated": _iso(made_unix_ms)}
    return orjson.dumps({"matchInfo": info, "liveData": {"matchDetails": {"matchStatus": "Playing"}}})


def _wyscout_row(doc: Doc) -> bytes:
    """Without the version that a replay stamps: the provider has none."""
    return orjson.dumps({key: value for key, value in doc.items() if key != "modified"})


def _wyscout(raw_info: Doc, made_unix_ms: int, rows: Sequence[bytes]) -> bytes:
    teams = {team["id"]: {"team": {"name": team["name"]}} for team in raw_info["teams"].values()}
    match_id = orjson.dumps(str(raw_info["id"]))
    return b'{"match":' + match_id + b',"events":[' + b",".join(rows) + b'],"teams":' + orjson.dumps(teams) + b"}"


def _wyscout_foreign(raw_info: Doc, doc: Doc) -> tuple[Doc, Doc]:
    return {**raw_info, "id": "1"}, {**doc, "matchId": 1}


FORMS: dict[str, Form] = {
    "statsperform": Form(
        "application/json",
        orjson.dumps,
        _ma3,
        lambda doc: {**doc, "typeId": 9_999},
        lambda raw_info, doc: ({**raw_info, "id": "another-match"}, doc),
        _ma1,
        "/match/",
    ),
    "wyscout": Form(
        "application/json",
        _wyscout_row,
        _wyscout,
        lambda doc: doc if doc.get("eventName") in (PERIOD_START, PERIOD_END) else {**doc, "eventName": 99},
        _wyscout_foreign,
    ),
}


def form(provider: str) -> Form:
    """How ``provider`` writes. Raises FeedError naming the providers that have a twin."""
    try:
        return FORMS[provider]
    except KeyError:
        known = ", ".join(sorted(FORMS))
        raise FeedError("no_twin", f"there is no twin of provider '{provider}': choose one of {known}") from None
