"""The display notifications that a decision owes. Source: semantics.md 4.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from target_decisioning.decisioning.program import CompiledRule

NewId = Callable[[], str]


def impression_of(rule: CompiledRule, counted: set[str], now_ms: int, new_id: NewId) -> dict[str, Any] | None:
    """Return the impression that a rule owes which answers an ``execute`` entry; None if all its tokens are counted.

    *counted* holds what has been counted for this request; each event token counts once per consequence name.
    """
    tokens = rule.impression_tokens
    if counted.isdisjoint(tokens):
        owed = list(tokens.values())
    else:
        owed = [token for count, token in tokens.items() if count not in counted]
    if not owed:
        return None
    counted.update(tokens)
    return {
        "id": new_id(),
        "impressionId": new_id(),
        "timestamp": now_ms,
        "type": "display",
        "mbox": {"name": rule.name},
        "tokens": owed,
    }
