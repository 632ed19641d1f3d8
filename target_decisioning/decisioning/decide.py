"""One decision: a request's answer from a program's rules.

    program + prepared request + now + ids  --decide-->  Decision(execute, prefetch, impressions)

Pure: no clock, no randomness, no I/O, no log. ``execute`` is worked out before ``prefetch``, and in each the mboxes
first, then the views, then the page load. Every part of the answer is fresh. Source: semantics.md 4.1 to 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from target_decisioning.decisioning.allocation import allocation_of, visitor_part
from target_decisioning.decisioning.context import WHOLE, Facts, Needs
from target_decisioning.decisioning.impressions import NewId, impression_of
from target_decisioning.decisioning.program import CompiledRule, DecisionProgram, Location
from target_decisioning.decisioning.trace import Tracer, TraceSetting
from target_decisioning.decisioning.visitor import visitor_key

Entry = dict[str, Any]
"""A part of the request (mbox, view, page load), or of the answer, as the wire has it."""
_NO_RULES = Location(rules=(), by_token={}, untokened=(), needs=Needs())
_NOTHING: dict[str, Any] = {}


@dataclass(slots=True)
class Decision:
    """What was decided; all of it belongs to the caller.

    ``execute`` and ``prefetch`` are None if not asked. In them ``mboxes`` and ``views`` hold one list of answered
    entries for each asked entry (``flat`` joins them for the wire). ``impressions`` are the notifications owed for
    ``execute``; ``errors`` says where a condition failed while it ran (its rule did not hold).
    """

    execute: Entry | None
    prefetch: Entry | None
    impressions: list[dict[str, Any]]
    errors: list[str]


def decide(
    program: DecisionProgram,
    request: dict[str, Any],
    *,
    now_ms: int,
    new_id: NewId,
    trace: TraceSetting | None = None,
) -> Decision:
    """Decide a prepared request.

    Args:
        program: the compiled artifact.
        request: the wire form as ``preparation`` leaves it: every mbox has a name and an index.
        now_ms: the moment of the request, epoch milliseconds.
        new_id: gives ids for impressions, and a visitor key where the request names no visitor.
        trace: what a trace should say of its surroundings; None: no trace.
    """
    run = _Run(program, request, now_ms, new_id)
    execute = prefetch = None
    if "execute" in request:
        tracer = Tracer(trace, request, run, "execute") if trace else None
        execute = run.answer(request["execute"], tracer, executing=True)
    if "prefetch" in request:
        tracer = Tracer(trace, request, run, "prefetch") if trace else None
        prefetch = run.answer(request["prefetch"], tracer, executing=False)
    return Decision(execute, prefetch, run.owed, run.errors)


def flat(answer: Entry) -> Entry:
    """Return one mode of a decision in wire form: its lists of entries joined in the order asked."""
    for key in ("mboxes", "views"):
        if key in answer:
            answer[key] = [entry for entries in answer[key] for entry in entries]
    return answer


class _Run(Facts):
    """The state of one decision: the facts it is made from, allocations so far, impressions owed."""

    __slots__ = ("_allocations", "_counted", "_geo_tokens", "_ids", "_new_id", "_program", "_token", "_visitor",
                 "errors", "owed")  # fmt: skip

    def __init__(self, program: DecisionProgram, request: dict[str, Any], now_ms: int, new_id: NewId) -> None:
        context = request.get("context", _NOTHING)
        self.values: dict[str, Any] = {}
        self._context = context
        self._now_ms = now_ms
        self._program = program
        self._ids: dict[str, Any] = request.get("id", _NOTHING)
        self._token: str | None = request["property"].get("token") if "property" in request else None
        self._new_id = new_id
        self._visitor = b""
        self._allocations: dict[bytes, float] = {}
        self._geo_tokens = _geo_tokens(program, context["geo"]) if "geo" in context else _NOTHING
        self._counted: set[str] = set()
        self.owed: list[dict[str, Any]] = []
        self.errors: list[str] = []

    def answer(self, asked: Entry, tracer: Tracer | None, *, executing: bool) -> Entry:
        """Answer one mode as asked: ``{mboxes?, views?, pageLoad?}``; views are only ever asked for in advance."""
        answer: Entry = {}
        if "mboxes" in asked:
            answer["mboxes"] = [self._mbox(mbox, tracer, executing) for mbox in asked["mboxes"]]
        if "views" in asked:
            answer["views"] = [self._view(view, tracer) for view in asked["views"]]
        if "pageLoad" in asked:
            answer["pageLoad"] = self._page_load(asked["pageLoad"], tracer, executing)
        return answer

    # -- one entry ---------------------------------------------------------------------------------------------------

    def _mbox(self, asked: Entry, tracer: Tracer | None, executing: bool) -> list[Entry]:
        name = asked["name"]
        location = self._program.mboxes.get(name, _NO_RULES)
        if tracer:
            tracer.ask("mbox", asked)
        if name == self._program.global_mbox:
            return [self._entry(rule, asked, tracer, executing) for rule in self._holding(location, asked, tracer)]
        rule = self._first(location, asked, tracer)
        if rule is None:
            return [_traced({"name": name, "index": asked["index"]}, tracer)]
        return [self._entry(rule, asked, tracer, executing)]

    def _view(self, asked: Entry, tracer: Tracer | None) -> list[Entry]:
        location = self._program.views.get(asked["name"], _NO_RULES) if "name" in asked else self._program.every_view
        if tracer:
            tracer.ask("view", asked)
        merged: dict[Any, Entry] = {}
        for rule in self._holding(location, asked, tracer):
            entry = self._entry(rule, asked, tracer, executing=False)
            entry["metrics"] = rule.prefetch.metrics()
            first = merged.setdefault(rule.name, entry)
            if first is not entry:
                first["options"] += entry["options"]
                first["metrics"] += entry["metrics"]
        return list(merged.values())

    def _page_load(self, asked: Entry, tracer: Tracer | None, executing: bool) -> Entry:
        named = {**asked, "name": self._program.global_mbox}
        location = self._program.mboxes.get(self._program.global_mbox, _NO_RULES)
        if tracer:
            tracer.ask("mbox", named)
        entries = [self._entry(rule, named, tracer, executing) for rule in self._holding(location, named, tracer)]
        answer: Entry = {"options": [option for entry in entries for option in entry["options"]]}
        metrics = {metric.get("eventToken"): metric for entry in entries for metric in entry.get("metrics", ())}
        if metrics:
            answer["metrics"] = list(metrics.values())
        return {**answer, "trace": entries[-1]["trace"]} if tracer and entries else _traced(answer, tracer)

    # -- one rule ----------------------------------------------------------------------------------------------------

    def _first(self, location: Location, asked: Entry, tracer: Tracer | None) -> CompiledRule | None:
        """Evaluate the location's rules in order until one holds, and return that."""
        needs = WHOLE if tracer else location.needs
        values = self.values_for(needs, asked) if needs else self.values
        for rule in location.rules_for(self._token):
            if self._holds(rule, values, tracer):
                return rule
        return None

    def _holding(self, location: Location, asked: Entry, tracer: Tracer | None) -> Iterator[CompiledRule]:
        """Evaluate the location's rules in order; yield those that hold, one per rule key."""
        values = self.values_for(WHOLE if tracer else location.needs, asked)
        answered: set[Any] = set()
        for rule in location.rules_for(self._token):
            if rule.source.key not in answered and self._holds(rule, values, tracer):
                answered.add(rule.source.key)
                yield rule

    def _holds(self, rule: CompiledRule, values: dict[str, Any], tracer: Tracer | None) -> bool:
        if rule.reads_allocation or tracer:
            values["allocation"] = self._allocations.get(rule.activity) or self._allocation(rule.activity)
        try:
            holds = rule.holds(values)
        except Exception:  # whatever goes wrong inside one condition costs that rule, not the request
            self.errors.append(rule.source.where)
            holds = False
        if tracer:
            tracer.evaluated(rule, values, holds)
        return holds

    def _entry(self, rule: CompiledRule, asked: Entry, tracer: Tracer | None, executing: bool) -> Entry:
        entry = rule.frame()
        impression = impression_of(rule, self._counted, self._now_ms, self._new_id) if executing else None
        offers = rule.execute if executing else rule.prefetch
        entry["options"] = offers.options(asked, self._geo_tokens)
        if executing and offers.metric_copiers:
            entry["metrics"] = offers.metrics()
        if "index" in asked:
            entry["index"] = asked["index"]
        if impression is not None:
            self.owed.append(impression)
        if tracer:
            tracer.answered(rule, impression)
            entry["trace"] = tracer.snapshot()
        return entry

    def _allocation(self, activity: bytes) -> float:
        self._visitor = self._visitor or visitor_part(visitor_key(self._ids) or self._new_id())
        self._allocations[activity] = share = allocation_of(activity, self._visitor)
        return share


def _geo_tokens(program: DecisionProgram, geo: dict[str, Any]) -> dict[str, Any]:
    return {token: geo[key] for token, key in program.geo_tokens if key in geo}


def _traced(entry: Entry, tracer: Tracer | None) -> Entry:
    if tracer:
        entry["trace"] = tracer.snapshot()
    return entry
