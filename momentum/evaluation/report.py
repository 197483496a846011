"""The evaluation as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from momentum.evaluation.indices import TARGETS, Score
from momentum.evaluation.intervals import Interval
from momentum.evaluation.prices import POOLED, Cut, Errors
from momentum.evaluation.run import Evaluation
from momentum.evaluation.sample import INDICES, LEARNED_PRIOR, LEARNING, PRIOR, QUOTES, TWO, WITH_PRIOR
from momentum.evaluation.trades import BINS, SPREAD_BINS, Result
from momentum.pricing import half_spread

TOO_BIASED_SE = 3
FEW = 30
COVERED = (0.88, 0.92)
_NEED_PRIOR = (PRIOR, WITH_PRIOR, LEARNED_PRIOR)


def text(found: Evaluation) -> str:
    """All tables, each with a line that says what it holds."""
    parts = [head(found), *_indices(found), *_steps(found), *_errors(found), *_biases(found)]
    return "\n".join([*parts, *_coverage(found), *_conf(found), *_trades(found)]) + "\n"


def head(found: Evaluation) -> str:
    """What was measured."""
    kept = ", ".join(f"{name} {count}" for name, count in found.competitions.items())
    lines = [
        f"{found.matches} matches of {found.provider}, {found.with_prior} with a prior; {found.seconds:,} seconds of "
        f"play, a moment every {found.moment_step_s} s: {found.moments:,}. Data {found.data_sha256[:16]}, seed "
        f"{found.seed}.",
        "Intervals are 95 % bootstraps over matches; SE are clustered by match.",
        f"The model has seen no match of the competition it is judged on: {kept or '-'}; "
        f"matches of competitions it was not trained on: {found.new}.",
    ]
    if not found.with_prior:
        lines.append(
            "No prior for any match (prior.csv.gz in the folder or beside it, or --prior): what needs one is left out."
        )
    if found.without_shots or found.void_windows:
        lines.append(f"Matches without a shot: {found.without_shots}; void windows: {found.void_windows}.")
    lines += [f"Not measured: [{failed.code}] {failed.text}" for failed in found.failures]
    return "\n".join(lines)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"


def _share(value: Interval) -> str:
    if not math.isfinite(value.mean):
        return "-"
    if not math.isfinite(value.low):
        return f"{value.mean:.3f}"
    return f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _signed(value: Interval | None, digits: int = 3) -> str:
    if value is None or not math.isfinite(value.mean):
        return "-"
    return f"{value.mean:+.{digits}f} [{value.low:+.{digits}f}, {value.high:+.{digits}f}]"


def _shown(found: Evaluation, names: Iterable[str]) -> list[str]:
    return [name for name in names if found.with_prior or name not in _NEED_PRIOR]


def _indices(found: Evaluation) -> list[str]:
    of = {(score.index, score.target): score for score in found.scores}
    counts = ", ".join(f"{target} {of[INDICES[0], target].n:,}" for target in TARGETS)
    lines = [
        "\n## The next five minutes\n",
        "AUC [95 %] / log loss. T1: side with more xG in the next 300 s; T2: side of the next shot; then T2 where the "
        f"shot falls within 300 s. Moments: {counts}. Log loss: of the probability itself for model/1; for the others "
        "of a logistic fit of level and slope made on the other half of the matches.\n",
    ]

    def cell(score: Score) -> str:
        return f"{_share(score.auc)} / {_number(score.log_loss, '.4f')}"

    names = _shown(found, INDICES)
    lines += _table(["index", *TARGETS], ([name, *(cell(of[name, target]) for target in TARGETS)] for name in names))
    lines += [
        "\nCalibration error over 10 bins of equally many moments; in brackets what a perfect forecast would show by "
        "chance.\n"
    ]
    judged = [name for name in names if of[name, TARGETS[0]].calibration is not None]
    rows = []
    for name in judged:
        errors = [of[name, target].calibration for target in TARGETS]
        rows.append([name, *(f"{_number(c.error, '.4f')} ({_number(c.chance, '.4f')})" if c else "-" for c in errors)])
    lines += _table(["probability", *TARGETS], rows)
    if found.by_competition:
        lines += ["\nAUC T1, T2 by competition.\n"]
        keys = list(dict.fromkeys((name, size) for name, size, *_ in found.by_competition))
        cells = {(name, index, target): value for name, _, index, target, value in found.by_competition}
        rows = [
            [index, *("; ".join(_share(cells[name, index, target]) for target in TARGETS[:2]) for name, _ in keys)]
            for index in names[1:]
        ]
        lines += _table(["index", *(f"{name} ({size})" for name, size in keys)], rows)
    return lines


def _steps(found: Evaluation) -> list[str]:
    rows = [
        [
            s.index,
            _number(s.big_a_match, ".2f"),
            _number(s.largest, ".1f"),
            _number(100 * s.unmoved, ".0f"),
            _number(100 * s.silent, ".0f"),
        ]
        for s in found.steps
        if s.index in _shown(found, [s.index])
    ]
    columns = ["index", "steps above 5 points a match", "largest", "% without shot, goal, card", "% without any event"]
    return ["\n## Steps from one second to the next\n", *_table(columns, rows)]


def _errors(found: Evaluation) -> list[str]:
    lines = ["\n## Price of the 15-minute window against its settlement\n"]
    names, learned = _shown(found, QUOTES), _shown(found, LEARNING)

    def rows(errors: Sequence[Errors]) -> Iterable[list[str]]:
        for e in errors:
            pooled = (e.low_s, e.high_s) == (POOLED[0], POOLED[1] - 1)
            place = "all" if pooled else f"{e.low_s if e.low_s > 1 else 0} to {e.high_s}"
            better = (_signed(e.better[name], 1) for name in learned)
            yield [place, f"{e.n:,}", *(_number(e.rmse[name], ".3f") for name in names), *better]

    columns = ["n", *names, *(f"{name}: % below {TWO}" for name in learned)]
    lines += ["RMSE in points by seconds left in the running window.\n"]
    lines += _table(["seconds left", *columns], rows(found.errors))
    lines += ["\nThe window after it, before its opening.\n"]
    return [*lines, *_table(["seconds until it opens", *columns], rows(found.next_errors))]


def _pivot(cuts: Sequence[Cut], names: Sequence[str], form: str, scale: float, odd: Sequence[str]) -> list[str]:
    rows: dict[tuple[str, str], dict[str, Cut]] = {}
    for cut in cuts:
        rows.setdefault((cut.cut, cut.place), {})[cut.quote] = cut

    def cell(cut: Cut | None) -> str:
        if cut is None or not math.isfinite(cut.value.mean):
            return "-"
        mean, se = cut.value.mean * scale, cut.value.se * scale
        beyond = f" ({cut.value.in_se:.1f} SE)" if form.startswith("+") and math.isfinite(cut.value.in_se) else ""
        flag = " **!**" if f"{cut.quote}|{cut.cut}|{cut.place}" in odd else ""
        return f"{mean:{form}} +-{_number(se, form.lstrip('+'))}{beyond}{flag}"

    body = ([cut, place, *(cell(found.get(name)) for name in names)] for (cut, place), found in rows.items())
    return _table(["cut", "", *names], body)


def _biases(found: Evaluation) -> list[str]:
    names = _shown(found, (TWO, *LEARNING))
    odd = [f"{c.quote}|{c.cut}|{c.place}" for c in found.biases if c.value.in_se > TOO_BIASED_SE]
    lines = ["\n### Bias\n", f"Mean of price less settlement, points, +-SE; **!** beyond {TOO_BIASED_SE} SE.\n"]
    return [*lines, *_pivot(found.biases, names, "+.3f", 1.0, odd)]


def _coverage(found: Evaluation) -> list[str]:
    low, high = COVERED
    odd = [f"{c.quote}|{c.cut}|{c.place}" for c in found.coverage if not low <= c.value.mean <= high]
    lines = ["\n### 90 % band\n", f"Settlements inside, %, +-SE; **!** outside {low:.0%} to {high:.0%}.\n"]
    return [*lines, *_pivot(found.coverage, _shown(found, LEARNING), ".1f", 100.0, odd)]


def _conf(found: Evaluation) -> list[str]:
    lines = [
        "\n### conf\n",
        "Points. Sent and found for the first minute of windows, trading open: found is what circumstances "
        "(competition or group of matches, by decile of X) foretell of the error, sampling noise removed; a ratio of "
        "squares above 1 says that conf is too small, below 1 that it is wide or that errors cancel within them.\n",
    ]
    rows = [
        [
            c.quote,
            _number(c.mean_open, ".3f"),
            _number(c.mean_all, ".3f"),
            _number(c.sent, ".3f"),
            _number(c.found, ".3f"),
            f"{_number(c.ratio, '.2f')} +-{_number(c.ratio_se, '.2f')}",
            str(c.cells),
        ]
        for c in found.conf
        if c.quote in _shown(found, [c.quote])
    ]
    columns = ["quote", "mean, trading open", "mean, always", "sent", "found", "ratio of squares +-SE", "cells"]
    return [*lines, *_table(columns, rows)]


def _trades(found: Evaluation) -> list[str]:
    lines = [
        "\n## Traders\n",
        "Points a trade held to settlement, against the forward of the fill's sample 5 s (and the rest of the second) "
        "later: before any cost, less the schedule's half-spread, less half-spread, conf and fee. **!** a gain.",
    ]
    for quote, results in found.strategies.items():
        lines += [f"\n### Against: {quote}\n", *_strategies(results)]
    lines += ["\n## Half-spread that the measured errors allow\n"]
    lines += [
        "By seconds left, the smallest at which no kind of trader with 200 fills has an upper 95 % bound above 0; "
        "besides it the price takes conf and fee, or nothing else.\n"
    ]
    taken = ["0.60", *(f"{half_spread((low + min(high, 900)) * 500, 0) / 1e6:.2f}" for low, high in SPREAD_BINS)]
    rows = [["the schedule at the bin's middle", "", "-", *taken]]
    for quote, kinds in found.allowed.items():
        rows += [
            [quote, kind, *("-" if value is None else f"{value:.2f}" for value in values)]
            for kind, values in kinds.items()
        ]
    return [*lines, *_table(["quote", "against", *BINS], rows)]


def _strategies(results: Sequence[Result]) -> list[str]:
    def flagged(value: Interval | None, n: int) -> str:
        # Of a few trades neither mean nor interval says anything: no flag.
        return _signed(value) + (" **!**" if value is not None and value.mean > 0 and n >= FEW else "")

    rows = (
        [r.name, r.group, f"{r.n:,}", _signed(r.edge), flagged(r.after_spread, r.n), flagged(r.net, r.n)]
        for r in results
    )
    return _table(["trader", "group", "n", "edge", "after half-spread", "net"], rows)
