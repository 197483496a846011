"""Finding out what files a person points at are, and reading every match in them with whichever adapter fits.

No provider is known by name here: each adapter is asked whether it can read the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import orjson

from ingest.events import FeedError, MatchInfo
from ingest.facts import FactReader, MatchFacts
from ingest.feed import FORMAT, FeedHeader, FeedMessage, parse_header, parse_message
from ingest.feeds import ADAPTERS, adapter
from ingest.feeds.base import Adapter, Problem, split
from ingest.feeds.files import JSON_OR_XML, decode, looks_like, match_files, read_bytes
from ingest.feeds.xmldoc import looks_like_xml
from ingest.fusion.journal import FUSED

Doc = dict[str, Any]
FEED_ENDINGS = (".jsonl",)
TRIED = 20
"""Matches of a folder that are tried before an adapter is thought not to fit."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a match. ``rows`` counts its event rows, None in one without events."""

    path: Path
    form: str  # JSON, XML or feed file
    size: int  # bytes, unpacked
    rows: int | None


@dataclass(frozen=True, slots=True)
class Material:
    """All there is to judge a match by. ``rows`` are in the order of the document, or of arrival in a feed file."""

    adapter: Adapter
    info: MatchInfo
    sources: tuple[Source, ...]
    rows: tuple[Doc, ...]
    recorded: tuple[Doc, ...]  # the rows in their last version by time, with the whistles that a loader adds
    problems: tuple[Problem, ...]
    official_score: tuple[int, int] | None
    facts: MatchFacts | None
    arrivals_ms: tuple[int, ...] = ()  # of a feed file: when each row came


def recognise(paths: Sequence[Path], provider: str | None = None) -> tuple[Adapter, dict[str, tuple[Path, ...]]]:
    """The adapter that reads ``paths``, and the files of each match. Raises FeedError telling what they are instead."""
    files = match_files(paths, (*JSON_OR_XML, *FEED_ENDINGS))
    if provider is None and len(files) == 1 and (header := _feed_header(read_bytes(files[0]))) is not None:
        if header.provider == FUSED:
            raise FeedError(
                "fused_journal",
                f"{files[0]} is the journal of several feeds of match {header.match_id[:40]}, fused: futstar history "
                "import reads it; here, give the provider's documents or a journal of one feed",
            )
        return adapter(header.provider), {header.match_id: (files[0],)}
    asked = [adapter(provider)] if provider is not None else _asked(files)
    fitting: list[tuple[int, Adapter, dict[str, tuple[Path, ...]]]] = []
    errors: list[FeedError] = []
    for one in asked:
        try:
            sources = one.sources(paths)
        except FeedError as error:
            errors.append(error)
            continue
        used = _used(one, sources or {"": tuple(paths)}, errors)
        if used is not None:
            fitting.append((used, one, sources))
    if fitting:
        _, best, sources = max(fitting, key=lambda item: item[0])
        return best, sources
    raise _explanation(files, errors, provider)


def _asked(files: Sequence[Path]) -> list[Adapter]:
    """The adapter whose shape a single file has; all of them where there are several, or it has no known one."""
    if len(files) == 1:
        try:
            shape = looks_like(decode(read_bytes(files[0])))
        except FeedError as error:
            raise FeedError(
                error.code, f"{files[0]} is {error}" if str(files[0]) not in str(error) else str(error)
            ) from error
        if shape is not None:
            return [ADAPTERS[shape]]
    return [ADAPTERS[name] for name in sorted(ADAPTERS)]


def _used(one: Adapter, sources: Mapping[str, tuple[Path, ...]], errors: list[FeedError]) -> int | None:
    """Of the first match that it can load, how many rows an adapter makes something of; None where it loads none."""
    for match, found in islice(sources.items(), TRIED):
        try:
            recorded = one.load(found, match or None)
        except FeedError as error:
            errors.append(error)
            continue
        return sum(bool(split(one.parse(recorded.info, row.doc))[0]) for row in recorded.rows)
    return None


def _explanation(files: Sequence[Path], errors: Sequence[FeedError], provider: str | None) -> FeedError:
    """Of what went wrong, what helps most: the file's own fault, then that of the adapter whose shape it has."""
    if provider is not None:
        return errors[0]
    for path in files:
        try:
            content = decode(read_bytes(path))
        except FeedError as error:
            text = str(error) if str(path) in str(error) else f"{path} is {error}"
            return FeedError(error.code, text)
        shape = looks_like(content)
        for told in errors:
            if shape is not None and told.code.startswith(f"{shape}_"):
                return told
    for told in errors:
        if not told.code.endswith(("_not_a_match", "_which_match")) and told.code not in _OTHERS:
            return told
    names = ", ".join(path.name for path in files[:5])
    known = ", ".join(sorted(ADAPTERS))
    return FeedError(
        "unknown_document", f"{names}: no match events of a provider that is read ({known}): check what it is"
    )


