"""The chain's own record of a feed: every publisher's transaction and the feed account at the end.

`collect` reads it from a node, `published` turns it back into samples without trusting anybody: signatures are
checked, quotes decoded from the instructions, and the order is the chain's. A transcript is gzipped JSON lines.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain import base58
from chain.clients import PROGRAMS
from chain.clients import oracle as client
from chain.codec import DecodeError
from chain.errors import RpcError
from chain.rpc import RpcPool
from ingest.events import FeedError
from momentum.pricing import S_BIAS
from momentum.verify import Published
from oracle import aggregate as aggregation

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class SignedQuote:
    """A quote that landed, with who signed it, and whether the operator held the feed when it did."""

    slot: int
    publisher: Pubkey
    quote: client.Quote
    held: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """Quotes in the order in which they executed, and the account they made."""

    feed: Pubkey
    account: client.Feed
    quotes: tuple[SignedQuote, ...]


async def collect(rpc: RpcPool, feed: Pubkey, path: Path) -> int:
    """Write the feed's transcript to ``path``; returns the number of transactions.

    Raises LookupError when the feed does not exist, ChainError when no node answers.
    """
    account = await rpc.account(feed)
    if account is None:
        raise LookupError(f"feed {feed} does not exist")
    rows: list[dict[str, Any]] = []
    before = None
    while page := await rpc.call(
        "getSignaturesForAddress", [str(feed), {"limit": PAGE} | ({"before": before} if before else {})]
    ):
        rows += page
        before = page[-1]["signature"]
    rows.reverse()
    config = {"encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    found = await rpc.batch([("getTransaction", [row["signature"], config]) for row in rows])
    with gzip.open(path, "wb", compresslevel=3) as out:
        head = {"feed": str(feed), "account": base64.b64encode(account.data).decode()}
        out.write(orjson.dumps(head) + b"\n")
        for transaction in found:
            if isinstance(transaction, RpcError):
                raise transaction
            row = {
                "slot": transaction["slot"],
                "ok": transaction["meta"]["err"] is None,
                "transaction": transaction["transaction"][0],
            }
            called = _called(transaction, feed)
            if called:
                row["called"] = called
            out.write(orjson.dumps(row) + b"\n")
    return len(found)


def _called(transaction: dict[str, Any], feed: Pubkey) -> list[list[int | bool]]:
    """(outer instruction, on) of the holds that another program, such as the treasury, called for."""
    found: list[list[int | bool]] = []
    keys = [
        *VersionedTransaction.from_bytes(base64.b64decode(transaction["transaction"][0])).message.account_keys,
        *(Pubkey.from_string(name) for part in ("writable", "readonly") for name in _loaded(transaction, part)),
    ]
    for group in transaction["meta"].get("innerInstructions") or ():
        for item in group["instructions"]:
            if keys[item["programIdIndex"]] == client.PROGRAM_ID:
                on = _hold(base58.decode(item["data"]), [keys[at] for at in item["accounts"]], feed)
                if on is not None:
                    found.append([group["index"], on])
    return found


def _loaded(transaction: dict[str, Any], part: str) -> list[str]:
    return list((transaction["meta"].get("loadedAddresses") or {}).get(part, ()))


def _hold(data: bytes, accounts: list[Pubkey], feed: Pubkey) -> bool | None:
    """Whether the instruction holds the feed (True) or lifts the hold (False)."""
    try:
        name, args = PROGRAMS[client.PROGRAM_ID].decode_instruction(data)
    except DecodeError:
        return None
    return bool(args.on) if name == "set_hold" and accounts[2] == feed else None


def read(path: Path) -> Transcript:
    """Read a transcript and check every signature. Raises FeedError naming what is wrong."""
    try:
        with gzip.open(path) as packed:
            lines = packed.read().splitlines()
        head = orjson.loads(lines[0])
        feed = Pubkey.from_string(head["feed"])
        account = client.Feed.from_account(base64.b64decode(head["account"]))
        quotes = tuple(_quotes(feed, (orjson.loads(line) for line in lines[1:])))
    except OSError as error:
        raise FeedError(
            "transcript_unreadable", f"cannot read {path} ({error.strerror or error}): check the path"
        ) from error
    except (EOFError, IndexError, KeyError, TypeError, ValueError) as error:
        raise FeedError("bad_transcript", f"{path} is no chain transcript ({error}): it was changed or cut") from error
    return Transcript(feed, account, quotes)


def _quotes(feed: Pubkey, rows: Iterable[dict[str, Any]]) -> Iterable[SignedQuote]:
    program = PROGRAMS[client.PROGRAM_ID]
    held = False
    for row in rows:
        if not row["ok"]:
            continue
        transaction = VersionedTransaction.from_bytes(base64.b64decode(row["transaction"]))
        if not all(transaction.verify_with_results()):
            raise ValueError(f"a signature of {transaction.signatures[0]} is wrong")
        keys = transaction.message.account_keys
        called = dict(row.get("called", ()))
        for index, instruction in enumerate(transaction.message.instructions):
            held = called.get(index, held)
            if keys[instruction.program_id_index] != client.PROGRAM_ID:
                continue
            name, args = program.decode_instruction(bytes(instruction.data))
            if name == "push_quote" and keys[instruction.accounts[1]] == feed:
                yield SignedQuote(row["slot"], keys[instruction.accounts[0]], args.quote, held)
            elif name == "set_hold" and keys[instruction.accounts[2]] == feed:
                held = args.on


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A sample as the chain aggregated it, with the quote that completed its quorum."""

    sample: client.Sample
    quote: client.Quote


