"""What holds for the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Property tests try the same examples in every run; FUTSTAR_RANDOM=1 lets them look for new ones.
settings.register_profile("repeatable", derandomize=True)
if "FUTSTAR_RANDOM" not in os.environ:
    settings.load_profile("repeatable")

UNTRACED = (
    "tests/chaos/",
    "tests/demo/",
    "tests/fuzz/",
    "tests/ingest/test_fusion_feeds.py",
    "tests/ingest/test_identity_real.py",
    "tests/ingest/test_live",
    "tests/momentum/test_cli.py",
    "tests/momentum/test_evaluate_command.py",
    "tests/momentum/test_live_archive.py",
    "tests/momentum/test_real_matches.py",
    "tests/oracle/test_core.py",
    "tests/oracle/test_fused.py",
    "tests/programs/",
)
"""Whole matches, second by second: tracing their lines doubles the suite's time and adds next to nothing to what the
tests of the single parts have covered. Coverage is measured without them."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Stop tracing for the tests of `UNTRACED`, their fixtures included."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    if controller is None or not item.nodeid.startswith(UNTRACED):
        yield
        return
    controller.pause()
    yield
    controller.resume()
