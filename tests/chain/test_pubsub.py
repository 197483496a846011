"""Subscriptions survive lost connections, and their readers learn where the gap was."""

from __future__ import annotations

import asyncio

import pytest
from solders.keypair import Keypair

from chain.localnet.clock import MatchClock
from chain.localnet.ledger import Ledger
from chain.localnet.methods import Node
from chain.localnet.server import Server
from chain.pubsub import PubSub, Subscription
from chain.subscriptions import Book, Event, Notification, Refused, Resumed

START_MS = 1_750_000_000_000


async def following(subscription: Subscription) -> Event | None:
    return await asyncio.wait_for(subscription.get(), 5)


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.ws_port}"


async def test_an_account_is_followed_and_a_signature_ends_by_itself(server: Server) -> None:
    key = Keypair().pubkey()
    async with PubSub([url(server)]) as pubsub:
        account = await pubsub.account(key)
        logs = await pubsub.logs(key)
        assert await following(account) == Resumed(1, url(server))
        assert isinstance(await following(logs), Resumed)
        landed = server.node.ledger.airdrop(key, 7_000_000)
        notification = await following(account)
        assert isinstance(notification, Notification)
        assert notification.value["lamports"] == 7_000_000
        assert notification.slot == landed.slot
        log = await following(logs)
        assert isinstance(log, Notification)
        assert log.value["signature"] == str(landed.signature)
        signature = await pubsub.signature(landed.signature)
        assert isinstance(await following(signature), Resumed)
        done = await following(signature)
        assert isinstance(done, Notification)
        assert done.value == {"err": None}
        await account.close()
        assert await following(account) is None
        assert len(server.hub) == 1


async def test_after_a_lost_connection_everything_is_subscribed_again_elsewhere() -> None:
    key = Keypair().pubkey()
    servers = [Server(Node(Ledger(START_MS), MatchClock(START_MS, None)), "127.0.0.1", 0, 0) for _ in range(2)]
    for item in servers:
        await item.start()
    async with PubSub([url(item) for item in servers], first_pause_s=0.01) as pubsub:
        account = await pubsub.account(key)
        assert await following(account) == Resumed(1, url(servers[0]))
        await servers[0].stop()
        assert await following(account) == Resumed(2, url(servers[1]))
        servers[1].node.ledger.airdrop(key, 9_000_000)
        notification = await following(account)
        assert isinstance(notification, Notification)
        assert notification.generation == 2
    await servers[1].stop()


async def test_silence_longer_than_the_heartbeat_is_a_lost_connection(server: Server) -> None:
    async with PubSub([url(server)], heartbeat_s=0.2, first_pause_s=0.01) as pubsub:
        root = await pubsub.subscribe("rootSubscribe")
        assert await following(root) == Resumed(1, url(server))
        assert await following(root) == Resumed(2, url(server))


async def test_a_reader_far_behind_gets_a_resumption_instead_of_a_silent_gap(server: Server) -> None:
    async with PubSub([url(server)], first_pause_s=0.01) as pubsub:
        slots = await pubsub.slots()
        assert await following(slots) == Resumed(1, url(server))
        for at in range(10_001):
            slots.put(Notification(1, None, at))
        assert await following(slots) == Resumed(2, url(server))


async def test_a_refused_subscription_says_why_and_is_not_tried_again(server: Server) -> None:
    async with PubSub([url(server)]) as pubsub:
        await pubsub.connected()
        bad = await pubsub.subscribe("accountSubscribe", ["nonsense"])
        assert [event async for event in bad] == [Refused(-32602, "Invalid param: WrongSize")]
        with pytest.raises(ValueError, match="is not a subscription"):
            await pubsub.subscribe("getBalance")


def test_a_subscription_given_up_before_it_was_named_is_cancelled() -> None:
    book = Book()
    key, frames = book.add("slotSubscribe", ())
    assert frames == []
    assert len(book.opened("ws://a")) == 1
    assert book.remove(key) == []
    events, cancel = book.received('{"jsonrpc":"2.0","id":1,"result":77}')
    assert events == []
    assert b'"slotUnsubscribe","params":[77]' in cancel[0]


def test_notifications_of_unknown_subscriptions_are_ignored() -> None:
    book = Book()
    book.opened("ws://a")
    text = '{"jsonrpc":"2.0","method":"slotNotification","params":{"result":{"slot":1},"subscription":5}}'
    assert book.received(text) == ([], [])
    assert book.received('{"jsonrpc":"2.0","id":9,"result":5}') == ([], [])
    assert book.received("[]") == ([], [])
    with pytest.raises(ValueError, match="invalid literal"):
        book.received("nonsense {")
