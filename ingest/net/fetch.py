"""One request and its whole answer, or the reason why there is none. Size, time, redirects and truth of the body are
checked here; what to do next is decided in `poll`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from ingest.net.plan import Address
from ingest.net.secret import Redactor, Secret

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3
CONNECT_S, READ_S, TOTAL_S = 5.0, 10.0, 30.0
USER_AGENT = "futstar-ingest"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Trouble(StrEnum):
    """Why there is no answer. The values are counters' names and stand in notes."""

    CONNECT = "connect_failed"
    TIMEOUT = "timeout"
    CUT = "half_body"  # fewer bytes than promised, a chunk cut off, a gzip stream without its end
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"  # no gzip though it says so, or an encoding that was not asked for
    REDIRECT = "redirect_refused"  # to another host, or too many
    PROTOCOL = "protocol_error"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, whole and decompressed. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer that counts. ``note`` is free of secrets."""

    trouble: Trouble
    note: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: secrets apart until the last moment."""

    address: Address
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)
    secret_query: Mapping[str, Secret] = field(default_factory=dict)
    method: str = "GET"
    form: Mapping[str, str] | None = None
    redirects: bool = True

    def build(self, client: httpx.AsyncClient, url: httpx.URL | None = None) -> httpx.Request:
        """The request for ``url``, its own address where that is None."""
        target = httpx.URL(self.address.reveal()) if url is None else url
        for name, secret in self.secret_query.items():
            target = target.copy_set_param(name, secret.reveal())
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **self.headers}
        headers |= {name: secret.reveal() for name, secret in self.secret_headers.items()}
        timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
        return client.build_request(
            self.method, target, headers=headers, data=None if self.form is None else dict(self.form), timeout=timeout
        )


async def fetch(
    client: httpx.AsyncClient,
    request: Request,
    redactor: Redactor,
    max_bytes: int = MAX_BODY_BYTES,
    total_s: float = TOTAL_S,
) -> Reply | Failure:
    """The whole answer to ``request``, at most ``max_bytes`` once decompressed. Never raises for what a server does."""
    try:
        async with asyncio.timeout(total_s):
            return await _fetch(client, request, max_bytes)
    except (TimeoutError, httpx.TimeoutException):
        return Failure(Trouble.TIMEOUT, "no whole answer in time")
    except (httpx.ConnectError, httpx.ProxyError, OSError) as error:
        return Failure(Trouble.CONNECT, redactor.clean(f"{type(error).__name__}: {error}")[:200])
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        return Failure(Trouble.CUT, redactor.clean(f"{error}")[:200])
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        return Failure(Trouble.PROTOCOL, redactor.clean(f"{type(error).__name__}: {error}")[:200])


async def _fetch(client: httpx.AsyncClient, request: Request, max_bytes: int) -> Reply | Failure:
    asked = request.build(client)
    for _ in range(MAX_REDIRECTS + 1):
        response = await client.send(asked, stream=True, follow_redirects=False)
        try:
            if response.status_code not in _REDIRECTS:
                return await _read(response, max_bytes)
            target = redirect(asked.url, response.headers.get("location", "")) if request.redirects else None
        finally:
            await response.aclose()
        if target is None:
            return Failure(Trouble.REDIRECT, "the answer points elsewhere")
        asked = request.build(client, target)
    return Failure(Trouble.REDIRECT, f"more than {MAX_REDIRECTS} redirects")


def redirect(asked: httpx.URL, location: str, domains: tuple[str, ...] = ()) -> httpx.URL | None:
    """Where a redirect leads, None where we do not go: the same scheme, host and port, or over TLS within ``domains``.

    A key goes along with every request, so that following a stranger would hand it over.
    """
    try:
        target = asked.join(location)
    except (httpx.InvalidURL, ValueError):
        return None
    if not location or target.userinfo:
        return None
    if (target.scheme, target.host, target.port) == (asked.scheme, asked.host, asked.port):
        return target
    if any(_within(target, domain, asked) for domain in domains):
        return target
    return None


def _within(target: httpx.URL, domain: str, asked: httpx.URL) -> bool:
    if ":" in domain:  # a host and port named in full may keep the scheme that was asked for
        return f"{target.host}:{target.port}" == domain and target.scheme == asked.scheme
    return target.scheme == "https" and (target.host == domain or target.host.endswith("." + domain))


async def _read(response: httpx.Response, max_bytes: int) -> Reply | Failure:
    headers = {name.lower(): value for name, value in response.headers.items()}
    promised = headers.get("content-length", "")
    if promised.isdigit() and int(promised[:18]) > max_bytes:
        return Failure(Trouble.TOO_LARGE, f"{promised[:18]} bytes promised, {max_bytes} allowed")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        return Failure(Trouble.BAD_ENCODING, f"content-encoding {encoding[:20]}")
    unpack = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    body, raw = bytearray(), 0
    try:
        async for chunk in response.aiter_raw():
            raw += len(chunk)
            body += chunk if unpack is None else unpack.decompress(chunk, max_bytes + 1 - len(body))
            if len(body) > max_bytes:  # a gzip bomb is not unpacked any further than this
                return Failure(Trouble.TOO_LARGE, f"more than {max_bytes} bytes")
    except zlib.error:
        return Failure(Trouble.BAD_ENCODING, "not gzip though it says so")
    if promised.isdigit() and raw != int(promised[:18]) and response.status_code not in (204, 304):
        return Failure(Trouble.CUT, f"{raw} of {promised[:18]} bytes")
    if unpack is not None and raw and not unpack.eof:
        return Failure(Trouble.CUT, "gzip without its end")
    return Reply(response.status_code, headers, bytes(body))
