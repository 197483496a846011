"""What a fused feed's condition does to a quote, the same for whoever publishes it and whoever checks it."""

from __future__ import annotations

from ingest.fusion import Condition
from momentum.forecast.model import MAX_CONF_E4
from momentum.state import Reason


def told(reason: Reason, condition: Condition | None) -> Reason:
    """Why trading is suspended: football's reason first, then the feed's own. The chain has one code for every cause
    of the feed (`ingest.fusion.doubt.Cause` tells which).
    """
    if reason is Reason.NONE and condition is not None and condition.suspended:
        return Reason.FEED_LOSS
    return reason


def widened(conf_e4: int, condition: Condition | None) -> int:
    """``conf`` with what the providers' difference adds, within its bound."""
    return conf_e4 if condition is None else min(MAX_CONF_E4, conf_e4 + condition.doubt_e4)
