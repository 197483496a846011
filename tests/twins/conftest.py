"""The real matches that the twins play."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.feeds import ADAPTERS, Recorded, default_match_paths
from ingest.twin.forms import FORMS

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OPTA = SHARED / "provider_formats" / "opta"


def _recorded(name: str) -> Recorded:
    if name == "opta":  # the installed files are an excerpt: rows picked by hand
        files = sorted(OPTA.glob("f*-23-2018-1009316-*"))
        if not files:
            pytest.skip("the development data (../shared/data) is not beside this repository")
        return ADAPTERS[name].load(files)
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
