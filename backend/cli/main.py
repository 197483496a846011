"""`futstar`: the one command. Each sub-command lives in a module of its own beside this one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from backend.cli import bench, demo, history, ingest, matches, momentum, serve, verify
from backend.errors import as_user_error

INTERRUPTED = 130
app = typer.Typer(
    name="futstar",
    help="A live football match becomes a market: momentum every second, on chain, tradable.",
    epilog="Example: futstar demo --headless --speed max --json report.json",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("verify")(verify.verify)
app.command("bench")(bench.bench)
app.command("localnet", context_settings=serve.FORWARD)(serve.localnet)
app.command("serve", context_settings=serve.FORWARD)(serve.serve)
app.add_typer(momentum.app, name="momentum")
app.add_typer(ingest.app, name="ingest")
app.add_typer(history.app, name="history")
app.add_typer(matches.app, name="matches")


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake becomes one line on stderr and a non-zero status."""
    try:
        result = app(args=args, standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except Exception as error:
        if (shown := as_user_error(error)) is not None:
            print(f"futstar: [{shown.code}] {shown}", file=sys.stderr)
            return shown.exit_code
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's own usage errors
            error.show()
            return int(error.exit_code)
        raise
    if result == INTERRUPTED:  # the command framework turns Ctrl-C into a status without a word
        print("futstar: interrupted", file=sys.stderr)
    return result if isinstance(result, int) else 0


def run() -> None:
    """Console-script entry point."""
    sys.exit(main())


if __name__ == "__main__":
    run()
