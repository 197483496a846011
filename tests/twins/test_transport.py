"""The twin in an `httpx` client without a socket, in virtual time."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from ingest.feeds import ADAPTERS, Recorded
from ingest.twin.core import Twin
from ingest.twin.faults import Fault, Faults, Ledger
from ingest.twin.script import write
from ingest.twin.stream import BEAT_MS
from ingest.twin.transport import TwinTransport
from tests.chaos.loop import VirtualLoop, run

URL = "https://feed.example/events"


def transport_of(recorded: Recorded, faults: Faults) -> TwinTransport:
    ledger = Ledger()
    twin = Twin(write(ADAPTERS[recorded.info.provider], recorded, faults, 1, ledger), faults, 1, ledger)
    return TwinTransport(twin, lambda: round(asyncio.get_running_loop().time() * 1000))


def test_hours_pass_in_no_time_and_in_order() -> None:
    order: list[tuple[int, float]] = []

    async def sleeper(number: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append((number, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(*(sleeper(n, s) for n, s in enumerate((7200.0, 60.0, 3600.0))))

    run(main())
    assert order == [(1, 60.0), (2, 3600.0), (0, 7200.0)]


def test_a_loop_in_which_nothing_will_happen_says_so() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="hangs"):
        run(main())
    assert VirtualLoop().time() == 0


def test_the_document_at_a_time_is_what_the_core_answers(hsv: Recorded) -> None:
    transport = transport_of(hsv, Faults())

    async def main() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=transport) as client:
            await asyncio.sleep(1_800)
            first = await client.get(URL)
            return first, await client.get(URL, headers={"If-None-Match": first.headers["ETag"]})

    first, second = run(main())
    assert ADAPTERS["statsperform"].document(first.content).match_id == hsv.info.match_id
    assert (second.status_code, second.content) == (304, b"")


def test_a_client_waits_as_long_as_it_means_to_and_no_longer(hsv: Recorded) -> None:
    transport = transport_of(hsv, Faults(timed_out=1.0))

    async def main() -> float:
        async with httpx.AsyncClient(transport=transport, timeout=7.0) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(URL)
            hanging = asyncio.create_task(client.get(URL))
            await asyncio.sleep(1)
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(8.0)
    assert transport.abandoned == {Fault.TIMED_OUT: 1}


def test_a_cut_connection_is_an_error_of_the_protocol(hsv: Recorded) -> None:
    transport = transport_of(hsv, Faults(connection_cut=1.0))

    async def main() -> None:
        async with httpx.AsyncClient(transport=transport) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(URL)

    run(main())


def test_a_push_line_brings_each_message_when_it_is_due(hsv: Recorded) -> None:
    transport = transport_of(hsv, Faults())

    async def main() -> list[int]:
        times = []
        async with (
            httpx.AsyncClient(transport=transport, timeout=None) as client,
            client.stream("GET", "https://feed.example/push") as response,
        ):
            async for _ in response.aiter_raw():
                times.append(round(asyncio.get_running_loop().time() * 1000))
                if len(times) == 200:
                    break
        return times

    times = run(main())
    due = {step.at_ms for step in transport.twin.script.steps}
    assert all(time in due or time % BEAT_MS == 0 for time in times)
