"""Read an answer's body in bounded steps, and believe nothing it says about its size.

wire bytes (capped, counted against Content-Length) --identity | gzip, step by step, capped--> body
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from target_decisioning.errors import TransportError

STEP_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Raw(Protocol):
    """The part of ``urllib3.HTTPResponse`` that is used."""

    def read1(self, amt: int, decode_content: bool) -> bytes:
        """Return what one read of the socket gives, at most *amt* bytes; nothing at the end."""


def read_wire(raw: Raw, headers: Mapping[str, str], max_bytes: int) -> Iterator[bytes]:
    """Give the body as it came, step by step.

    Raises:
        TransportError: ``too_large`` past *max_bytes*, ``truncated`` if ``Content-Length`` promised more.
    """
    promised = _content_length(headers)
    if promised is not None and promised > max_bytes:
        raise _too_large(max_bytes)
    count = 0
    while step := raw.read1(STEP_BYTES, decode_content=False):
        count += len(step)
        if count > max_bytes:
            raise _too_large(max_bytes)
        yield step
    if promised is not None and count < promised:
        raise TransportError("truncated", f"the body ended after {count} of {promised} bytes")


def decode(steps: Iterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """Return the body that *steps* hold, ``Content-Encoding`` undone.

    Raises:
        TransportError: ``encoding`` if it is neither identity nor gzip, or no gzip; ``truncated`` if gzip's trailer
            is missing; ``too_large`` past *max_bytes*.
    """
    kind = encoding.strip().lower()
    if kind not in {"", "identity", "gzip"}:
        raise TransportError("encoding", "the body is encoded in a way that was not asked for")
    body, size = list[bytes](), 0  # in one growing piece, what is given up would stay with the process (glibc)
    for step in _gunzip(steps) if kind == "gzip" else steps:
        body.append(step)
        size += len(step)
        if size > max_bytes:
            raise _too_large(max_bytes)
    return b"".join(body)


def _gunzip(steps: Iterable[bytes]) -> Iterator[bytes]:
    """Undo gzip (one member after another), never more than ``STEP_BYTES`` at a time."""
    member, has_begun = zlib.decompressobj(_GZIP), False
    for step in steps:
        rest = step
        while rest:
            if member.eof:
                member = zlib.decompressobj(_GZIP)
            has_begun = True
            yield _inflate(member, rest)
            rest = member.unconsumed_tail or member.unused_data
    if has_begun and not member.eof:
        raise TransportError("truncated", "the body ended before gzip's trailer")


def _inflate(member: zlib._Decompress, data: bytes) -> bytes:
    try:
        return member.decompress(data, STEP_BYTES)
    except zlib.error as error:
        raise TransportError("encoding", "the body is no gzip") from error


def _content_length(headers: Mapping[str, str]) -> int | None:
    if "transfer-encoding" in headers:
        return None
    text = headers.get("content-length", "").split(",")[0].strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _too_large(max_bytes: int) -> TransportError:
    return TransportError("too_large", f"the body exceeds {max_bytes} bytes")
