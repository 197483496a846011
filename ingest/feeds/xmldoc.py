"""Reading a provider's XML without trusting it: one parser for every adapter.

Nothing outside the bytes is ever looked at, and nothing inside them can make them grow: a document type, and with it
every entity that is not built into XML, is refused at its first character. Size and depth are bounded. The parser is
expat: of the parsers at hand it hands over attributes as dicts soonest (docs/decisions/0021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

from ingest.events import FeedError

MAX_BYTES: Final = 50 * 1024 * 1024
MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """How a feed writes its event rows: ``<row ...><item .../>...</row>``, nothing deeper and no text.

    They come in their thousands, so they become dicts at once: the row's attributes, its items under ``member``.
    """

    row: str
    item: str
    member: str


class Element:
    """A node: attributes, child elements in order, its own text before the first child, and the rows it holds."""

    __slots__ = ("attrib", "children", "rows", "tag", "text")

    def __init__(self, tag: str, attrib: dict[str, str]) -> None:
        self.tag = tag
        self.attrib = attrib
        self.children: list[Element] = []
        self.rows: list[dict[str, Any]] = []
        self.text = ""

    def find(self, tag: str) -> Element | None:
        """The first child of this name."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list[Element]:
        """Every child of this name."""
        return [child for child in self.children if child.tag == tag]

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attrib.get(name, default)

    def text_of(self, *tags: str) -> str:
        """The text of the element that a path of first children leads to; empty when there is none."""
        found: Element | None = self
        for tag in tags:
            found = found.find(tag) if found is not None else None
        return found.text if found is not None else ""


def looks_like_xml(body: bytes) -> bool:
    """Whether the first sign is an angle bracket, after a byte order mark and white space, in UTF-8 or UTF-16."""
    return body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<"


def parse(body: bytes, rows: Rows | None = None) -> Element:
    """The document's root; ``rows`` tells what to read as event rows.

    Raises FeedError: ``xml_too_large``, ``xml_forbidden`` (a document type), ``xml_too_deep``, ``bad_xml`` with the
    line and column.
    """
    if len(body) > MAX_BYTES:
        raise FeedError("xml_too_large", f"{len(body) >> 20} MiB of XML: no match is larger than {MAX_BYTES >> 20} MiB")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _forbid
    parser.EntityDeclHandler = _forbid
    parser.ExternalEntityRefHandler = _forbid
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    top = Element("", {})
    _listen(parser, top, rows or Rows("", "", ""))
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise FeedError(
            "bad_xml",
            f"no complete XML (line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}): "
            "fetch it again",
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not know, or no text one
        raise FeedError("bad_xml", f"XML in an encoding that cannot be read ({error}): fetch it as UTF-8") from error
    if not top.children:
        raise FeedError("bad_xml", "XML with nothing around its events: fetch it again")
    return top.children[0]


def _listen(parser: Any, top: Element, rows: Rows) -> None:
    """Set the handlers. They are closures because they run once for each of ten thousand elements.

    Text is not listened to between rows: white space would come in between all of them.
    """
    row_tag, item_tag, member = rows.row, rows.item, rows.member
    stack = [top]
    items: list[dict[str, str]] = []

    def text(data: str) -> None:
        if not stack[-1].children:
            stack[-1].text = (stack[-1].text + data).strip()

    def start(tag: str, attrib: dict[str, Any]) -> None:
        nonlocal items
        if tag == item_tag:
            items.append(attrib)
        elif tag == row_tag:
            items = []
            attrib[member] = items
            stack[-1].rows.append(attrib)
            parser.CharacterDataHandler = None
        else:
            if len(stack) > MAX_DEPTH:
                raise FeedError(
                    "xml_too_deep",
                    f"line {parser.CurrentLineNumber} is deeper than {MAX_DEPTH} elements: no match is",
                )
            element = Element(tag, attrib)
            stack[-1].children.append(element)
            stack.append(element)
            parser.CharacterDataHandler = text

    def end(tag: str) -> None:
        if tag not in (item_tag, row_tag):
            stack.pop()
            parser.CharacterDataHandler = text

    parser.StartElementHandler, parser.EndElementHandler = start, end


def _forbid(*_: object) -> int:
    raise FeedError(
        "xml_forbidden",
        "XML that declares a document type or entities, as no feed does: fetch it again",
    )
