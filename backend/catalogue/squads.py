"""Players get their identity when a line-up names them: among the players of their team. Pure.

Beyond the team only a man of the same whole name counts: born the same day he is the same, else a person is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ingest.identity.decisions import Decisions
from ingest.identity.model import Candidate, Key, Kind, Link, Player, Question, SourcePlayer
from ingest.identity.names import plain
from ingest.identity.players import match_players
from ingest.identity.resolve import mint


@dataclass(slots=True)
class Squads:
    """Known players by team, and which source record is whom. ``touched`` are ids to be stored again."""

    players: dict[str, Player] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=dict)  # team id: player ids
    links: dict[Key, str] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    made: list[Link] = field(default_factory=list)
    questions: dict[Key, Question] = field(default_factory=dict)
    by_name: dict[str, set[str]] = field(default_factory=dict)  # whole names in one form: player ids
    asked: set[Key] = field(default_factory=set)  # every record that was looked at: its old question is settled

    def enlist(
        self,
        team_id: str,
        players: Sequence[SourcePlayer],
        beside: Iterable[SourcePlayer],
        decisions: Decisions,
    ) -> None:
        """Identify the players of one team's line-up; ``beside`` are the other sources' lists of the same line-up."""
        if not players:
            return
        provider = players[0].provider
        linked = {}
        for player in players:
            key = (Kind.PLAYER, provider, player.player_id)
            self.asked.add(key)
            decided = decisions.same.get(key)
            if decided is not None and decided in self.players and self.links.get(key) != decided:
                self._link(key, decided, player, team_id, "decided")
            elif key in decisions.new and key not in self.links:
                self._new(key, player, team_id, "decided")
            if key in self.links:
                linked[player.player_id] = self.links[key]
                self._belongs(self.links[key], team_id)
        waiting = [player for player in players if player.player_id not in linked]
        if not waiting:
            return
        shirts = {self.links[k]: p.shirt for p in beside if (k := (Kind.PLAYER, p.provider, p.player_id)) in self.links}
        barred = decisions.barred(Kind.PLAYER, provider)
        own = {to for (_, source, _), to in self.links.items() if source == provider}
        known = {i: self.players[i] for i in sorted(self.teams.get(team_id, ())) if i not in own}
        same = {i: replace(self.players[i], shirt=shirt) for i, shirt in sorted(shirts.items()) if i not in own}
        found = match_players(waiting, same or known, same_lineup=bool(same), linked=linked, barred=barred)
        for player in waiting:
            key = (Kind.PLAYER, provider, player.player_id)
            certain, options = found[player.player_id]
            if certain is not None:
                self._link(key, certain, player, team_id, "certain")
            elif not options and (born := self._elsewhere(player, own, barred, same_day=True)):
                self._link(key, born[0], player, team_id, "certain")
            elif not options and (others := self._elsewhere(player, own, barred, same_day=False)):
                told = tuple(Candidate(i, self.players[i].names[0], 0.9, "same name in another team") for i in others)
                self.questions[key] = Question(key, player.names[0], told)
            elif options:
                told = tuple(Candidate(i, self.players[i].names[0], score, why) for i, score, why in options)
                self.questions[key] = Question(key, player.names[0], told)
            else:
                self._new(key, player, team_id, "new")

    def _elsewhere(
        self, player: SourcePlayer, own: set[str], barred: frozenset[tuple[str, str]], *, same_day: bool
    ) -> list[str]:
        """Players of other teams with the same whole name: born the same day, or on a day that is not known of both."""
        if not self.by_name:
            for known in self.players.values():
                self._index(known)
        names = {plain(name) for name in player.names if len(plain(name).split()) > 1}
        found = sorted({i for name in names for i in self.by_name.get(name, ())} - own)
        found = [i for i in found if (player.player_id, i) not in barred]
        if same_day:
            born = [i for i in found if player.birth_date and self.players[i].birth_date == player.birth_date]
            return born if len(born) == 1 else []
        return [i for i in found if not (player.birth_date and self.players[i].birth_date)][:5]

    def _index(self, player: Player) -> None:
        for name in player.names:
            self.by_name.setdefault(plain(name), set()).add(player.player_id)

    def _new(self, key: Key, player: SourcePlayer, team_id: str, how: str) -> None:
        found = mint(Kind.PLAYER, key[1], key[2], self.players)
        self.players[found] = Player(found, player.names, player.birth_date)
        self._link(key, found, player, team_id, how)

    def _link(self, key: Key, to: str, player: SourcePlayer, team_id: str, how: str) -> None:
        known = self.players[to]
        names = tuple(dict.fromkeys((*known.names, *player.names)))
        self.players[to] = replace(known, names=names, birth_date=known.birth_date or player.birth_date)
        if self.by_name:
            self._index(self.players[to])
        self.links[key] = to
        self.touched.add(to)
        self.made.append(Link(key, to, how))
        self._belongs(to, team_id)

    def _belongs(self, to: str, team_id: str) -> None:
        if to not in self.teams.setdefault(team_id, set()):
            self.teams[team_id].add(to)
            self.touched.add(to)
