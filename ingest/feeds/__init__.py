"""The providers: one folder each, one interface (`ingest.feeds.base.Adapter`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ingest.events import FeedError
from ingest.feeds.base import Adapter, Problem, Recorded, Replay, split
from ingest.feeds.datafactory import ADAPTER as _DATAFACTORY
from ingest.feeds.opta import ADAPTER as _OPTA
from ingest.feeds.scraper import ADAPTER as _SCRAPER
from ingest.feeds.sportradar import ADAPTER as _SPORTRADAR
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

_ALL: tuple[Adapter, ...] = (_STATSPERFORM, _OPTA, _STATSBOMB, _WYSCOUT, _DATAFACTORY, _SPORTRADAR, _SCRAPER)
ADAPTERS: dict[str, Adapter] = {one.name: one for one in _ALL}

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

    Opta's is an excerpt: 67 rows chosen for their oddities. The others are complete.
    Raises FeedError ``no_default_match`` for a provider of whom it carries none.
    """
    adapter(provider)
    if provider not in _DEFAULT_FILES:
        raise FeedError("no_default_match", f"no recorded match of {provider} ships with the product: name a match")
    folder = Path(str(resources.files("kloppy"))) / "tests" / "files"
    paths = tuple(folder / name for name in _DEFAULT_FILES[provider])
    for path in paths:
        if not path.is_file():
            raise FeedError("no_default_match", f"the installed kloppy package lacks {path.name}: name a match")
    return paths
