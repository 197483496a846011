"""Stats Perform MA1 (match) and MA3 (events), JSON; the event vocabulary is Opta's."""

from ingest.feeds.statsperform.adapter import ADAPTER

__all__ = ["ADAPTER"]
