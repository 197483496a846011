"""XML from outside is read without being trusted: whatever is wrong with it is one error, soon and cheaply."""

from __future__ import annotations

import codecs
import http.server
import itertools
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import FeedError
from ingest.feeds import xmldoc
from ingest.feeds.xmldoc import MAX_DEPTH, Rows, looks_like_xml, parse
from tests.ingest.corpus import KLOPPY

ROWS = Rows("Event", "Q", "Q")


def refused(body: bytes) -> str:
    with pytest.raises(FeedError) as error:
        parse(body, ROWS)
    assert "\n" not in str(error.value)
    return error.value.code


def test_a_document_becomes_a_tree_of_attributes_text_and_rows() -> None:
    root = parse(
        b"<a x='1'> some <!-- no --> text <b/>tail<Event id='7'><Q id='8'/></Event><c><d>deep</d></c></a>", ROWS
    )
    assert (root.tag, root.attrib, root.text) == ("a", {"x": "1"}, "some  text")
    assert root.rows == [{"id": "7", "Q": [{"id": "8"}]}]
    assert [child.tag for child in root.children] == ["b", "c"]
    assert root.text_of("c", "d") == "deep"
    assert root.text_of("c", "none", "d") == ""
    assert (root.find("none"), root.all("b")[0].get("y", "?")) == (None, "?")


def billion_laughs() -> bytes:
    names = [f"l{number}" for number in range(10)]
    entities = [f"<!ENTITY {names[0]} 'lol'>"]
    entities += [f"<!ENTITY {name} '{f'&{below};' * 10}'>" for below, name in itertools.pairwise(names)]
    return f"<!DOCTYPE a [{''.join(entities)}]><a>&l9;</a>".encode()


@pytest.mark.parametrize(
    "body",
    [
        billion_laughs(),
        b"<!DOCTYPE a [<!ENTITY e '" + b"x" * 100_000 + b"'>]><a>" + b"&e;" * 10_000 + b"</a>",
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
        b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/hostname'> %p;]><a/>",
        b"<!DOCTYPE a><a/>",
    ],
)
def test_a_document_type_is_refused_before_it_can_do_anything(body: bytes) -> None:
    began = time.perf_counter()
    assert refused(body) == "xml_forbidden"
    assert time.perf_counter() - began < 1


def test_an_external_entity_opens_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read")
    body = f"<!DOCTYPE a [<!ENTITY e SYSTEM 'file://{secret}'>]><a>&e;</a>".encode()
    assert refused(body) == "xml_forbidden"


def test_an_external_entity_asks_no_server() -> None:
    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        for body in (
            f"<!DOCTYPE a SYSTEM '{address}/dtd'><a/>",
            f"<!DOCTYPE a [<!ENTITY e SYSTEM '{address}/e'>]><a>&e;</a>",
            f"<!DOCTYPE a [<!ENTITY % p SYSTEM '{address}/p'> %p;]><a/>",
        ):
            assert refused(body.encode()) == "xml_forbidden"
        assert refused(f"<a xmlns:x='{address}/ns'><x:b/>".encode()) == "bad_xml"
        server.shutdown()
        thread.join()
    assert asked == []


def test_an_entity_that_was_never_declared_is_an_error() -> None:
    assert refused(b"<a>&e;</a>") == "bad_xml"
    assert parse(b"<a>&lt;&amp;&#65;</a>").text == "<&A"


def test_depth_is_bounded() -> None:
    allowed = b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH
    assert parse(allowed).tag == "a"
    assert refused(b"<a>" + allowed + b"</a>") == "xml_too_deep"
    assert refused(b"<a>" * 1_000_000) == "xml_too_deep"


def test_items_within_items_cannot_grow_deep_either() -> None:
    body = b"<a><Event>" + b"<Q>" * 100_000 + b"</Q>" * 100_000 + b"</Event></a>"
    assert len(parse(body, ROWS).rows[0]["Q"]) == 100_000


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmldoc, "MAX_BYTES", 1000)
    assert refused(b"<a>" + b" " * 1000 + b"</a>") == "xml_too_large"


def test_fifty_megabytes_in_one_attribute_are_read_without_haste_or_harm() -> None:
    value = b"x" * (49 * 1024 * 1024)
    began = time.perf_counter()
    assert len(parse(b"<a b='" + value + b"'/>").attrib["b"]) == len(value)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<",
        b"<a",
        b"<a></b>",
        b"<a/><b/>",
        b"hello",
        b"<a b='1' b='2'/>",
        b"<a>\xff\xfe</a>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"<?xml version='1.0' encoding='utf-7'?><a/>",
        b"<?xml version='1.0' encoding='base64'?><a/>",
        b"<?xml version='1.0' encoding='UTF-8'?><a>\xe9</a>",
        b"<a>\x00</a>",
        bytes(range(256)),
        b"<Q/>",
        b"<Event/>",
    ],
)
def test_what_is_no_xml_is_an_error_with_its_place(body: bytes) -> None:
    assert refused(body) == "bad_xml"


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF8 + "<a b='é'/>".encode(),
        "<a b='é'/>".encode("utf-16"),
        "<a b='é'/>".encode("utf-16-le"),
        "<?xml version='1.0' encoding='UTF-16'?><a b='é'/>".encode("utf-16"),
        "<?xml version='1.0' encoding='ISO-8859-1'?><a b='é'/>".encode("latin-1"),
        "<?xml version='1.0' encoding='windows-1252'?><a b='é'/>".encode("cp1252"),
    ],
)
def test_every_usual_encoding_is_read(body: bytes) -> None:
    assert parse(body).attrib == {"b": "é"}
    assert looks_like_xml(body)


def test_json_does_not_look_like_xml() -> None:
    assert not any(map(looks_like_xml, (b'{"a": "<b>"}', b" [1]", b"", b"\x1f\x8b")))


@given(st.binary(max_size=200).map(lambda tail: b"<a>" + tail))
def test_no_bytes_crash_the_parser(body: bytes) -> None:
    if body[3:].strip() and not body.endswith(b"</a>"):
        assert refused(body) in ("bad_xml", "xml_forbidden", "xml_too_deep")


@given(st.integers(0, 33_195))
def test_a_document_cut_anywhere_is_an_error(length: int) -> None:
    body = (KLOPPY / "opta_f24.xml").read_bytes()
    if length < len(body.rstrip()):
        assert refused(body[:length]) == "bad_xml"
