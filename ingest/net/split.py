"""A stream of JSON objects cut at any byte, put together again. Pure.

Objects may stand one a line, one after the other, or printed over many lines: only the braces outside strings count.
A broken object is given up at the line break inside a string, which JSON forbids, at a line that starts with a brace,
as no line inside a printed object does, or when it grows too large; then the stream is picked up again there.
"""

from __future__ import annotations

import re

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_BETWEEN = b" \t\r\n\x1e,"
_OBJECT_MARK = re.compile(rb'["{}]|\n\{')
_STRING_MARK = re.compile(rb'["\\\n]')
_QUOTE, _BACKSLASH, _OPEN, _NEWLINE = 0x22, 0x5C, 0x7B, 0x0A


class Splitter:
    """Feed it chunks; it gives whole objects as bytes. ``dropped`` counts what was no object, broken or too large."""

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.dropped = 0
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._at = 0  # scanned so far
        self._start = 0  # of the object under way
        self._depth = 0
        self._in_string = False
        self._skipping = False  # an object that is too large: its bytes go, its braces still count

    def feed(self, chunk: bytes) -> list[bytes]:
        """The objects that ``chunk`` completes."""
        self._buffer += chunk
        found: list[bytes] = []
        while True:
            mark = self._pattern().search(self._buffer, self._at)
            if mark is None:
                self._at = len(self._buffer)
                if not self._in_string and self._buffer.endswith(b"\n"):
                    self._at -= 1  # looked at again with the byte after it, which may be a brace
                break
            byte = self._buffer[mark.start()]
            if self._in_string and byte == _BACKSLASH and mark.end() == len(self._buffer):
                self._at = mark.start()  # what it hides is yet to come
                break
            message = self._string(byte, mark.end()) if self._in_string else self._brace(byte, mark.start(), mark.end())
            if message:
                found.append(message)
        self._trim()
        return found

    def pending(self) -> bool:
        """Whether an object is under way: a line that ends now has cut it."""
        return self._depth > 0

    def _pattern(self) -> re.Pattern[bytes]:
        return _STRING_MARK if self._in_string else _OBJECT_MARK

    def _string(self, byte: int, end: int) -> bytes:
        if byte == _NEWLINE:
            self._give_up(end)
        elif byte == _BACKSLASH:  # hides the byte after it, but no line break
            self._at = end + (self._buffer[end] != _NEWLINE)
        else:
            self._in_string, self._at = False, end
        return b""

    def _brace(self, byte: int, start: int, end: int) -> bytes:
        self._at = end
        if byte == _NEWLINE and self._depth > 0:  # a new object starts: the one under way is broken
            self._give_up(start + 1)
        elif byte == _NEWLINE:
            self._at = start + 1
        elif byte == _QUOTE:
            self._in_string = self._depth > 0
        elif byte == _OPEN:
            if self._depth == 0:
                self.dropped += bool(self._buffer[:start].strip(_BETWEEN))
                self._start = start
            self._depth += 1
        elif self._depth > 0:
            self._depth -= 1
            if self._depth == 0:
                return self._whole(end)
        return b""

    def _whole(self, end: int) -> bytes:
        message = b"" if self._skipping else bytes(self._buffer[self._start : end])
        if len(message) > self._max_bytes:
            self.dropped += 1
            message = b""
        self._skipping = False
        del self._buffer[:end]
        self._at = 0
        return message

    def _give_up(self, end: int) -> None:
        """The object under way is broken."""
        self.dropped += not self._skipping
        self._depth, self._in_string, self._skipping = 0, False, False
        del self._buffer[:end]
        self._at = 0

    def _trim(self) -> None:
        """Hold no more than an object may have."""
        if self._depth == 0:
            # Nothing is under way: what was scanned is white space or noise.
            self.dropped += bool(self._buffer.strip(_BETWEEN))
            self._buffer.clear()
            self._at = 0
        elif self._skipping or len(self._buffer) - self._start > self._max_bytes:
            self.dropped += not self._skipping
            self._skipping = True
            del self._buffer[: self._at]
            self._at = self._start = 0
