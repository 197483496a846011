"""A scripted state of the terminal view: for its tests and for a look at it without a run."""

from __future__ import annotations

import random

from backend.demo.view_state import EventLine, OrderLine, PoolLine, ViewState, WindowLine

POINT = 1_000_000


def sample_history(ticks: int, seed: int = 7) -> list[int]:
    """A walk that looks like an index: it drifts, jumps now and then, and comes back to the middle."""
    rng = random.Random(seed)
    x, drift, out = 50.0, 0.0, []
    for _ in range(ticks):
        if rng.random() < 0.006:
            drift = rng.uniform(-0.1, 0.12)
        if rng.random() < 0.004:
            x += rng.choice((-6, 7))
        x += drift + (51 - x) * 0.002 + rng.gauss(0, 0.1)
        out.append(int(min(96.0, max(4.0, x)) * POINT))
    return out


def sample_state(ticks: int = 4_180) -> ViewState:
    """The 66th minute of a made-up afternoon."""
    half = 2_790
    history = sample_history(ticks)
    x_e6 = history[-1]
    nominal_s = 2_700 + ticks - half
    marks = {"45-60": 900, "60-75": 900, "75-90": 900, "H2": 2_700, "FT": 5_400}
    ends = {"45-60": 3_600, "60-75": 4_500, "75-90": 5_400, "H2": 5_400, "FT": 5_400}
    windows = [
        WindowLine(name, "final", 900, 0, None, 0, 0, sum(history[a : a + 900]) // 900)
        for name, a in (("0-15", 0), ("15-30", 900), ("30-45", 1_800))
    ]
    for n, (name, length_s) in enumerate(marks.items()):
        left_s, mark_e6 = ends[name] - nominal_s, (x_e6 + 50 * POINT) // 2 + n * 740_000
        if left_s > 0:
            windows.append(
                WindowLine(name, "open", length_s, left_s, mark_e6, (90 + 41 * n) * POINT, (120 + 23 * n) * POINT)
            )
        else:
            start = half
            mean = sum(history[start : start + 900]) // 900
            windows.append(WindowLine(name, "final", 900, 0, None, 0, 0, mean))
    windows.insert(-2, WindowLine("H1", "final", 2_700, 0, None, 0, 0, sum(history[:2_700]) // 2_700))
    return ViewState(
        competition="2. Bundesliga",
        home="Hamburger SV",
        away="SV Sandhausen",
        home_goals=1,
        away_goals=0,
        status="live",
        period=2,
        play_s=ticks - half,
        history_e6=history,
        half_tick=half,
        events=(
            EventLine("68:02", "home", "shot, saved"),
            EventLine("66:41", "away", "corner"),
            EventLine("65:10", "home", "goal", important=True),
            EventLine("63:55", "away", "yellow card"),
            EventLine("61:30", "home", "shot, off target"),
            EventLine("58:12", "home", "late edit: a pass became a cross, 41 samples revised"),
            EventLine("55:48", "away", "shot, blocked"),
        ),
        orders=(
            OrderLine("68:06", "ada", "order", "long", "60-75", 20 * POINT, None, "fills at its sample in 5 s"),
            OrderLine("67:58", "bo", "fill", "short", "60-75", 12 * POINT, 55_420_000),
            OrderLine("67:31", "chi", "liquidation", "short", "60-75", 30 * POINT, 57_910_000, "margin used up"),
            OrderLine("65:12", "dan", "refund", "long", "60-75", 18 * POINT, None, "play was suspended: goal"),
            OrderLine("64:40", "eve", "fill", "long", "FT", 25 * POINT, 53_080_000),
            OrderLine("63:02", "bo", "refund", "long", "H2", 900 * POINT, None, "over the pool's risk limit"),
            OrderLine("60:00", "eve", "settlement", "long", "45-60", 15 * POINT, 52_310_000, "+$34.10"),
        ),
        windows=windows,
        pool=PoolLine(250_418 * POINT, 61_230 * POINT, 38_904_250_000, 9_212_500_000, 41_350_000),
        samples_due=ticks,
        samples_landed=ticks - 2,
        samples_missed=2,
        samples_revised=41,
        latency_p50_ms=31.0,
        latency_p95_ms=84.0,
        fills=62,
        refunds=9,
        liquidations=1,
        speed="60",
        seed=7,
        url="http://127.0.0.1:8080",
    )
