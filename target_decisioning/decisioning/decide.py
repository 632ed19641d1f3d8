"""One decision: a request's answer from a program's rules.

    program + prepared request + now + ids  --decide-->  Decision(execute, prefetch, owed)

Pure: no clock, no randomness, no I/O, no log. ``execute`` is worked out before ``prefetch``, and in each the mboxes
first, then the views, then the page load. Every part of the answer is fresh. Source: semantics.md 4.1 to 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from target_decisioning.decisioning.allocation import allocation_of, visitor_part
from target_decisioning.decisioning.context import WHOLE, Facts
from target_decisioning.decisioning.impressions import NewId, notifications, owe
from target_decisioning.decisioning.program import CompiledRule, DecisionProgram, Location
from target_decisioning.decisioning.trace import Tracer, TraceSetting
from target_decisioning.decisioning.visitor import visitor_key

Entry = dict[str, Any]
"""A part of the request (mbox, view, page load), or of the answer, as the wire has it."""
_NO_RULES = Location(rules=(), by_token=None, needs=None)
_NOTHING: dict[str, Any] = {}


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
        new_id: gives a visitor key where the request names no visitor, and ids for impressions that are written.
        trace: what a trace should say of its surroundings; None: no trace.
    """
    if trace is None:
        decision = Decision(program, request, now_ms, new_id)
    else:
        decision = _TracedDecision(program, request, now_ms, new_id, trace)
    if "execute" in request:
        decision.execute = decision.answer("execute", executing=True)
    if "prefetch" in request:
        decision.prefetch = decision.answer("prefetch", executing=False)
    return decision


class Decision(Facts):
    """One request that is decided, and then what was decided; what it says belongs to the caller.

    What conditions read of the request, ``values``, is worked out by ``Facts``.
    ``execute`` and ``prefetch`` are in wire form, None if not asked. ``owed`` holds the impressions of ``execute``,
    ``impressions`` the notifications that tell of them; ``errors`` says where a condition failed while it ran (its rule
    did not hold). ``ends`` tells which answered entries belong to which asked mbox and view: for each of those, in the
    order they were answered, how long the list of answers was then.
    """

    __slots__ = ("_allocations", "_counted", "_geo_tokens", "_new_id", "_program", "_request", "_visitor",
                 "ends", "errors", "execute", "owed", "prefetch")  # fmt: skip

    def __init__(self, program: DecisionProgram, request: dict[str, Any], now_ms: int, new_id: NewId) -> None:
        self._context = context = request.get("context", _NOTHING)
        self._now_ms = now_ms
        self.values = {}  # as Facts sets them, without a call for it
        self._program = program
        self._request = request
        self._new_id = new_id
        self._visitor = b""
        self._allocations: dict[bytes, float] = {}
        self._counted: set[str] = set()
        self._geo_tokens = _geo_tokens(program, context) if program.geo_tokens else _NOTHING
        self.execute: Entry | None = None
        self.prefetch: Entry | None = None
        self.owed: list[Any] = []
        self.errors: list[str] = []
        self.ends: list[int] = []

    @property
    def impressions(self) -> list[dict[str, Any]]:
        """What is owed, as the wire has it; what was not told in a trace has new ids each time."""
        return notifications(self.owed, self._now_ms, self._new_id)

    def answer(self, mode: str, *, executing: bool) -> Entry:
        """Answer one mode as asked: ``{mboxes?, views?, pageLoad?}``; views are only ever asked for in advance."""
        asked: Entry = self._request[mode]
        answer: Entry = {}
        if "mboxes" in asked:
            entries: list[Entry] = []
            answer["mboxes"] = entries
            for mbox in asked["mboxes"]:
                self._mbox(mbox, entries, executing)
                self.ends.append(len(entries))
        if "views" in asked:
            entries = answer["views"] = []
            for view in asked["views"]:
                entries += self._view(view)
                self.ends.append(len(entries))
        if "pageLoad" in asked:
            answer["pageLoad"] = self._page_load(asked["pageLoad"], executing)
        return answer

    # -- one entry ---------------------------------------------------------------------------------------------------

    def _mbox(self, asked: Entry, entries: list[Entry], executing: bool) -> None:
        name = asked["name"]
        location = self._program.mboxes.get(name, _NO_RULES)
        if name == self._program.global_mbox:
            entries += [self._entry(rule, asked, executing) for rule in self._holding(location, asked)]
            return
        rule = self._first_holding(location, asked)
        entries.append({"name": name, "index": asked["index"]} if rule is None else self._entry(rule, asked, executing))

    def _view(self, asked: Entry) -> list[Entry]:
        location = self._program.views.get(asked["name"], _NO_RULES) if "name" in asked else self._program.every_view
        merged: dict[Any, Entry] = {}
        for rule in self._holding(location, asked):
            entry = self._entry(rule, asked, executing=False)
            entry["metrics"] = rule.prefetch.metrics()
            first = merged.setdefault(rule.name, entry)
            if first is not entry:
                first["options"] += entry["options"]
                first["metrics"] += entry["metrics"]
        return list(merged.values())

    def _page_load(self, asked: Entry, executing: bool) -> Entry:
        named = {**asked, "name": self._program.global_mbox}
        location = self._program.mboxes.get(self._program.global_mbox, _NO_RULES)
        options: list[Entry] = []
        metrics: dict[Any, Entry] = {}
        for rule in self._holding(location, named):
            self._note_answer(rule, executing)
            offers = rule.execute if executing else rule.prefetch
            options += offers.options(named, self._geo_tokens)
            if executing:
                for metric in offers.metrics():
                    metrics[metric.get("eventToken")] = metric
        return {"options": options, "metrics": list(metrics.values())} if metrics else {"options": options}

    # -- one rule ----------------------------------------------------------------------------------------------------

    def _first_holding(self, location: Location, asked: Entry) -> CompiledRule | None:
        """Evaluate the location's rules in order until one holds, and return that."""
        values = self.values_for(location.needs, asked) if location.needs else self.values
        # where no rule is tied to a property, which is usual, nobody need be asked for the rules
        for rule in location.rules if location.by_token is None else self._rules_of(location):
            if rule.reads_allocation:
                values["allocation"] = self._allocations.get(rule.activity) or self._allocation(rule.activity)
            try:
                if rule.holds(values):
                    return rule
            except Exception:  # whatever goes wrong inside one condition costs that rule, not the request
                self.errors.append(rule.source.where)
        return None

    def _holding(self, location: Location, asked: Entry) -> Iterator[CompiledRule]:
        """Evaluate the location's rules in order; yield those that hold, one per rule key."""
        values = self.values_for(location.needs, asked) if location.needs else self.values
        answered: set[Any] = set()
        for rule in location.rules if location.by_token is None else self._rules_of(location):
            if rule.key in answered:
                continue
            if rule.reads_allocation:
                values["allocation"] = self._allocations.get(rule.activity) or self._allocation(rule.activity)
            try:
                holds = rule.holds(values)
            except Exception:
                self.errors.append(rule.source.where)
                continue
            if holds:
                answered.add(rule.key)
                yield rule

    def _entry(self, rule: CompiledRule, asked: Entry, executing: bool) -> Entry:
        self._note_answer(rule, executing)
        if not executing:
            return rule.prefetch.entry(asked, self._geo_tokens)
        entry = rule.execute.entry(asked, self._geo_tokens)
        if rule.execute.metric_copiers:
            entry["metrics"] = rule.execute.metrics()
        return entry

    def _note_answer(self, rule: CompiledRule, executing: bool) -> None:
        """Note that a rule that holds answers."""
        if executing and rule.impression_tokens:
            owe(self.owed, rule, self._counted)

    def _rules_of(self, location: Location) -> tuple[CompiledRule, ...]:
        return location.rules_for(self._request.get("property", _NOTHING).get("token"))

    def _allocation(self, activity: bytes) -> float:
        if not self._visitor:
            self._visitor = visitor_part(visitor_key(self._request.get("id", _NOTHING)) or self._new_id())
        self._allocations[activity] = share = allocation_of(activity, self._visitor)
        return share


