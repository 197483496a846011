"""What people decided: kept in the order it was said, stronger than the machine, and taken back by saying so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.identity.model import Key


class Verdict(StrEnum):
    """What a person says of a source record and a candidate."""

    SAME = "same"  # it is this entity
    DIFFERENT = "different"  # it is not this entity; the machine may look elsewhere
    NEW = "new"  # it is none that is known
    UNDO = "undo"  # whatever was said of the record before no longer holds


@dataclass(frozen=True, slots=True)
class Decision:
    """One word of one person. ``canonical`` is empty for `new` and `undo`."""

    key: Key
    verdict: Verdict
    canonical: str
    who: str
    at_ms: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What holds now."""

    same: dict[Key, str] = field(default_factory=dict)
    new: frozenset[Key] = frozenset()
    different: frozenset[tuple[Key, str]] = frozenset()

    def barred(self, kind: str, provider: str) -> frozenset[tuple[str, str]]:
        """(source id, canonical id) of one source's records that are not the same."""
        return frozenset((key[2], to) for key, to in self.different if key[0] == kind and key[1] == provider)


def effective(log: Iterable[Decision]) -> Decisions:
    """The decisions that hold after ``log``, in its order: a later one on the same record replaces what it denies."""
    same: dict[Key, str] = {}
    new: set[Key] = set()
    different: set[tuple[Key, str]] = set()
    for word in log:
        if word.verdict is Verdict.UNDO:
            same.pop(word.key, None)
            new.discard(word.key)
            different = {item for item in different if item[0] != word.key}
        elif word.verdict is Verdict.SAME:
            same[word.key] = word.canonical
            new.discard(word.key)
            different.discard((word.key, word.canonical))
        elif word.verdict is Verdict.NEW:
            same.pop(word.key, None)
            new.add(word.key)
        else:
            different.add((word.key, word.canonical))
            if same.get(word.key) == word.canonical:
                del same[word.key]
    return Decisions(same, frozenset(new), frozenset(different))
