"""Which notifications are fit to be sent. Source: semantics.md 1.2."""

from __future__ import annotations

from typing import Any

from target_decisioning.preparation.reading import is_number

TYPES = ("click", "display")


def valid_notifications(given: list[dict[str, Any]], dropped: list[str]) -> list[dict[str, Any]]:
    """Return the notifications that have an id, a type and a timestamp; the places of the others go to *dropped*."""
    kept = []
    for at, notification in enumerate(given):
        if _is_valid(notification):
            kept.append(notification)
        else:
            dropped.append(f"notifications[{at}]")
    return kept


def _is_valid(notification: dict[str, Any]) -> bool:
    identity = notification.get("id")
    return (
        isinstance(identity, str)
        and identity != ""
        and is_number(notification.get("timestamp"))
        and notification.get("type") in TYPES
    )
