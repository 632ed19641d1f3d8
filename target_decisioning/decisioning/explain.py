"""Why a request is decided as it is: each rule of each asked location, in order, with what became of it.

    program + prepared request + now  --explain-->  Explanation (locations -> rules -> checks)

It decides again, slowly, with the interpreter: whatever ``decide`` answers with has here the verdict ``won``.
Pure, as the engine is. Source: semantics.md 4.1, 4.2, 4.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from target_decisioning.decisioning.allocation import activity_text, allocation
from target_decisioning.decisioning.artifact import Fault, Rule
from target_decisioning.decisioning.checks import Check, check
from target_decisioning.decisioning.conditions import parse
from target_decisioning.decisioning.context import WHOLE, Facts
from target_decisioning.decisioning.document import place
from target_decisioning.decisioning.explanation import Explanation, LocationExplanation, RuleExplanation, Verdict
from target_decisioning.decisioning.javascript import is_truthy
from target_decisioning.decisioning.program import DecisionProgram
from target_decisioning.decisioning.visitor import visitor_key
from target_decisioning.errors import ArtifactInvalid

Entry = dict[str, Any]


def explain(
    program: DecisionProgram, request: dict[str, Any], *, now_ms: int, new_id: Callable[[], str]
) -> Explanation:
    """Explain how a prepared request is decided.

    Args:
        program: the compiled artifact.
        request: the wire form as ``preparation`` leaves it.
        now_ms: the moment of the request, epoch milliseconds.
        new_id: gives a visitor key where the request names no visitor.
    """
    run = _Run(program, request, now_ms, visitor_key(request.get("id", {})) or new_id())
    return Explanation(
        client_code=program.client_code,
        visitor_key=run.visitor,
        property_token=run.token,
        now_ms=now_ms,
        locations=tuple(run.locations(request)),
    )


class _Run:
    """One request being explained."""

    def __init__(self, program: DecisionProgram, request: dict[str, Any], now_ms: int, visitor: str) -> None:
        self.program = program
        self.visitor = visitor
        self.token: str | None = request.get("property", {}).get("token")
        self._facts = Facts(request.get("context", {}), now_ms)

    def locations(self, request: dict[str, Any]) -> Iterator[LocationExplanation]:
        for mode in ("execute", "prefetch"):
            asked = request.get(mode, {})
            for mbox in asked.get("mboxes", ()):
                yield self._mbox(mode, "mbox", mbox)
            for view in asked.get("views", ()):
                yield self._view(mode, view)
            if "pageLoad" in asked:
                yield self._mbox(mode, "pageLoad", {**asked["pageLoad"], "name": self.program.global_mbox})

    def _mbox(self, mode: str, kind: str, asked: Entry) -> LocationExplanation:
        name = asked["name"]
        return LocationExplanation(
            mode=mode,
            kind=kind,
            name=name,
            index=asked.get("index"),
            why_remote=_why_mbox_is_remote(self.program, name),
            rules=self._rules("mboxes", [name], asked, takes_one=name != self.program.global_mbox),
        )

    def _view(self, mode: str, asked: Entry) -> LocationExplanation:
        name = asked.get("name")
        names = [asked["name"]] if "name" in asked else list(self.program.artifact.views)
        return LocationExplanation(
            mode=mode,
            kind="view",
            name=name,
            index=asked.get("index"),
            why_remote=_why_view_is_remote(self.program, asked),
            rules=self._rules("views", names, asked, takes_one=False),
        )

    def _rules(self, kind: str, names: list[Any], asked: Entry, *, takes_one: bool) -> tuple[RuleExplanation, ...]:
        values = self._facts.values_for(WHOLE, asked)
        judge = _Judge(self, values, takes_one=takes_one)
        return tuple(judge.judge(found) for name in names for found in _rules_of(self.program, kind, name))


class _Judge:
    """Goes through a location's rules in order and remembers which have answered."""

    def __init__(self, run: _Run, values: dict[str, Any], *, takes_one: bool) -> None:
        self._run, self._values, self._takes_one = run, values, takes_one
        self._answered: dict[Any, str] = {}

    def judge(self, found: _Found) -> RuleExplanation:
        """Explain the next rule."""
        rule = found.rule
        if rule is None:
            return _unread(found)
        percent = self._allocation(rule)
        meets_property = rule.property_tokens is None or self._run.token in rule.property_tokens
        checked = _checked(rule, {**self._values, "allocation": percent})
        verdict, reason = self._verdict(found, rule, checked, meets_property)
        if verdict is Verdict.WON:
            self._answered[rule.key] = rule.where
        return RuleExplanation(
            where=rule.where,
            rule_key=rule.key,
            meta=rule.meta,
            property_tokens=tuple(sorted(rule.property_tokens or ())),
            meets_property=meets_property,
            allocation=percent,
            check=checked,
            holds=None if checked is None or checked.error or found.faults else is_truthy(checked.value),
            verdict=verdict,
            reason=reason,
        )

    def _verdict(self, found: _Found, rule: Rule, checked: Check | None, meets_property: bool) -> tuple[Verdict, str]:
        if checked is None:
            return Verdict.BROKEN, found.why
        if not meets_property:
            asked = "the request names no property" if not self._run.token else "the request is of another property"
            return Verdict.WRONG_PROPERTY, asked
        if self._takes_one and self._answered:
            return Verdict.NOT_REACHED, f"the mbox has its answer from {next(iter(self._answered.values()))}"
        if rule.key in self._answered:
            return Verdict.KEY_ANSWERED, f"its rule key has its answer from {self._answered[rule.key]}"
        if found.faults:
            return Verdict.BROKEN, found.why
        if checked.error:
            return Verdict.FAILED, checked.why
        if is_truthy(checked.value):
            return Verdict.WON, "the first rule whose condition holds" if self._takes_one else "its condition holds"
        return Verdict.LOST, checked.why

    def _allocation(self, rule: Rule) -> float:
        activity = activity_text(rule.meta.get("activity.id"))
        return allocation(self._run.program.client_code, activity, self._run.visitor)


