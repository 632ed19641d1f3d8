"""A condition in the words of a reader: ``{"<=": [0, {"var": "allocation"}]}`` is ``0 <= allocation``.

For people only; nothing reads it back. Source of the operators: semantics.md 3.6.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from target_decisioning.decisioning.javascript import UNDEFINED

_CHAINED: Final = frozenset({"<", "<="})
_BETWEEN_TWO: Final = frozenset({"==", "!=", "===", "!==", "<", "<=", ">", ">=", "in", "-", "/", "%"})
_BETWEEN_ALL: Final = frozenset({"and", "or", "+", "*"})
_IS_PLAIN_KEY: Final = re.compile(r"[^\W\d][\w$-]*(?:\.[\w$-]+)*").fullmatch


def operation(expression: Any) -> tuple[str, list[Any]] | None:
    """Return the operator and the arguments of *expression*; None if it is a constant or a list."""
    if type(expression) is not dict or len(expression) != 1:
        return None
    ((operator, arguments),) = expression.items()
    return operator, arguments if type(arguments) is list else [arguments]


def spell(expression: Any) -> str:
    """Return *expression*, a part of a condition, as one line of text."""
    if type(expression) is list:
        return f"[{', '.join(map(spell, expression))}]"
    found = operation(expression)
    return spell_value(expression) if found is None else _spell_operation(*found)


def spell_value(value: Any) -> str:
    """Return a value as JSON has it, on one line; ``undefined``, ``NaN`` and ``Infinity`` as JavaScript has them."""
    return "undefined" if value is UNDEFINED else json.dumps(whole(value), ensure_ascii=False, default=str)


def whole(value: Any) -> Any:
    """Return *value* with each number that has no fraction as an int, as JavaScript writes it (up to 2**53)."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(entry) for entry in value]
    if isinstance(value, dict):
        return {key: whole(entry) for key, entry in value.items()}
    return value


def _spell_operation(operator: str, arguments: list[Any]) -> str:
    count = len(arguments)
    if operator == "var" and count and isinstance(arguments[0], str) and _IS_PLAIN_KEY(arguments[0]):
        return arguments[0] if count == 1 else f"({arguments[0]} or else {spell(arguments[1])})"
    if operator == "!" and count == 1:
        return f"not {_inner(arguments[0])}"
    is_infix = (
        (operator in _BETWEEN_TWO and count == 2)
        or (operator in _CHAINED and count == 3)
        or (operator in _BETWEEN_ALL and count > 1)
    )
    if is_infix:
        return f" {operator} ".join(map(_inner, arguments))
    return f"{operator}({', '.join(map(spell, arguments))})"


def _inner(expression: Any) -> str:
    """Spell an operand, in parentheses where it is itself made of operands."""
    found = operation(expression)
    text = spell(expression)
    is_compound = found is not None and found[0] in (_BETWEEN_TWO | _BETWEEN_ALL | {"!"}) and " " in text
    return f"({text})" if is_compound else text
