"""The display notifications that a decision owes. Source: semantics.md 4.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from target_decisioning.decisioning.program import CompiledRule

NewId = Callable[[], str]


class Impressions:
    """Counts each event token once per request and consequence name, and writes down what is owed."""

    __slots__ = ("_counted", "_new_id", "_now_ms", "owed")

    def __init__(self, now_ms: int, new_id: NewId) -> None:
        self._now_ms = now_ms
        self._new_id = new_id
        self._counted: set[str] = set()
        self.owed: list[dict[str, Any]] = []

    def owe(self, rule: CompiledRule) -> dict[str, Any] | None:
        """Owe the impression of a rule that answers an ``execute`` entry; None if all its tokens are counted."""
        tokens = []
        for counted, token in rule.impression_tokens:
            if counted not in self._counted:
                self._counted.add(counted)
                tokens.append(token)
        if not tokens:
            return None
        impression = {
            "id": self._new_id(),
            "impressionId": self._new_id(),
            "timestamp": self._now_ms,
            "type": "display",
            "mbox": {"name": rule.name},
            "tokens": tokens,
        }
        self.owed.append(impression)
        return impression
