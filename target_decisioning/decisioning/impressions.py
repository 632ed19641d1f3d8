"""The display notifications that a decision owes. Source: semantics.md 4.9.

    rules that answer --owe--> [id, id, name, tokens, id, id, name, tokens, ...] --notifications--> what is sent

Until it is sent an impression is four entries of a flat list: thousands may wait, and the garbage collector need not
look through objects of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from target_decisioning.decisioning.program import CompiledRule

NewId = Callable[[], str]


def owe(owed: list[Any], rule: CompiledRule, counted: set[str], new_id: NewId) -> None:
    """Add to *owed* the impression of a rule that answers an ``execute`` entry, unless all its tokens are counted.

    *counted* holds what has been counted for this request; each event token counts once per consequence name.
    """
    counts, tokens = rule.impression_counts, rule.impression_tokens
    if not counted.isdisjoint(counts):
        tokens = tuple(token for count, token in zip(counts, tokens, strict=True) if count not in counted)
    if tokens:
        counted.update(counts)
        owed += (new_id(), new_id(), rule.name, tokens)


def notifications(owed: Iterable[Any], now_ms: int) -> list[dict[str, Any]]:
    """Return what is *owed* since *now_ms* as the wire has it."""
    entries = iter(owed)
    return [
        {
            "id": own_id,
            "impressionId": impression_id,
            "timestamp": now_ms,
            "type": "display",
            "mbox": {} if name is None else {"name": name},
            "tokens": list(tokens),
        }
        for own_id, impression_id, name, tokens in zip(entries, entries, entries, entries, strict=True)
    ]
