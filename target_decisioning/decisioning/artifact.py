"""An artifact that keeps the format's rules, or the list of what breaks them.

    bytes | text | dict  --read-->  Artifact  (version, lists, rules per location in priority order)

A fault in the artifact's frame rejects it whole. A fault in one rule takes only that rule's location out of the local
decisions; if no rule is left unharmed, the artifact is rejected with all faults.

Source: semantics.md 2.2, faults.md A4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from target_decisioning.decisioning import document
from target_decisioning.decisioning.compact import Compactor, Record, restore
from target_decisioning.decisioning.document import json_kind, place, quoted
from target_decisioning.decisioning.nesting import MAX_PART_DEPTH, is_deeper
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported

SUPPORTED_MAJOR_VERSION = "1"
DEFAULT_GLOBAL_MBOX = "target-global-mbox"

_has_supported_major_version = re.compile(rf"\s*\+?0*{SUPPORTED_MAJOR_VERSION}(?![0-9])").match

_OWN = frozenset(("options", "metrics", "index"))
"""The keys of a consequence that an answer has its own of."""

Fault = tuple[str, str, str]
"""Where, what was found, what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One rule as the artifact has it; its condition is not looked into yet."""

    where: str
    """Its path, for messages."""
    key: Any
    condition_text: str
    """Its condition as JSON: a tenth of the memory that the value takes. Equal conditions share one text."""
    property_tokens: frozenset[str] | None
    meta_record: Record
    frame: dict[str, Any]
    """The consequence without what an answer has its own of: options, metrics, index."""
    option_records: tuple[Record, ...]
    metrics: tuple[dict[str, Any], ...]
    """The consequence's metrics, in order."""

    @property
    def condition(self) -> Any:
        """Its condition, made anew each time; None where there is none."""
        return document.load(self.condition_text)

    @property
    def meta(self) -> dict[str, Any]:
        """What the artifact tells of the activity, the experience and the offer."""
        return restore(self.meta_record)

    @property
    def options(self) -> list[dict[str, Any]]:
        """The consequence's offers, in order."""
        return [restore(record) for record in self.option_records]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Artifact:
    """A readable artifact of a supported version.

    ``mboxes`` and ``views`` map a location's name to its unharmed rules in priority order; ``faults`` maps
    ``(kind, name)`` of each location that has a broken rule to what is wrong with it.
    """

    version: str
    meta: dict[str, Any]
    global_mbox: str
    geo_targeting_enabled: bool
    response_tokens: frozenset[str]
    local_mboxes: tuple[str, ...]
    remote_mboxes: tuple[str, ...]
    local_views: tuple[str, ...]
    remote_views: tuple[str, ...]
    mboxes: dict[str, list[Rule]]
    views: dict[str, list[Rule]]
    faults: dict[tuple[str, str], list[Fault]] = field(default_factory=dict)


def read(source: bytes | bytearray | str | dict[str, Any]) -> Artifact:
    """Read and check an artifact; nothing of *source* is kept.

    Raises:
        ArtifactUnsupported: its major version is not 1.
        ArtifactInvalid: no JSON, or the frame, or every rule, breaks the format; tells all faults that were found.
    """
    raw = document.read(source)
    frame = _Frame(raw)
    version = frame.version()
    rules = frame.mapping(raw, "rules")
    reader = _Rules()
    artifact = Artifact(
        version=version,
        meta=frame.meta(),
        global_mbox=frame.text("globalMbox") or DEFAULT_GLOBAL_MBOX,
        geo_targeting_enabled=frame.truth("geoTargetingEnabled"),
        response_tokens=frozenset(frame.names("responseTokens")),
        local_mboxes=frame.names("localMboxes"),
        remote_mboxes=frame.names("remoteMboxes"),
        local_views=frame.names("localViews"),
        remote_views=frame.names("remoteViews"),
        mboxes=reader.locations("mboxes", frame.mapping(rules, "mboxes", "rules.")),
        views=reader.locations("views", frame.mapping(rules, "views", "rules.")),
        faults=reader.faults,
    )
    is_usable = not artifact.faults or any(any(kind.values()) for kind in (artifact.mboxes, artifact.views))
    if frame.faults or not is_usable:
        raise ArtifactInvalid(*frame.faults, *(fault for found in artifact.faults.values() for fault in found))
    return artifact


