"""What can be put into history from files: an exported folder, or a finished run with its feed and its chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backend.demo.workspace import run_file
from backend.errors import UserError
from backend.history.replay import from_run
from ingest.feed import read_feed
from ingest.history.archive import Archive, is_archive
from ingest.history.model import MatchHistory
from oracle import transcript

FEED, CHAIN = "feed.jsonl", "chain.jsonl.gz"


def read(path: Path) -> Iterator[MatchHistory]:
    """Every match at ``path``: an exported folder, a run's folder or report.json, or a feed file alone.

    A feed file without a chain beside it gives no samples: nobody published any that could be proved.
    Raises UserError ``not_history`` for anything else, and whatever reading those raises.
    """
    if path.is_dir() and is_archive(path):
        yield from Archive.open(path).histories()
        return
    if path.is_dir():
        feed, chain = path / FEED, path / CHAIN
    elif path.suffix == ".jsonl":
        feed, chain = path, path.with_name(CHAIN)
    else:
        feed, chain = run_file(path, FEED), run_file(path, CHAIN)
    if not feed.is_file():
        raise UserError(
            "not_history", f"{path} is neither an exported folder nor a run's folder, report or feed file: give one"
        )
    header, messages = read_feed(feed)
    published = transcript.published(transcript.aggregate(transcript.read(chain))) if chain.is_file() else []
    yield from_run(header, messages, published)
