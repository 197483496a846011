"""`futstar matches` as a person types it, and the schedule over REST."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from backend.api import models
from backend.api.app import create_app
from backend.api.context import Context
from backend.catalogue.ics import calendar
from backend.cli.matches import app
from backend.db.pool import Database
from backend.edge.hub import Hub
from backend.errors import UserError, as_user_error
from ingest.feeds import default_match_paths
from tests.backend.calendars import openfootball, rows

runner = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "en.json"
    path.write_text(json.dumps(openfootball(rows())))
    return path


class Typed:
    """Commands over one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def __call__(self, *arguments: str) -> Result:
        return runner.invoke(app, [*arguments, "--database", self.dsn])

    def says(self, *arguments: str) -> str:
        done = self(*arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    def refused(self, *arguments: str) -> UserError:
        done = self(*arguments)
        assert done.exception is not None
        error = as_user_error(done.exception)
        assert error is not None, done.exception
        return error


@pytest.fixture
def typed(dsn: str) -> Typed:
    return Typed(dsn)


def test_files_are_read_listed_and_shown(typed: Typed, file: Path) -> None:
    assert "12 fixtures, 12 new_fixture" in typed.says("refresh", "--source", "openfootball", "--input", str(file))
    assert "unchanged" in typed.says("refresh", "--source", "openfootball", "--input", str(file))
    table = typed.says("list", "--date", "2024-08-17", "--days", "1", "--zone", "Europe/London")
    assert len(table.splitlines()) == 2
    assert "2024-08-17 14:00 UTC 17 Aug 15:00 BST" in table
    found = json.loads(typed.says("list", "--json", "--team", "arsenal", "--status", "scheduled"))
    assert len(found) == 6
    assert {found[0]["home"], found[0]["away"]} == {"Arsenal FC", "Fulham FC"}
    assert json.loads(typed.says("list", "--json", "--competition", "spain")) == []
    told = typed.says("show", found[0]["fixture_id"])
    assert "england.1/2024/25/Arsenal FC/Fulham FC (new" in told
    assert "new_fixture" in told


def test_a_moved_and_postponed_match_shows_its_history_and_fits_a_calendar(
    typed: Typed, file: Path, tmp_path: Path
) -> None:
    typed.says("refresh", "--source", "openfootball", "--input", str(file))
    changed = rows()
    changed[0] |= {"date": "2024-09-17", "time": "19:45"}
    changed[1] |= {"status": "postponed"}
    file.write_text(json.dumps(openfootball(changed)))
    told = json.loads(typed.says("refresh", "--source", "openfootball", "--input", str(file), "--json"))
    assert told[0]["changes"] == {"kickoff_moved": 1, "postponed": 1}
    (moved,) = json.loads(typed.says("list", "--date", "2024-09-17", "--days", "1", "--json"))
    assert "kickoff_moved 2024-08-17 14:00 -> 2024-09-17 18:45" in typed.says("show", moved["fixture_id"])
    ics = tmp_path / "season.ics"
    (late,) = json.loads(typed.says("list", "--status", "postponed", "--json", "--ics", str(ics)))
    assert "scheduled -> postponed" in typed.says("show", late["fixture_id"])
    text = ics.read_bytes().decode()
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert "STATUS:TENTATIVE" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_lineup_of_a_real_match_is_shown(typed: Typed) -> None:
    typed.says("refresh", "--source", "statsperform", "--input", str(default_match_paths()[0]))
    (found,) = json.loads(typed.says("list", "--json"))
    assert (found["home"], found["home_score"]) == ("Hamburg", 2)
    detail = json.loads(typed.says("show", found["fixture_id"], "--json"))
    assert sum(p["starter"] for p in detail["lineups"]) == 22
    assert all(p["player_id"] for p in detail["lineups"])
    assert "Daniel Heuer Fernandes" in typed.says("show", found["fixture_id"])


def test_questions_go_out_in_a_file_and_come_back_decided(typed: Typed, file: Path, tmp_path: Path) -> None:
    typed.says("refresh", "--source", "openfootball", "--input", str(file))
    later = rows()[:1]
    later[0] |= {"team1": "The Arsenal London", "team2": "Fulham FC", "date": "2025-09-01"}
    other = tmp_path / "other.json"
    other.write_text(json.dumps(openfootball(later, "English Premier League 2025/26")))
    assert "1 asked, 1 held" in typed.says("refresh", "--source", "openfootball", "--input", str(other))
    assert "The Arsenal London" in typed.says("review")
    path = tmp_path / "review.tsv"
    assert "1 questions" in typed.says("review", "--out", str(path))
    lines = path.read_text().splitlines()
    path.write_text("\n".join("same" + line if line.startswith("\t") else line for line in lines))
    assert typed.refused("review", "--apply", str(path)).code == "nobody"
    assert "1 decisions applied" in typed.says("review", "--apply", str(path), "--who", "ann")
    assert len(json.loads(typed.says("list", "--json", "--date", "2025-01-01"))) == 1
    candidate = lines[4].split("\t")[5]
    record = ["team", "openfootball", "The Arsenal London"]
    said = typed.says("decide", *record, "different", "--candidate", candidate, "--who", "bob")
    assert said.startswith("13 fixtures")
    typed.says("decide", *record, "new", "--who", "bob")
    assert len(json.loads(typed.says("list", "--json", "--team", "The Arsenal London"))) == 1
    typed.says("decide", *record, "undo", "--who", "bob", "--note", "mistaken")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "--status", "lost"], "bad_option"),
        (["list", "--days", "2"], "bad_option"),
        (["list", "--date", "2024-02-30"], "bad_date"),
        (["list", "--zone", "Mars/Base"], "bad_option"),
        (["list", "--ics", "/no/such/folder/x.ics"], "cannot_write"),
        (["show", "fx-none"], "unknown_id"),
        (["refresh", "--source", "nobody", "--input", "EN"], "unknown_source"),
        (["refresh", "--source", "wyscout", "--input", "EN"], "wrong_source"),
        (["refresh", "--source", "wyscout", "--input", "no/such.json"], "no_such_file"),
        (["review", "--apply", "no/such.tsv", "--who", "ann"], "file_unreadable"),
        (["review", "--apply", "EN", "--who", "ann"], "not_a_review"),
        (["review", "--apply", "EN", "--out", "EN"], "bad_option"),
        (["decide", "team", "x", "y", "same", "--who", "ann"], "unknown_id"),
        (["decide", "team", "x", "y", "perhaps", "--who", "ann"], "bad_decision"),
    ],
)
def test_mistakes_get_one_sentence_with_a_code(typed: Typed, file: Path, arguments: list[str], code: str) -> None:
    assert typed.refused(*(str(file) if a == "EN" else a for a in arguments)).code == code


