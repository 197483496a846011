"""StatsBomb event documents (version 4 and later), with match list and line-ups where given."""

from ingest.feeds.statsbomb.adapter import ADAPTER

__all__ = ["ADAPTER"]
