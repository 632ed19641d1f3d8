"""Conditions as Python functions: what requests run.

    Shape  --once-->  code;  code + literals of a condition  -->  predicate(data) -> bool

The code belongs to the shape, so ten thousand activities cost a few dozen compilations. Conditions with loops are
interpreted, because steps must be counted there; so are those that are too deep or too large to compile safely.
Source: faults.md E10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any, Final

from target_decisioning.decisioning.conditions import syntax
from target_decisioning.decisioning.conditions.condition import Condition, evaluate
from target_decisioning.decisioning.conditions.operators import If, Node, walk
from target_decisioning.decisioning.conditions.shape import Shape
from target_decisioning.decisioning.conditions.writer import NAMES, WRITABLE, Writer
from target_decisioning.decisioning.javascript import TextTooLong, is_truthy

Predicate = Callable[[dict[str, Any]], bool]

MAX_COMPILED_DEPTH: Final = 24
"""CPython compiles some 500 nested nodes; one operator becomes at most a dozen."""
MAX_COMPILED_CASES: Final = 8
"""Values of one ``if``: each nests in the one before."""
MAX_COMPILED_NODES: Final = 5_000
MAX_COMPILED_AT_ONCE: Final = 100_000
"""Nodes of all shapes compiled in one call: some two seconds. What comes after them is interpreted."""


def compile_conditions(conditions: Sequence[Condition]) -> list[Predicate]:
    """Return for each condition the function that says whether it holds, as ``Condition.holds`` does.

    Raises:
        ConditionError: from the functions, not from this one.
    """
    left = MAX_COMPILED_AT_ONCE
    predicates: list[Predicate] = []
    for condition in conditions:
        shape = condition.shape
        if "holds" not in shape.codes and (left := left - shape.nodes) < 0:
            predicates.append(condition.holds)
        else:
            predicates.append(_function(condition, "holds", _holds) or condition.holds)
    return predicates


def compile_value(condition: Condition) -> Callable[[Any], Any]:
    """Return the function that gives the condition's value, as ``Condition.evaluate`` does."""
    return _function(condition, "value", evaluate) or condition.evaluate


def module_of(shape: Shape, wanted: str) -> syntax.Module | None:
    """Return the syntax of the function that gives what is *wanted* (``holds`` or ``value``).

    None if conditions of the shape are to be interpreted.
    """
    if not _is_writable(shape):
        return None
    writer = Writer()
    write = writer.truthy if wanted == "holds" else writer.value
    return syntax.function(shape.literals, write(shape.node))


def _is_writable(shape: Shape) -> bool:
    return (
        shape.depth <= MAX_COMPILED_DEPTH
        and shape.nodes <= MAX_COMPILED_NODES
        and all(type(node) in WRITABLE and _has_few_cases(node) for node in walk(shape.node))
    )


def _has_few_cases(node: Node) -> bool:
    return not isinstance(node, If) or len(node.operands) <= 2 * MAX_COMPILED_CASES


def _function(condition: Condition, wanted: str, again: Callable[..., Any]) -> Callable[[Any], Any] | None:
    shape = condition.shape
    if wanted not in shape.codes:
        shape.codes[wanted] = _code(shape, wanted, again)
    code, names = shape.codes[wanted]
    return FunctionType(code, names, "condition", condition.literals) if code else None


def _code(shape: Shape, wanted: str, again: Callable[..., Any]) -> tuple[CodeType | None, dict[str, Any]]:
    module = module_of(shape, wanted)
    if module is None:
        return None, {}

    node = shape.node  # and not the shape, which must be able to end

    def interpret(data: Any, *literals: Any) -> Any:
        return again(node, data, literals)

    own = {"__builtins__": {}, syntax.MISFIT: (KeyError, TypeError, TextTooLong), syntax.AGAIN: interpret}
    return syntax.code_of(module), NAMES | own


def _holds(node: Node, data: Any, literals: Sequence[Any]) -> bool:
    return is_truthy(evaluate(node, data, literals))
