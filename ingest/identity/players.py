"""Which known player is each player of a squad or line-up: birth date, shirt number, name.

Only players of one team are compared. A different birth date rules out; an equal one, or an equal shirt in the line-up
of the same fixture, needs only a fitting name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.identity.assign import pair
from ingest.identity.model import Player, SourcePlayer
from ingest.identity.names import person_similarity

CERTAIN_NAME = 0.90
"""What a full name must score where nothing else speaks for it."""
SUPPORTED_NAME = 0.60
"""What a name must score beside an equal birth date or an equal shirt in the same line-up."""
MARGIN = 0.15
FLOOR = 0.55
_BIRTH, _SHIRT = 0.5, 0.3


def match_players(
    players: Sequence[SourcePlayer],
    known: Mapping[str, Player],
    *,
    same_lineup: bool,
    linked: Mapping[str, str] | None = None,
    barred: frozenset[tuple[str, str]] = frozenset(),
) -> dict[str, tuple[str | None, tuple[tuple[str, float, str], ...]]]:
    """By source id: the certain player or None, and the candidates (id, score, evidence) for a person.

    ``same_lineup``: both lists are of one team in one fixture, so that shirt numbers can be compared.
    """
    linked = linked or {}
    taken = set(linked.values())
    waiting = [player for player in players if player.player_id not in linked]
    facts: dict[tuple[str, str], tuple[float, bool, str]] = {}
    for player in waiting:
        for known_id, other in known.items():
            if known_id in taken or (player.player_id, known_id) in barred:
                continue
            if player.birth_date and other.birth_date and player.birth_date != other.birth_date:
                continue
            name = max((person_similarity(a, b) for a in player.names for b in other.names), default=0.0)
            born = bool(player.birth_date) and player.birth_date == other.birth_date
            shirt = same_lineup and player.shirt is not None and player.shirt == other.shirt
            other_shirt = same_lineup and not shirt and None not in (player.shirt, other.shirt)
            value = name + _BIRTH * born + _SHIRT * shirt - _SHIRT * other_shirt
            words = [f"name {name:.2f}"] + ["born the same day"] * born + ["same shirt"] * shirt
            if name >= 0.3:
                facts[player.player_id, known_id] = (
                    value,
                    name >= SUPPORTED_NAME and (born or shirt),
                    ", ".join(words),
                )
    chosen = pair({key: fact[0] for key, fact in facts.items()})
    found: dict[str, tuple[str | None, tuple[tuple[str, float, str], ...]]] = {}
    for player in sorted(waiting, key=lambda p: p.player_id):
        options = sorted(
            ((k, fact) for (p, k), fact in facts.items() if p == player.player_id), key=lambda o: (-o[1][0], o[0])
        )
        mine = chosen.get(player.player_id)
        if mine is not None:
            value, supported, _ = facts[player.player_id, mine]
            rivals = [
                fact[0]
                for (p, k), fact in facts.items()
                if (p == player.player_id) != (k == mine)  # another reading of either
            ]
            clear = value - max(rivals, default=0.0) >= MARGIN
            if clear and (supported or value >= CERTAIN_NAME):
                found[player.player_id] = (mine, ())
                continue
        told = tuple((k, round(min(1.0, fact[0]), 2), fact[2]) for k, fact in options if fact[0] >= FLOOR)[:5]
        found[player.player_id] = (None, told)
    certain = {known_id for known_id, _ in found.values() if known_id is not None}
    return {
        player_id: (known_id, tuple(option for option in options if option[0] not in certain))
        for player_id, (known_id, options) in found.items()
    }
