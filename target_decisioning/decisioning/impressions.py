"""The display notifications that a decision owes. Source: semantics.md 4.9.

    rules that answer --owe--> [name, tokens, ids, name, tokens, ids, ...] --notifications--> what is sent

Until the outbox takes it in an impression is three entries of a flat list: thousands may wait, and the garbage
collector need not look through objects of theirs. Its ids (``id``, ``impressionId``) are made when it is written,
unless they are told before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from target_decisioning.decisioning.program import CompiledRule

NewId = Callable[[], str]
Ids = tuple[str, str]


def owe(owed: list[Any], rule: CompiledRule, counted: set[str], ids: Ids | None = None) -> None:
    """Add to *owed* the impression of a rule that answers an ``execute`` entry, unless all its tokens are counted.

    *counted* holds what has been counted for this request; each event token counts once per consequence name.
    """
    counts, tokens = rule.impression_counts, rule.impression_tokens
    if not counted.isdisjoint(counts):
        tokens = tuple(token for count, token in zip(counts, tokens, strict=True) if count not in counted)
    if tokens:
        counted.update(counts)
        owed += (rule.name, tokens, ids)


def notifications(owed: Iterable[Any], now_ms: int, new_id: NewId) -> list[dict[str, Any]]:
    """Return what is *owed* since *now_ms* as the wire has it."""
    entries = iter(owed)
    return [
        _notification(name, tokens, ids or (new_id(), new_id()), now_ms)
        for name, tokens, ids in zip(entries, entries, entries, strict=True)
    ]


def _notification(name: Any, tokens: tuple[Any, ...], ids: Ids, now_ms: int) -> dict[str, Any]:
    own_id, impression_id = ids
    return {
        "id": own_id,
        "impressionId": impression_id,
        "timestamp": now_ms,
        "type": "display",
        "mbox": {} if name is None else {"name": name},
        "tokens": list(tokens),
    }
