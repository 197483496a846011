"""Sportradar Soccer v4: the sport event timeline (JSON) and its push messages."""

from ingest.feeds.sportradar.adapter import ADAPTER

__all__ = ["ADAPTER"]
