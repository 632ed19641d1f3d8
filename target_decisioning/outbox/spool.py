"""Items on disk: what was accepted is still there after ``kill -9``.

One SQLite file per process. An item is committed before ``append`` returns and deleted once it was sent. Policy of
durability: write-ahead log with ``synchronous=NORMAL``, so a killed process loses nothing; only a failing operating
system or power supply may lose the last moments, and never damages the file.

The file is opened in exclusive mode, so it has one owner, and the faults of write-ahead logs that several connections
share do not arise. Deleting needs a few pages of room in the log: where the disk is full, the log is folded in and
then a reserve file is given up to make it. Source: faults.md D4, D7, cases 53 and 54.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sqlite3
import threading
import zlib
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA_VERSION = 1
LOG_PAGES = 256  # 1 MiB; then the log is folded into the file
RESERVE_BYTES = 3 * 1024 * 1024  # more than a log that could not be folded grows to before the disk is full

_SCHEMA = """
CREATE TABLE item (
    number INTEGER PRIMARY KEY,
    accepted_ms INTEGER NOT NULL,
    lane TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE damaged (number INTEGER, accepted_ms INTEGER, lane TEXT, checksum INTEGER, body TEXT);
PRAGMA user_version = 1;
"""
_COLUMNS = "number, accepted_ms, lane, checksum, body"


class SpoolBusy(Exception):
    """Another process, or another outbox of this one, owns the file."""


class SpoolForeign(SpoolBusy):
    """The file holds what another client or organization owes."""


class SpoolDamaged(Exception):
    """The file is no outbox that this version can read."""


class Stored(NamedTuple):
    """One item on disk without its content; ``accepted_ms`` is wall time."""

    number: int
    accepted_ms: int
    lane: str
    size_bytes: int


class Spool:
    """The file at *path*, which this process owns until ``close``. Threads may share it.

    *owner*: a number for whom its items are sent, which the file keeps; 0: anybody's.
    """

    Error: ClassVar = sqlite3.Error
    """What its methods raise: who catches it need not import ``sqlite3``."""

    def __init__(self, path: Path, owner: int = 0) -> None:
        self.path = path
        self.lock = threading.Lock()
        self._connection: sqlite3.Connection | None = _connect(path, owner)
        self._sent_but_stored: set[int] = set()
        self._next_number = 1 + self._one("SELECT coalesce(max(number), 0) FROM item")
        self.size_bytes: int = self._one("SELECT coalesce(sum(length(body)), 0) FROM item")
        self._reserve = path.with_name(f"{path.name}.reserve")
        self.fill_reserve()

    def append(self, item: dict[str, Any], lane: str, accepted_ms: int) -> Stored:
        """Store *item* and return where it stands; it is on disk then.

        Raises:
            sqlite3.Error: it is not, the disk is full for example.
            TypeError, ValueError, RecursionError: JSON cannot hold it.
        """
        body = json.dumps(item, separators=(",", ":"))
        lane = lane.encode("utf-8", "replace").decode()
        with self.lock:
            stored = Stored(self._next_number, accepted_ms, lane, len(body))
            row = (stored.number, accepted_ms, lane, _checksum(body), body)
            self._open().execute(f"INSERT INTO item ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", row)  # noqa: S608
            self._next_number += 1
            self.size_bytes += stored.size_bytes
        return stored

    def stored(self) -> list[Stored]:
        """Return what waits on disk, in the order it was accepted."""
        query = "SELECT number, accepted_ms, lane, length(body) FROM item ORDER BY number"
        with self.lock:
            return [Stored(*row) for row in self._open().execute(query) if row[0] not in self._sent_but_stored]

    def read(self, number: int) -> dict[str, Any] | None:
        """Return the item, None if it is damaged (then it is set aside) or gone."""
        with self.lock:
            row = self._open().execute("SELECT checksum, body FROM item WHERE number = ?", (number,)).fetchone()
        item = None if row is None else _item(*row)
        if row is not None and item is None:
            self._set_aside(number)
        return item

    def remove(self, number: int) -> None:
        """Delete the item. If the disk has no room even for that, it is deleted later; ``stored`` knows it no more."""
        with self.lock:
            if self._connection is None:
                return
            self._sent_but_stored.add(number)
            with contextlib.suppress(sqlite3.Error):
                self._delete_sent()

    def fill_reserve(self) -> None:
        """Make the reserve file, unless it is there or the disk has no room for it."""
        if self._reserve.exists():
            return
        try:
            with self._reserve.open("wb") as file:
                _allocate(file.fileno(), RESERVE_BYTES)
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def close(self) -> None:
        """Give the file up."""
        with self.lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def abandon(self) -> None:
        """Forget the file in a forked child, where the connection must never be closed.

        Closing it, also at the end of the interpreter, would fold and delete the log that the parent still writes.
        """
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        self._connection = None

    def _delete_sent(self) -> None:
        for make_room in (_nothing, self._fold_log, self._give_up_reserve):
            make_room()
            try:
                self._delete_each()
            except sqlite3.OperationalError:
                continue
            return

    def _delete_each(self) -> None:
        query = "DELETE FROM item WHERE number = ? RETURNING length(body)"
        for number in sorted(self._sent_but_stored):
            deleted = self._open().execute(query, (number,)).fetchall()
            self.size_bytes -= sum(size for (size,) in deleted)
            self._sent_but_stored.discard(number)

    def _fold_log(self) -> None:
        with contextlib.suppress(sqlite3.OperationalError):
            self._open().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _give_up_reserve(self) -> None:
        self._reserve.unlink(missing_ok=True)
        self._fold_log()

    def _set_aside(self, number: int) -> None:
        with self.lock, contextlib.suppress(sqlite3.Error):
            copy = f"INSERT INTO damaged SELECT {_COLUMNS} FROM item WHERE number = ?"  # noqa: S608
            self._open().execute(copy, (number,))

    def _one(self, query: str) -> int:
        (value,) = self._open().execute(query).fetchone()
        return int(value)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the outbox is closed")
        return self._connection


def read_rows(connection: sqlite3.Connection) -> Iterator[tuple[Stored, dict[str, Any]]]:
    """Give each sound item of a file that may be damaged: from its start, then from its end."""
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        with contextlib.suppress(sqlite3.Error):
            for number, accepted_ms, lane, checksum, body in connection.execute(
                f"SELECT {_COLUMNS} FROM item ORDER BY number {order}"  # noqa: S608
            ):
                item = _item(checksum, body)
                if item is not None and number not in seen and isinstance(accepted_ms, int) and isinstance(lane, str):
                    seen.add(number)
                    yield Stored(number, accepted_ms, lane, len(body)), item


def _connect(path: Path, owner: int) -> sqlite3.Connection:
    """Open *path*, which is made if it is not there.

    Raises:
        SpoolBusy: a process has it.
        SpoolForeign: it is for another *owner*.
        SpoolDamaged: it cannot be read.
        OSError, sqlite3.Error: it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, owner)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, owner: int) -> None:
    try:
        connection.text_factory = _lenient_text
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        if owner and found and found != owner:
            raise SpoolForeign
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        elif version > SCHEMA_VERSION or connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise SpoolDamaged
        if owner and not found:
            connection.execute(f"PRAGMA application_id = {owner:d}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise SpoolBusy from error
        raise
    except sqlite3.DatabaseError as error:
        raise SpoolDamaged from error


def _allocate(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.write(file, bytes(size))


def _lenient_text(text: bytes) -> str:
    return text.decode("utf-8", "replace")  # a damaged one: its checksum tells


def _checksum(body: str) -> int:
    return zlib.crc32(body.encode())


def _item(checksum: object, body: object) -> dict[str, Any] | None:
    if not isinstance(body, str) or _checksum(body) != checksum:
        return None
    item: dict[str, Any] = json.loads(body)
    return item


def _nothing() -> None:
    """Try as it is first."""
