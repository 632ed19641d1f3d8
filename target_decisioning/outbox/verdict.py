"""What the end of a try means for an item."""

from __future__ import annotations

from enum import Enum

from target_decisioning.errors import DeliveryError, TransportError

_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


class Verdict(Enum):
    """What becomes of an item after a try."""

    SENT = "sent"
    AGAIN = "again"
    DEAD = "dead"


def verdict_on(error: Exception | None) -> Verdict:
    """Return what *error* (None: success) means.

    Any 2xx is sent, whatever came with it. A 4xx says that this item will never be taken, but for 408, 425 and 429;
    and so does an error in making the call. Everything else may pass. Source: faults.md D6, case 45.
    """
    if error is None:
        return Verdict.SENT
    if isinstance(error, TransportError):
        return Verdict.AGAIN
    if not isinstance(error, DeliveryError):
        return Verdict.DEAD
    status = error.status or 0
    if 200 <= status < 300:
        return Verdict.SENT
    return Verdict.DEAD if 400 <= status < 500 and status not in _WORTH_ANOTHER_TRY else Verdict.AGAIN
