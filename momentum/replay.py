"""The index of recorded matches as a table: every second of both halves, final knowledge, both methodologies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.events import Delete, Event, MatchInfo, Upsert
from ingest.feeds import adapter
from ingest.feeds.base import Adapter
from ingest.timeline import Timeline
from momentum import archive
from momentum.methodology import SPEC_BOX, SPEC_DECAY

HEADER = "match_id,period,second,spec_box,spec_decay"


def final_events(
    source: Adapter, paths: Sequence[Path], match: str | None = None
) -> tuple[MatchInfo, tuple[Event, ...]]:
    """A recorded match with all its corrections applied. Raises FeedError when it is not one."""
    recorded = source.load(paths, match)
    timeline = Timeline()
    for row in recorded.rows:
        for doc in (row.doc, row.withdrawn):
            if doc is not None:
                timeline.apply([c for c in source.parse(recorded.info, doc) if isinstance(c, Upsert | Delete)])
    return recorded.info, timeline.events()


def rows(match_id: str, result: archive.Replay) -> Iterator[str]:
    """CSV lines of periods 1 and 2; values in points with 6 decimals."""
    box, decay = result.x_e6[SPEC_BOX.name].tolist(), result.x_e6[SPEC_DECAY.name].tolist()
    name = f'"{match_id}"' if "," in match_id or '"' in match_id else match_id
    for period, second, b, d in zip(result.period.tolist(), result.second.tolist(), box, decay, strict=True):
        if period <= 2:
            yield f"{name},{period},{second},{_points(b)},{_points(d)}\n"


def _points(x_e6: int) -> str:
    return f"{x_e6 // 1_000_000}.{x_e6 % 1_000_000:06d}"


def replay_to_csv(provider: str, paths: Sequence[Path], out: Path, match: str | None = None) -> tuple[int, int]:
    """Write the table of every match at ``paths``; returns (matches, rows).

    ``match`` picks one of a folder. The file appears whole or not at all. Raises FeedError for an unknown
    provider or input that is no match, OSError when ``out`` cannot be written.
    """
    source = adapter(provider)
    found = [match] if match is not None else source.matches(paths)
    wanted: list[str | None] = [*found] if match is not None or len(found) > 1 else [None]
    part = out.with_name(out.name + ".part")
    count = 0
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADER + "\n")
            for one in wanted:
                info, events = final_events(source, paths, one)
                lines = list(rows(info.match_id, archive.replay(events)))
                file.writelines(lines)
                count += len(lines)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return len(wanted), count
