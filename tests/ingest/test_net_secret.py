"""Secrets never come out."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.net.plan import Address, Auth, safe_id
from ingest.net.poll import PollSource
from ingest.net.secret import HIDDEN, Redactor, Secret, basic, credentials
from tests.ingest import virtualtime
from tests.ingest.netkit import Script, collect, network, ok, plan_of

KEY = "k3y+with/odd=chars&1234"
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=40)


@given(TEXT)
def test_a_secret_shows_itself_to_nobody(value: str) -> None:
    secret = Secret(value)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", str([secret]), repr({"a": [secret]})):
        assert shown.strip() == HIDDEN or HIDDEN in shown
        assert value not in shown.replace(HIDDEN, "")
    assert secret == Secret(value)
    assert secret != Secret(value + "x")
    assert secret != value
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        hash(secret)


@given(TEXT, st.text(max_size=50), st.text(max_size=50))
def test_a_redactor_leaves_no_known_secret_in_any_text(value: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.learn([Secret(value), basic(Secret(value), Secret("password"))])
    url = httpx.URL("https://feed.test/").copy_set_param("q", value)
    for text in (f"{before}{value}{after}", str(url), repr(value)):
        assert value not in redactor.clean(text).replace(HIDDEN, "")


def test_what_stands_under_a_key_s_name_goes_even_when_it_is_not_known() -> None:
    cleaned = Redactor().clean("GET https://x.test/a?api_key=abcdef&b=1&token=zz HTTP/1.1")
    assert cleaned == f"GET https://x.test/a?api_key={HIDDEN}&b=1&token={HIDDEN} HTTP/1.1"


def failing_server() -> Script:
    """Gives every library that sees the request a reason to write about it."""
    return Script(
        httpx.ConnectError(f"cannot reach https://feed.test/{KEY}/doc?api_key={KEY}"),
        httpx.Response(302, headers={"location": f"https://evil.test/?api_key={KEY}"}),
        httpx.Response(500, content=KEY.encode()),
        httpx.RemoteProtocolError(f"illegal header {KEY}"),
        ok(),
        httpx.Response(403),
        httpx.Response(403),
    )


def test_no_log_line_no_note_and_no_error_ever_holds_a_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = Secret(KEY)
    auth = Auth(headers={"x-api-key": key, "Authorization": basic(key, key)}, query={"api_key": key})
    plan = plan_of(auth=auth)
    address = Address("https://feed.test/{key}/doc", {"key": key})
    endpoint = type(plan.documents[0])("doc", address, plan.documents[0].cadence)
    plan = type(plan)(**{name: getattr(plan, name) for name in plan.__slots__} | {"documents": (endpoint,)})
    seen: list[str] = [repr(plan), str(plan)]
    script = failing_server()

    async def main() -> None:
        async with network(script) as net:
            source = PollSource(plan, plan.documents[0], net)
            try:
                seen.extend(repr(arrival) for arrival in await collect(source, 300))
            finally:
                seen.extend(net.counts)

    with pytest.raises(FeedError) as caught:
        virtualtime.run(main())
    seen += traceback.format_exception(caught.value)
    assert KEY in str(script.requests[0].headers.raw)  # it was sent
    logging.getLogger("httpx").info("plain %s", KEY)  # after the network is closed its filter is gone
    for record in caplog.records[:-1]:
        seen.append(logging.Formatter("%(name)s %(message)s").format(record))
    text = "\n".join(seen)
    assert "feed.test" in text
    for form in (KEY, str(httpx.QueryParams({"k": KEY}))[2:], basic(key, key).reveal().split()[1]):
        assert form not in text


def test_a_traceback_in_a_log_record_is_cleaned(caplog: pytest.LogCaptureFixture) -> None:
    redactor = Redactor()
    redactor.learn([Secret(KEY)])
    redactor.guard("futstar.test")
    logger = logging.getLogger("futstar.test")
    try:
        raise ValueError(f"bad {KEY}")
    except ValueError:
        logger.exception("failed with %s", KEY, stack_info=True)
    logger.error("wrong arguments %d", KEY)
    assert KEY not in caplog.text
    assert HIDDEN in caplog.text
    redactor.release()
    logger.removeFilter(redactor)


def test_credentials_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    found = credentials(
        "statsperform",
        {
            "FUTSTAR_FEED_STATSPERFORM_OUTLET": "outlet-key",
            "FUTSTAR_FEED_STATSPERFORM_SECRET_FILE": str(file),
            "X": "y",
        },
    )
    assert found["outlet"].reveal() == "outlet-key"
    assert found["secret"].reveal() == "from-a-file"
    assert found.get("format", "json") == "json"
    with pytest.raises(FeedError, match="FUTSTAR_FEED_STATSPERFORM_USER") as caught:
        found["user"]
    assert caught.value.code == "no_credentials"


@pytest.mark.parametrize(
    "env",
    [
        {"FUTSTAR_FEED_X_KEY": "abc"},
        {"FUTSTAR_FEED_X_KEY": "line\nbreak"},
        {"FUTSTAR_FEED_X_KEY_FILE": "/nowhere/at/all"},
        {"FUTSTAR_FEED_X_KEY_FILE": __file__, "FUTSTAR_FEED_X_KEY": "twice"},
    ],
)
def test_a_bad_secret_is_refused_without_being_shown(env: dict[str, str]) -> None:
    with pytest.raises(FeedError) as caught:
        credentials("x", env)
    assert caught.value.code == "bad_secret"
    assert "line\nbreak" not in str(caught.value)


def test_a_secret_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00\x01", b"a" * 100_000):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(FeedError):
            credentials("x", {"FUTSTAR_FEED_X_KEY_FILE": str(tmp_path / "f")})


@pytest.mark.parametrize("match_id", ["", "..", "a/b", "a?b", "a b", "a#b", "é", "x" * 200, "a%2f"])
def test_a_match_id_cannot_change_an_address(match_id: str) -> None:
    with pytest.raises(FeedError, match="no match id"):
        safe_id(match_id, "test")
