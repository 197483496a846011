"""Secrets of the providers: where they come from, and that they never come out.

A `Secret` shows nothing when it is printed, formatted, pickled or logged. What third parties write (an HTTP client's
log lines, an exception's text) goes through a `Redactor`, which knows every secret in use and each form that it takes
on the wire.
"""

from __future__ import annotations

import base64
import hmac
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from ingest.events import FeedError

HIDDEN = "[secret]"
MAX_SECRET_BYTES = 16 * 1024
SHORTEST = 4
"""A shorter value is refused: replacing it in every line of a log would garble the log and hide nothing."""

SETTINGS = frozenset(
    {"base", "access", "format", "folder", "tournament", "version", "push", "per_s", "burst", "per_day", "per_month"}
)
"""Fields that are no secrets: another address, an access level, what the contract allows."""

_CHATTY = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "hpack",
    "websockets.client",
    "asyncio",
)
"""Loggers of the libraries that see our requests. A filter works only on the logger that makes the record."""

_QUERY_KEY = re.compile(
    r"(?i)([?&](?:api[_-]?key|key|token|access[_-]?token|auth|psw|password|secret|signature)=)[^&#\s\"']+"
)


class Secret:
    """A value that shows itself only to `reveal`. Compared in constant time; cannot be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if len(value) < SHORTEST:
            raise FeedError(
                "bad_secret", f"a secret of fewer than {SHORTEST} characters is none: check where it is set"
            )
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise FeedError("bad_secret", "a secret holds a line break or another control character: set it again")
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the request and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is one more thing that could come out

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one provider wants of a customer, by field name; ``settings`` are no secrets and hold `SETTINGS` only."""

    provider: str
    fields: Mapping[str, Secret]
    settings: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Secret:
        """The field's secret. Raises FeedError that tells where to set it."""
        try:
            return self.fields[name]
        except KeyError:
            where = variable(self.provider, name)
            raise FeedError(
                "no_credentials",
                f"provider {self.provider} needs '{name}': set {where}, or {where}_FILE to a file with it",
            ) from None

    def has(self, *names: str) -> bool:
        """Whether all these fields are set."""
        return all(name in self.fields for name in names)

    def get(self, setting: str, default: str) -> str:
        """A setting that is no secret, or ``default``."""
        return self.settings.get(setting, default)


def variable(provider: str, name: str) -> str:
    """The environment variable of a provider's field."""
    return f"FUTSTAR_FEED_{provider}_{name}".upper().replace("-", "_")


def credentials(provider: str, env: Mapping[str, str] | None = None) -> Credentials:
    """Every ``FUTSTAR_FEED_<PROVIDER>_<FIELD>`` of the environment; ``..._FILE`` names a file that holds a secret.

    Raises FeedError for a file that cannot be read, and when a field is set both ways.
    """
    env = os.environ if env is None else env
    prefix = variable(provider, "")
    fields: dict[str, Secret] = {}
    settings: dict[str, str] = {}
    for name, value in env.items():
        if not name.startswith(prefix) or not value:
            continue
        what = name.removeprefix(prefix).lower()
        if what in SETTINGS:
            settings[what] = value.strip()
            continue
        if what.endswith("_file"):
            what = what.removesuffix("_file")
            value = _read(name, Path(value))
        if what in fields:
            raise FeedError("bad_secret", f"{prefix}{what.upper()} is set twice, itself and by file: keep one")
        fields[what] = Secret(value)
    return Credentials(provider, fields, settings)


def _read(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
        if len(data) > MAX_SECRET_BYTES:
            raise FeedError("bad_secret", f"the file that {name} names is larger than a secret can be: check the path")
        return data.decode().strip()
    except OSError as error:
        raise FeedError("bad_secret", f"cannot read the file that {name} names ({error.strerror}): check it") from None
    except UnicodeDecodeError:
        raise FeedError("bad_secret", f"the file that {name} names is no text: check the path") from None


def basic(user: Secret, password: Secret) -> Secret:
    """The value of an ``Authorization`` header by RFC 7617."""
    pair = f"{user.reveal()}:{password.reveal()}".encode()
    return Secret("Basic " + base64.b64encode(pair).decode())


class Redactor(logging.Filter):
    """Takes the secrets that it knows out of text, and out of every log record that passes it."""

    def __init__(self) -> None:
        super().__init__()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[Secret]) -> None:
        """Know ``secrets`` from now on, in each form that they take in an address or a header."""
        before = len(self._forms)
        for secret in secrets:
            value = secret.reveal()
            bare = value.split(" ", 1)[1] if value.startswith(("Basic ", "Bearer ")) else value
            for form in (value, bare):
                self._forms |= {form, quote(form, safe=""), quote_plus(form), repr(form)[1:-1]}
                self._forms.add(base64.b64encode(form.encode()).decode())
        if len(self._forms) != before:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """``text`` without secrets; what stands under a key's name in an address goes, known or not."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        return _QUERY_KEY.sub(rf"\1{HIDDEN}", text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record: message, arguments and traceback. It is always let through."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self.clean(message), ()
        if record.exc_info and record.exc_info[0] is not None:
            text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            record.exc_text, record.exc_info = self.clean(text), None
        if record.stack_info:
            record.stack_info = self.clean(record.stack_info)
        return True

    def guard(self, *names: str) -> None:
        """Stand before the loggers of the libraries that see our requests, and before ``names``. Idempotent."""
        for name in (*_CHATTY, *names):
            logger = logging.getLogger(name)
            if self not in logger.filters:
                logger.addFilter(self)

    def release(self) -> None:
        """Leave the loggers again."""
        for name in _CHATTY:
            logging.getLogger(name).removeFilter(self)
