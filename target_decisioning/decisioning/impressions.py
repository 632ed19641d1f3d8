"""The display notifications that a decision owes. Source: semantics.md 4.9.

    rule that answers --impression_of--> Impression --notification--> what is sent

An impression is a tuple of texts and numbers until it is sent: thousands may wait, and the garbage collector need not
look through them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from target_decisioning.decisioning.program import CompiledRule

NewId = Callable[[], str]
Impression = tuple[str, str, Any, tuple[Any, ...]]
"""Id of the notification, id of the impression, name of the consequence, event tokens."""


def impression_of(rule: CompiledRule, counted: set[str], new_id: NewId) -> Impression | None:
    """Return the impression that a rule owes which answers an ``execute`` entry; None if all its tokens are counted.

    *counted* holds what has been counted for this request; each event token counts once per consequence name.
    """
    tokens = rule.impression_tokens
    if counted.isdisjoint(tokens):
        owed = tuple(tokens.values())
    else:
        owed = tuple([token for count, token in tokens.items() if count not in counted])
    if not owed:
        return None
    counted.update(tokens)
    return new_id(), new_id(), rule.name, owed


def notification(impression: Impression, now_ms: int) -> dict[str, Any]:
    """Return *impression*, which was made at *now_ms*, as the wire has it."""
    own_id, impression_id, name, tokens = impression
    return {
        "id": own_id,
        "impressionId": impression_id,
        "timestamp": now_ms,
        "type": "display",
        "mbox": {"name": name},
        "tokens": list(tokens),
    }
