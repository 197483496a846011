"""The terminal view of a running match: one state in, one picture out.

`render` is pure: it turns a `ViewState` into something rich can print. `open_view` gives a shell around it: a live
screen on a terminal, one line every few seconds anywhere else.

``python -m backend.demo.view --sample out.svg`` draws a scripted state, to see the picture without a run.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.live import Live

from backend.demo.view_render import line, render
from backend.demo.view_state import EventLine, OrderLine, PoolLine, ViewState, WindowLine

__all__ = [
    "EventLine",
    "LineView",
    "LiveView",
    "OrderLine",
    "PoolLine",
    "View",
    "ViewState",
    "WindowLine",
    "export_svg",
    "line",
    "open_view",
    "render",
]


class View(Protocol):
    """Shows states until it is closed."""

    def update(self, state: ViewState) -> None:
        """Show this state, now or when the next refresh is due."""
        ...

    def close(self) -> None:
        """Leave the last state on the screen."""
        ...


class LiveView:
    """Redraws in place, at most ``refresh_hz`` times a second."""

    def __init__(self, console: Console, refresh_hz: float = 8, now_s: Callable[[], float] = time.monotonic) -> None:
        self._console, self._now_s, self._every_s, self._drawn_s = console, now_s, 1 / refresh_hz, float("-inf")
        self._state: ViewState | None = None
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def update(self, state: ViewState) -> None:
        """Draw it if the last picture is old enough; otherwise keep it for the next."""
        self._state = state
        if self._now_s() - self._drawn_s >= self._every_s:
            self._draw(state)

    def _draw(self, state: ViewState) -> None:
        self._drawn_s = self._now_s()
        self._live.update(render(state, self._console.width, self._console.height - 1), refresh=True)

    def close(self) -> None:
        """Draw the last state and give the terminal back."""
        if self._state is not None:
            self._draw(self._state)
        self._live.stop()


class LineView:
    """Prints one line at most every ``every_s`` seconds, and the last state at the end."""

    def __init__(self, console: Console, every_s: float = 5, now_s: Callable[[], float] = time.monotonic) -> None:
        self._console, self._every_s, self._now_s, self._printed_s = console, every_s, now_s, float("-inf")
        self._waiting: ViewState | None = None

    def update(self, state: ViewState) -> None:
        """Print it when its time has come."""
        self._waiting = state
        if self._now_s() - self._printed_s >= self._every_s:
            self._print()

    def _print(self) -> None:
        if self._waiting is not None:
            self._console.print(line(self._waiting), markup=False, highlight=False, soft_wrap=True)
            self._printed_s, self._waiting = self._now_s(), None

    def close(self) -> None:
        """Print what has not been printed."""
        self._print()


def open_view(console: Console | None = None, every_s: float = 5) -> View:
    """A live screen on a terminal, otherwise a line every ``every_s`` seconds."""
    console = console or Console()
    return LiveView(console) if console.is_terminal else LineView(console, every_s)


def export_svg(state: ViewState, path: Path, width: int = 108) -> None:
    """Write the picture of a state. Raises OSError when the file cannot be written."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(state, width))
    picture = console.export_svg(title="make demo")
    # rich names a font on a foreign server; a picture in a README should load nothing and tell nobody.
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the scripted state into a file or on the terminal; returns the exit code."""
    from backend.demo.view_sample import sample_state

    parser = argparse.ArgumentParser(prog="python -m backend.demo.view", description="The demo's terminal view.")
    parser.add_argument("--sample", type=Path, metavar="OUT.svg", help="write the picture of a scripted state")
    sample = parser.parse_args(arguments).sample
    if sample is None:
        console = Console()
        console.print(render(sample_state(), console.width))
        return 0
    try:
        export_svg(sample_state(), sample)
    except OSError as error:
        print(f"cannot write {sample}: {error.strerror}; name a file in a folder that exists", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
