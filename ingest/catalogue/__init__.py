"""The calendar as sources give it: files of fixtures read into one neutral form."""

from ingest.catalogue.snapshot import Entry, Lineup, Snapshot, Status
from ingest.catalogue.sources import PROVIDERS, read, read_paths

__all__ = ["PROVIDERS", "Entry", "Lineup", "Snapshot", "Status", "read", "read_paths"]
