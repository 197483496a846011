"""Fixtures as an iCalendar file (RFC 5545), for people's calendars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_STATE = {"cancelled": "CANCELLED", "postponed": "TENTATIVE"}
DURATION = "PT1H55M"


def calendar(fixtures: Iterable[dict[str, Any]]) -> str:
    """The calendar of `backend.catalogue.queries.fixture_view` documents; without an hour a fixture takes its day."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//futstar//matches//EN"]
    for f in fixtures:
        stamp = _compact(f["updated_at"])
        lines += ["BEGIN:VEVENT", f"UID:{f['fixture_id']}@futstar", f"DTSTAMP:{stamp}"]
        if f["kickoff_at"] is None:
            lines.append(f"DTSTART;VALUE=DATE:{f['day'].replace('-', '')}")
        else:
            lines += [f"DTSTART:{_compact(f['kickoff_at'])}", f"DURATION:{DURATION}"]
        lines.append(_text("SUMMARY", f"{f['home']} - {f['away']} ({f['competition']})"))
        if f["venue"]:
            lines.append(_text("LOCATION", f["venue"]))
        lines += [f"STATUS:{_STATE.get(f['status'], 'CONFIRMED')}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _compact(iso: str) -> str:
    return iso.replace("-", "").replace(":", "")


def _text(name: str, text: str) -> str:
    """A property with its text escaped, folded at 75 bytes."""
    for mark in "\\;,":
        text = text.replace(mark, f"\\{mark}")
    line, folded = f"{name}:{text}".replace("\n", "\\n").replace("\r", ""), []
    while len(line.encode()) > 75:
        cut = 75
        while len(line[:cut].encode()) > 74:
            cut -= 1
        folded.append(line[:cut])
        line = " " + line[cut:]
    return "\r\n".join([*folded, line])
