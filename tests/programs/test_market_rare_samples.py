"""A feed whose samples are far apart (an outage, a congested cluster) still triggers what rests on it."""

from __future__ import annotations

import pytest

from tests.programs.market_base import STOP_LOSS
from tests.programs.market_kit import LONG, REDUCE_ONLY, SHORT
from tests.programs.market_scene import FILLED, Scene


@pytest.mark.parametrize("gap_s", [3, 9, 11, 25])
def test_a_stop_loss_is_filled_however_far_apart_the_samples_are(gap_s: int) -> None:
    scene = Scene.make()
    venue = scene.venue
    venue.tick(20, 50.0)
    assert venue.trade(scene.ann, scene.window, LONG, 5, x=50.0).reason == FILLED
    order = venue.submit(
        scene.ann, scene.window, SHORT, 5, kind=STOP_LOSS, flags=REDUCE_ONLY, trigger_e6=45_000_000, limit_e6=0
    )
    for _ in range(2 + 5 // gap_s):
        venue.tick(venue.now_s + gap_s, 35.0)
    trigger = venue.get_feed().samples - (1 + -(-5 // gap_s))
    event = venue.crank(scene.ann, order, trigger)
    assert (event.reason, event.filled_e6) == (FILLED, 5_000_000)
