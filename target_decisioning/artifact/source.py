"""The places an artifact comes from. Each gives bytes or says why not; none of them judges what the bytes say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from target_decisioning.decisioning.document import dump
from target_decisioning.errors import ArtifactUnavailable, TargetError
from target_decisioning.http import HttpAnswer, HttpRequest, Transport, TransportError, retry_after_seconds

FETCH_SECONDS = 20.0
GAP_SECONDS = 5.0
MOST_REDIRECTS = 3
LARGEST_FILE_BYTES = 64 * 1024 * 1024
NOT_AUTHORIZED = (
    "Artifact request is not authorized. This is likely due to On-Device-Decisioning being disabled in Admin settings; "
    "on-device decisioning is off for this account until it is enabled there"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fetched:
    """What a source gave. ``body`` is None if it is the one that was declined by its ``etag``."""

    body: bytes | None = field(repr=False)
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timing: Mapping[str, float] = field(default_factory=dict)


class FetchFailed(Exception):
    """A source gave nothing. Ends at the keeper, which tells it through events and ``status()``.

    ``reason`` is one word: one of ``TransportError``'s, ``forbidden`` (401, 403), ``not_found``, ``status`` (any other
    status), ``unexpected_304``, ``unreadable`` (a file). ``retry_after_seconds`` is what the server asked for.
    """

    def __init__(
        self, reason: str, error: TargetError, status: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(reason, error, status, retry_after_seconds)
        self.reason, self.error, self.status, self.retry_after_seconds = reason, error, status, retry_after_seconds


class Source(Protocol):
    """Where artifacts come from: ``kind`` is ``file`` or ``network``."""

    kind: str
    location: str

    def fetch(self, etag: str | None, declined_etag: str | None, total_seconds: float) -> Fetched | None:
        """Return the artifact; None if it is still the one of *etag*.

        Raises:
            FetchFailed: nothing came.
        """


class FileSource:
    """A file of this machine. Its stamp (time, size, inode) stands for the ETag."""

    kind = "file"

    def __init__(self, location: str, path: Path) -> None:
        self.location, self._path = location, path

    def fetch(self, etag: str | None, declined_etag: str | None, total_seconds: float) -> Fetched | None:  # noqa: ARG002
        """Return the file's bytes, if its stamp is not *etag*."""
        try:
            stat = self._path.stat()
            stamp = f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}"
            if stamp == etag:
                return None
            return Fetched(body=None if stamp == declined_etag else self._read(), etag=stamp)
        except OSError as error:
            reason = "not_found" if isinstance(error, FileNotFoundError) else "unreadable"
            why = (error.strerror or type(error).__name__).lower()
            raise FetchFailed(reason, _unavailable(f"The artifact file {self._path.absolute()}: {why}")) from error

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            body = file.read(LARGEST_FILE_BYTES + 1)
        if len(body) > LARGEST_FILE_BYTES:
            detail = f"The artifact file {self._path.absolute()} exceeds {LARGEST_FILE_BYTES} bytes"
            raise FetchFailed("too_large", _unavailable(detail))
        return body


class HttpSource:
    """A URL, asked for with ``If-None-Match``."""

    kind = "network"

    def __init__(self, location: str, transport: Transport, *, follow_redirects: bool) -> None:
        self.location, self._transport = location, transport
        self._redirects = MOST_REDIRECTS if follow_redirects else 0

    def fetch(self, etag: str | None, declined_etag: str | None, total_seconds: float) -> Fetched | None:
        """Return the answer of the server, whole. Only status 200 is an artifact; 304 only after *etag* was sent."""

        def wants_body(status: int, headers: Mapping[str, str]) -> bool:
            return status != 200 or declined_etag is None or headers.get("etag") != declined_etag

        request = HttpRequest("GET", self.location, {} if etag is None else {"If-None-Match": etag})
        try:
            answer = self._transport.send(
                request,
                total_seconds=min(total_seconds, FETCH_SECONDS),
                gap_seconds=GAP_SECONDS,
                redirects=self._redirects,
                wants_body=wants_body,
            )
        except TransportError as error:
            raise FetchFailed(error.reason, error) from error
        if answer.status == 304 and etag is not None:
            return None
        if answer.status != 200:
            raise _refusal(answer, request.host)
        body = answer.body if wants_body(200, answer.headers) else None
        return Fetched(body=body, etag=answer.headers.get("etag") or None, headers=answer.headers, timing=answer.timing)


def payload_bytes(payload: Mapping[str, Any] | str | bytes) -> bytes:
    """Return the option ``artifact_payload`` as bytes: what its owner does to it afterwards changes nothing.

    Raises:
        ArtifactInvalid: it is no JSON value.
    """
    if isinstance(payload, bytes):
        return payload
    return (payload if isinstance(payload, str) else dump(payload)).encode("utf-8", "surrogatepass")


def _refusal(answer: HttpAnswer, host: str) -> FetchFailed:
    status = answer.status
    if status in (401, 403):
        return FetchFailed("forbidden", _unavailable(NOT_AUTHORIZED), status)
    reason = {404: "not_found", 304: "unexpected_304"}.get(status, "status")
    error = _unavailable(f"{host} answered the artifact request with status {status}")
    return FetchFailed(reason, error, status, retry_after_seconds(answer.headers))


def _unavailable(detail: str) -> ArtifactUnavailable:
    return ArtifactUnavailable(detail, refusal="")
