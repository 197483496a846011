"""Pre-match priors: what the bookmakers (or Elo) said before kick-off, from a CSV file."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ingest.events import FeedError
from momentum.forecast.odds import Prior
from momentum.form import MAX_FORM

PROBABILITIES = ("p_home", "p_draw", "p_away")
LOGIT = "prior_logit"
FORM = "form"
_SUM_TOLERANCE = 0.01

# Davidson's draw model, p_draw = nu * sqrt(p_home * p_away), with nu falling as the sides grow unequal: least squares
# on the 1,140 matches of three leagues that have all three odds; it meets their p_draw within 0.015 and p_home within
# 0.009 (root mean square).
_NU_LOG, _NU_LOG_PER_SQUARE = -0.165, -0.060


def from_logit(logit: float) -> Prior:
    """The prior of a match for which only ln(p_home / p_away) is known, as from Elo ratings."""
    home, away = math.exp(logit / 2), math.exp(-logit / 2)
    draw = math.exp(_NU_LOG + _NU_LOG_PER_SQUARE * logit * logit)
    total = home + draw + away
    return Prior(home / total, draw / total, away / total)


def read_priors(path: Path) -> dict[str, Prior]:
    """Match id -> probabilities, brought to sum 1. Plain or gzip CSV.

    A line has ``match_id`` and ``p_home``, ``p_draw``, ``p_away``, or where these are empty ``prior_logit``
    = ln(p_home / p_away); a line without either says that the match has no prior. ``form``, where the column is there
    and not empty, is the form of its teams in points (`momentum.form`). Further columns are not looked at.
    Raises FeedError for a file that cannot be read, lacks a column, or holds a line that is no prior (named).
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if packed
            else path.open(encoding="utf-8-sig", newline="")
        ) as file:
            return _parse(path, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FeedError("truncated_file", f"{path} is not a whole gzip file ({error}): fetch it again") from error
    except OSError as error:
        raise FeedError("file_unreadable", f"cannot read {path} ({error.strerror or error}): check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FeedError("prior_not_csv", f"{path} is no CSV text ({error}): give a prior file") from error


def _parse(path: Path, file: Iterable[str]) -> dict[str, Prior]:
    reader = csv.DictReader(file)
    names = set(reader.fieldnames or ())
    if "match_id" not in names or not (names.issuperset(PROBABILITIES) or LOGIT in names):
        raise FeedError(
            "prior_lacks_columns", f"{path} lacks columns: it needs match_id with {', '.join(PROBABILITIES)} or {LOGIT}"
        )
    found: dict[str, Prior] = {}
    for row in reader:
        where = f"{path} line {reader.line_num}"
        match_id = (row["match_id"] or "").strip()
        prior = _prior(where, row)
        if prior is not None:
            prior = replace(prior, form=_form(where, row))
        if not match_id:
            raise _bad(where, "has no match id")
        if prior is not None and found.setdefault(match_id, prior) != prior:
            raise _bad(where, f"names match {match_id} a second time with another prior")
    return found


def _prior(where: str, row: dict[str, str]) -> Prior | None:
    given = [(row.get(name) or "").strip() for name in PROBABILITIES]
    logit = (row.get(LOGIT) or "").strip()
    try:
        if not any(given):
            return from_logit(_bounded(float(logit))) if logit else None
        home, draw, away = map(float, given)
    except ValueError as error:
        raise _bad(where, f"holds no prior ({error})") from error
    if not all(0 < p < 1 for p in (home, draw, away)):
        raise _bad(where, "holds no three probabilities between 0 and 1")
    total = home + draw + away
    if abs(total - 1) > _SUM_TOLERANCE:
        raise _bad(where, f"has probabilities of sum {total:.4f}: take the bookmaker's margin out")
    return Prior(home / total, draw / total, away / total)


def _form(where: str, row: dict[str, str]) -> float | None:
    given = (row.get(FORM) or "").strip()
    if not given:
        return None
    try:
        form = float(given)
    except ValueError as error:
        raise _bad(where, f"holds no form ({error})") from error
    if not abs(form) <= MAX_FORM:
        raise _bad(where, f"has form {form}, which is not within -{MAX_FORM:g}..{MAX_FORM:g} points")
    return form


def _bounded(logit: float) -> float:
    if not abs(logit) <= 10:
        raise ValueError(f"{LOGIT} {logit} is not within -10..10")
    return logit


def _bad(where: str, what: str) -> FeedError:
    return FeedError("prior_bad_row", f"{where} {what}: correct the line or leave it out")
