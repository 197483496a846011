"""What a provider's server answers: request and time in, answer out. A pure core; the shells put it on a wire.

Every answer draws from the seed whether one fault befalls it, and which. A fault that would change nothing (a stale
document when there is no older one) is not injected and not in the ledger.
"""

from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import xxhash

from ingest.twin.faults import OF_ANSWERS, Fault, Faults, Ledger
from ingest.twin.forms import Form, form
from ingest.twin.script import Script, Step
from ingest.twin.stream import Frame, frames

Doc = dict[str, Any]
TIME_OUT_MS = 10 * 60_000
"""Longer than any client waits."""
HTML = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
PUSH = "/push"
"""An address with this opens a push line."""
OF_OPENINGS = (Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.TIMED_OUT)
_STATUS = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked: ``target`` is path and query; ``headers`` by lower-case name."""

    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server sends after ``wait_ms``. ``cut_at``: the connection breaks after so many bytes of the body."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    wait_ms: int = 0
    cut_at: int | None = None
    fault: Fault | None = None
    frames: Iterator[Frame] | None = None  # a line that stays open, instead of a body


class Twin:
    """One provider's server for one match. Faults end at ``calm_ms`` (default: never), so that a feed can settle."""

    def __init__(
        self,
        script: Script,
        faults: Faults,
        seed: int,
        ledger: Ledger,
        secret: str = "",
        calm_ms: int | None = None,
        packed: bool = False,
    ) -> None:
        """``secret`` must come with every request, wherever the provider wants it; ``packed``: offer gzip."""
        self.script = script
        self.faults = faults
        self.ledger = ledger
        self.form: Form = form(script.adapter.name)
        self.refused = 0
        self.impatient = 0
        self.requests = 0
        self.unchanged = 0
        self._calm_ms = calm_ms
        self._secret = secret
        self._packed = packed
        self._rng = random.Random(f"answers {seed}")
        self._rows: dict[tuple[str, int], bytes] = {}
        self._quiet_until_ms = 0

    def answer(self, request: Request, at_ms: int) -> Answer:
        """The answer to a request that comes at ``at_ms``, in ms since the script's start."""
        self.requests += 1
        if self._secret and not _presented(self._secret, request):
            self.refused += 1
            return Answer(401, {"Content-Type": "text/plain"}, b"credentials wanted\n")
        if at_ms < self._quiet_until_ms:
            self.impatient += 1
        fault = self._drawn(at_ms)
        if PUSH in request.target and fault not in OF_OPENINGS:
            return Answer(200, {"Content-Type": "application/json"}, frames=self.frames(at_ms))
        answer = None if fault is None else self._faulty(fault, request, at_ms)
        if fault is None or answer is None:
            return self._whole(request, at_ms)
        self.ledger.add(at_ms, fault, f"answer {self.requests}")
        return answer

    def frames(self, at_ms: int) -> Iterator[Frame]:
        """What a push line opened at ``at_ms`` carries."""
        rng = random.Random(self._rng.getrandbits(64))
        return frames(self.script, self.faults, rng, self.ledger, at_ms, self._calm_ms)

    def _drawn(self, at_ms: int) -> Fault | None:
        if self._calm_ms is not None and at_ms >= self._calm_ms:
            return None
        draw = self._rng.random()
        for kind in OF_ANSWERS:
            draw -= self.faults.of(kind)
            if draw < 0:
                return kind
        return None

    def _whole(self, request: Request, at_ms: int) -> Answer:
        return self._conditional(request, self._body(request, at_ms))

    def _conditional(self, request: Request, body: bytes, fault: Fault | None = None, wait_ms: int = 0) -> Answer:
        """The body with its ETag, or 304 where the client has it."""
        tag = _etag(body)
        if tag in request.headers.get("if-none-match", ""):
            self.unchanged += 1
            return Answer(304, {"ETag": tag}, wait_ms=wait_ms, fault=fault)
        return self._sent(request, body, tag, fault, wait_ms)

    def _sent(
        self, request: Request, body: bytes, tag: str = "", fault: Fault | None = None, wait_ms: int = 0
    ) -> Answer:
        headers = {"Content-Type": self.form.content_type}
        if tag:
            headers["ETag"] = tag
        if self._packed and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, 1, mtime=0)
        return Answer(200, headers, body, wait_ms, fault=fault)

    def _faulty(self, fault: Fault, request: Request, at_ms: int) -> Answer | None:
        """The answer with that fault; None where it would be none."""
        rng = self._rng
        match fault:
            case Fault.RATE_LIMITED:
                seconds = rng.randint(*self.faults.retry_after_s)
                self._quiet_until_ms = at_ms + seconds * 1000
                return Answer(429, {"Retry-After": str(seconds)}, b"", fault=fault)
            case Fault.SERVER_ERROR:
                return Answer(rng.choice(_STATUS), {"Content-Type": "text/html"}, HTML, fault=fault)
            case Fault.TIMED_OUT:
                return Answer(200, {}, b"", TIME_OUT_MS, fault=fault)
            case Fault.SLOW:
                return self._conditional(request, self._body(request, at_ms), fault, rng.randint(*self.faults.slow_ms))
            case Fault.CONNECTION_CUT:
                whole = self._sent(request, self._body(request, at_ms))
                return Answer(200, whole.headers, whole.body, cut_at=rng.randrange(len(whole.body)), fault=fault)
            case Fault.BYTES_CUT:
                body = self._body(request, at_ms)
                return self._sent(request, body[: rng.randrange(1, len(body))], _etag(body), fault)
            case Fault.STALE:
                body = self._body(request, at_ms - rng.randint(*self.faults.stale_ms))
                return None if body == self._body(request, at_ms) else self._conditional(request, body, fault)
            case Fault.EMPTY_BODY:
                return self._sent(request, b"", fault=fault)
            case Fault.HTML_PAGE:
                kind = rng.choice(("text/html", self.form.content_type))
                return Answer(200, {"Content-Type": kind}, HTML, fault=fault)
            case Fault.WRONG_MATCH:
                return self._rewritten(fault, request, at_ms, self.form.foreign)
            case _:
                return self._rewritten(fault, request, at_ms)

    def _rewritten(self, fault: Fault, request: Request, at_ms: int, foreign: Any = None) -> Answer | None:
        """A well-formed document with wrong content: rows missing, drifted, or of another match."""
        steps = list(self.script.standing(at_ms).values())
        if not steps or self._wants_header(request):
            return None
        raw_info = self.script.raw_info
        if foreign is not None:
            docs = [foreign(raw_info, step.doc) for step in steps]
            rows, raw_info = [self.form.row(doc) for _, doc in docs], docs[0][0]
        else:
            rows = [self._row(step) for step in steps]
            before = list(rows)
            if fault is Fault.ROWS_CUT:
                rows = self._fewer(rows)
            else:
                for index in self._some(len(steps)):
                    doc = steps[index].doc
                    assert doc is not None
                    rows[index] = self.form.row(self._drifted(fault, doc))
            if rows == before:
                return None
        body = self.form.document(raw_info, self._made_ms(at_ms), rows)
        return self._sent(request, body, _etag(body), fault)

    def _fewer(self, rows: list[bytes]) -> list[bytes]:
        """Cut at the end, as when a write was overtaken by a read, or with holes."""
        if self._rng.random() < 0.5:
            return rows[: self._rng.randrange(len(rows))]
        share = self._rng.random() * 0.3
        return [row for row in rows if self._rng.random() >= share]

    def _some(self, count: int) -> list[int]:
        """Which rows a drift befalls: a few, now and then all."""
        if self._rng.random() < 0.05:
            return list(range(count))
        return self._rng.sample(range(count), min(count, self._rng.randint(1, 12)))

    def _drifted(self, fault: Fault, doc: Doc) -> Doc:
        match fault:
            case Fault.UNKNOWN_FIELD:
                return {**doc, "futureField": {"model": "v9", "value": self._rng.randint(0, 99)}}
            case Fault.UNKNOWN_TYPE:
                return self.form.strange(doc)
            case Fault.RENAMED_FIELD:
                name = self._rng.choice(sorted(doc))
                return {key + "_v2" if key == name else key: value for key, value in doc.items()}
            case _:
                return {key: str(value) if _is_number(value) else value for key, value in doc.items()}

    def _wants_header(self, request: Request) -> bool:
        return bool(self.form.header_mark) and self.form.header_mark in request.target

    def _body(self, request: Request, at_ms: int) -> bytes:
        """The document as of ``at_ms``."""
        if self._wants_header(request):
            assert self.form.header is not None
            return self.form.header(self.script.raw_info, self.script.clock_ms(0))
        rows = [self._row(step) for step in self.script.standing(at_ms).values()]
        return self.form.document(self.script.raw_info, self._made_ms(at_ms), rows)

    def _row(self, step: Step) -> bytes:
        name = (step.key, step.at_ms)
        row = self._rows.get(name)
        if row is None:
            assert step.doc is not None
            row = self._rows[name] = self.form.row(step.doc)
        return row

    def _made_ms(self, at_ms: int) -> int:
        """When the document as of ``at_ms`` was made by the provider's clock: with its last change."""
        return self.script.clock_ms(self.script.changed_ms(at_ms))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _etag(body: bytes) -> str:
    return f'"{xxhash.xxh3_128_hexdigest(body)}"'


def _presented(secret: str, request: Request) -> bool:
    """Whether the secret came: in the address, as a header, as a bearer token or as the password of a pair."""
    if secret in unquote(request.target):
        return True
    for value in request.headers.values():
        if value in (secret, f"Bearer {secret}"):
            return True
        if value.startswith("Basic "):
            try:
                pair = base64.b64decode(value[6:]).decode()
            except ValueError:
                continue
            if pair.endswith(f":{secret}"):
                return True
    return False
