"""The real matches that the twins play."""

from __future__ import annotations

import pytest

from ingest.feeds import ADAPTERS, Recorded, default_match_paths
from ingest.twin.forms import FORMS


def _recorded(name: str) -> Recorded:
    return ADAPTERS[name].load(default_match_paths(name))


@pytest.fixture(scope="session")
def hsv() -> Recorded:
    """Hamburg - Sandhausen 2-1, Stats Perform."""
    return _recorded("statsperform")


@pytest.fixture(scope="session")
def leicester() -> Recorded:
    """Leicester - Liverpool 2-3, Wyscout v2."""
    return _recorded("wyscout")


@pytest.fixture(scope="session", params=sorted(FORMS))
def recorded(request: pytest.FixtureRequest) -> Recorded:
    """Each provider's match in turn."""
    return _recorded(request.param)
