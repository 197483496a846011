"""What forbids a step, and the codes and limits of the programs."""

from __future__ import annotations

from solders.pubkey import Pubkey

BPS = 10_000
OPEN, FINAL, VOID = 0, 1, 2
ACTIVE, REDUCE_ONLY_LEVEL, NO_NEW_ORDERS, HALTED = range(4)
(
    FILLED,
    LIMIT,
    SUSPENDED,
    NO_SAMPLE,
    OVER,
    BREAK,
    IS_VOID,
    GONE,
    CANCELLED,
    LIQUIDATED,
    CAP,
    NOTHING,
    RESTARTED,
    EXPIRED,
) = range(14)
REDUCE_ONLY = 1
NOBODY = Pubkey.default()
GUARDIAN_PAUSE_MAX_S = 259_200
EXPIRY_GRACE_MS, COMMIT_CLOSE_MS, LIQUIDATION_MAX_AGE_MS = 60_000, 20_000, 5_000
TRIGGER_LIFE_MS = CANCEL_GRACE_MS = 5_000
MARK_MAX_AGE_MS, REQUEST_LIFE_S = 5_000, 28_800
ABANDONED_MS = 6 * 3_600_000
DEPOSIT, WITHDRAWAL = 0, 1
MAX_SESSION_S = 30 * 86_400
MARKET_ORDER, LIMIT_ORDER, STOP_LOSS, TAKE_PROFIT = range(4)
MIN_QTY_E6, MAX_QTY_E6, MAX_EXPIRY_MS = 10_000, 10**12, 120_000


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """The rules forbid the step; `invariant` names what an acceptance would break."""

    def __init__(self, why: str, invariant: str = "rule") -> None:
        self.why, self.invariant = why, invariant
        super().__init__(why)


def need(condition: bool, why: str, invariant: str = "rule") -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused(why, invariant)
