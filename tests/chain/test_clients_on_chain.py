"""The generated oracle client drives the real program on the localnet."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import pda
from chain.clients import PROGRAMS, oracle
from chain.localnet.server import Server
from chain.rpc import RpcPool
from chain.sender import Sender
from oracle import listing

ARTIFACT = Path(__file__).parents[2] / "programs" / "artifacts" / "oracle.so"
START_MS = 1_750_000_000_000
BIAS = 1 << 31


def quote(tick: int, x_e6: int) -> oracle.Quote:
    return oracle.Quote(
        tick=tick,
        data_ms=tick * 1_000,
        play_ms=tick * 1_000,
        period=1,
        flags=0,
        suspend_reason=0,
        x_e6=x_e6,
        mu_e6=x_e6,
        s_e4=BIAS,
        conf_e4=5_000,
        inputs_hash=bytes([tick]) * 32,
    )


@pytest.mark.skipif(not ARTIFACT.exists(), reason="programs/artifacts/oracle.so is not built")
async def test_a_feed_is_created_grown_quoted_and_read_as_arrays(server: Server) -> None:
    upgrade_authority = Keypair().pubkey()
    server.node.ledger.add_program(oracle.PROGRAM_ID, ARTIFACT.read_bytes(), upgrade_authority)
    async with RpcPool([f"http://127.0.0.1:{server.rpc_port}"]) as pool:
        sender = Sender(pool)
        boss, operator, publisher = Keypair(), Keypair(), Keypair()
        for key in (boss, publisher):
            await pool.call("requestAirdrop", [str(key.pubkey()), 10_000_000_000])
        config, _ = oracle.pda_config(boss.pubkey())
        assert config == pda.config(boss.pubkey())
        match_id = b"a-match".ljust(32, b"\0")
        feed = pda.feed(config, match_id)
        init = oracle.ix_init_config(creator=boss.pubkey(), authority=operator.pubkey(), operator=operator.pubkey())
        registered = listing.register(
            authority=operator.pubkey(),
            payer=boss.pubkey(),
            config=config,
            set_id=1,
            publishers=[publisher.pubkey()],
            min_publishers=1,
            methodology=bytes(32),
            name="test",
        )
        (await sender.send_instructions([init, *registered], boss, [operator])).raise_for_failure()
        listed = listing.list_feed(
            operator=operator.pubkey(),  # Anchor refuses one key in two places when one is writable (2040)
            payer=boss.pubkey(),
            rent_receiver=Keypair().pubkey(),
            config=config,
            set_id=1,
            methodology=bytes(32),
            match_id=match_id,
            start_unix_ms=START_MS,
        )
        (await sender.send_instructions(listed, boss, [operator])).raise_for_failure()
        for tick, x_e6 in ((1, 50_000_000), (2, 51_000_000), (3, 49_500_000)):
            server.node.clock.set(START_MS + tick * 1_000 + 1_000)
            push = oracle.ix_push_quote(publisher=publisher.pubkey(), feed=feed, quote=quote(tick, x_e6))
            (await sender.send_instructions([push], publisher)).raise_for_failure()
        account = await pool.account(feed)
        assert account is not None
        assert len(account.data) == oracle.Feed.SPACE
        state = oracle.Feed.from_account(account.data)
        assert (state.samples, state.tick, state.period) == (3, 3, 1)
        assert state.match_id == match_id
        assert state.ring["x_e6"][:4].tolist() == [50_000_000, 51_000_000, 49_500_000, 0]
        again = oracle.ix_push_quote(publisher=publisher.pubkey(), feed=feed, quote=quote(3, 50_000_000))
        failed = await sender.send_instructions([again], publisher)
        assert failed.failure is not None
        assert (failed.failure.program, failed.failure.name) == ("oracle", "TickNotNew")
        assert failed.failure.message
        program = await pool.account(oracle.PROGRAM_ID)
        assert program is not None
        assert str(program.owner) == "BPFLoaderUpgradeab1e11111111111111111111111"
        data = await pool.account(Pubkey.from_bytes(program.data[4:36]))
        assert data is not None
        assert Pubkey.from_bytes(data.data[13:45]) == upgrade_authority


def test_every_client_is_registered_under_the_id_of_its_program() -> None:
    for program_id, program in PROGRAMS.items():
        assert program.id == program_id
    assert PROGRAMS[pda.ORACLE].name == "oracle"
