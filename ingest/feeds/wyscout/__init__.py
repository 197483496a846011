"""Wyscout API v2 archives: event documents, alone or in a folder with their match lists."""

from ingest.feeds.wyscout.adapter import ADAPTER

__all__ = ["ADAPTER"]
