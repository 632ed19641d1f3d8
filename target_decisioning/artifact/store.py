"""The last good artifact on disk, so that a start needs no network.

    line 1   target_decisioning artifact, schema number, SHA-256 of all that follows
    line 2   JSON: hash of the artifact's location, ETag, wall time in ms
    rest     the artifact as it was fetched

A file is written beside its place and moved over it, so there is a whole one or the one before. What cannot be used
is moved aside, never deleted, and never stops a start. The file's own time is when the artifact was last confirmed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from target_decisioning.log import Logger, warn

SCHEMA = 1
LARGEST_BYTES = 65 * 1024 * 1024
_MAGIC = "target_decisioning artifact"
_ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What was on disk; ``confirmed_ms`` is wall time, at most now."""

    body: bytes = field(repr=False)
    etag: str | None
    confirmed_ms: int


class Stamp(NamedTuple):
    """What tells one state of a file from another."""

    inode: int
    size: int
    modified_ns: int

    @property
    def age_seconds(self) -> float:
        """By the wall clock, so it may be anything; never negative."""
        return max(time.time() - self.modified_ns / 1e9, 0.0)

    def is_same_file(self, other: Stamp) -> bool:
        """Whether only the time of the last change differs: files are replaced, not written to."""
        return (self.inode, self.size) == (other.inode, other.size)


class _Unusable(Exception):
    """A file is there, but not one that this version wrote whole for this location."""


class ArtifactStore:
    """One file in *folder*, for the artifact of one *location*."""

    def __init__(self, folder: Path, location: str, logger: Logger) -> None:
        self._source = hashlib.sha256(location.encode("utf-8", "surrogatepass")).hexdigest()
        self.path = folder / f"artifact-{self._source[:16]}"
        self._logger = logger
        self._has_warned = False
        self.set_aside_count = 0

    def stamp(self) -> Stamp | None:
        """Return what changes whenever something is stored or confirmed; None if nothing is stored."""
        return stamp_of(self.path)

    def load(self) -> Stored | None:
        """Return what is stored; None if there is nothing that can be used."""
        try:
            return self._read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"The stored artifact cannot be read: {error.strerror}")
        except _Unusable as fault:
            self.set_aside(str(fault))
        return None

    def save(self, body: bytes, etag: str | None) -> None:
        """Replace what is stored by *body*, or warn once and keep what was there."""
        header = {"source": self._source, "etag": etag, "saved_ms": int(time.time() * 1000)}
        rest = json.dumps(header).encode() + b"\n" + body
        first = f"{_MAGIC} {SCHEMA} {hashlib.sha256(rest).hexdigest()}\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_abandoned()
            write_over(self.path, first.encode() + rest)
        except OSError as error:
            self._warn(f"The artifact cannot be stored: {error.strerror}")

    def confirm(self) -> None:
        """Note that what is stored is still what the server has."""
        try:
            os.utime(self.path)
        except OSError as error:
            self._warn(f"The stored artifact cannot be marked as confirmed: {error.strerror}")

    def set_aside(self, why: str) -> None:
        """Move what is stored out of the way; *why* goes to the log."""
        self.set_aside_count += 1
        self._warn(f"The stored artifact is not used and was moved aside: {why}")
        try:
            self.path.replace(self.path.with_suffix(".aside"))
        except OSError as error:
            self._warn(f"The stored artifact cannot be moved aside: {error.strerror}")

    def remove(self) -> None:
        """Delete what is stored: the right to use it was withdrawn."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            self._warn(f"The stored artifact cannot be deleted: {error.strerror}")

    def _read(self) -> Stored:
        found = self.path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_BYTES:
            raise _Unusable("it is no file of a fitting size")
        first, _, rest = self.path.read_bytes().partition(b"\n")
        magic, _, digest = first.decode("ascii", "replace").rpartition(" ")
        if magic != f"{_MAGIC} {SCHEMA}":
            raise _Unusable("it was not written by this version")
        if hashlib.sha256(rest).hexdigest() != digest:
            raise _Unusable("its checksum does not match")
        header, _, body = rest.partition(b"\n")
        fields = json.loads(header)
        if fields["source"] != self._source:
            raise _Unusable("it belongs to another location")
        confirmed_ms = max(fields["saved_ms"], int(found.st_mtime * 1000))
        return Stored(body, fields["etag"], min(confirmed_ms, int(time.time() * 1000)))

    def _remove_abandoned(self) -> None:
        """Delete what a process that died while writing left behind."""
        for left in self.path.parent.glob(f"{self.path.name}.*.tmp"):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink(missing_ok=True)

    def _warn(self, message: str) -> None:
        """Say the first thing that goes wrong; a disk in trouble would say the same at every poll."""
        if not self._has_warned:
            self._has_warned = True
            warn(self._logger, message)


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of *path*; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def write_over(path: Path, data: bytes) -> None:
    """Put *data* at *path* in one step that survives a crash; readable by its owner only."""
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
