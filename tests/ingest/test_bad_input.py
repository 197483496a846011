"""Every way a path can be wrong is one error with a stable code and one sentence that names the path."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from ingest.events import FeedError
from ingest.feeds import adapter, default_match_paths, load_paths
from ingest.feeds import files as feed_files
from ingest.feeds.files import looks_like

MA1, MA3 = default_match_paths()
(WYSCOUT,) = default_match_paths("wyscout")


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def edited(change: Callable[[dict], object]) -> dict:  # type: ignore[type-arg]
    document = orjson.loads(MA3.read_bytes())
    change(document)
    return document  # type: ignore[no-any-return]


def failure(provider: str, *paths: Path, match: str | None = None) -> FeedError:
    with pytest.raises(FeedError) as error:
        load_paths(provider, list(paths), match)
    assert "\n" not in str(error.value)
    return error.value


def test_an_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(FeedError, match="choose one of .*statsperform, .*wyscout") as error:
        adapter("bigco")
    assert error.value.code == "unknown_provider"


@pytest.mark.parametrize("provider", ["statsperform", "wyscout"])
def test_paths_that_lead_to_nothing(provider: str, tmp_path: Path) -> None:
    assert failure(provider, tmp_path / "none.json").code == "no_such_file"
    assert failure(provider, tmp_path).code == "no_match_files"
    assert failure(provider).code == "no_match_files"


@pytest.mark.parametrize("provider", ["statsperform", "wyscout"])
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("cut.json", MA3.read_bytes()[:5000], "bad_json"),
        ("text.json", b"hello", "bad_json"),
        ("empty.json", b"", "empty_document"),
        ("binary.json", bytes(range(256)), "bad_json"),
        ("cut.json.gz", gzip.compress(MA1.read_bytes())[:500], "truncated_file"),
        ("plain.json.gz", b"{}", "truncated_file"),
    ],
)
def test_a_file_that_is_cut_or_no_json(provider: str, name: str, content: bytes, code: str, tmp_path: Path) -> None:
    error = failure(provider, write(tmp_path, name, content))
    assert error.code == code
    assert name in str(error)


@pytest.mark.parametrize("content", [{}, [], 7, None, {"events": 5}, {"matchInfo": {}, "liveData": 3}, [[1]], "text"])
def test_json_that_is_no_match(content: object, tmp_path: Path) -> None:
    path = write(tmp_path, "other.json", content)
    assert failure("statsperform", path).code == "statsperform_not_a_match"
    assert failure("wyscout", path).code == "wyscout_not_a_match"


def test_the_wrong_provider_is_told_the_right_one() -> None:
    assert failure("wyscout", MA3).code == "wrong_provider"
    assert "use provider wyscout" in str(failure("statsperform", WYSCOUT))


def test_ma1_alone_has_no_events() -> None:
    error = failure("statsperform", MA1)
    assert error.code == "statsperform_no_events"
    assert "MA3" in str(error)


def test_ma1_and_ma3_of_different_matches_do_not_go_together(tmp_path: Path) -> None:
    other = edited(lambda document: document["matchInfo"].update(id="other"))
    assert failure("statsperform", MA1, write(tmp_path, "ma3.json", other)).code == "statsperform_other_match"


def test_two_matches_at_once_need_a_name(tmp_path: Path) -> None:
    other = write(tmp_path, "ma3.json", edited(lambda document: document["matchInfo"].update(id="other")))
    assert failure("statsperform", MA3, other).code == "statsperform_which_match"
    assert load_paths("statsperform", [MA3, other], "other").info.match_id == "other"
    assert sorted(adapter("statsperform").matches([MA3, other])) == ["71pif9hi2vwzp6q0xzilyxst0", "other"]


def test_a_match_that_is_not_among_them(tmp_path: Path) -> None:
    assert failure("statsperform", MA3, match="none").code == "statsperform_no_events"
    assert failure("wyscout", WYSCOUT, match="none").code == "wyscout_which_match"


@pytest.mark.parametrize("rows", [[], [{"periodId": 16, "typeId": 34}], [5, None]])
def test_a_match_that_was_not_played(rows: list[object], tmp_path: Path) -> None:
    path = write(tmp_path, "ma3.json", edited(lambda document: document["liveData"].update(event=rows)))
    assert failure("statsperform", path).code == "statsperform_no_play"


def test_a_wyscout_document_without_events(tmp_path: Path) -> None:
    assert failure("wyscout", write(tmp_path, "1.json", {"events": [], "teams": {}})).code == "wyscout_no_events"


def test_a_wyscout_document_with_one_team(tmp_path: Path) -> None:
    document = orjson.loads(WYSCOUT.read_bytes())
    document["teams"].popitem()
    assert failure("wyscout", write(tmp_path, "1.json", document)).code == "wyscout_no_teams"


def test_a_match_list_whose_row_is_garbled(tmp_path: Path) -> None:
    shutil.copy(WYSCOUT, tmp_path / "2499773.json")
    write(tmp_path, "matches_X.json", [{"wyId": 2499773, "teamsData": {"1": {}}}])
    assert failure("wyscout", tmp_path / "2499773.json").code == "wyscout_bad_list"


def test_teams_that_are_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "ma3.json", edited(lambda document: document["matchInfo"].pop("contestant")))
    assert failure("statsperform", path).code == "statsperform_bad_match"


def test_a_file_of_absurd_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_files, "MAX_BYTES", 1000)
    assert failure("statsperform", MA3).code == "file_too_large"


def test_a_path_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    error = failure("statsperform", MA3)
    assert (error.code, "Permission denied" in str(error)) == ("file_unreadable", True)
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert failure("statsperform", tmp_path).code == "file_unreadable"


def test_a_score_that_the_events_do_not_make_is_a_problem(tmp_path: Path) -> None:
    document = orjson.loads(MA1.read_bytes())
    document["liveData"]["matchDetails"]["scores"]["total"]["home"] = 5
    (problem,) = load_paths("statsperform", [write(tmp_path, "ma1.json", document), MA3]).problems
    assert problem.code == "score_differs"
    assert "2-1" in problem.text


def test_rows_days_away_from_the_kick_off_are_problems(tmp_path: Path) -> None:
    def move(document: dict) -> None:  # type: ignore[type-arg]
        document["liveData"]["event"][9]["timeStamp"] = "1999-01-01T00:00:00Z"

    (problem,) = load_paths("statsperform", [write(tmp_path, "ma3.json", edited(move))]).problems
    assert (problem.code, problem.where) == ("bad_event", "event number 9")


@pytest.mark.parametrize("order", [(MA1, MA3), (MA3, MA1)])
def test_the_two_documents_may_come_in_any_order(order: tuple[Path, Path]) -> None:
    match = load_paths("statsperform", order)
    assert (match.official_score, len(match.rows)) == ((2, 1), 1731)


def test_the_two_documents_may_come_in_a_folder_with_other_files(tmp_path: Path) -> None:
    shutil.copy(MA1, tmp_path)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(MA3.read_bytes()))
    write(tmp_path, "notes.json", {"hello": "world"})
    assert load_paths("statsperform", [tmp_path]).official_score == (2, 1)


@pytest.mark.parametrize("combine", [lambda a, b: [a, b], lambda a, b: {"ma1": a, "ma3": b}])
def test_the_two_documents_may_come_in_one_file(combine: Callable[[object, object], object], tmp_path: Path) -> None:
    both = combine(orjson.loads(MA1.read_bytes()), orjson.loads(MA3.read_bytes()))
    match = load_paths("statsperform", [write(tmp_path, "both.json", both)])
    assert (match.official_score, len(match.rows)) == ((2, 1), 1731)


def test_the_shape_of_a_document_tells_its_provider() -> None:
    assert looks_like([{"matchInfo": {}, "liveData": {}}]) == "statsperform"
    assert looks_like({"x": {"events": [], "teams": {}}}) == "wyscout"
    assert looks_like({"x": {"y": 1}}) is None


def test_a_kloppy_package_without_its_match_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    with pytest.raises(FeedError) as error:
        default_match_paths()
    assert error.value.code == "no_default_match"
