"""Quality of feeds: a row a minute, listed weakest first, page by page, and as metrics that Prometheus can read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend import metrics
from backend.api import models
from backend.api.app import create_app
from backend.api.context import Context
from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.history.quality import COLUMNS, MINUTE_MS, FeedQuality, QualityStore, newest
from backend.history.store import HistoryStore
from backend.views import feed_view
from ingest.history.model import Match
from tests.backend.football import filled

AT_MS = 1_772_366_400_000
FEED = FeedQuality(
    "m1", "statsperform", AT_MS, 400, None, 1_500, 0, 900, 300, 1, 2, 3, 700, 90, 4, 5, 6, 7, 8, 120, 340, 97
)


@pytest.fixture
async def quality(database: Database) -> QualityStore:
    store = HistoryStore(database)
    for match_id, day in (("old", date(2026, 2, 1)), ("m1", date(2026, 3, 1)), ("m2", date(2026, 3, 2))):
        await store.pin(Match(match_id, "statsperform", day))
    return QualityStore(database, store)


@pytest.fixture
async def http(database: Database, quality: QualityStore) -> AsyncIterator[httpx.AsyncClient]:
    await filled(database)
    app = create_app(Context(database, Hub(database), mirror=lambda: {"healthy": True}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_a_minute_is_written_over_while_it_lasts_and_never_by_what_is_older(
    database: Database, quality: QualityStore
) -> None:
    await quality.write([FEED])
    await quality.write([replace(FEED, at_ms=AT_MS + 30_000, events=710)])
    await quality.write([replace(FEED, at_ms=AT_MS + 10_000, events=705)])
    await quality.write([replace(FEED, at_ms=AT_MS + MINUTE_MS, events=720)])
    rows = await database.rows("SELECT minute_ms, events FROM history.quality ORDER BY minute_ms")
    assert [(row["minute_ms"] - AT_MS, row["events"]) for row in rows] == [(0, 710), (MINUTE_MS, 720)]


async def test_what_is_stored_is_what_was_measured(database: Database, quality: QualityStore) -> None:
    await quality.write([FEED])
    async with database.connection() as connection:
        (row,) = await newest(connection)
    assert FeedQuality(**{name: row[name] for name in COLUMNS}) == FEED


async def test_the_newest_days_feeds_are_listed_weakest_first(http: httpx.AsyncClient, quality: QualityStore) -> None:
    weak = replace(FEED, match_id="m2", provider="opta", health=12)
    await quality.write([FEED, weak, replace(FEED, match_id="old", health=0), replace(FEED, at_ms=AT_MS - MINUTE_MS)])
    listed = models.Page[models.Feed].model_validate_json((await http.get("/v1/feeds")).content)
    assert [(feed.match_id, feed.provider, feed.health) for feed in listed.data] == [
        ("m2", "opta", 12),
        ("m1", "statsperform", 97),
    ]
    assert (listed.data[1].home_name, listed.data[1].difference, listed.data[1].at) == (
        "Home",
        "0.034",
        "2026-03-01T12:00:00.000Z",
    )
    assert listed.data[0].home_name is None


async def test_a_match_dated_far_ahead_hides_no_feed(http: httpx.AsyncClient, quality: QualityStore) -> None:
    await quality._history.pin(Match("early", "statsperform", date(2031, 1, 1)))  # a publisher's clock was wrong
    await quality.write([FEED])
    listed = models.Page[models.Feed].model_validate_json((await http.get("/v1/feeds")).content)
    assert [feed.match_id for feed in listed.data] == ["m1"]


async def test_a_matchs_minutes_join_to_the_whole(http: httpx.AsyncClient, quality: QualityStore) -> None:
    await quality.write(
        [replace(FEED, at_ms=AT_MS + n * MINUTE_MS, provider=name) for n in range(4) for name in ("opta", "scout")]
    )
    whole = models.Page[models.Feed].model_validate_json((await http.get("/v1/feeds/m1")).content)
    found, cursor = [], None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = models.Page[models.Feed].model_validate_json((await http.get("/v1/feeds/m1", params=params)).content)
        found += page.data
        if (cursor := page.next_cursor) is None:
            break
    assert found == whole.data
    assert len(found) == 8


async def test_a_match_without_history_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/feeds/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "match_not_found")
    assert (await http.get("/v1/feeds/m1?cursor=x")).json()["code"] == "bad_cursor"


async def test_metrics_can_be_read_and_tell_the_same(http: httpx.AsyncClient, quality: QualityStore) -> None:
    await quality.write([FEED])
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, f"{family.name} says what it means"
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    feed = ("m1", "statsperform")
    assert found["futstar_feed_silence_seconds", *feed] == 0.4
    assert found["futstar_feed_gap_seconds_total", *feed] == 1.5
    assert found["futstar_feed_difference_ratio", *feed] == 0.034
    assert found["futstar_feed_unknown_types_total", *feed] == 7
    assert found["futstar_feed_corrections_last_minute", *feed] == 6
    assert ("futstar_feed_quiet_seconds", *feed) not in found, "what is not known is left out"
    assert found["futstar_history_stray_rows",] == 0
    assert found["futstar_mirror_healthy",] == 1


def test_a_label_cannot_break_out_of_its_line() -> None:
    row = {name: getattr(FEED, name) for name in COLUMNS} | {"match_id": 'a"}\nfutstar_feed_health 0 #'}
    families = list(text_string_to_metric_families(metrics.text([row], 0, 0, None).decode()))
    assert families[0].samples[0].labels["match"] == row["match_id"]
    assert len(families[0].samples) == 1


def test_every_metric_is_of_a_column_that_the_view_shows_too() -> None:
    assert {metric.column for metric in metrics.FEED_METRICS} <= set(COLUMNS)
    shown = feed_view({**{name: getattr(FEED, name) for name in COLUMNS}, "home_name": None, "away_name": None})
    assert set(shown) == set(models.Feed.model_fields)
