"""A real match as the keeper received and published it, for the tests of history."""

from __future__ import annotations

import functools

from backend.history.replay import Due, build
from ingest.feed import FeedHeader, FeedMessage
from ingest.feeds import adapter, default_match_paths
from ingest.feeds.base import replay
from ingest.history.model import MatchHistory
from oracle.core import KeeperCore


@functools.cache
def feed(provider: str = "statsperform", seed: int = 7) -> tuple[FeedHeader, list[FeedMessage]]:
    """The complete match of the kloppy package as a live feed."""
    source = adapter(provider)
    return replay(source, source.load(default_match_paths(provider)), seed)


def seconds(header: FeedHeader, messages: list[FeedMessage], samples: int, step: int = 1) -> list[Due]:
    """The first ``samples`` of the match as the replay loop asks for them; with ``step`` the loop is late each time."""
    core = KeeperCore(header)
    due: list[Due] = []
    at = 0
    while not core.finished and len(due) < samples:
        due_ms = core.due_ms()
        following = messages[at].at_ms if at < len(messages) else None
        if following is not None and (due_ms is None or following <= due_ms):
            core.receive(messages[at])
            at += 1
            continue
        assert due_ms is not None
        late_ms = due_ms + (step - 1) * 1000
        if following is None or following > late_ms:
            due_ms = late_ms
        core.advance(due_ms)
        core.sample(due_ms)
        due.append(Due(due_ms, at))
    return due


@functools.cache
def match(provider: str = "statsperform", samples: int = 600, step: int = 1) -> MatchHistory:
    """All rows of that match, with a sample for each of its first seconds."""
    header, messages = feed(provider)
    return build(header, messages, seconds(header, messages, samples, step))