class _TracedDecision(Decision):
    """A decision that tells why: each answered entry has its trace."""

    __slots__ = ("_setting", "_tracer", "_traces")

    def __init__(
        self, program: DecisionProgram, request: dict[str, Any], now_ms: int, new_id: NewId, setting: TraceSetting
    ) -> None:
        super().__init__(program, request, now_ms, new_id)
        self._setting = setting
        self._traces: list[Entry] = []

    def answer(self, mode: str, *, executing: bool) -> Entry:
        self._tracer = Tracer(self._setting, self._request, self, mode)
        return super().answer(mode, executing=executing)

    def _mbox(self, asked: Entry, entries: list[Entry], executing: bool) -> None:
        self._tracer.ask("mbox", asked)
        super()._mbox(asked, entries, executing)
        if entries and "trace" not in entries[-1]:
            entries[-1]["trace"] = self._tracer.snapshot()

    def _view(self, asked: Entry) -> list[Entry]:
        self._tracer.ask("view", asked)
        return super()._view(asked)

    def _page_load(self, asked: Entry, executing: bool) -> Entry:
        self._tracer.ask("mbox", {**asked, "name": self._program.global_mbox})
        already = len(self._traces)
        answer = super()._page_load(asked, executing)
        answer["trace"] = self._traces[-1] if len(self._traces) > already else self._tracer.snapshot()
        return answer

    def _first_holding(self, location: Location, asked: Entry) -> CompiledRule | None:
        return next(self._holding(location, asked), None)

    def _holding(self, location: Location, asked: Entry) -> Iterator[CompiledRule]:
        values = self.values_for(WHOLE, asked)
        answered: set[Any] = set()
        for rule in self._rules_of(location):
            if rule.key in answered:
                continue
            values["allocation"] = self._allocations.get(rule.activity) or self._allocation(rule.activity)
            holds = self._holds(rule, values)
            self._tracer.evaluated(rule, values, holds)
            if holds:
                answered.add(rule.key)
                yield rule

    def _holds(self, rule: CompiledRule, values: dict[str, Any]) -> bool:
        try:
            return rule.holds(values)
        except Exception:
            self.errors.append(rule.source.where)
            return False

    def _entry(self, rule: CompiledRule, asked: Entry, executing: bool) -> Entry:
        return {**super()._entry(rule, asked, executing), "trace": self._traces[-1]}

    def _note_answer(self, rule: CompiledRule, executing: bool) -> None:
        owed: list[Any] = []
        if executing and rule.impression_tokens:
            owe(owed, rule, self._counted, (self._new_id(), self._new_id()))
        self.owed += owed
        self._tracer.answered(rule, notifications(owed, self._now_ms, self._new_id))
        self._traces.append(self._tracer.snapshot())


def _geo_tokens(program: DecisionProgram, context: dict[str, Any]) -> dict[str, Any]:
    geo = context.get("geo", _NOTHING)
    return {token: geo[key] for token, key in program.geo_tokens if key in geo}
