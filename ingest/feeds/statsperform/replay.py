"""Replays of MA3: what its deleted rows were, and first versions that were wrong (`ingest.feeds.opta.replay`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.feeds import base
from ingest.feeds.opta import replay as opta
from ingest.feeds.statsperform.constants import MA3

Doc = dict[str, Any]


def replay(paths: Sequence[Path], seed: int, halftime_ms: int = base.DEFAULT_HALFTIME_MS) -> base.Replay:
    """The recorded match at ``paths`` as a live feed; see `ingest.feeds.base.replay`."""
    from ingest.feeds.statsperform.adapter import ADAPTER

    return ADAPTER.replay(paths, seed, halftime_ms)


def spoil(doc: Doc, rng: random.Random) -> Doc | None:
    """A plausible first version of a row; None for what arrives right."""
    return opta.spoil(doc, rng, MA3)


def restore(doc: Doc) -> Doc | None:
    """The event that a deletion row withdrew; None when it does not tell."""
    return opta.restore(doc, MA3)
