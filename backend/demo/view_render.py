"""From a state to a picture, without I/O: `render` for a terminal, `line` for a log."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from backend.demo.view_state import ViewState, WindowLine

HOME, AWAY, QUIET, GOOD, WARN = "#4da3ff", "#ff9248", "grey58", "#36c98b", "#f2c14e"
POINT = 1_000_000
FULL_ROWS, BOOKS_ROWS, FLOW_ROWS = 41, 19, 9
MATCH_TICKS = 5_700
"""How many seconds of play the sparkline has room for before it begins to shrink: two halves with added time."""
PERIODS = ("before kick-off", "1st half", "2nd half", "extra time 1", "extra time 2", "shoot-out")
_START_S = (0, 0, 2700, 5400, 6300, 7200)
_LENGTH_S = (0, 2700, 2700, 900, 900, 0)
_STATUS = {
    "waiting": ("waiting for kick-off", QUIET),
    "live": ("in play", GOOD),
    "suspended": ("trading suspended", WARN),
    "break": ("break", QUIET),
    "final": ("full time", "bold"),
}
_BLOCKS = " ▁▂▃▄▅▆▇█"
_HANGING = " ▔▔▀▀▀▀██"  # few fonts have all blocks that hang from the top: an eighth, a half and all of them do


def points(value_e6: int | None, places: int = 1) -> str:
    """Points for people, rounded half up in integers: 57_345_000 is ``57.3``; None is a dash."""
    if value_e6 is None:
        return "-"
    unit = 10 ** (6 - places)
    whole, part = divmod((abs(value_e6) + unit // 2) // unit, 10**places)
    sign = "-" if value_e6 < 0 and (whole or part) else ""
    return f"{sign}{whole:,}.{part:0{places}d}" if places else f"{sign}{whole:,}"


def clock(period: int, play_s: int) -> str:
    """The playing clock: ``34:07``, in added time ``45+2:13``."""
    if not 0 < period < len(_START_S):
        return "0:00"
    start, length = _START_S[period], _LENGTH_S[period]
    if play_s <= length or not length:
        return f"{(start + play_s) // 60:02d}:{(start + play_s) % 60:02d}"
    added = play_s - length
    return f"{(start + length) // 60}+{added // 60}:{added % 60:02d}"


def render(state: ViewState, width: int = 100, height: int | None = None) -> RenderableType:
    """The whole view, ``width`` columns wide (at least 72) and at most ``height`` rows high (None: as high as it is).

    At a given size it is always equally high, so nothing jumps; what does not fit gives way to one line of counts.
    """
    width = max(72, width)
    rows = 3 if height is None or height >= FULL_ROWS else 2
    match, room = _match(state, width, rows), (height or FULL_ROWS) - 7 - 2 * rows
    if room >= BOOKS_ROWS + FLOW_ROWS:
        return Group(match, _books(state, width), _flow(state))
    if room > BOOKS_ROWS:
        return Group(match, _books(state, width), _counts(state))
    return Group(match, _flow(state), _counts(state)) if room > FLOW_ROWS else Group(match, _counts(state))


def _books(state: ViewState, width: int) -> RenderableType:
    lower = Table.grid(expand=True)
    lower.add_column(width=width * 46 // 100)
    lower.add_column()
    lower.add_row(Group(_events(state), _oracle(state)), Group(_windows(state), _pool(state)))
    return lower


def _counts(state: ViewState) -> Text:
    running = [w for w in state.windows if w.state == "open" and 0 < w.left_s <= w.length_s]
    marks = "  ".join(f"{w.name} {points(w.mark_e6, 2)}" for w in running)
    counts = f"  samples {state.samples_landed:,}/{state.samples_due:,}, missed {state.samples_missed}"
    line = Text.assemble((f" {marks}", "bold"), (counts + f"  fills {state.fills}, refunds {state.refunds}", QUIET))
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _match(state: ViewState, width: int, rows: int) -> Panel:
    score = Table.grid(expand=True, padding=(0, 1))
    score.add_column(ratio=1, justify="right")
    score.add_column(justify="center")
    score.add_column(ratio=1)
    goals = Text(f"{state.home_goals} : {state.away_goals}", style="bold")
    score.add_row(Text(state.home, style=f"bold {HOME}"), goals, Text(state.away, style=f"bold {AWAY}"))
    words, style = _STATUS.get(state.status, (state.status, ""))
    if state.status == "suspended" and state.suspend_reason:
        words += f": {state.suspend_reason}"
    period = PERIODS[state.period] if 0 <= state.period < len(PERIODS) else ""
    when = Text.assemble((clock(state.period, state.play_s), "bold"), f"  {period}  ", (words, style), justify="center")
    inner = width - 4
    body = Group(score, when, _bar(state, inner), *sparkline(state, inner, rows), _axis(state, inner))
    title = Text.assemble(("Futstar", "bold"), f"  {state.competition}" if state.competition else "")
    about = [f"speed {state.speed}" if state.speed else "", f"seed {state.seed}" if state.seed is not None else ""]
    note = "  ".join(part for part in (*about, state.url) if part)
    return Panel(body, title=title, subtitle=Text(note, style=QUIET), box=box.ROUNDED, border_style=QUIET)


def _bar(state: ViewState, width: int) -> Text:
    """Home's share against away's, with a notch in the middle."""
    x_e6 = state.x_e6
    home, away = points(x_e6), points(None if x_e6 is None else 100 * POINT - x_e6)
    cells = width - 14
    filled = cells // 2 if x_e6 is None else round(cells * x_e6 / (100 * POINT))
    bar = Text.assemble((f"{home:>5}  ", f"bold {HOME}"))
    for at in range(cells):
        side = QUIET if x_e6 is None else HOME if at < filled else AWAY
        bar.append("┃" if at == cells // 2 else "━", "bold" if at == cells // 2 else side)
    bar.append(f"  {away:>5}", f"bold {AWAY}")
    return bar


def sparkline(state: ViewState, width: int, rows: int = 3) -> list[Text]:
    """The match so far around the line of 50: ``rows`` lines above it for home, as many below for away."""
    columns = _columns(state, width)
    lines = []
    for row in range(rows - 1, -1, -1):  # above the line, top row first
        lines.append(Text("".join(_BLOCKS[_level(mean, row, rows)] for mean in columns), style=HOME))
    for row in range(rows):
        mirrored = (None if mean is None else 100 * POINT - mean for mean in columns)
        lines.append(Text("".join(_HANGING[_level(mean, row, rows)] for mean in mirrored), style=AWAY))
    return lines


def _columns(state: ViewState, width: int) -> list[int | None]:
    total = max(MATCH_TICKS, len(state.history_e6))
    out: list[int | None] = []
    for column in range(width):
        part = state.history_e6[column * total // width : (column + 1) * total // width]
        out.append(sum(part) // len(part) if part else None)
    return out


def _level(mean_e6: int | None, row: int, rows: int) -> int:
    """Eighths of a cell to fill in ``row`` rows from the line of 50; any move at all shows one eighth."""
    if mean_e6 is None or mean_e6 <= 50 * POINT:
        return 0
    eighths = max(1, round((mean_e6 - 50 * POINT) * rows * 8 / (50 * POINT)))
    return min(8, max(0, eighths - 8 * row))


def _axis(state: ViewState, width: int) -> Text:
    total = max(MATCH_TICKS, len(state.history_e6))
    half = state.half_tick if state.half_tick is not None else MATCH_TICKS // 2
    labels = [(0, "0'"), (900, "15'"), (1800, "30'"), (half, "HT"), (half + 900, "60'"), (half + 1800, "75'")]
    axis = [" "] * width
    for tick, label in labels:
        at = tick * width // total
        axis[at : at + len(label)] = label
    return Text("".join(axis[:width]), style=QUIET)


def _box(body: RenderableType, title: str, height: int) -> Panel:
    return Panel(body, title=title, title_align="left", height=height, box=box.ROUNDED, border_style=QUIET)


def _events(state: ViewState) -> Panel:
    table = Table.grid(padding=(0, 1))
    table.add_column(style=QUIET, justify="right", no_wrap=True, min_width=5)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for event in state.events[:8]:
        colour = {"home": HOME, "away": AWAY}.get(event.side, "")
        table.add_row(event.clock, Text(event.text, style=f"{'bold ' if event.important else ''}{colour}".strip()))
    return _box(table, "Events", 10)


_KINDS = {
    "fill": ("filled", ""), "refund": ("refund", WARN), "liquidation": ("liquidated", "bold red"),
    "settlement": ("settled", QUIET), "order": ("waits", QUIET),
}  # fmt: skip


def _flow(state: ViewState) -> Panel:
    table = Table.grid(padding=(0, 1), expand=True)
    for name in ("clock", "trader", "kind", "side", "qty", "window", "price"):
        right = name in ("clock", "qty", "price")
        table.add_column(justify="right" if right else "left", style=QUIET if name == "clock" else "", no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis", style=QUIET)
    for order in state.orders[:7]:
        words, style = _KINDS.get(order.kind, (order.kind, ""))
        side = Text(order.side, style=HOME if order.side == "long" else AWAY)
        cells = (points(order.qty_e6, 0), order.window, points(order.price_e6, 2), order.note)
        table.add_row(order.clock, order.trader, Text(words, style=style), side, *cells)
    counts = f"Order flow: {state.fills} fills, {state.refunds} refunds, {state.liquidations} liquidations"
    return _box(table, counts, 9)


def _windows(state: ViewState) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    table.add_row("", "", Text("mark", QUIET), Text("long", QUIET), Text("short", QUIET))
    for window in state.windows[:9]:
        text, style, value = _window_words(window)
        oi = (points(window.oi_long_e6, 0), points(window.oi_short_e6, 0))
        table.add_row(window.name, Text(text, style=style), points(value, 2), *oi)
    return _box(table, "Windows", 12)


def _window_words(window: WindowLine) -> tuple[str, str, int | None]:
    if window.state == "final":
        return "settled", QUIET, window.settlement_e6
    if window.state == "void":
        return "void", WARN, None
    left_s = max(0, window.left_s)
    if left_s > window.length_s:
        return f"in {_minutes(left_s - window.length_s)}", QUIET, window.mark_e6
    return (f"{_minutes(left_s)} left", GOOD, window.mark_e6) if left_s else ("settling", QUIET, window.mark_e6)


def _minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _pool(state: ViewState) -> Panel:
    pool = state.pool
    table = Table.grid(padding=(0, 2))
    table.add_column(style=QUIET)
    table.add_column(justify="right")
    rows: list[tuple[str, int | None]] = [
        ("cash", pool.cash_e6 if pool else None),
        ("reserved for payouts", pool.reserved_e6 if pool else None),
        ("traders' free margin", pool.margin_e6 if pool else None),
        ("in positions", pool.position_collateral_e6 if pool else None),
        ("fees", pool.fees_e6 if pool else None),
    ]
    for name, value_e6 in rows:
        table.add_row(name, f"${points(value_e6, 2)}" if value_e6 is not None else "-")
    return _box(table, "Pool (test USDC)", 7)


def _oracle(state: ViewState) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=QUIET)
    table.add_column()
    missed = Text(f"{state.samples_missed:,}", style=WARN if state.samples_missed else "")
    landed = Text.assemble(f"{state.samples_landed:,} of {state.samples_due:,}, missed ", missed)
    table.add_row("samples landed", landed)
    table.add_row("revised later", f"{state.samples_revised:,}")
    table.add_row("due to confirmed p50", _latency(state.latency_p50_ms))
    table.add_row("due to confirmed p95", _latency(state.latency_p95_ms))
    return _box(table, "Oracle", 9)


def _latency(value_ms: float | None) -> str:
    return "-" if value_ms is None else f"{value_ms:.0f} ms"


def line(state: ViewState) -> str:
    """The state in one line, for logs and pipes."""
    running = [w for w in state.windows if w.state == "open" and 0 < w.left_s <= w.length_s]
    marks = " ".join(f"{w.name} {points(w.mark_e6)}" for w in running)
    parts = [
        f"{clock(state.period, state.play_s)} {_STATUS.get(state.status, (state.status, ''))[0]}",
        f"{state.home} {state.home_goals}:{state.away_goals} {state.away}",
        f"index {points(state.x_e6)}",
        marks,
        f"samples {state.samples_landed}/{state.samples_due} missed {state.samples_missed}",
        f"fills {state.fills} refunds {state.refunds} liquidations {state.liquidations}",
        f"p95 {_latency(state.latency_p95_ms)}" if state.latency_p95_ms is not None else "",
    ]
    return " | ".join(part for part in parts if part)
