"""What a consumer has processed, so that what comes again counts once. A pure core.

    if seen.fresh(record.match_id, record.seq):
        ...  # the effect
        seen.done(record.match_id, record.seq)

To be exact through a crash of its own, a consumer keeps `dump` with its effects, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

State = Mapping[str, tuple[int, tuple[int, ...]]]


class Seen:
    """Sequence numbers of each key, from 1. A number and the set of those beyond a hole (a dead letter) are kept."""

    def __init__(self, state: State | None = None) -> None:
        state = state or {}
        self._upto = {key: upto for key, (upto, _) in state.items()}
        self._beyond = {key: set(beyond) for key, (_, beyond) in state.items() if beyond}

    def fresh(self, key: str, seq: int) -> bool:
        """Whether ``seq`` of ``key`` was not processed yet."""
        return seq > self._upto.get(key, 0) and seq not in self._beyond.get(key, ())

    def done(self, key: str, seq: int) -> None:
        """``seq`` of ``key`` is processed."""
        upto = self._upto.get(key, 0)
        beyond = self._beyond.get(key)
        if seq != upto + 1:
            if seq > upto:
                self._beyond.setdefault(key, set()).add(seq)
                self._upto.setdefault(key, 0)
            return
        upto = seq
        if beyond:
            while upto + 1 in beyond:
                upto += 1
                beyond.discard(upto)
            if not beyond:
                del self._beyond[key]
        self._upto[key] = upto

    def missing(self, key: str) -> list[int]:
        """Numbers below the highest processed that are missing: dead letters, or loss."""
        beyond = self._beyond.get(key)
        if not beyond:
            return []
        return [seq for seq in range(self._upto[key] + 1, max(beyond)) if seq not in beyond]

    def forget(self, key: str) -> None:
        """The match is over."""
        self._upto.pop(key, None)
        self._beyond.pop(key, None)

    def dump(self) -> dict[str, tuple[int, tuple[int, ...]]]:
        """All of it as plain data."""
        return {key: (upto, tuple(sorted(self._beyond.get(key, ())))) for key, upto in self._upto.items()}
