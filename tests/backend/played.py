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


def seconds(header: FeedHeader, messages: list[FeedMessage], play_s: int) -> list[Due]:
    """The first seconds of play, as the replay loop asks for them."""
    core = KeeperCore(adapter(header.provider), header)
    due, at = [], 0
    while not core.finished and len(due) < play_s:
        due_ms = core.due_ms()
        if at < len(messages) and (due_ms is None or messages[at].at_ms <= due_ms):
            core.receive(messages[at])
            at += 1
        elif due_ms is None:
            break
        else:
            core.sample(due_ms)
            due.append(Due(due_ms, at))
    return due


@functools.cache
def match(provider: str = "statsperform", seed: int = 7, play_s: int = 600) -> MatchHistory:
    """All rows of that match, with a sample for each of its first ``play_s`` seconds."""
    header, messages = feed(provider, seed)
    return build(header, messages, seconds(header, messages, play_s))
