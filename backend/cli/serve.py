"""`futstar localnet` and `futstar serve`: the demo's two servers on their own, with the options of their modules."""

from __future__ import annotations

import sys

import typer

FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Typer settings for commands whose options belong to another parser."""


def localnet(ctx: typer.Context) -> None:
    """Run the embedded chain alone. Example: futstar localnet --rpc-port 8899 --speed 1"""
    from chain.localnet.__main__ import main

    sys.argv[0] = "futstar localnet"
    raise typer.Exit(main(list(ctx.args)))


def serve(ctx: typer.Context) -> None:
    """Run mirror, API, stream and page. Example: futstar serve --rpc http://127.0.0.1:8899 --port 8080 ..."""
    from backend.serve import main

    sys.argv[0] = "futstar serve"
    raise typer.Exit(main(list(ctx.args)))
