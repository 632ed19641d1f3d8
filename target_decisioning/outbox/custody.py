"""Who owns which file: several processes may be given one path, and a crash leaves files without an owner.

The first process takes ``path``, the next ``path.1``, and so on; what a dead process left is taken over by one that
lives and sends for the same client and organization. A file that cannot be read is set aside under another name, and
what is sound in it goes into a new one.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from target_decisioning.log import Logger, warn
from target_decisioning.outbox.spool import Spool, SpoolBusy, SpoolDamaged, SpoolForeign, Stored, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_FILES = 256


def open_spool(path: Path, owner: int, logger: Logger) -> Spool:
    """Return the first file of *path* that no process has and that is for *owner*, made new if need be.

    Raises:
        SpoolBusy: all have owners.
        OSError, sqlite3.Error: the file cannot be made.
    """
    for candidate in _files(path):
        try:
            return _open(candidate, owner, logger)
        except SpoolForeign:
            warn(logger, f"What waits in {candidate.name} is for another client or organization; it is left there")
        except SpoolBusy:
            continue
    raise SpoolBusy


def take_over(
    path: Path, own: Path, owner: int, logger: Logger, accept: Callable[[dict[str, Any], Stored], bool]
) -> None:
    """Move what dead processes left for *owner* in files of *path* but *own*: an item that *accept* takes leaves it."""
    for other in _left_behind(path, own, owner, logger):
        with contextlib.closing(other):
            for stored in other.stored():
                item = other.read(stored.number)
                if item is not None and not accept(item, stored):
                    return
                other.remove(stored.number)


def _left_behind(path: Path, own: Path, owner: int, logger: Logger) -> Iterator[Spool]:
    for candidate in _files(path):
        if not candidate.exists():  # files are taken in order and never deleted: there is no later one
            return
        if candidate != own:
            with contextlib.suppress(SpoolBusy, OSError, sqlite3.Error):
                yield _open(candidate, owner, logger)


def _files(path: Path) -> Iterator[Path]:
    yield path
    for number in range(1, MOST_FILES):
        yield path.with_name(f"{path.name}.{number}")


def _open(path: Path, owner: int, logger: Logger) -> Spool:
    try:
        return Spool(path, owner)
    except SpoolDamaged:
        return _renewed(path, owner, logger)


def _renewed(path: Path, owner: int, logger: Logger) -> Spool:
    """Set the file aside and return a new one that holds what was sound in it."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    path.rename(aside)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    spool = Spool(path, owner)
    rescued = 0
    for stored, item in _sound_items(aside):
        spool.append(item, stored.lane, stored.accepted_ms)
        rescued += 1
    rescue = f"{rescued} item{'' if rescued == 1 else 's'} rescued, the rest is in {aside.name}"
    warn(logger, f"The outbox file was damaged or of a later version; {rescue}")
    return spool


def _sound_items(path: Path) -> list[tuple[Stored, dict[str, Any]]]:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    with contextlib.closing(connection):
        return sorted(read_rows(connection), key=lambda row: row[0].number)
