"""Command line of the economic replay; see the package."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench.economics import figures
from bench.economics.season import K_CONTRACTS, POOL_USDC, QTY, Season
from bench.harness import commit, machine
from ingest.events import FeedError
from momentum.evaluation.match import Quote, choose, load
from momentum.evaluation.strategies import FANS, LEAKS, STRATEGIES
from momentum.forecast import Prior
from momentum.prior import read_priors

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.economics", description=__doc__)
    parser.add_argument("--provider", default="wyscout")
    parser.add_argument("--input", type=Path, default=SHARED / "wyscout", help="folder of recorded matches")
    parser.add_argument("--prior", type=Path, help="odds by match (default: prior.csv.gz beside the folder)")
    parser.add_argument("--matches", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11, help="which matches, and the noise traders' chance")
    parser.add_argument("--k", type=int, default=K_CONTRACTS, help="contracts that move a price by a point")
    parser.add_argument("--quote", type=Quote, choices=Quote, default=Quote.PRIOR, help="who makes the price")
    parser.add_argument("--fans", action="store_true", help="four in five noise orders back the favourite")
    parser.add_argument("--leak", action="store_true", help="add a trader who knows the index 10 s ahead of the data")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def known_priors(path: Path | None, folder: Path) -> dict[str, Prior]:
    """The odds at ``path``, else those beside the folder, else none."""
    beside = folder.parent / "prior.csv.gz"
    return read_priors(path or beside) if path or beside.is_file() else {}


def main() -> int:
    """Play the season and print the tables."""
    args = arguments()
    if not args.input.is_dir():
        print(f"economics: no folder {args.input}: pass --input with recorded matches", file=sys.stderr)
        return 2
    strategies = (*(FANS if args.fans and s.name == "noise" else s for s in STRATEGIES), *(LEAKS if args.leak else ()))
    odds = known_priors(args.prior, args.input)
    began = time.perf_counter()
    try:
        names = choose(args.provider, [args.input], args.matches, args.seed)
        # All matches before the chain: see `momentum.archive` on what a virtual machine does to a transform.
        matches = list(load(args.provider, [args.input], names, odds, args.quote))
    except FeedError as error:
        print(f"economics: [{error.code}] {error}", file=sys.stderr)
        return 2
    loaded = time.perf_counter()
    season = Season.found(strategies, args.k)
    played = []
    for number, match in enumerate(matches, start=1):
        played.append(season.play_match(match, strategies, args.seed))
        if number % 25 == 0:
            print(f"{number} of {len(matches)} matches", file=sys.stderr)
    done = time.perf_counter()
    lp = figures.lp_result(matches, played, strategies, POOL_USDC)
    flow = figures.groups(played, strategies)
    results = [figures.strategy_result(strategy, played) for strategy in strategies]
    worst = figures.hostile(played, results)
    ticks = sum(len(match.period) for match in matches)
    head = (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, `python -m bench.economics {shlex.join(sys.argv[1:])}`: "
        f"{len(matches)} matches, {ticks:,} samples, {sum(m.prior is not None for m in matches)} with odds; "
        f"{QTY} contracts an order, K {args.k}, pool {POOL_USDC:,} USDC; loading {loaded - began:.0f} s, "
        f"programs {done - loaded:.0f} s"
    )
    print(head, "\n\n", figures.table(lp, flow, results, worst), sep="")
    if args.json:
        report = figures.document(head=head, lp=lp, traders=results, hostile=worst, machine=machine(), commit=commit())
        report["flow"] = {name: [share, asdict(gain)] for name, (share, gain) in flow.items()}
        report["matches"] = [
            {"name": p.name, "result_usdc": p.cash_change_e6 / 1e6, "lp_fees_usdc": p.lp_fees_e6 / 1e6} for p in played
        ]
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
