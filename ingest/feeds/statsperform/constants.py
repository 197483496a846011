"""What is Stats Perform's own: the names of the fields in MA3. The vocabulary is Opta's (`ingest.feeds.opta`)."""

from __future__ import annotations

from ingest.facts import MatchStatus
from ingest.feeds.opta.constants import Shape

MA3 = Shape(
    type_id="typeId",
    period="periodId",
    minute="timeMin",
    second="timeSec",
    team="contestantId",
    player="playerId",
    player_name="playerName",
    stamp="timeStamp",
    qualifiers="qualifier",
    qualifier_id="qualifierId",
)

STATUS = {
    "Fixture": MatchStatus.FIXTURE,
    "Playing": MatchStatus.PLAYING,
    "Played": MatchStatus.PLAYED,
    "Postponed": MatchStatus.POSTPONED,
    "Suspended": MatchStatus.SUSPENDED,
    "Cancelled": MatchStatus.CANCELLED,
    "Abandoned": MatchStatus.ABANDONED,
    "Awarded": MatchStatus.AWARDED,
}
"""``matchStatus`` of MA1. Only ``Played`` occurs in a real file that we hold; the others are unverified."""