def test_the_embedded_database_needs_only_a_folder(tmp_path: Path, file: Path) -> None:
    folder = str(tmp_path / "kept")
    done = runner.invoke(app, ["refresh", "--source", "openfootball", "--input", str(file), "--folder", folder])
    assert done.exit_code == 0, done.output
    again = runner.invoke(app, ["list", "--folder", folder, "--json"])
    assert len(json.loads(again.output)) == 12
    assert isinstance(app, typer.Typer)


def test_a_calendar_escapes_folds_and_takes_days_without_hours() -> None:
    fixture = {
        "fixture_id": "fx-1",
        "updated_at": "2024-08-01T00:00:00Z",
        "kickoff_at": None,
        "day": "2024-08-17",
        "home": "Málaga; Club, de Fútbol" * 3,
        "away": "B",
        "competition": "C",
        "venue": "La Rosaleda, Málaga",
        "status": "cancelled",
    }
    text = calendar([fixture])
    assert "DTSTART;VALUE=DATE:20240817\r\n" in text
    assert "STATUS:CANCELLED" in text
    assert "LOCATION:La Rosaleda\\, Málaga" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "Málaga\\; Club\\, de Fútbol" * 3 in text.replace("\r\n ", "")


@pytest.fixture
async def http(database: Database, typed: Typed, file: Path) -> AsyncIterator[httpx.AsyncClient]:
    typed.says("refresh", "--source", "openfootball", "--input", str(file))
    typed.says("refresh", "--source", "statsperform", "--input", str(default_match_paths()[0]))
    application = create_app(Context(database, Hub(database)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test") as client:
        yield client


async def test_the_schedule_over_rest_pages_filters_and_tells_everything(http: httpx.AsyncClient) -> None:
    whole = models.Page[models.Fixture].model_validate_json((await http.get("/v1/fixtures")).content)
    assert len(whole.data) == 13
    found: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        answer = (await http.get("/v1/fixtures", params=params)).json()
        found += [f["fixture_id"] for f in answer["data"]]
        if (cursor := answer["next_cursor"]) is None:
            break
    assert found == [f.fixture_id for f in whole.data]
    days = {"from": "2024-08-17", "to": "2024-08-17", "status": "scheduled"}
    assert len((await http.get("/v1/fixtures", params=days)).json()["data"]) == 2
    sandhausen = (await http.get("/v1/fixtures", params={"team": "sandhausen"})).json()["data"]
    one = await http.get(f"/v1/fixtures/{sandhausen[0]['fixture_id']}")
    detail = models.FixtureDetail.model_validate_json(one.content)
    assert len([p for p in detail.lineups if p.starter]) == 22
    assert [s.provider for s in detail.sources] == ["statsperform"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/fixtures/none", 404, "fixture_not_found"),
        ("/v1/fixtures?cursor=abc", 400, "bad_cursor"),
        ("/v1/fixtures?cursor=WyJ4IiwieSJd", 400, "bad_cursor"),
        ("/v1/fixtures?from=soon", 422, "invalid_request"),
        ("/v1/fixtures?team=%00", 422, "invalid_request"),
        ("/v1/fixtures?status=lost", 422, "invalid_request"),
    ],
)
async def test_wrong_questions_get_a_problem(http: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
