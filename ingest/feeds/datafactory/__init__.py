"""DataFactory match documents: all incidences of a match by class, and the ids of the deleted ones."""

from ingest.feeds.datafactory.adapter import ADAPTER

__all__ = ["ADAPTER"]