# -- rules, the broken ones among them, in the artifact's order --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A place in the artifact's list of rules: what stands there, and what is wrong with it."""

    where: str
    rule: Rule | None
    faults: tuple[Fault, ...]

    @property
    def why(self) -> str:
        return "; ".join(f"{where}: found {found}; expected {expected}" for where, found, expected in self.faults)


def _rules_of(program: DecisionProgram, kind: str, name: Any) -> list[_Found]:
    base = place(f"rules.{kind}", name)
    rules = {rule.where: rule for rule in getattr(program.artifact, kind).get(name, ())}
    faults: dict[str, list[Fault]] = {}
    for fault in program.undecidable.get((kind, name), ()):
        index = re.match(r"\[\d+\]", fault[0].removeprefix(base))
        if index:
            faults.setdefault(base + index[0], []).append(fault)
    places = sorted({*rules, *faults}, key=lambda where: int(where[len(base) + 1 : -1]))
    return [_Found(where, rules.get(where), tuple(faults.get(where, ()))) for where in places]


def _checked(rule: Rule, values: dict[str, Any]) -> Check | None:
    """Return the rule's condition taken apart; None if it is too large to be read."""
    try:
        parse(rule.condition, f"{rule.where}.condition")
    except ArtifactInvalid:
        return None
    return check(rule.condition, values)


def _unread(found: _Found) -> RuleExplanation:
    return RuleExplanation(
        where=found.where,
        rule_key=None,
        meta={},
        property_tokens=(),
        meets_property=True,
        allocation=None,
        check=None,
        holds=None,
        verdict=Verdict.BROKEN,
        reason=found.why,
    )


# -- what only the server can decide -----------------------------------------------------------------------------------


def _why_mbox_is_remote(program: DecisionProgram, name: str) -> str | None:
    if name in program.local_mboxes:
        return None
    artifact = program.artifact
    return _why_remote(program, "mboxes", name, artifact.local_mboxes, artifact.remote_mboxes)


def _why_view_is_remote(program: DecisionProgram, asked: Entry) -> str | None:
    artifact = program.artifact
    if "name" in asked:
        if asked["name"] in program.local_views:
            return None
        return _why_remote(program, "views", asked["name"], artifact.local_views, artifact.remote_views)
    if program.remote_views:
        return f"all views are asked for, and only the server decides {', '.join(program.remote_views)}"
    return None


def _why_remote(program: DecisionProgram, kind: str, name: Any, local: tuple[str, ...], remote: tuple[str, ...]) -> str:
    lists = kind.capitalize()
    if name in remote and name in local:
        return f"it is in remote{lists} as well as in local{lists}: the rules here are only a part of it"
    if name in remote:
        return f"it is in remote{lists}"
    faults = program.undecidable.get((kind, name))
    if faults:
        where, found, expected = faults[0]
        return f"a rule of it is broken: {where}: found {found}; expected {expected}"
    return f"the artifact does not know it: it is in neither local{lists} nor remote{lists}"
