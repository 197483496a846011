"""The review file: every open question on lines of tab-separated text that a person edits and gives back.

One line a candidate. In the first column goes the decision, the rest is there to be read:

    same        the record is this candidate
    different   it is not this candidate
    new         it is none of the candidates (one line says it for the record)
    undo        what was decided of the record before no longer holds
    (empty)     not decided yet

A file is read as a whole: one bad line, and nothing of it is applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ingest.events import FeedError
from ingest.identity.decisions import Decision, Verdict
from ingest.identity.model import Candidate, Key, Kind, Question

TITLE = "# futstar review 1"
COLUMNS = ("decision", "kind", "source", "source_id", "name", "candidate", "candidate_name", "score", "evidence")
_NONE = "-"
_HELP = (
    "# Write same, different, new or undo in the first column; leave it empty to decide later. One line a candidate.",
    "# Columns are separated by tabs. Then: futstar matches review --apply FILE --who YOU",
)
Found = tuple[Key, Verdict, str]


def write(questions: Iterable[Question]) -> str:
    """The file with every question, in a fixed order."""
    lines = [TITLE, *_HELP, "\t".join(COLUMNS)]
    for question in sorted(questions, key=lambda q: q.key):
        for candidate in question.candidates or (Candidate(_NONE, "", 0.0, ""),):
            score = f"{candidate.score:.3f}"
            cells = ("", *question.key, question.label, candidate.canonical, candidate.label, score, candidate.evidence)
            lines.append("\t".join(re.sub(r"[\t\r\n]+", " ", str(cell)) for cell in cells))
    return "\n".join(lines) + "\n"


def read(text: str, known: Mapping[Kind, Iterable[str]], records: Iterable[Key]) -> list[Found]:
    """The decisions in an edited file. Raises FeedError that names the line for the first thing that is wrong.

    ``known`` are the canonical ids of each kind, ``records`` every source record that was ever seen.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != TITLE:
        raise FeedError(
            "not_a_review", f"this is no review file: its first line must be '{TITLE}' (futstar matches review --out)"
        )
    ids = {kind: frozenset(found) for kind, found in known.items()}
    seen = frozenset(records)
    decided: list[tuple[int, Found]] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip() or line.split("\t")[0].strip().lower() == COLUMNS[0]:
            continue
        found = _line(number, line, ids, seen)
        if found is not None:
            decided.append((number, found))
    _agree(decided)
    return list(dict.fromkeys(found for _, found in decided))


def _line(number: int, line: str, ids: Mapping[Kind, frozenset[str]], seen: frozenset[Key]) -> Found | None:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) < 6:
        raise FeedError(
            "bad_review_line",
            f"line {number} has {len(cells)} columns, not {len(COLUMNS)}: keep the tabs between them as they were",
        )
    word, kind, provider, source_id, candidate = cells[0].lower(), cells[1], cells[2], cells[3], cells[5]
    if not word:
        return None
    if word not in tuple(Verdict):
        raise FeedError(
            "bad_decision", f"line {number}: '{cells[0]}' is no decision: write same, different, new or undo"
        )
    if kind not in tuple(Kind):
        raise FeedError("bad_review_line", f"line {number}: '{kind}' is no kind: restore the line")
    key = (Kind(kind), provider, source_id)
    if key not in seen:
        raise FeedError("unknown_id", f"line {number}: {provider} has no {kind} '{source_id}': restore the line")
    verdict = Verdict(word)
    if verdict in (Verdict.NEW, Verdict.UNDO):
        return key, verdict, ""
    if candidate not in ids.get(key[0], frozenset()):
        raise FeedError("unknown_id", f"line {number}: there is no {kind} '{candidate}': restore the line")
    return key, verdict, candidate


def _agree(decided: Sequence[tuple[int, Found]]) -> None:
    """Raise for decisions of one file that cannot hold together."""
    of_record: dict[Key, tuple[int, Verdict, str]] = {}
    denied: dict[tuple[Key, str], int] = {}
    for number, (key, verdict, canonical) in decided:
        if verdict is Verdict.DIFFERENT:
            denied[key, canonical] = number
            continue
        before = of_record.setdefault(key, (number, verdict, canonical))
        if before[1:] != (verdict, canonical):
            raise FeedError(
                "contradiction",
                f"lines {before[0]} and {number} contradict each other on {' '.join(key)}: keep one of them",
            )
    owner: dict[tuple[str, str], tuple[int, Key]] = {}
    for key, (number, verdict, canonical) in of_record.items():
        if verdict is Verdict.SAME and key[0] is Kind.FIXTURE:  # a team may have had several names in a source
            first, other_key = owner.setdefault((key[1], canonical), (number, key))
            if other_key != key:
                raise FeedError(
                    "contradiction",
                    f"lines {first} and {number} make two fixtures of {key[1]} one: keep one of them",
                )
        if verdict is Verdict.SAME and (key, canonical) in denied:
            other = denied[key, canonical]
            raise FeedError(
                "contradiction",
                f"lines {min(number, other)} and {max(number, other)} contradict each other on {' '.join(key)}: "
                "keep one of them",
            )


def decisions(found: Iterable[Found], who: str, at_ms: int, note: str = "") -> list[Decision]:
    """The file's decisions as words of a person. Raises FeedError without a name."""
    if not who.strip():
        raise FeedError("nobody", "decisions are kept with who made them: give --who NAME")
    return [Decision(key, verdict, canonical, who.strip(), at_ms, note) for key, verdict, canonical in found]
