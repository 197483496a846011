"""Opta F24 (events) and F7 (match), XML. The vocabulary is shared with Stats Perform, whose MA3 has the same rows."""

from ingest.feeds.opta.adapter import ADAPTER

__all__ = ["ADAPTER"]
