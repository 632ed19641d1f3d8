"""A condition taken apart: what each of its parts saw, and whether it held.

    condition + data  --check-->  Check (a tree: ``and``, ``or``, ``not``, ``if``; its leaves are what was compared)

Every part is evaluated by the interpreter on its own, also one that the condition as a whole did not come to:
``is_reached`` tells them apart. Source: semantics.md 3.6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from target_decisioning.decisioning.conditions import ConditionError, parse
from target_decisioning.decisioning.conditions.functions import is_true
from target_decisioning.decisioning.javascript import UNDEFINED
from target_decisioning.decisioning.spelling import operation, spell, spell_value, whole

_CHOICES: Final = frozenset({"if", "?:"})
_NEGATIONS: Final = frozenset({"!", "!!"})
_LOOPS: Final = frozenset({"filter", "map", "reduce", "all", "none", "some"})
_TESTS: Final = frozenset({"==", "!=", "===", "!==", "<", "<=", ">", ">=", "in", "all", "none", "some"})
_LONGEST_SPELLED: Final = 160


@dataclass(frozen=True, slots=True)
class Seen:
    """A part of a leaf that is no constant, and the value it had."""

    expression: Any
    value: Any

    @property
    def text(self) -> str:
        """``allocation = 23.4``."""
        return f"{spell(self.expression)} = {spell_value(self.value)}"

    def to_wire(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {"expression": self.expression, "value": plain_value(self.value)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part of a condition.

    ``operator`` is None for a constant. ``arguments`` are as the artifact has them. ``holds`` is JsonLogic's truth of
    ``value``. ``error`` says why there is no value. A leaf has ``seen``; ``and``, ``or``, ``if`` and the negation of
    such have ``checks`` for their arguments instead.
    """

    operator: str | None
    arguments: tuple[Any, ...]
    text: str
    value: Any
    holds: bool
    is_reached: bool
    error: str | None = None
    seen: tuple[Seen, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def why(self) -> str:
        """Say of a part that does not hold what of it does not."""
        if self.error:
            return f"the condition {self.error}"
        if self.operator is None:
            return f"its condition is {shortened(self.text)}, which never holds"
        if self.operator == "and" and self.checks:
            return next((each for each in self.checks if not each.holds), self.checks[-1]).why
        seen = ", ".join(shortened(each.text) for each in self.seen)
        return f"{shortened(self.text)} does not hold{f' ({seen})' if seen else ''}"

    def to_wire(self) -> dict[str, Any]:
        """Return it and what is in it JSON-ready."""
        wire: dict[str, Any] = {"operator": self.operator, "text": self.text}
        if self.operator is not None and not self.checks:
            wire["arguments"] = list(self.arguments)
            wire["saw"] = [seen.to_wire() for seen in self.seen]
        wire |= {"value": plain_value(self.value), "holds": self.holds, "evaluated": self.is_reached}
        if self.error:
            wire["error"] = self.error
        if self.checks:
            wire["checks"] = [check.to_wire() for check in self.checks]
        return wire


def check(condition: Any, data: dict[str, Any], *, is_reached: bool = True) -> Check:
    """Take *condition* apart and evaluate all of it.

    Args:
        condition: as the artifact has it; within the limits that ``parse`` keeps.
        data: the context of the rule, whole.
        is_reached: whether the engine comes to it.
    """
    operator, arguments = operation(condition) or (None, [])
    value, error = _evaluated(condition, data)
    is_group = _is_group(operator, arguments)
    return Check(
        operator=operator,
        arguments=tuple(arguments),
        text=spell(condition),
        value=value,
        holds=error is None and is_true(value),
        is_reached=is_reached,
        error=error,
        seen=() if is_group else tuple(_seen(operator, arguments, data)),
        checks=tuple(_parts(operator, arguments, data, is_reached)) if is_group else (),
    )


def shortened(text: str) -> str:
    """Return *text*, cut where it is too long for a line."""
    return text if len(text) <= _LONGEST_SPELLED else f"{text[: _LONGEST_SPELLED - 1]}…"


def plain_value(value: Any) -> Any:
    """Return *value* as JSON can hold it: undefined is null, a number that is none or without end is text."""
    if isinstance(value, float) and not math.isfinite(value):
        return spell_value(value)
    if isinstance(value, list):
        return [plain_value(entry) for entry in value]
    if isinstance(value, dict):
        return {key: plain_value(entry) for key, entry in value.items()}
    return None if value is UNDEFINED else whole(value)


def _is_group(operator: str | None, arguments: list[Any]) -> bool:
    if operator in _NEGATIONS and len(arguments) == 1:
        inner, inside = operation(arguments[0]) or (None, [])
        return inner in _TESTS or _is_group(inner, inside)
    return bool(arguments) and (operator in ("and", "or") or operator in _CHOICES)


def _parts(operator: str | None, arguments: list[Any], data: dict[str, Any], is_reached: bool) -> Iterator[Check]:
    """Check the arguments of a group, in order; ``and`` and ``or`` stop at the one that settles them."""
    if operator in _CHOICES:
        yield from _choices(arguments, data, is_reached)
        return
    for argument in arguments:
        part = check(argument, data, is_reached=is_reached)
        yield part
        if (operator == "and" and not part.holds) or (operator == "or" and part.holds) or part.error:
            is_reached = False


def _choices(arguments: list[Any], data: dict[str, Any], is_reached: bool) -> Iterator[Check]:
    for place in range(0, len(arguments) - 1, 2):
        test = check(arguments[place], data, is_reached=is_reached)
        yield test
        yield check(arguments[place + 1], data, is_reached=is_reached and test.holds)
        is_reached = is_reached and not test.holds and not test.error
    if len(arguments) % 2:
        yield check(arguments[-1], data, is_reached=is_reached)


def _seen(operator: str | None, arguments: list[Any], data: dict[str, Any]) -> Iterator[Seen]:
    """Yield what is in a leaf, the outermost first and each once; inside a loop ``var`` means the entry, not *data*."""
    spelled: set[str] = set()
    for expression in _expressions(operator, arguments):
        text = spell(expression)
        value, error = _evaluated(expression, data)
        if text not in spelled and error is None:
            spelled.add(text)
            yield Seen(expression, value)


def _expressions(operator: str | None, arguments: list[Any]) -> Iterator[Any]:
    for argument in arguments[:1] if operator in _LOOPS else arguments:
        found = operation(argument)
        if found is not None:
            yield argument
            yield from _expressions(*found)
        elif isinstance(argument, list):
            yield from _expressions(None, argument)


def _evaluated(expression: Any, data: dict[str, Any]) -> tuple[Any, str | None]:
    """Return the value of *expression*, or why it has none."""
    try:
        return parse(expression, "condition").evaluate(data), None
    except ConditionError as error:
        return UNDEFINED, error.reason
    except Exception as error:  # as the engine: whatever goes wrong in a condition costs that rule alone
        return UNDEFINED, f"fails ({type(error).__name__})"
