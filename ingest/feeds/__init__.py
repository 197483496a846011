"""The providers: one folder each, one interface (`ingest.feeds.base.Adapter`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ingest.events import FeedError
from ingest.feeds.base import Adapter, Problem, Recorded, Replay, split
from ingest.feeds.datafactory import ADAPTER as _DATAFACTORY
from ingest.feeds.opta import ADAPTER as _OPTA
from ingest.feeds.statsbomb import ADAPTER as _STATSBOMB
from ingest.feeds.statsperform import ADAPTER as _STATSPERFORM
from ingest.feeds.wyscout import ADAPTER as _WYSCOUT

__all__ = [
    "ADAPTERS",
    "Adapter",
    "Problem",
    "Recorded",
    "Replay",
    "adapter",
    "default_match_paths",
    "load_paths",
    "split",
]

ADAPTERS: dict[str, Adapter] = {each.name: each for each in (_STATSPERFORM, _OPTA, _WYSCOUT, _STATSBOMB, _DATAFACTORY)}

_DEFAULT_FILES = {
    "opta": ("opta_f24.xml", "opta_f7.xml"),
    "statsperform": ("statsperform_event_ma1.json", "statsperform_event_ma3.json"),
    "wyscout": ("wyscout_events_v2.json",),
    "datafactory": ("datafactory_events.json",),
    "statsbomb": ("statsbomb_3788741_event.json", "statsbomb_3788741_lineup.json"),
}


def adapter(name: str) -> Adapter:
    """The adapter called ``name``. Raises FeedError naming the known ones."""
    try:
        return ADAPTERS[name]
    except KeyError:
        raise FeedError(
            "unknown_provider", f"provider '{name}' is not known: choose one of {', '.join(sorted(ADAPTERS))}"
        ) from None


def load_paths(provider: str, paths: Sequence[Path], match: str | None = None) -> Recorded:
    """One recorded match from files or folders in any order. Raises FeedError for anything that is not one."""
    return adapter(provider).load(paths, match)


def default_match_paths(provider: str = "statsperform") -> tuple[Path, ...]:
    """The real match that the installed `kloppy` package carries for ``provider``.

    It is complete for Stats Perform and Wyscout. Opta's is an excerpt: 67 rows chosen for their oddities.
    """
    adapter(provider)
    folder = Path(str(resources.files("kloppy"))) / "tests" / "files"
    paths = tuple(folder / name for name in _DEFAULT_FILES[provider])
    for path in paths:
        if not path.is_file():
            raise FeedError("no_default_match", f"the installed kloppy package lacks {path.name}: name a match")
    return paths
