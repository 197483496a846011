"""Damage to real documents, from a seed: the same for every adapter, for JSON and XML alike.

Two depths. `damage_bytes` treats a document as what comes over a line: cut, doubled, flipped, of another encoding.
`damage_rows` treats it as what a provider sends by mistake: wrong types, absurd numbers, rows missing, doubled,
shuffled, of other teams. Everything is drawn from a `random.Random`, so that a failure is repeated by its seed.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

HUGE = (
    *(10**400, -(10**400), 2**63, 2**64, -(2**63) - 1, 10**18, 1e308, -1e308, 1e-308),
    *(0, -1, 6, 99, 1.5, 2**63 - 1, "9" * 400, "1e999", "-1", "NaN", "inf", "-inf", "0x10", "1_000", "１２"),
)
"""Numbers that fit nothing, as numbers and as text."""

WRONG = (
    *(None, True, False, "", " ", "x", [], {}, [[]], {"a": {}}, ["x"], [None], "\x00", "\ud800", "x" * 5000),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2021-02-30T25:61:61", "2021"),
    *(
        "00:00:00.000",
        "99:99:99.999",
        "45:00",
        "2H",
        "home",
        "ü" * 50,
        {"id": {"id": 1}},
        {"1": {"x": "a"}},
        [None, None],
    ),
)
"""Values of the wrong type, and text that is none."""


def _cut(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body))]


def _drop(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body))
    return body[:at] + body[at + rng.randint(1, 400) :]


def _double(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body))
    return body[:at] + body[at : at + rng.randint(1, 2000)] + body[at:]


def _flip(body: bytes, rng: random.Random) -> bytes:
    found = bytearray(body)
    for _ in range(rng.randint(1, 20)):
        found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


def _insert(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body))
    return body[:at] + rng.choice(_BAD_BYTES) + body[at:]


def _swap_halves(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body))
    return body[at:] + body[:at]


def _digits(body: bytes, rng: random.Random) -> bytes:
    """One number somewhere becomes a very long one."""
    places = [at for at in range(0, len(body), max(1, len(body) // 4000)) if body[at : at + 1].isdigit()]
    at = rng.choice(places or [0])
    return body[:at] + b"9" * rng.choice((20, 400, 5000)) + body[at:]


def _encoded(body: bytes, rng: random.Random) -> bytes:
    text = body.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-be", "utf-32", "latin-1", "utf-8-sig", "cp037")), "replace")


def _nested(body: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((60, 1000, 100_000))
    if body.lstrip()[:1] == b"<":
        at = body.find(b"<", len(body) // 2)
        return body[:at] + b"<z>" * depth + b"</z>" * depth + body[at:]
    at = max(body.find(b"[", len(body) // 3), 0) + 1
    return body[:at] + b"[" * depth + b"]" * depth + b"," + body[at:]


def _declared(body: bytes, rng: random.Random) -> bytes:
    """An XML document with entities of its own; JSON with XML before it."""
    bomb = b"".join(b'<!ENTITY a%d "%s">' % (n + 1, b"&a%d;" % n * 10) for n in range(9))
    head = rng.choice(
        (
            b'<!DOCTYPE x [<!ENTITY a0 "ha">' + bomb + b"]>",
            b'<!DOCTYPE x [<!ENTITY a9 SYSTEM "file:///etc/hostname">]>',
            b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        )
    )
    start = body.find(b"?>") + 2 if body.startswith(b"<?xml") else 0
    return body[:start] + head + body[start:].replace(b'="', b'="&a9;', 3)


_BAD_BYTES = (
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\x00" * 7,
    b"\xef\xbb\xbf",
    b"&e;",
    b"<",
    b'"',
    b"{",
    b"]]>",
    b"\\u",
)

BYTE_DAMAGE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_cut, _drop, _double, _flip, _insert, _swap_halves, _digits, _encoded, _nested, _declared),
)


def damage_bytes(body: bytes, rng: random.Random) -> bytes:
    """One to three damages one after the other."""
    for _ in range(rng.randint(1, 3)):
        if body:
            body = rng.choice(BYTE_DAMAGE)(body, rng)
    return body


def damage_row(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A row with up to four of its values, at any depth, replaced, dropped or doubled."""
    row = copy.deepcopy(row)
    for _ in range(rng.randint(1, 4)):
        _damage(row, rng.choice(_places(row) or [("id",)]), rng)
    return row


def damage_content(content: Any, rng: random.Random) -> Any:
    """A JSON document with up to a dozen of its values, at any depth, replaced, dropped or doubled."""
    content = copy.deepcopy(content)
    places = _places(content)
    for _ in range(rng.randint(1, 12)):
        _damage(content, rng.choice(places), rng)
    return content


def _damage(node: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    """Damage what stands at ``place``, if an earlier damage left it there."""
    *above, last = place
    try:
        for key in above:
            node = node[key]
        how = rng.random()
        if how < 0.15:
            del node[last]
        elif how < 0.25 and isinstance(node, list):
            node.insert(rng.randrange(len(node) + 1), copy.deepcopy(node[last]))
        elif how < 0.30 and isinstance(node, list):
            rng.shuffle(node)
        elif how < 0.35 and isinstance(node, dict):
            node[rng.choice(("new", "x", "id", "period", "modified"))] = node[last]
        else:
            node[last] = copy.deepcopy(rng.choice(HUGE if rng.random() < 0.5 else WRONG))
    except (KeyError, IndexError, TypeError):
        return


def damage_rows(rows: list[dict[str, Any]], rng: random.Random) -> list[Any]:
    """Some rows damaged, some lost, some twice, some that are none, now and then all shuffled."""
    found: list[Any] = []
    for row in rows:
        luck = rng.random()
        if luck < 0.05:
            continue
        found.append(damage_row(row, rng) if luck < 0.25 else row)
        if luck > 0.95:
            found.append(copy.deepcopy(row))
        elif luck > 0.93:
            found.append(copy.deepcopy(rng.choice(WRONG)))
    if rng.random() < 0.3:
        rng.shuffle(found)
    return found


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [*([path] if path else []), *(place for key, child in children for place in _places(child, (*path, key)))]