OnSample = Callable[[aggregation.Feed, Aggregated], None]


def aggregate(transcript: Transcript, on_sample: OnSample | None = None) -> list[Aggregated]:
    """Aggregate the quotes again with the Python twin of the program; ``on_sample`` sees the feed after each.

    Raises FeedError when the result is not the account that the chain ended with: quotes are missing, or were
    reordered.
    """
    account = transcript.account
    known = {key: index for index, key in enumerate(account.publishers[: account.n_publishers])}
    feed = aggregation.Feed(account.n_publishers, account.min_publishers, account.start_unix_ms)
    samples = []
    for signed in transcript.quotes:
        if signed.publisher not in known:
            raise FeedError("bad_transcript", f"{signed.publisher} is no publisher of feed {transcript.feed}")
        # The cluster's clock was checked on chain; here no quote is ahead of it.
        unix_s = (account.start_unix_ms + signed.quote.data_ms) // 1000 + 1
        feed.hold = signed.held
        try:
            sample = feed.push(known[signed.publisher], signed.quote, unix_s)
        except aggregation.QuoteRejected as error:
            raise FeedError("bad_transcript", f"tick {signed.quote.tick} would have been refused: {error}") from error
        if sample is not None:
            samples.append(Aggregated(sample, signed.quote))
            if on_sample is not None:
                on_sample(feed, samples[-1])
    if feed.hash_chain != account.hash_chain or len(feed.samples) != account.samples:
        raise FeedError(
            "wrong_hash_chain",
            f"the quotes give {len(feed.samples)} samples and hash {feed.hash_chain.hex()[:16]}, the account has "
            f"{account.samples} and {bytes(account.hash_chain).hex()[:16]}: the transcript is not the feed's",
        )
    return samples


def published(samples: Iterable[Aggregated]) -> list[Published]:
    """The samples in the form that `momentum.verify` recomputes."""
    return [
        Published(
            tick=item.quote.tick,
            period=item.quote.period,
            play_ms=item.quote.play_ms,
            data_ms=item.sample.data_ms,
            x_e6=item.sample.x_e6,
            mu_e6=item.sample.mu_e6,
            s_e4=item.sample.s_e4 - S_BIAS,
            conf_e4=item.quote.conf_e4,
            inputs_hash=bytes(item.quote.inputs_hash),
            flags=item.quote.flags,
            suspend_reason=item.quote.suspend_reason,
        )
        for item in samples
    ]
