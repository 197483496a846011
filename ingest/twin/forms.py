"""How each provider writes a document: from raw rows back to the bytes that its adapter reads.

One `Form` for each provider. A row becomes bytes once; a document is its rows with a frame around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson

from ingest.events import FeedError
from ingest.feeds.opta.times import london
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


def _wyscout(raw_info: Doc, made_unix_ms: int, rows: Sequence[bytes]) -> bytes:
    teams = {team["id"]: {"team": {"name": team["name"]}} for team in raw_info["teams"].values()}
    sides = {team["id"]: {"teamId": team["id"], "side": side} for side, team in raw_info["teams"].items()}
    match = {
        "wyId": raw_info["id"],
        "dateutc": raw_info["dateutc"],
        "competitionId": raw_info["competition"],
        "teamsData": sides,
    }
    return (
        b'{"match":'
        + orjson.dumps(match)
        + b',"events":['
        + b",".join(rows)
        + b'],"teams":'
        + orjson.dumps(teams)
        + b"}"
    )


def _wyscout_foreign(raw_info: Doc, doc: Doc) -> tuple[Doc, Doc]:
    return {**raw_info, "id": "1"}, {**doc, "matchId": 1}


def _wyscout_strange(doc: Doc) -> Doc:
    """The type stands under ``eventId``, in older exports under the name's key."""
    if doc.get("eventName") in (PERIOD_START, PERIOD_END):  # the loader's own rows
        return doc
    return {**doc, "eventId" if "eventId" in doc else "eventName": 99}


def _bare_row(doc: Doc) -> bytes:
    """Without the version that a replay stamps: the provider has none."""
    return orjson.dumps({key: value for key, value in doc.items() if key != "modified"})


def _list(raw_info: Doc, made_unix_ms: int, rows: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"


def _statsbomb_foreign(raw_info: Doc, doc: Doc) -> tuple[Doc, Doc]:
    """Its events do not name their match: only the ids and teams are others."""
    other = {"id": 1, "name": "Another Team"}
    return raw_info, {**doc, "id": f"other-{doc.get('id')}", "team": other, "possession_team": other}


def _f24_row(doc: Doc) -> bytes:
    return _element("Event", doc).encode()


def _f24(raw_info: Doc, made_unix_ms: int, rows: Sequence[bytes]) -> bytes:
    made = quoteattr(london(made_unix_ms))
    game = _attributes({name: value for name, value in raw_info.items() if not isinstance(value, list | dict)})
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<Games timestamp={made}>\n<Game {game}>\n'.encode()
    return head + b"\n".join(rows) + b"\n</Game>\n</Games>\n"


def _element(tag: str, doc: Doc) -> str:
    """Members are attributes, members that are lists are elements inside."""
    lists = {name: value for name, value in doc.items() if isinstance(value, list)}
    inside = "".join(_element(name, row) for name, rows in lists.items() for row in rows)
    return f"<{tag} {_attributes({n: v for n, v in doc.items() if n not in lists})}>{inside}</{tag}>"


def _attributes(doc: Doc) -> str:
    return " ".join(f"{name}={quoteattr(str(value))}" for name, value in doc.items())


FORMS: dict[str, Form] = {
    "opta": Form(
        "application/xml",
        _f24_row,
        _f24,
        lambda doc: {**doc, "type_id": "9999"},
        lambda raw_info, doc: ({**raw_info, "id": "1"}, doc),
    ),
    "statsbomb": Form(
        "application/json",
        _bare_row,
        _list,
        lambda doc: {**doc, "type": {"id": 9_999, "name": "Something New"}},
        _statsbomb_foreign,
    ),
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
        _bare_row,
        _wyscout,
        _wyscout_strange,
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
