"""MA1 and MA3 in XML, brought to the form of the same documents in JSON, so that everything after reads one form.

Attributes become members; JSON's numbers are told by their names. Elements that come in lists have their singular
name in JSON. Checked on the complete real match in both forms: equal documents (tests/ingest).
"""

from __future__ import annotations

from typing import Any

from ingest.feeds.xmldoc import Element, Rows

Doc = dict[str, Any]
ROWS = Rows("event", "qualifier", "qualifier")
ROOTS = {"match", "matchEvents"}
_INTEGERS = frozenset(
    (
        *("numberOfPeriods", "periodLength", "periodId", "matchLengthMin", "matchLengthSec", "lengthMin", "lengthSec"),
        *("timeMin", "home", "away", "homeScore", "awayScore", "shirtNumber", "injuryTime"),
    )
)
_LISTED = frozenset(
    {"period", "goal", "card", "substitute", "lineUp", "player", "matchOfficial", "contestant", "stat"}
    | {"VAR", "missedPen", "penaltyShot"}
)
_DISSOLVED = frozenset({"contestants", "periods", "matchOfficials"})
"""Elements that only hold a list."""

_TEXT_IN = {"venue": "shortName", "stat": "value"}
"""Where the text of an element with attributes goes; ``name`` otherwise."""


def document(root: Element) -> Doc:
    """The document in its JSON form."""
    found: Doc = {}
    for child in root.children:
        if child.tag == "matchInfo":
            found["matchInfo"] = _node(child)
        elif child.tag == "liveData":
            found["liveData"] = _live(child)
    return found


def _live(element: Element) -> Doc:
    live = _node(element)
    events = element.find("events")
    if events is not None:
        live["event"] = [_event(row) for row in events.rows]
    return live


def _node(element: Element) -> Doc:
    node: Doc = {name: _integer(value) if name in _INTEGERS else value for name, value in element.attrib.items()}
    if element.tag == "period" and "id" in node:
        node["id"] = _integer(node["id"])
    for child in element.children:
        if child.tag == "events":
            continue
        if child.tag in _DISSOLVED:
            for row in child.children:
                node.setdefault(row.tag, []).append(_node(row))
        elif child.tag in _LISTED:
            node.setdefault(child.tag, []).append(_node(child))
        elif child.attrib or child.children:
            node[child.tag] = _node(child)
        else:
            node[child.tag] = child.text
    if element.text:
        node[_TEXT_IN.get(element.tag, "name")] = element.text
    return node


def _event(row: Doc) -> Doc:
    """One row with JSON's numbers. It runs two thousand times a document, its inner loop eight thousand."""
    for name in _EVENT_INTEGERS:
        text = row.get(name)
        if text is not None:
            row[name] = _SMALL[text] if text in _SMALL else _integer(text)
    for axis in ("x", "y"):
        text = row.get(axis)
        if text is not None:
            row[axis] = _PLACES[text] if text in _PLACES else _number(text)
    for qualifier in row["qualifier"]:
        row_id, number = qualifier.get("id", ""), qualifier.get("qualifierId", "")
        if row_id.isdecimal() and len(row_id) <= _DIGITS:
            qualifier["id"] = int(row_id)
        if number in _SMALL:
            qualifier["qualifierId"] = _SMALL[number]
        elif number.isdecimal() and len(number) <= _DIGITS:
            qualifier["qualifierId"] = int(number)
    return row


_EVENT_INTEGERS = ("id", "eventId", "typeId", "periodId", "timeMin", "timeSec", "outcome", "keyPass", "assist")
_SMALL = {str(number): number for number in range(1000)}
_PLACES = {f"{tenths / 10}": tenths / 10 if tenths % 10 else tenths // 10 for tenths in range(1001)}
"""Looked up sooner than read: nearly all numbers of a row are small."""

_DIGITS = 18


def _integer(text: str) -> int | str:
    """The number where it fits 64 bits; the text otherwise, which parsing will complain about."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else text


def _number(text: str) -> float | int | str:
    try:
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    except (ValueError, OverflowError):
        return text
