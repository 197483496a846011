"""Public pages with fixtures and, where a page has them, coarse events: a fallback, off until a site is enabled."""

from ingest.feeds.scraper.adapter import ADAPTER

__all__ = ["ADAPTER"]
