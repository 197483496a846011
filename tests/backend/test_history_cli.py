"""`futstar history` on a real match: out of one database, into another, and computed again bit for bit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from backend.cli.main import main
from backend.db.pool import Database
from backend.engines.postgres import Postgres
from backend.history import replay as core
from backend.history import runs
from backend.history.store import HistoryStore
from ingest.feed import write_feed
from ingest.history.archive import Archive, ArchiveWriter
from ingest.history.model import MatchHistory
from momentum.state import Reason
from momentum.verify import Published
from oracle.aggregate import FLAG_SUSPENDED
from tests.backend.played import feed, match, seconds

MATCH = "71pif9hi2vwzp6q0xzilyxst0"


def put(dsn: str, *histories: MatchHistory) -> None:
    async def work() -> None:
        async with Database(dsn) as database:
            for history in histories:
                await HistoryStore(database).put(history)

    asyncio.run(work())


def read(dsn: str, match_id: str) -> MatchHistory:
    async def work() -> MatchHistory:
        async with Database(dsn) as database:
            return await HistoryStore(database).read(match_id)

    return asyncio.run(work())


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> str:
    """A database with the match, for tests that leave it as it is."""
    with psycopg.connect(postgres.dsn_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE history_filled TEMPLATE template")
    put(postgres.dsn_of("history_filled"), match())
    return postgres.dsn_of("history_filled")


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    with ArchiveWriter(tmp_path / "exported") as archive:
        archive.add(match())
        archive.keep()
    return tmp_path / "exported"


def futstar(*args: object) -> int:
    return main(["history", *map(str, args)])


def published(history: MatchHistory) -> list[Published]:
    """The samples as the chain tells them."""
    return [
        Published(
            s.tick, s.period, s.second * 1000, s.data_ms, s.x_e6, s.mu_e6, s.s_e4, s.conf_e4, s.inputs_hash, s.flags,
            s.reason,
        )
        for s in history.samples
    ]  # fmt: skip


def test_a_match_is_replayed_bit_for_bit_from_the_database(
    filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, samples = tmp_path / "feed.jsonl", tmp_path / "samples.parquet"
    assert futstar("replay", MATCH, "--database", filled, "--feed", out, "--samples", samples) == 0
    assert capsys.readouterr().out == "600 samples, 0 differ\n"
    header, messages = feed()
    assert out.read_bytes() == header.line + b"".join(message.line for message in messages)
    assert pq.read_table(samples).column("x_e6").to_pylist() == [sample.x_e6 for sample in match().samples]


def test_a_match_whose_keeper_was_late_is_replayed_bit_for_bit() -> None:
    played = match("wyscout", samples=300, step=4)
    assert len(played.samples) < played.samples[-1].tick, "seconds were skipped"
    again, verdict = core.replay(played)
    assert str(verdict) == f"{len(played.samples)} samples, 0 differ"
    assert again == played


def test_export_and_import_carry_a_match_into_another_database(
    filled: str, postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert futstar("export", "--match", MATCH, "--out", out, "--database", filled) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 1 match, ")
    with psycopg.connect(postgres.dsn_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE history_elsewhere")
    elsewhere = postgres.dsn_of("history_elsewhere")  # empty: import brings the tables
    assert futstar("import", out, "--database", elsewhere) == 0
    assert f"{MATCH}: new are 2118 fragments" in capsys.readouterr().out
    assert futstar("import", out, "--database", elsewhere) == 0
    assert capsys.readouterr().out == f"{MATCH}: nothing new\n"
    assert read(elsewhere, MATCH) == match() == Archive.open(out).match(MATCH)
    assert futstar("list", "--database", elsewhere) == 0
    assert f"2021-09-11  {MATCH}  statsperform  2118 lines, 2118 records" in capsys.readouterr().out


def test_a_day_is_exported_with_all_its_matches_and_no_others(dsn: str, tmp_path: Path) -> None:
    other = match("wyscout", samples=60)
    assert other.match.day != match().match.day
    put(dsn, match(), other)
    day = other.match.day.isoformat()
    assert futstar("export", "--from", day, "--to", day, "--out", tmp_path / "day", "--database", dsn) == 0
    assert Archive.open(tmp_path / "day").matches == (other.match.match_id,)
    assert futstar("export", "--to", "2100-01-01", "--out", tmp_path / "all", "--database", dsn) == 0
    assert set(Archive.open(tmp_path / "all").matches) == {MATCH, other.match.match_id}


def test_an_export_is_replayed_without_a_database(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert futstar("replay", MATCH, "--input", exported) == 0
    assert capsys.readouterr().out == "600 samples, 0 differ\n"


def test_one_changed_sample_is_found(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(dsn, match())
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE history.samples SET x_e6 = x_e6 + 1, mu_e6 = mu_e6 + 1 WHERE tick = 77")
        connection.execute("UPDATE history.samples SET lines = lines - 9 WHERE tick = 300")
    assert futstar("replay", MATCH, "--database", dsn) == 1
    told = capsys.readouterr().out
    assert told.startswith("600 samples, ")
    assert "tick 77: x_e6 stored" in told


def test_a_changed_fragment_changes_what_follows(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    history = match()
    fragments = list(history.fragments)
    fragments[40] = replace(fragments[40], doc=fragments[41].doc)
    put(dsn, replace(history, fragments=tuple(fragments)))
    assert futstar("replay", MATCH, "--database", dsn) == 1
    assert "inputs_hash" in capsys.readouterr().out


def test_what_the_operator_held_stands_at_the_keepers_word() -> None:
    history = match()
    told = published(history)
    told[9] = replace(told[9], flags=told[9].flags | FLAG_SUSPENDED, suspend_reason=int(Reason.OPERATOR))
    made = core.from_run(*feed(), told)
    assert (made.samples[9].flags & FLAG_SUSPENDED, made.samples[9].reason) == (FLAG_SUSPENDED, Reason.OPERATOR)
    assert core.replay(made)[1].ok
    assert replace(made, samples=history.samples) == history


def test_a_run_that_published_something_else_is_not_taken() -> None:
    told = published(match())
    told[200] = replace(told[200], x_e6=told[200].x_e6 + 1)
    with pytest.raises(Exception, match="tick 201 of match"):
        core.from_run(*feed(), told)


def test_seconds_that_were_skipped_stay_skipped() -> None:
    header, messages = feed()
    played = core.build(header, messages, seconds(header, messages, 200, step=4))
    assert len(played.samples) < played.samples[-1].tick
    assert core.replay(played)[1].ok
    assert core.from_run(header, messages, published(played)) == played


def test_a_feed_file_alone_has_no_samples_to_compare(
    dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, messages = feed()
    write_feed(tmp_path / "feed.jsonl", header, messages)
    assert futstar("import", tmp_path / "feed.jsonl", "--database", dsn) == 0
    assert futstar("replay", MATCH, "--database", dsn) == 0
    said = capsys.readouterr().out
    assert "no samples are kept of it" in said
    assert "nothing to compare" in said
    assert read(dsn, MATCH) == replace(match(), samples=(), revisions=())


def test_a_match_that_was_followed_and_not_traded_gets_its_samples_from_its_feed() -> None:
    header, messages = feed()
    due = core.every_second(header, messages)
    computed = core.build(header, messages, due)
    assert len(computed.samples) == len(due) > 100
    assert [sample.tick for sample in computed.samples] == list(range(1, len(due) + 1))
    traded = {sample.tick: sample for sample in match().samples}
    for sample in computed.samples[:60]:
        assert sample.x_e6 == traded[sample.tick].x_e6


def test_an_embedded_database_outlives_the_command(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert futstar("import", exported, "--data-dir", data) == 0
    assert futstar("replay", MATCH, "--data-dir", data) == 0
    assert "600 samples, 0 differ" in capsys.readouterr().out
    assert futstar("prune", "--raw-days", 30, "--canonical-days", 100_000, "--data-dir", data) == 0
    assert "2 partitions dropped" in capsys.readouterr().out


Arrange = Callable[[Path], list[object]]


def _spoilt(path: Path) -> list[object]:
    (path / "exported" / MATCH / "lines.parquet").write_bytes(b"")
    return ["import", path / "exported"]


def _file(path: Path) -> list[object]:
    (path / "out").write_text("mine")
    return ["export", "--match", MATCH, "--out", path / "out"]


def _text(path: Path) -> list[object]:
    (path / "feed.jsonl").write_text("hello\n")
    return ["import", path / "feed.jsonl"]


def _cut_feed(path: Path) -> list[object]:
    header, messages = feed()
    write_feed(path / "feed.jsonl", header, messages[:5])
    data = (path / "feed.jsonl").read_bytes()
    (path / "feed.jsonl").write_bytes(data[:-9])
    return ["import", path / "feed.jsonl"]


def _other_seed(path: Path) -> list[object]:
    write_feed(path / "feed.jsonl", *feed(seed=8))
    return ["import", path / "feed.jsonl"]


WRONG: list[tuple[str, Arrange]] = [
    ("unknown_match", lambda path: ["replay", "nobody"]),
    ("unknown_match", lambda path: ["replay", "nobody", "--input", path / "exported"]),
    ("unknown_match", lambda path: ["export", "--match", "nobody", "--out", path / "out"]),
    ("bad_option", lambda path: ["export", "--out", path / "out"]),
    ("bad_option", lambda path: ["export", "--match", MATCH, "--from", "2021-09-11", "--out", path / "out"]),
    ("bad_day", lambda path: ["export", "--from", "yesterday", "--out", path / "out"]),
    ("bad_day", lambda path: ["list", "--to", "2021-13-01"]),
    ("bad_day", lambda path: ["export", "--from", "2021-09-12", "--to", "2021-09-11", "--out", path / "out"]),
    ("nothing_found", lambda path: ["export", "--from", "2001-01-01", "--to", "2001-01-02", "--out", path / "out"]),
    ("out_exists", lambda path: ["export", "--match", MATCH, "--out", path / "exported"]),
    ("out_exists", _file),
    ("cannot_write", lambda path: ["replay", MATCH, "--feed", path / "no" / "feed.jsonl"]),
    ("cannot_write", lambda path: ["export", "--match", MATCH, "--out", "/proc/nowhere/out"]),
    ("not_history", lambda path: ["import", path]),
    ("not_history", lambda path: ["import", path / "nowhere"]),
    ("not_history", lambda path: ["replay", MATCH, "--input", path / "nowhere"]),
    ("file_cut", _spoilt),
    ("not_a_feed_file", _text),
    ("bad_feed_line", _cut_feed),
    ("other_recording", _other_seed),
    ("bad_retention", lambda path: ["prune", "--raw-days", 9, "--canonical-days", 3]),
]


@pytest.mark.parametrize(("code", "arrange"), WRONG, ids=[f"{code}-{at}" for at, (code, _) in enumerate(WRONG)])
def test_a_mistake_gives_one_line_and_leaves_nothing_half_done(
    filled: str, exported: Path, tmp_path: Path, code: str, arrange: Arrange, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read(filled, MATCH)
    assert futstar(*arrange(tmp_path), "--database", filled) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"futstar: [{code}] ")
    assert not list(tmp_path.glob("*.part"))
    assert read(filled, MATCH) == before


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["list", "--data-dir", "nowhere"], "no_history"),
        (["list", "--database", "postgresql://nobody@127.0.0.1:1/x"], "database_unreachable"),
    ],
)
def test_a_database_that_is_not_there_is_said_so(
    args: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert futstar(*args) in (1, 2)
    assert f"[{code}]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_chain_is_read_as_a_feed(tmp_path: Path) -> None:
    write_feed(tmp_path / "feed.jsonl", *feed())
    (found,) = runs.read(tmp_path)
    assert found.samples == ()