class _Frame:
    """The parts outside the rules; a missing or null one has its default, a wrong one is a fault."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.faults: list[Fault] = []

    def version(self) -> str:
        """Return the version, if its major one is supported; read as JavaScript's ``parseInt`` reads it."""
        version = self.raw.get("version")
        if not isinstance(version, str):
            self.faults.append(("version", json_kind(version), "text such as 1.0.0"))
            return ""
        if not _has_supported_major_version(version):
            raise ArtifactUnsupported(quoted(version)[1:-1], SUPPORTED_MAJOR_VERSION)
        return version

    def mapping(self, parent: dict[str, Any], key: str, prefix: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self._checked(parent.get(key), dict, {}, prefix + key, "an object")
        return found

    def meta(self) -> dict[str, Any]:
        meta = self.mapping(self.raw, "meta")
        self.faults += _too_deep("meta", meta)
        return meta

    def text(self, key: str) -> str:
        found: str = self._checked(self.raw.get(key), str, "", key, "text")
        return found

    def truth(self, key: str) -> bool:
        found: bool = self._checked(self.raw.get(key), bool, False, key, "true or false")
        return found

    def names(self, key: str) -> tuple[str, ...]:
        names = self._checked(self.raw.get(key), list, [], key, "a list of names")
        for index, name in enumerate(names):
            self._checked(name, str, "", f"{key}[{index}]", "a name")
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))

    def _checked(self, value: Any, kind: type, default: Any, where: str, expected: str) -> Any:
        if value is None:
            return default
        if isinstance(value, kind):
            return value
        self.faults.append((where, json_kind(value), expected))
        return default


class _Rules:
    """Reads the rules; what equal ones have in common is kept once."""

    def __init__(self) -> None:
        self.faults: dict[tuple[str, str], list[Fault]] = {}
        self._compactor = Compactor()

    def locations(self, kind: str, raw: dict[str, Any]) -> dict[str, list[Rule]]:
        """Return the unharmed rules of each location; what is wrong with the others is in ``faults``."""
        locations = {}
        for name in list(raw):
            found: list[Fault] = []
            rules = raw.pop(name)  # its memory is used again for the next location
            locations[name] = list(self._rules(place(f"rules.{kind}", name), rules, found))
            if found:
                self.faults[kind, name] = found
        return locations

    def _rules(self, where: str, rules: Any, faults: list[Fault]) -> Iterator[Rule]:
        if not isinstance(rules, list):
            faults.append((where, json_kind(rules), "a list of rules"))
            return
        for index, raw in enumerate(rules):
            here = f"{where}[{index}]"
            found = _faults(here, raw)
            if found:
                faults += found
            else:
                yield self._rule(here, raw)

    def _rule(self, where: str, raw: dict[str, Any]) -> Rule:
        compact = self._compactor
        consequence = raw.get("consequence") or {}
        tokens = raw.get("propertyTokens")
        return Rule(
            where=where,
            key=raw.get("ruleKey"),
            condition_text=compact.text(raw.get("condition")),
            property_tokens=frozenset(tokens) if tokens else None,
            meta_record=compact.record(raw.get("meta") or {}),
            frame=compact.labels({key: value for key, value in consequence.items() if key not in _OWN}),
            option_records=tuple(map(compact.record, consequence.get("options") or ())),
            metrics=tuple(consequence.get("metrics") or ()),
        )


def _faults(where: str, raw: Any) -> list[Fault]:
    if not isinstance(raw, dict):
        return [(where, json_kind(raw), "a rule (an object)")]
    faults: list[Fault] = []
    answer, told = f"{where}.consequence", f"{where}.meta"
    consequence = _part(where, raw, "consequence", dict, faults)
    _texts(where, raw, "propertyTokens", faults)
    meta = _part(where, raw, "meta", dict, faults)
    _objects(answer, consequence, "options", faults)
    _objects(answer, consequence, "metrics", faults)
    _part(told, meta, "audience.ids", list, faults)
    _scalar(answer, consequence, "name", faults)
    _scalar(where, raw, "ruleKey", faults)
    return faults + _too_deep(answer, consequence) + _too_deep(told, meta)


def _too_deep(where: str, part: dict[str, Any]) -> list[Fault]:
    """An answer copies what the artifact has, level by level: the levels are limited."""
    if is_deeper(part, MAX_PART_DEPTH):
        return [(where, f"more than {MAX_PART_DEPTH} levels of nesting", f"at most {MAX_PART_DEPTH}")]
    return []


def _part(where: str, raw: dict[str, Any], key: str, kind: type, faults: list[Fault]) -> Any:
    value = raw.get(key)
    if value is None:
        return kind()
    if isinstance(value, kind):
        return value
    faults.append((place(where, key), json_kind(value), "an object" if kind is dict else "a list"))
    return kind()


def _texts(where: str, raw: dict[str, Any], key: str, faults: list[Fault]) -> None:
    faults.extend(
        (f"{where}.{key}[{index}]", json_kind(value), "text")
        for index, value in enumerate(_part(where, raw, key, list, faults))
        if not isinstance(value, str)
    )


def _objects(where: str, raw: dict[str, Any], key: str, faults: list[Fault]) -> None:
    for index, value in enumerate(_part(where, raw, key, list, faults)):
        if isinstance(value, dict):
            _scalar(f"{where}.{key}[{index}]", value, "eventToken", faults)
        else:
            faults.append((f"{where}.{key}[{index}]", json_kind(value), "an object"))


def _scalar(where: str, raw: dict[str, Any], key: str, faults: list[Fault]) -> None:
    if isinstance(raw.get(key), dict | list):
        faults.append((f"{where}.{key}", json_kind(raw[key]), "text"))
