"""What the end of a try means for an item."""

from __future__ import annotations

from enum import Enum

from target_decisioning.errors import ConfigError, DeliveryError, RequestError

_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


class Verdict(Enum):
    """What becomes of an item after a try."""

    SENT = "sent"
    AGAIN = "again"
    DEAD = "dead"


def verdict_on(error: Exception | None) -> Verdict:
    """Return what *error* (None: success) means.

    Any 2xx is sent, whatever came with it. A 4xx says that this item will never be taken, but for 408, 425 and 429;
    and so does a call that cannot be made of it. Everything else may pass, also what nobody thought of: no item is
    given up for a fault that is not its own. Source: faults.md D6, case 45.
    """
    if error is None:
        return Verdict.SENT
    if isinstance(error, RequestError | ConfigError):
        return Verdict.DEAD
    status = error.status or 0 if isinstance(error, DeliveryError) else 0
    if 200 <= status < 300:
        return Verdict.SENT
    return Verdict.DEAD if 400 <= status < 500 and status not in _WORTH_ANOTHER_TRY else Verdict.AGAIN
