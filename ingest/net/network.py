"""What all sources of a process share: the HTTP client, the clock, the budgets, the tokens, the counters."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from ingest.events import FeedError
from ingest.net.auth import Authoriser
from ingest.net.budget import Bucket, Gate
from ingest.net.fetch import MAX_BODY_BYTES, Failure, Reply, Request, Trouble, fetch
from ingest.net.plan import Address, FeedPlan, Phase
from ingest.net.secret import Redactor, Secret

MAX_AT_ONCE = 16
"""Answers read at the same time: bounds memory to so many documents."""
GOLDEN = 0.6180339887498949


class Network:
    """Make one per process. ``now_ms`` is Unix ms and the only clock that stamps; sleeping is the event loop's."""

    def __init__(
        self,
        now_ms: Callable[[], int],
        rng: random.Random,
        transport: httpx.AsyncBaseTransport | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.now_ms = now_ms
        self.rng = rng
        self.counts: Counter[str] = Counter()
        self.redactor = Redactor()
        self.redactor.guard()
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=64)
        self.client = httpx.AsyncClient(transport=transport, limits=limits, trust_env=transport is None)
        self.client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # nobody's session is ours
        self._max_body_bytes = max_body_bytes
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._opened = 0
        self._gates: dict[str, Gate] = {}
        self._authorisers: dict[str, Authoriser] = {}

    def monotonic_ms(self) -> int:
        """The event loop's clock, for schedules and deadlines."""
        return round(asyncio.get_running_loop().time() * 1000)  # a timer may ring a nanosecond early

    def shift(self) -> float:
        """Where in its period the next source asks (0 to 1): each one opened falls into the widest gap that the others
        leave, so that many matches do not ask in the same moment. The first one is 0."""
        share = self._opened * GOLDEN % 1.0
        self._opened += 1
        return share

    def child_rng(self) -> random.Random:
        """A generator of its own for one source, so that sources do not disturb each other's jitter."""
        return random.Random(self.rng.getrandbits(64))

    def gate(self, plan: FeedPlan) -> Gate:
        """The queue of the plan's budget. Raises FeedError when two plans name one budget and differ on it."""
        gate = self._gates.get(plan.budget.key)
        if gate is None:
            gate = Gate(Bucket(plan.budget, self.now_ms()), self.now_ms, self.counts)
            self._gates[plan.budget.key] = gate
        elif gate.bucket.spec != plan.budget:
            raise FeedError("bad_budget", f"budget {plan.budget.key} has two definitions: give each its own key")
        return gate

    def authoriser(self, plan: FeedPlan) -> Authoriser:
        """Tokens and keys of the plan's credential. Raises FeedError when a budget is used with two credentials."""
        self.redactor.learn(plan.secrets())
        found = self._authorisers.get(plan.budget.key)
        if found is None:
            found = Authoriser(plan.auth, self.client, self.redactor, self.now_ms)
            self._authorisers[plan.budget.key] = found
        elif found.auth != plan.auth:
            raise FeedError("bad_budget", f"budget {plan.budget.key} has two credentials: give each its own key")
        return found

    async def get(
        self, plan: FeedPlan, address: Address, headers: Mapping[str, str], phase: Phase
    ) -> tuple[Reply | Failure, Mapping[str, Secret]]:
        """One request within the budget, and the secret headers that went along. Raises FeedError for a refused
        token; a token that cannot be had now is a failure like any other."""
        authoriser = self.authoriser(plan)
        await self.gate(plan).admit(plan.match_id, phase)
        async with self._at_once:
            try:
                secret_headers = await authoriser.headers()
            except FeedError as error:
                if error.code != "token_unavailable":
                    raise
                return Failure(Trouble.CONNECT, str(error)), {}
            request = Request(address, headers, secret_headers, authoriser.query, redirects=plan.redirects)
            reply = await fetch(self.client, request, self.redactor, self._max_body_bytes)
        self.counts[reply.trouble.value if isinstance(reply, Failure) else f"status_{reply.status}"] += 1
        return reply, secret_headers

    async def renew(self, plan: FeedPlan, sent: Mapping[str, Secret]) -> None:
        """Renew the token that ``sent`` was refused with. Raises FeedError when it is refused; one that cannot be had
        now is fetched with the next request."""
        try:
            await self.authoriser(plan).refused(sent)
        except FeedError as error:
            if error.code != "token_unavailable":
                raise

    def used(self) -> dict[str, dict[str, int]]:
        """Requests made of each quota, for a process that keeps them over a restart."""
        return {key: gate.bucket.used() for key, gate in self._gates.items() if gate.bucket.used()}

    async def close(self) -> None:
        """Free every connection."""
        await self.client.aclose()
        self.redactor.release()

    async def __aenter__(self) -> Network:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()
