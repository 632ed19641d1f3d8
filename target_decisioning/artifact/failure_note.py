"""How the last try of any process failed, beside the stored artifact: the others need not find out by themselves.

    Failed --JSON--> file --JSON--> Failed

Only errors of this package are read back, and only by their names: a file makes no objects of its choice.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from target_decisioning.artifact.retrieval import Failed
from target_decisioning.artifact.store import Stamp, stamp_of, write_over
from target_decisioning.errors import ArtifactInvalid, ArtifactUnavailable, ArtifactUnsupported, TransportError

_ERRORS: dict[str, Callable[..., Exception]] = {
    kind.__name__: kind for kind in (ArtifactInvalid, ArtifactUnavailable, ArtifactUnsupported, TransportError)
}


class FailureNote:
    """One file. Whatever is wrong with it, it says nothing then."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stamp(self) -> Stamp | None:
        """Return what changes with each note; None if there is none."""
        return stamp_of(self._path)

    def write(self, failure: Failed) -> None:
        """Leave *failure* for the others."""
        kind = type(failure.error).__name__
        error = [kind, *failure.error.args] if kind in _ERRORS else ["ArtifactUnavailable", kind, ""]
        note = [failure.reason, error, failure.status, failure.retry_after_seconds]
        with contextlib.suppress(OSError, TypeError, ValueError):
            write_over(self._path, json.dumps(note).encode())

    def clear(self) -> None:
        """Take back what was left: a try went well."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def read(self) -> Failed | None:
        """Return what was left."""
        try:
            reason, error, status, retry_after_seconds = json.loads(self._path.read_bytes())
            return Failed(str(reason), _rebuilt(*error), status, retry_after_seconds)
        except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None


def _rebuilt(kind: str, *args: Any) -> Exception:
    if kind == ArtifactInvalid.__name__:
        return ArtifactInvalid(*(_fault(*fault) for fault in args))
    return _ERRORS[kind](*args)


def _fault(where: str, found: str, expected: str) -> tuple[str, str, str]:
    return where, found, expected
