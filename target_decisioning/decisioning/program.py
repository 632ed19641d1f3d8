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
from target_decisioning.decisioning.context import PARTS, WHOLE
from target_decisioning.decisioning.fresh import copier
from target_decisioning.decisioning.offers import GEO_TOKENS, Offers, plan_execute, plan_prefetch
from target_decisioning.errors import ArtifactInvalid

MAX_CONDITION_NODES = 1_000_000
"""Of all conditions of an artifact together (faults.md E8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """One rule ready to run."""

    source: Rule
    holds: Callable[[dict[str, Any]], bool]
    reads_allocation: bool
    activity: bytes
    """The activity's part of what the allocation hashes; one activity's rules share it."""
    name: Any
    """The consequence's name: of the answer and of its impression."""
    frame: Callable[[], dict[str, Any]]
    """Gives a fresh copy of the consequence without options and metrics."""
    execute: Offers
    prefetch: Offers
    impression_tokens: tuple[tuple[str, Any], ...]
    """What is counted once per request, and the event token it stands for."""


@dataclass(frozen=True, slots=True)
class Location:
    """The rules of one mbox or view, or of all views, in priority order."""

    rules: tuple[CompiledRule, ...]
    by_token: dict[str | None, tuple[CompiledRule, ...]]
    untokened: tuple[CompiledRule, ...]
    needs: tuple[str, ...]
    """The parts of the context that its conditions read."""

    def rules_for(self, property_token: str | None) -> tuple[CompiledRule, ...]:
        """Return the rules that a request with *property_token* may meet (semantics.md 4.2)."""
        return self.by_token.get(property_token, self.untokened)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionProgram:
    """All that one artifact can decide for one client code. Pickles as its source artifact."""

    artifact: Artifact
    client_code: str
    mboxes: dict[str, Location]
    views: dict[str, Location]
    every_view: Location
    geo_tokens: tuple[tuple[str, str], ...]
    """The geo response tokens that the artifact lists: token, key in the context's geo."""
    local_mboxes: frozenset[str]
    local_views: frozenset[str]
    remote_mboxes: tuple[str, ...]
    remote_views: tuple[str, ...]
    undecidable: dict[tuple[str, str], list[Fault]]
    """``(kind, name)`` of each location that must be asked of the server because a rule of it is broken."""

    @property
    def version(self) -> str:
        """The artifact's ``version``."""
        return self.artifact.version

    @property
    def global_mbox(self) -> str:
        """The name of the mbox whose rules answer a page load."""
        return self.artifact.global_mbox

    @property
    def geo_targeting_enabled(self) -> bool:
        """Whether a visitor's place should be looked up if the request does not tell it."""
        return self.artifact.geo_targeting_enabled

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
    undecidable = compiler.undecidable
    broken_mboxes = [name for kind, name in undecidable if kind == "mboxes"]
    broken_views = [name for kind, name in undecidable if kind == "views"]
    remote_mboxes = tuple(dict.fromkeys([*artifact.remote_mboxes, *broken_mboxes]))
    remote_views = tuple(dict.fromkeys([*artifact.remote_views, *broken_views]))
    return DecisionProgram(
        artifact=artifact,
        client_code=client_code,
        mboxes=mboxes,
        views=views,
        every_view=_location([rule for view in views.values() for rule in view.rules], compiler.needs_of),
        geo_tokens=tuple((token, key) for token, key in GEO_TOKENS.items() if token in artifact.response_tokens),
        local_mboxes=frozenset(artifact.local_mboxes).difference(remote_mboxes),
        local_views=frozenset(artifact.local_views).difference(remote_views),
        remote_mboxes=remote_mboxes,
        remote_views=remote_views,
        undecidable=undecidable,
    )


class _Compiler:
    """Parses all conditions, compiles them together, then builds the rules around them."""

    def __init__(self, artifact: Artifact, client_code: str) -> None:
        self.artifact = artifact
        self.client_code = client_code
        self.undecidable = {place: list(faults) for place, faults in artifact.faults.items()}
        self.needs_of: dict[str, tuple[str, ...]] = {}
        self._conditions: dict[str, Condition] = {}
        self._parse()
        self._predicates = self._compile()

    def location(self, rules: list[Rule]) -> Location:
        compiled = [self._rule(rule) for rule in rules if rule.where in self._conditions]
        return _location(compiled, self.needs_of)

    def _parse(self) -> None:
        broken: list[Fault] = []
        for kind, locations in (("mboxes", self.artifact.mboxes), ("views", self.artifact.views)):
            for name, rules in locations.items():
                for rule in rules:
                    broken += self._parse_rule(kind, name, rule)
        if broken and not self._conditions:
            raise ArtifactInvalid(*broken)
        nodes = sum(condition.nodes for condition in self._conditions.values())
        if nodes > MAX_CONDITION_NODES:
            raise ArtifactInvalid(("rules", f"conditions of {nodes} nodes in all", f"at most {MAX_CONDITION_NODES}"))

    def _parse_rule(self, kind: str, name: str, rule: Rule) -> tuple[Fault, ...]:
        where = f"{rule.where}.condition"
        try:
            condition = parse(rule.condition, where)
        except ArtifactInvalid as error:
            self.undecidable.setdefault((kind, name), []).extend(error.faults)
            return error.faults
        self._conditions[rule.where] = condition
        self.needs_of[rule.where] = _needs(condition)
        if condition.unknown_operators:
            found = ", ".join(f"operator '{operator[:80]}'" for operator in condition.unknown_operators)
            self.undecidable.setdefault((kind, name), []).append((where, found, "an operator of JsonLogic"))
        return ()

    def _compile(self) -> dict[str, Callable[[dict[str, Any]], bool]]:
        known = {where: each for where, each in self._conditions.items() if not each.unknown_operators}
        return dict(zip(known, compile_conditions(list(known.values())), strict=True))

    def _rule(self, rule: Rule) -> CompiledRule:
        listed = self.artifact.response_tokens
        name = rule.consequence.get("name")
        return CompiledRule(
            source=rule,
            holds=self._predicates.get(rule.where, _never),
            reads_allocation="allocation" in self._conditions[rule.where].reads
            or self._conditions[rule.where].reads_everything,
            activity=activity_part(self.client_code, activity_text(rule.meta.get("activity.id"))),
            name=name,
            frame=copier({key: value for key, value in rule.consequence.items() if key not in ("options", "metrics")}),
            execute=plan_execute(rule, listed),
            prefetch=plan_prefetch(rule, listed),
            impression_tokens=tuple(
                (f"{name}-{option['eventToken']}", option["eventToken"])
                for option in rule.options
                if "eventToken" in option
            ),
        )


def _never(_values: dict[str, Any]) -> bool:
    return False


def _needs(condition: Condition) -> tuple[str, ...]:
    return WHOLE if condition.reads_everything else tuple(part for part in WHOLE if part in condition.reads)


def _location(rules: list[CompiledRule], needs_of: dict[str, tuple[str, ...]]) -> Location:
    tokens = {token for rule in rules for token in rule.source.property_tokens or ()}
    needed = {need for rule in rules for need in needs_of[rule.source.where]}
    return Location(
        rules=tuple(rules),
        by_token={token: _meeting(rules, token) for token in tokens},
        untokened=_meeting(rules, None),
        needs=tuple(part for part in PARTS if part in needed),
    )


def _meeting(rules: Iterable[CompiledRule], token: str | None) -> tuple[CompiledRule, ...]:
    return tuple(rule for rule in rules if rule.source.property_tokens is None or token in rule.source.property_tokens)
