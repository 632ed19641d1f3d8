"""One try to get a program: fetch, read the format, compile; and a memory of what was no good.

source --bytes--> text --compile--> Brought | Confirmed | Failed
"""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from target_decisioning.artifact.binary import decode_binary
from target_decisioning.artifact.loaded import Loaded
from target_decisioning.artifact.source import Fetched, FetchFailed, Source
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported

CompileProgram = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Brought:
    """An artifact came and compiled. ``body`` is as it was fetched, ``text`` its JSON; times are in milliseconds.

    ``source`` is ``payload``, ``file``, ``disk`` or ``network``; ``age_seconds`` tells how long ago its source
    confirmed it.
    """

    program: Any
    body: bytes = field(repr=False)
    text: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    source: str = "payload"
    age_seconds: float = 0.0
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timing: Mapping[str, float] = field(default_factory=dict)
    execution_ms: float = 0.0
    parsing_ms: float = 0.0


class Confirmed(NamedTuple):
    """The source said *age_seconds* ago that it still has the artifact of the current program.

    ``source`` is what said so; None: another process was told, and how the program came here stays as it was.
    """

    source: str | None = None
    age_seconds: float = 0.0


class Busy:
    """Another process of this host is about to find out."""


class Failed(NamedTuple):
    """Nothing came, or nothing that could be used.

    ``reason`` is one of ``FetchFailed``'s, or ``invalid``, or ``unsupported``.
    """

    reason: str
    error: Exception
    status: int | None = None
    retry_after_seconds: float | None = None


Outcome = Brought | Confirmed | Busy | Failed


class Reader:
    """Makes programs of bytes, in the artifact's format."""

    def __init__(self, compile_program: CompileProgram, artifact_format: str, organization_id: str) -> None:
        self._compile, self._format, self._organization_id = compile_program, artifact_format, organization_id

    def read(self, body: bytes, current: Loaded | None = None) -> Brought | Failed:
        """Return the program that *body* makes, or why there is none. Never raises.

        If *current* was made from the same bytes, nothing is compiled: it is its program.
        """
        began, digest = time.monotonic(), digest_of(body)
        try:
            text = self.text_of(body)
            is_current = current is not None and current.digest == digest
            program = current.program if current is not None and is_current else self._compiled(text)
        except ArtifactUnsupported as error:
            return Failed("unsupported", error)
        except ArtifactInvalid as error:
            return Failed("invalid", error)
        except Exception as error:  # a hostile artifact may break a compiler in ways nobody thought of
            fault = ArtifactInvalid(("(whole)", type(error).__name__, "an artifact that compiles"))
            fault.__cause__ = error
            return Failed("invalid", fault)
        parsing_ms = (time.monotonic() - began) * 1000
        return Brought(program=program, body=body, text=text, digest=digest, parsing_ms=parsing_ms)

    def _compiled(self, text: bytes) -> Any:
        """Compile without the collector of cycles: it would look again and again through what only grows.

        That is most of the time that loading takes, and each look holds up every request.
        """
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return self._compile(text)
        finally:
            if was_enabled:
                gc.enable()

    def text_of(self, body: bytes) -> bytes:
        """Return the JSON text that *body* holds.

        Raises:
            ArtifactInvalid: it is in the obfuscated format, and cannot be read.
        """
        return decode_binary(body, self._organization_id) if self._format == "bin" else body


class _Rejected(NamedTuple):
    """The last artifact that could not be used: neither compiled nor, by its ETag, fetched again at each poll."""

    failure: Failed
    etag: str | None
    digest: bytes
    at: float


class Retrieval:
    """Asks *source* for what is newer than the current program.

    What was rejected is tried again when it has changed, or after *retry_rejected_seconds*.
    """

    def __init__(self, source: Source, reader: Reader, retry_rejected_seconds: float) -> None:
        self._source, self._reader = source, reader
        self._retry_rejected_seconds = retry_rejected_seconds
        self._rejected: _Rejected | None = None

    def retrieve(self, current: Loaded | None, total_seconds: float) -> Outcome:
        """Return how one try went. Never raises."""
        began = time.monotonic()
        rejected = self._remembered()
        etag = None if current is None or current.source == "payload" else current.etag
        try:
            fetched = self._source.fetch(etag, rejected.etag if rejected else None, total_seconds)
        except FetchFailed as failure:
            return Failed(failure.reason, failure.error, failure.status, failure.retry_after_seconds)
        except Exception as error:  # a caller's session may raise anything
            return Failed("connect", error)
        outcome: Outcome = Confirmed(self._source.kind) if fetched is None else self._judge(fetched, current, rejected)
        if isinstance(outcome, Brought):
            return dataclasses.replace(outcome, execution_ms=(time.monotonic() - began) * 1000)
        return outcome

    def _judge(self, fetched: Fetched, current: Loaded | None, rejected: _Rejected | None) -> Outcome:
        if fetched.body is None:
            return (
                rejected.failure if rejected else Failed("invalid", ArtifactInvalid(("(whole)", "nothing", "a body")))
            )
        digest = digest_of(fetched.body)
        if rejected is not None and digest == rejected.digest:
            return rejected.failure
        outcome = self._reader.read(fetched.body, current)
        if isinstance(outcome, Failed):
            self._rejected = _Rejected(failure=outcome, etag=fetched.etag, digest=digest, at=time.monotonic())
            return outcome
        self._rejected = None
        return dataclasses.replace(
            outcome, source=self._source.kind, etag=fetched.etag, headers=fetched.headers, timing=fetched.timing
        )

    def _remembered(self) -> _Rejected | None:
        rejected = self._rejected
        if rejected is not None and time.monotonic() - rejected.at > self._retry_rejected_seconds:
            return None
        return rejected


def digest_of(body: bytes) -> bytes:
    """Return what tells one artifact from another."""
    return hashlib.sha256(body).digest()
