"""Several providers of one match as one feed: see `core`, and docs/fusion.md for states, thresholds and figures."""

from ingest.fusion.core import Condition, Fused, Fusion, Switch
from ingest.fusion.doubt import Cause
from ingest.fusion.member import Source, State
from ingest.fusion.policy import Bounds, Thresholds

__all__ = ["Bounds", "Cause", "Condition", "Fused", "Fusion", "Source", "State", "Switch", "Thresholds"]
