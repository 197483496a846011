"""The real matches that every test here may read: each is loaded once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest.feeds import Recorded, default_match_paths, load_paths

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the development data (../shared/data) is not beside this repository")
    return SHARED


@pytest.fixture(scope="session")
def hsv() -> Recorded:
    """Hamburg - Sandhausen 2-1, Stats Perform, from the installed kloppy package."""
    return load_paths("statsperform", default_match_paths())


@pytest.fixture(scope="session")
def ma3() -> dict[str, Any]:
    """The raw MA3 document of that match."""
    document: dict[str, Any] = orjson.loads(default_match_paths()[1].read_bytes())
    return document


@pytest.fixture(scope="session")
def leicester() -> Recorded:
    """Leicester - Liverpool 2-3, Wyscout v2, from the installed kloppy package."""
    return load_paths("wyscout", default_match_paths("wyscout"))
