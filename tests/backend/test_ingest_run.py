"""`futstar ingest run` against twins on real sockets, as a newcomer would try it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli.ingest import app
from backend.cli.live import _header
from backend.cli.troubles import Listened, Troubles
from backend.errors import UserError
from ingest.decoder import decoder
from ingest.events import FeedError
from ingest.feed import read_feed
from ingest.feeds.base import Problem
from ingest.live import Happened
from ingest.net.arrival import Arrival, ArrivalKind
from ingest.service import FileJournal
from ingest.timeline import Timeline

MATCH = "71pif9hi2vwzp6q0xzilyxst0"
COMMAND = [sys.executable, "-m", "backend.cli.main", "ingest"]


@contextmanager
def twin(seed: int, faults: str = "calm") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A twin's address; it plays a minute of the match in a second."""
    command = [*COMMAND, "twin", "--provider", "statsperform", "--port", "0", "--speed", "60", "--start", "60"]
    process = subprocess.Popen(
        [*command, "--seed", str(seed), "--faults", faults], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield found.group(), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def follow(folder: Path, seconds: int, *urls: str) -> str:
    feeds = [word for url in urls for word in ("--feed", f"statsperform:{MATCH}@{url}")]
    done = subprocess.run(
        [*COMMAND, "run", *feeds, "--journal", str(folder), "--seconds", str(seconds)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def events_of(journal: Path) -> Timeline:
    header, messages = read_feed(journal)
    reading, timeline = decoder(header), Timeline()
    for message in messages:
        timeline.apply(reading.decode(message).changes)
    return timeline


def test_a_match_is_followed_into_a_journal_that_reads_as_a_feed_and_taken_up_after_a_stop(tmp_path: Path) -> None:
    with twin(7, "rough") as (url, _):
        said = follow(tmp_path, 4, url)
        assert "HSV" in said
        before = len(events_of(tmp_path / "feed.jsonl"))
        assert before > 20
        (tmp_path / "feed.jsonl").open("ab").write(b'{"at_ms": 1, "do')  # killed in the middle of a line
        assert "taken up from the journal" in follow(tmp_path, 3, url)
    assert len(events_of(tmp_path / "feed.jsonl")) > before


def test_the_standby_takes_over_when_the_primary_dies(tmp_path: Path) -> None:
    with twin(7) as (first, primary), twin(9) as (second, _):
        following = subprocess.Popen(
            [
                *COMMAND,
                "run",
                "--journal",
                str(tmp_path),
                "--seconds",
                "12",
                "--feed",
                f"statsperform:{MATCH}@{first}",
                "--feed",
                f"statsperform:{MATCH}@{second}",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert following.stdout is not None
        assert "statsperform up 100 (counts)" in following.stdout.readline()
        primary.kill()
        rest, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    assert "statsperform-2 up 100 (counts)" in rest
    assert "1 switches" in rest
    header, messages = read_feed(tmp_path / "feed.jsonl")
    assert header.provider == "fused"
    assert {message.doc["from"] for message in messages} == {"statsperform", "statsperform-2"}


def test_a_feed_that_cannot_be_reached_says_why_and_one_left_out_is_named(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{closed_port()}"
    with twin(7) as (url, _):
        assert "HSV" in follow(tmp_path, 3, url)  # the journal is begun without the standby
        said = follow(tmp_path, 11, url, dead)
    assert "statsperform-2: MA3: connect_failed" in said
    assert "not in this journal: statsperform-2" in said


@pytest.mark.parametrize("provider", ["statsbomb", "wyscout"])
def test_the_command_that_a_twin_prints_follows_its_match(provider: str, tmp_path: Path) -> None:
    command = [*COMMAND, "twin", "--provider", provider, "--port", "0", "--speed", "60", "--faults", "calm"]
    process = subprocess.Popen([*command, "--start", "60"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = [re.search(r"futstar ingest run (.*) --journal FOLDER", process.stdout.readline()) for _ in range(2)]
        assert found[1] is not None
        done = subprocess.run(
            [*COMMAND, "run", *found[1].group(1).split(), "--journal", str(tmp_path), "--seconds", "3"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert len(events_of(tmp_path / "feed.jsonl")) > 0
    # StatsBomb's events do not tell who is at home: a guess is said aloud
    assert ("[home_side_unknown]" in done.stderr) == (provider == "statsbomb")


def test_a_header_is_found_in_a_list_of_matches(tmp_path: Path) -> None:
    rows = [
        {
            "match_id": number,
            "match_date": "2021-06-11",
            "kick_off": "21:00:00.000",
            "home_team": {"home_team_id": number * 10, "home_team_name": "Home"},
            "away_team": {"away_team_id": number * 10 + 1, "away_team_name": "Away"},
        }
        for number in (7, 8)
    ]
    (tmp_path / "matches.json").write_text(json.dumps(rows))
    name, header = _header(f"statsbomb={tmp_path / 'matches.json'}", {"statsbomb": "8"})
    assert (name, header["id"], header["teams"]["home"]["id"]) == ("statsbomb", "8", "80")
    with pytest.raises(UserError, match="does not tell who plays in 9"):
        _header(f"statsbomb={tmp_path / 'matches.json'}", {"statsbomb": "9"})


def test_documents_of_another_match_are_told_in_words(tmp_path: Path) -> None:
    with twin(7) as (url, _):
        done = subprocess.run(
            [*COMMAND, "run", "--feed", f"statsperform:another@{url}", "--journal", str(tmp_path), "--seconds", "4"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr.split("]")[0]) == (1, "futstar: [no_feed")
    assert "waiting for a feed to tell who plays" in done.stdout
    assert f"[other_match] match another: a document of match {MATCH} came" in done.stdout


def told(*arrivals: Arrival) -> Troubles:
    troubles = Troubles()
    for arrival in arrivals:
        troubles.arrived("opta", arrival)
    return troubles


def test_a_trouble_is_told_until_the_feed_is_back() -> None:
    lost = Arrival(1, ArrivalKind.LOST, note="F24: status 503")
    assert told(lost).take() == "; opta: F24: status 503"
    assert told(lost, Arrival(2, ArrivalKind.HEARTBEAT)).take() == "; opta: F24: status 503"
    assert told(lost, Arrival(2, ArrivalKind.DOCUMENT, b"<a/>")).take() == ""
    assert told(lost, Arrival(2, ArrivalKind.RESTORED)).take() == ""


def test_the_newest_problem_is_told_once_and_cannot_write_on_the_terminal() -> None:
    troubles = Troubles()
    problems = (Problem("old", "row 1", "before"), Problem("bad_row", "row 2", "\x1b[2J" + "x" * 500))
    troubles.happened(Happened(problems=problems))
    line = troubles.take()
    assert line.startswith("; newest problem [bad_row] row 2:")
    assert "\x1b" not in line
    assert len(line) < 200
    assert troubles.take() == ""


async def test_a_feed_that_is_refused_for_good_says_so_while_another_goes_on() -> None:
    class Refused:
        async def __aiter__(self) -> AsyncIterator[Arrival]:
            yield Arrival(1, ArrivalKind.DOCUMENT, b"{}")
            raise FeedError("credentials_refused", "opta refuses F24")

        def forget(self) -> None:
            pass

        async def close(self) -> None:
            pass

    troubles = Troubles()
    with pytest.raises(FeedError, match="refuses"):
        assert [arrival.kind async for arrival in Listened("opta", Refused(), troubles)] == [ArrivalKind.DOCUMENT]
    assert troubles.take() == "; opta: [credentials_refused] opta refuses F24; it is not asked again"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--feed", "nothing"], "bad_feed", "PROVIDER:MATCH"),
        (["--feed", "statsperform:5@ftp://127.0.0.1:1"], "bad_feed", "not of the web"),
        (["--feed", "statsperform:5@http://127.0.0.1:1"] * 2, "bad_feed", "given twice"),
        (["--feed", "nothing:5"], "unknown_provider", "choose one of"),
        (["--feed", "statsperform:5"], "no_credentials", "FUTSTAR_FEED_STATSPERFORM_OUTLET"),
        (["--feed", "sportradar:5"], "no_index", "name another feed before it"),
        (["--feed", "statsperform:5@http://127.0.0.1:1", "--bus", "foo://x"], "bad_bus_url", "memory://"),
        (["--feed", "statsperform:5@http://example.org"], "bad_base", "https://"),
        (["--feed", "statsperform:5", "--kickoff", "soon"], "bad_option", "2026-11-21T18:30Z"),
        (["--feed", "statsperform:5", "--sides", "statsperform=1"], "bad_option", "HOME_ID:AWAY_ID"),
        (["--feed", "statsbomb:5", "--header", "opta=x.json"], "bad_option", "is no --feed"),
        (["--feed", "statsbomb:5", "--header", "statsbomb=/nowhere"], "file_unreadable", "/nowhere"),
        (["--feed", "statsperform:5", "--sides", "opta=1:2"], "bad_option", "is no --feed"),
    ],
)
def test_bad_options_are_one_clear_sentence(args: list[str], code: str, words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["run", *args, "--journal", str(tmp_path)])
    assert isinstance(done.exception, UserError | FeedError), done.output
    assert done.exception.code == code
    assert words in str(done.exception)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--provider", "bigco"], "unknown_provider"),
        (["--provider", "statsperform", "--faults", "some"], "unknown_faults"),
        (["--provider", "statsperform", "--speed", "0"], "bad_speed"),
        (["--provider", "statsperform", "--input", "/nowhere"], "no_such_file"),
        (["--provider", "sportradar"], "no_default_match"),
    ],
)
def test_a_twin_that_cannot_play_says_why(args: list[str], code: str) -> None:
    done = CliRunner().invoke(app, ["twin", *args])
    assert isinstance(done.exception, UserError | FeedError), done.output
    assert done.exception.code == code


def test_a_feed_that_never_answers_ends_with_an_error(tmp_path: Path) -> None:
    feed = "statsperform:5@http://127.0.0.1:1"
    done = CliRunner().invoke(app, ["run", "--feed", feed, "--journal", str(tmp_path), "--seconds", "1"])
    assert isinstance(done.exception, UserError), done.output
    assert done.exception.code == "no_feed"
    assert done.exception.exit_code == 1


def test_a_journal_of_other_feeds_is_refused(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "feed.jsonl")
    assert journal.read() is None
    journal.append([b'{"feed":"futstar/1","provider":"opta","match_id":"9","start_unix_ms":0,"seed":0,"info":{}}\n'])
    journal.close()
    done = CliRunner().invoke(app, ["run", "--feed", "statsperform:5@http://127.0.0.1:1", "--journal", str(tmp_path)])
    assert isinstance(done.exception, FeedError)
    assert done.exception.code == "other_journal"
