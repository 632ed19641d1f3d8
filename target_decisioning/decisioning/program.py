"""An artifact made ready to decide: immutable, shared by all requests and threads until the next one replaces it.

    Artifact  --compile_program(client code)-->  DecisionProgram  (locations -> compiled rules; what is remote)

Everything that depends on the artifact alone is worked out here, once. Source: semantics.md 2.2, 4.1, 4.2, 4.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from target_decisioning.decisioning.allocation import activity_part, activity_text
from target_decisioning.decisioning.artifact import Artifact, Fault, Rule, read
from target_decisioning.decisioning.conditions import Condition, compile_conditions, parse
from target_decisioning.decisioning.context import EVERYTHING, FactNeeds
from target_decisioning.decisioning.document import quoted
from target_decisioning.decisioning.offers import GEO_TOKENS, Offers, Planner
from target_decisioning.errors import ArtifactInvalid

Undecidable = dict[tuple[str, str], list[Fault]]
"""``(kind, name)`` of a location that only the server decides (kind: ``mboxes``, ``views``) -> what is wrong there."""

MAX_SORTED_TOKENS = 64
"""Property tokens of one location that its rules are sorted by at load; with more, each request looks through them."""
MAX_CONDITION_NODES = 1_000_000
"""Of all conditions of an artifact together (faults.md E8)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledRule:
    """One rule ready to run."""

    source: Rule
    holds: Callable[[dict[str, Any]], bool]
    reads: frozenset[str]
    """The parts of the context that its condition reads."""
    reads_allocation: bool
    key: Any
    """Of a location's rules with one key, one answers."""
    activity: bytes
    """The activity's part of what the allocation hashes; one activity's rules share it."""
    name: Any
    """The consequence's name: of the answer and of its impression."""
    execute: Offers
    prefetch: Offers
    impression_counts: tuple[str, ...]
    """What its impression counts, each once per request ..."""
    impression_tokens: tuple[Any, ...]
    """... and the event tokens that these stand for."""


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """The rules of one mbox or view, or of all views, in priority order."""

    rules: tuple[CompiledRule, ...]
    by_token: dict[str | None, tuple[CompiledRule, ...]] | None
    """Property token -> the rules that it meets, None -> those that any other meets; empty where there are too many
    tokens to sort by. None: every rule meets every request."""
    needs: FactNeeds | None
    """What its conditions read, if anything but the allocation."""

    def rules_for(self, property_token: str | None) -> tuple[CompiledRule, ...]:
        """Return the rules that a request with *property_token* may meet (semantics.md 4.2)."""
        if self.by_token is None:
            return self.rules
        if not self.by_token:
            return _meeting(self.rules, property_token)
        return self.by_token.get(property_token, self.by_token[None])


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class DecisionProgram:
    """All that one artifact can decide for one client code. Pickles as its source artifact."""

    artifact: Artifact
    client_code: str
    version: str
    global_mbox: str
    """The name of the mbox whose rules answer a page load."""
    geo_targeting_enabled: bool
    """Whether a visitor's place should be looked up if the request does not tell it."""
    mboxes: dict[str, Location]
    views: dict[str, Location]
    every_view: Location
    geo_tokens: tuple[tuple[str, str], ...]
    """The geo response tokens that the artifact lists: token, key in the request's geo."""
    local_mboxes: frozenset[str]
    local_views: frozenset[str]
    remote_mboxes: tuple[str, ...]
    remote_views: tuple[str, ...]
    undecidable: Undecidable

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_program, (self.artifact, self.client_code)


def load_program(source: bytes | bytearray | str | dict[str, Any], client_code: str) -> DecisionProgram:
    """Read, check and compile an artifact.

    Raises:
        ArtifactUnsupported: its major version is not 1.
        ArtifactInvalid: no JSON, or the frame, or every rule, breaks the format or a limit.
    """
    return compile_program(read(source), client_code)


def compile_program(artifact: Artifact, client_code: str) -> DecisionProgram:
    """Compile a checked artifact.

    Raises:
        ArtifactInvalid: not one rule can be compiled, or all conditions together are too large.
    """
    compiler = _Compiler(artifact, client_code)
    mboxes = {name: compiler.location(rules) for name, rules in artifact.mboxes.items()}
    views = {name: compiler.location(rules) for name, rules in artifact.views.items()}
    remote_mboxes = _remote(artifact.remote_mboxes, "mboxes", compiler.undecidable)
    remote_views = _remote(artifact.remote_views, "views", compiler.undecidable)
    return DecisionProgram(
        artifact=artifact,
        client_code=client_code,
        version=artifact.version,
        global_mbox=artifact.global_mbox,
        geo_targeting_enabled=artifact.geo_targeting_enabled,
        mboxes=mboxes,
        views=views,
        every_view=_location([rule for view in views.values() for rule in view.rules]),
        geo_tokens=tuple((token, key) for token, key in GEO_TOKENS.items() if token in artifact.response_tokens),
        local_mboxes=frozenset(artifact.local_mboxes).difference(remote_mboxes),
        local_views=frozenset(artifact.local_views).difference(remote_views),
        remote_mboxes=remote_mboxes,
        remote_views=remote_views,
        undecidable=compiler.undecidable,
    )


