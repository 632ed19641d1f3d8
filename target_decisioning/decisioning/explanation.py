"""What an explanation holds: the verdict on each rule of each asked location, and what led to it.

Explanation -> LocationExplanation -> RuleExplanation -> Check; each gives itself JSON-ready by ``to_wire``
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from target_decisioning.decisioning.checks import Check


class Verdict(StrEnum):
    """What became of a rule."""

    WON = "won"
    LOST = "lost"
    """Its condition does not hold."""
    FAILED = "failed"
    """Its condition has no value for this request."""
    WRONG_PROPERTY = "wrong-property"
    """It is for other properties than the request's."""
    KEY_ANSWERED = "key-answered"
    """An earlier rule with the same key has answered."""
    NOT_REACHED = "not-reached"
    """An earlier rule has answered, and the mbox takes one."""
    BROKEN = "broken"
    """It cannot be read or evaluated here; its location needs the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExplanation:
    """One rule, and why it answers or does not.

    ``holds`` is whether its condition holds, evaluated or not (None: it has no value). ``allocation`` is where the
    visitor stands in the activity's traffic, in percent; None, as ``check``, if the rule could not be read.
    """

    where: str
    rule_key: Any
    meta: dict[str, Any]
    property_tokens: tuple[str, ...]
    meets_property: bool
    allocation: float | None
    check: Check | None
    holds: bool | None
    verdict: Verdict
    reason: str

    def to_wire(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "where": self.where,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "ruleKey": self.rule_key,
            "activity": {key: self.meta.get(f"activity.{key}") for key in ("id", "name", "type")},
            "experience": {key: self.meta.get(f"experience.{key}") for key in ("id", "name")},
            "property": {"tokens": list(self.property_tokens), "passes": self.meets_property},
            "allocation": self.allocation,
            "holds": self.holds,
            "condition": self.check and self.check.to_wire(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationExplanation:
    """One asked mbox, view or page load. ``why_remote`` says why only the server can decide it; None: it need not."""

    mode: str
    kind: str
    name: str | None
    index: Any
    why_remote: str | None
    rules: tuple[RuleExplanation, ...]

    @property
    def winners(self) -> list[RuleExplanation]:
        """The rules that answer, in order."""
        return [rule for rule in self.rules if rule.verdict is Verdict.WON]

    def to_wire(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "mode": self.mode,
            "kind": self.kind,
            "name": self.name,
            "index": self.index,
            "needsServer": self.why_remote,
            "answeredBy": [rule.where for rule in self.winners],
            "rules": [rule.to_wire() for rule in self.rules],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A whole request; ``locations`` in the order in which they are decided."""

    client_code: str
    visitor_key: str
    property_token: str | None
    now_ms: int
    locations: tuple[LocationExplanation, ...]

    @property
    def now(self) -> datetime:
        """The moment of the request, in UTC as conditions see it."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    def to_wire(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "client": self.client_code,
            "visitorKey": self.visitor_key,
            "propertyToken": self.property_token,
            "now": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "locations": [location.to_wire() for location in self.locations],
        }
