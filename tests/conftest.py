"""What holds for the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# Property tests try the same examples in every run; FUTSTAR_RANDOM=1 lets them look for new ones.
settings.register_profile("repeatable", derandomize=True)
if "FUTSTAR_RANDOM" not in os.environ:
    settings.load_profile("repeatable")