_OTHERS = {"wrong_provider", "bad_json", "no_match_files"}
"""What an adapter says of files that are none of its own."""


def header_only(paths: Sequence[Path], provider: str | None = None) -> MatchFacts | None:
    """What a document without events tells of its match; None where no adapter can say."""
    for path in match_files(paths, JSON_OR_XML):
        for name in [provider] if provider is not None else sorted(ADAPTERS):
            facts = _facts(adapter(name), read_bytes(path))
            if facts is not None:
                return facts
    return None


def material(one: Adapter, paths: Sequence[Path], match: str) -> Material:
    """Read one match from its files (`recognise`). Raises FeedError."""
    if len(paths) == 1 and (header := _feed_header(body := read_bytes(paths[0]))) is not None:
        return _feed_material(one, paths[0], body, header)
    recorded = one.load(paths, match or None)
    sources: list[Source] = []
    rows: list[Doc] = []
    problems: list[Problem] = []
    facts: list[MatchFacts] = []
    for path in paths:
        body = read_bytes(path)
        try:
            document = one.document(body)
        except FeedError:
            sources.append(Source(path, _form(body), len(body), None))
            continue
        of_match = document.match_id in ("", recorded.info.match_id)
        sources.append(Source(path, _form(body), len(body), len(document.rows) or None))
        if of_match and len(document.rows) > len(rows):  # the same match in two forms counts once
            rows, problems = list(document.rows), list(document.problems)
        told = _facts(one, body) if of_match else None
        facts += [told] if told is not None else []
    last = tuple(row.withdrawn or row.doc for row in recorded.rows)
    return Material(
        adapter=one,
        info=recorded.info,
        sources=tuple(sources),
        rows=tuple(rows) or last,
        recorded=last,
        problems=_merged(problems, recorded.problems),
        official_score=recorded.official_score,
        facts=max(facts, key=lambda told: len(told.line_ups), default=None),
    )


def _merged(document: Sequence[Problem], loader: Sequence[Problem]) -> tuple[Problem, ...]:
    """Both readings of the same file complain of the same rows: of each code the longer list."""
    codes = dict.fromkeys(problem.code for problem in (*document, *loader))
    lists = [[[p for p in some if p.code == code] for some in (document, loader)] for code in codes]
    return tuple(problem for pair in lists for problem in max(pair, key=len))


def _feed_header(body: bytes) -> FeedHeader | None:
    first, _, _ = body[: 1 << 20].partition(b"\n")
    if FORMAT.encode() not in first:
        return None
    try:
        return parse_header(first + b"\n")
    except FeedError:
        return None


def _feed_material(one: Adapter, path: Path, body: bytes, header: FeedHeader) -> Material:
    info = one.info(header.info)
    messages, problems = [], []
    for number, line in _lines(body):
        try:
            messages.append(parse_message(line))
        except FeedError as error:
            problems.append(Problem(error.code, f"line {number}", str(error)))
    for number, (before, message) in enumerate(pairwise(messages), start=3):
        if message.at_ms < before.at_ms:
            where = f"line {number}"
            problems.append(Problem("arrival_runs_back", where, f"{before.at_ms} ms is followed by {message.at_ms} ms"))
    rows = tuple(message.doc for message in messages)
    source = Source(path, "feed file", len(body), len(rows))
    last = _last_versions(one, messages)
    arrivals = tuple(message.at_ms for message in messages)
    return Material(one, info, (source,), rows, last, tuple(problems), None, None, arrivals)


def _last_versions(one: Adapter, messages: Sequence[FeedMessage]) -> tuple[Doc, ...]:
    newest: dict[str, Doc] = {}
    for number, message in enumerate(messages):
        newest[one.key(message.doc) or f"message {number}"] = message.doc
    return tuple(newest.values())


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The message lines with their numbers in the file."""
    for number, line in enumerate(body.splitlines(keepends=True)[1:], start=2):
        if line.strip():
            yield number, line


def _facts(one: Adapter, body: bytes) -> MatchFacts | None:
    if not isinstance(one, FactReader):
        return None
    try:
        return one.facts(body)
    except FeedError:
        return None


def _form(body: bytes) -> str:
    return "XML" if looks_like_xml(body) else "JSON"


def packed(doc: Doc) -> bytes:
    """A row's bytes, to tell equal rows; empty where it cannot be written (and then is a problem already)."""
    try:
        return orjson.dumps(doc)
    except (TypeError, ValueError):
        return b""
