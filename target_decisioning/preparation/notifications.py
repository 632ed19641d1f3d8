"""Which notifications are fit to be sent. Source: semantics.md 1.2."""

from __future__ import annotations

from typing import Any

from target_decisioning.preparation.reading import is_number

TYPES = ("click", "display")


def valid_notifications(given: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the notifications that have an id, a timestamp and a type.

    And the places of the others, with what each lacks: ``notifications[0] (id, type)``.
    """
    kept, dropped = [], []
    for at, notification in enumerate(given):
        if wrong := _wrong(notification):
            dropped.append(f"notifications[{at}] ({', '.join(wrong)})")
        else:
            kept.append(notification)
    return kept, tuple(dropped)


def _wrong(notification: dict[str, Any]) -> list[str]:
    identity = notification.get("id")
    is_right = {
        "id": isinstance(identity, str) and identity != "",
        "timestamp": is_number(notification.get("timestamp")),
        "type": notification.get("type") in TYPES,
    }
    return [key for key, right in is_right.items() if not right]
