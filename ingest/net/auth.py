"""Bearer tokens: fetched when first needed, renewed before they expire and once after a refusal, for all matches of a
credential together.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping

import httpx
import orjson

from ingest.events import FeedError
from ingest.net.fetch import Failure, Request, fetch
from ingest.net.plan import Auth, Token
from ingest.net.secret import Redactor, Secret, basic

EARLY_MS = 60_000
DEFAULT_LIFE_MS = 3_600_000
MAX_TOKEN_BYTES = 64 * 1024


def _sha512_timestamp(token: Token, now_ms: int) -> Mapping[str, Secret]:
    """The hash of key, time and secret as the password, the time beside it."""
    stamp = str(now_ms)
    signed = token.secrets["key"].reveal() + stamp + token.secrets["secret"].reveal()
    digest = hashlib.sha512(signed.encode()).hexdigest()
    return {"Authorization": Secret(f"Basic {digest}"), "Timestamp": Secret(stamp)}


def _client_credentials(token: Token, now_ms: int) -> Mapping[str, Secret]:
    """RFC 6749, 4.4: id and secret as basic authentication."""
    return {"Authorization": basic(token.secrets["key"], token.secrets["secret"])}


SCHEMES: dict[str, Callable[[Token, int], Mapping[str, Secret]]] = {
    "sha512_timestamp": _sha512_timestamp,
    "client_credentials": _client_credentials,
}


class Authoriser:
    """What goes along with a request now. One for each credential, shared by its matches."""

    def __init__(self, auth: Auth, client: httpx.AsyncClient, redactor: Redactor, now_ms: Callable[[], int]) -> None:
        self.auth = auth
        self._client = client
        self._redactor = redactor
        self._now_ms = now_ms
        self._bearer: Secret | None = None
        self._expires_ms = 0
        self._lock = asyncio.Lock()
        redactor.learn(auth.secrets())

    async def headers(self) -> dict[str, Secret]:
        """Secret headers for the next request; fetches a token where one is due. Raises FeedError when none is given
        (``token_refused``) or none can be had now (``token_unavailable``)."""
        found = dict(self.auth.headers)
        if self.auth.token is not None:
            if self._bearer is None or self._now_ms() >= self._expires_ms - EARLY_MS:
                await self._renew(self._bearer)
            assert self._bearer is not None
            found["Authorization"] = self._bearer
        return found

    @property
    def query(self) -> Mapping[str, Secret]:
        """Secret parameters of the query."""
        return self.auth.query

    def held(self) -> dict[str, Secret]:
        """The secret headers as they are, without fetching anything."""
        return dict(self.auth.headers) | ({} if self._bearer is None else {"Authorization": self._bearer})

    async def refused(self, used: Mapping[str, Secret]) -> None:
        """A request with the headers ``used`` was refused: renew the token, unless another match just did."""
        if self.auth.token is not None:
            await self._renew(used.get("Authorization"))

    async def _renew(self, stale: Secret | None) -> None:
        token = self.auth.token
        assert token is not None
        async with self._lock:
            if self._bearer is not None and self._bearer != stale:
                return
            self._bearer = None
            now_ms = self._now_ms()
            signed = SCHEMES[token.kind](token, now_ms)
            self._redactor.learn([signed["Authorization"]])
            request = Request(token.address, secret_headers=signed, method="POST", form=token.form)
            reply = await fetch(self._client, request, self._redactor, MAX_TOKEN_BYTES)
            if isinstance(reply, Failure) or reply.status >= 500 or reply.status == 429:
                what = reply.note or reply.trouble if isinstance(reply, Failure) else f"status {reply.status}"
                raise FeedError("token_unavailable", f"no token can be had now ({what}): it is tried again")
            try:
                answer = orjson.loads(reply.body)
                bearer = Secret(f"Bearer {answer['access_token']}")
                life_ms = int(float(answer.get("expires_in") or DEFAULT_LIFE_MS / 1000) * 1000)
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError, AttributeError, FeedError):
                raise FeedError(
                    "token_refused", f"the token was refused (status {reply.status}): check the credentials"
                ) from None
            self._redactor.learn([bearer])
            self._bearer, self._expires_ms = bearer, now_ms + max(life_ms, 2 * EARLY_MS)
