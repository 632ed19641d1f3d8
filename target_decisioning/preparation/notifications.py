"""Which notifications are fit to be sent. Source: semantics.md 1.2."""

from __future__ import annotations

from typing import Any

from target_decisioning.preparation.reading import is_number

TYPES = ("click", "display")


def valid_notifications(given: list[dict[str, Any]], dropped: list[str]) -> list[dict[str, Any]]:
    """Return the notifications that have an id, a timestamp and a type.

    The places of the others go to *dropped*, with what each lacks: ``notifications[0] (id, type)``.
    """
    kept = []
    for at, notification in enumerate(given):
        if wrong := _wrong(notification):
            dropped.append(f"notifications[{at}] ({', '.join(wrong)})")
        else:
            kept.append(notification)
    return kept


def _wrong(notification: dict[str, Any]) -> list[str]:
    identity = notification.get("id")
    is_right = {
        "id": isinstance(identity, str) and identity != "",
        "timestamp": is_number(notification.get("timestamp")),
        "type": notification.get("type") in TYPES,
    }
    return [key for key, right in is_right.items() if not right]