def _remote(listed: tuple[str, ...], kind: str, undecidable: Undecidable) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*listed, *(name for broken, name in undecidable if broken == kind)]))


class _Compiler:
    """Parses all conditions, equal ones once, compiles them together, then builds the rules around them."""

    def __init__(self, artifact: Artifact, client_code: str) -> None:
        self._client_code = client_code
        self._planner = Planner(artifact.response_tokens)
        self.undecidable: Undecidable = {place: list(faults) for place, faults in artifact.faults.items()}
        self._conditions: dict[Rule, Condition] = {}
        self._parsed: dict[str, Condition] = {}
        self._activities: dict[bytes, bytes] = {}
        self._parse("mboxes", artifact.mboxes)
        self._parse("views", artifact.views)
        self._check()
        known = [condition for condition in self._parsed.values() if not condition.unknown_operators]
        self._predicates = dict(zip(known, compile_conditions(known), strict=True))

    def location(self, rules: list[Rule]) -> Location:
        """Compile the rules of one location; without those whose condition breaks a limit."""
        return _location([self._rule(rule) for rule in rules if rule in self._conditions])

    def _parse(self, kind: str, locations: dict[str, list[Rule]]) -> None:
        for name, rules in locations.items():
            faults = [fault for rule in rules for fault in self._parse_rule(rule)]
            if faults:
                self.undecidable.setdefault((kind, name), []).extend(faults)

    def _parse_rule(self, rule: Rule) -> tuple[Fault, ...]:
        where = f"{rule.where}.condition"
        try:
            if rule.condition_text not in self._parsed:
                self._parsed[rule.condition_text] = parse(rule.condition, where)
        except ArtifactInvalid as error:
            return error.faults
        condition = self._conditions[rule] = self._parsed[rule.condition_text]
        if not condition.unknown_operators:
            return ()
        unknown = ", ".join(f"operator {quoted(operator)}" for operator in condition.unknown_operators)
        return ((where, unknown, "an operator of JsonLogic"),)

    def _check(self) -> None:
        if self.undecidable and not self._conditions:
            raise ArtifactInvalid(*(fault for faults in self.undecidable.values() for fault in faults))
        nodes = sum(condition.nodes for condition in self._conditions.values())
        if nodes > MAX_CONDITION_NODES:
            raise ArtifactInvalid(("rules", f"conditions of {nodes} nodes in all", f"at most {MAX_CONDITION_NODES}"))

    def _rule(self, rule: Rule) -> CompiledRule:
        name, meta = rule.frame.get("name"), rule.meta
        activity = activity_part(self._client_code, activity_text(meta.get("activity.id")))
        condition = self._conditions[rule]
        reads = _reads(condition)
        execute, prefetch = self._planner.offers(rule, meta)
        tokens = _impression_tokens(name, rule)
        return CompiledRule(
            source=rule,
            holds=self._predicates.get(condition, _never),
            reads=reads,
            reads_allocation="allocation" in reads,
            key=rule.key,
            activity=self._activities.setdefault(activity, activity),
            name=name,
            execute=execute,
            prefetch=prefetch,
            impression_counts=tuple(tokens),
            impression_tokens=tuple(tokens.values()),
        )


def _impression_tokens(name: Any, rule: Rule) -> dict[str, Any]:
    tokens: dict[str, Any] = {}
    for option in rule.options:
        if "eventToken" in option:
            tokens.setdefault(f"{name}-{option['eventToken']}", option["eventToken"])
    return tokens


def _never(_values: dict[str, Any]) -> bool:
    return False


def _reads(condition: Condition) -> frozenset[str]:
    return EVERYTHING if condition.reads_everything else condition.reads


def _location(rules: list[CompiledRule]) -> Location:
    reads = frozenset().union(*(rule.reads for rule in rules))
    needs = FactNeeds.of(reads) if reads - {"allocation"} else None
    return Location(rules=tuple(rules), by_token=_by_token(rules), needs=needs)


def _by_token(rules: list[CompiledRule]) -> dict[str | None, tuple[CompiledRule, ...]] | None:
    if all(rule.source.property_tokens is None for rule in rules):
        return None
    tokens = {token for rule in rules for token in rule.source.property_tokens or ()}
    return {token: _meeting(rules, token) for token in (None, *tokens)} if len(tokens) <= MAX_SORTED_TOKENS else {}


def _meeting(rules: Iterable[CompiledRule], token: str | None) -> tuple[CompiledRule, ...]:
    return tuple(rule for rule in rules if rule.source.property_tokens is None or token in rule.source.property_tokens)
