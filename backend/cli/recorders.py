"""What help texts say of providers, without loading the adapters."""

from __future__ import annotations

RECORDERS = "datafactory, opta, statsbomb, statsperform or wyscout"
"""The adapters of whose recordings an index can be made (tests/momentum/test_cli.py)."""
