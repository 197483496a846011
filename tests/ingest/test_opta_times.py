"""London's clock, against the tables of the operating system where they are there."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.feeds.opta.parse import plain_id, version_of
from ingest.feeds.opta.times import london, london_ms


@given(st.integers(946_684_800_000, 2_145_916_800_000))
def test_london_time_there_and_back_is_the_same_moment(unix_ms: int) -> None:
    local = datetime.fromtimestamp(unix_ms // 1000, UTC)
    if local.month == 10 and local.day >= 25 and local.hour in (0, 1) and local.weekday() == 6:
        return  # the hour that comes twice
    assert london_ms(london(unix_ms)) == unix_ms


@given(st.integers(946_684_800, 2_145_916_800))
def test_the_rule_written_out_is_that_of_the_tables(unix_s: int) -> None:
    try:
        zone = ZoneInfo("Europe/London")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone tables")
    assert london(unix_s * 1000)[:19] == datetime.fromtimestamp(unix_s, zone).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("stamp", "unix_ms"),
    [
        ("2018-08-20T21:00:23.635", 1_534_795_223_635),
        ("2018-08-20T21:00:23", 1_534_795_223_000),
        ("2018-09-23T15:02:14.39", 1_537_711_334_390),
        ("2018-09-23T15:02:17.3", 1_537_711_337_300),
        ("2018-01-20T21:00:23Z", 1_516_482_023_000),
        ("2018-08-20T21:00:23+01:00", 1_534_795_223_000),
        ("2018-08-20 21:00:23", 1_534_795_223_000),
    ],
)
def test_every_spelling_of_a_time(stamp: str, unix_ms: int) -> None:
    assert london_ms(stamp) == unix_ms


@pytest.mark.parametrize("stamp", ["", "now", "2018-08-20T21:61:00", "2018-13-20T21:00:00", "2018-08-20T21:00:6x"])
def test_what_is_no_time(stamp: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid isoformat|must be in"):
        london_ms(stamp)


def row(version: str | None, modified: str | None) -> dict[str, str]:
    doc = {"version": version, "last_modified": modified}
    return {key: value for key, value in doc.items() if value is not None}


NOON = 1_534_762_800_000  # 2018-08-20 12:00:00 in London


def test_the_version_orders_rows_unless_they_were_stored_clearly_later() -> None:
    assert version_of(row(str(NOON + 250), "2018-08-20T12:00:00")) == NOON + 250
    assert version_of(row(str(NOON + 250), "2018-08-20T12:00:04")) == NOON + 250
    assert version_of(row(str(NOON), "2018-08-21T12:00:00")) == NOON + 86_400_000 - 5_000
    assert version_of(row(None, "2018-08-20T12:00:05")) == NOON
    assert version_of(row(str(NOON), None)) == NOON


@given(*[st.integers(0, 10**6)] * 2, *[st.integers(0, 3600)] * 2)
def test_a_later_edit_is_never_older(version: int, more: int, stored_s: int, later_s: int) -> None:
    first = row(str(NOON + version), london(NOON + stored_s * 1000)[:19])
    second = row(str(NOON + version + more), london(NOON + (stored_s + later_s) * 1000)[:19])
    assert version_of(first) <= version_of(second)


@pytest.mark.parametrize("version", ["9" * 30, "x", "-5", "4102444800001"])
def test_a_version_that_cannot_be_one_is_an_error(version: str) -> None:
    with pytest.raises(ValueError, match=r"version|invalid literal"):
        version_of(row(version, None))


def test_ids_lose_the_letters_that_tell_their_kind() -> None:
    ids = ("t174", "p76012", "f1009316", "man41736", "174", 174)
    assert [plain_id(one) for one in ids] == ["174", "76012", "1009316", "41736", "174", "174"]
    assert plain_id("8b60vtt1stnmt2uoj0f4lh49h") == "8b60vtt1stnmt2uoj0f4lh49h"
    assert [plain_id(value) for value in (None, 1.5, True, "x" * 101, "a\x00b", 10**400)] == [""] * 6
