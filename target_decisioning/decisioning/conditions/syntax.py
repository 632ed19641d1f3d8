"""The few kinds of Python syntax that compiled conditions are made of.

Names are ours, literals never appear: a condition's own are arguments of the function. A test walks all generated
code against this list. Source: faults.md E10.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import CodeType
from typing import Final, TypedDict

DATA: Final = "d"
"""The function's first argument."""
MISFIT: Final = "misfit"
AGAIN: Final = "again"
"""Names that a function takes from the one who compiles it: exceptions, and the function that answers after one."""


class _Place(TypedDict):
    lineno: int
    col_offset: int


_PLACE: Final = _Place(lineno=1, col_offset=0)
"""Where each part stands in its source: Python must be told, though there is none."""

Expression = ast.expr
Module = ast.Module


def name(identifier: str) -> Expression:
    """``identifier``."""
    return ast.Name(identifier, ast.Load(), **_PLACE)


def literal(index: int) -> Expression:
    """The literal at *index*: an argument of the function."""
    return name(f"c{index}")


def constant(value: bool | None) -> Expression:
    """``True``, ``False`` or ``None``."""
    return ast.Constant(value, **_PLACE)


def keep(identifier: str, value: Expression) -> Expression:
    """``(identifier := value)``."""
    return ast.NamedExpr(ast.Name(identifier, ast.Store(), **_PLACE), value, **_PLACE)


def item(container: Expression, key: Expression) -> Expression:
    """``container[key]``."""
    return ast.Subscript(container, key, ast.Load(), **_PLACE)


def call(function: str, *arguments: Expression) -> Expression:
    """``function(*arguments)``."""
    return ast.Call(name(function), list(arguments), [], **_PLACE)


def list_of(entries: Sequence[Expression]) -> Expression:
    """``[*entries]``."""
    return ast.List(list(entries), ast.Load(), **_PLACE)


def compare(left: Expression, operator: type[ast.cmpop], *others: Expression) -> Expression:
    """``left operator others[0] operator others[1] ...``."""
    return ast.Compare(left, [operator() for _ in others], list(others), **_PLACE)


def negation(value: Expression) -> Expression:
    """``not value``."""
    return ast.UnaryOp(ast.Not(), value, **_PLACE)


def both(values: Sequence[Expression]) -> Expression:
    """``values[0] and values[1] and ...``; at least one."""
    return ast.BoolOp(ast.And(), list(values), **_PLACE) if len(values) > 1 else values[0]


def either(values: Sequence[Expression]) -> Expression:
    """``values[0] or values[1] or ...``; at least one."""
    return ast.BoolOp(ast.Or(), list(values), **_PLACE) if len(values) > 1 else values[0]


def choice(test: Expression, then: Expression, otherwise: Expression) -> Expression:
    """``then if test else otherwise``."""
    return ast.IfExp(test, then, otherwise, **_PLACE)


def function(literals: int, result: Expression) -> ast.Module:
    """A function of the data and *literals* literals that answers *result*, or asks ``again`` what does not fit::

    def condition(d, c0, c1):
        try:
            return <result>
        except misfit:
            return again(d, c0, c1)
    """
    names = [f"c{index}" for index in range(literals)]
    retry = call(AGAIN, *map(name, [DATA, *names]))
    handler = ast.ExceptHandler(name(MISFIT), None, [ast.Return(retry, **_PLACE)], **_PLACE)
    body: list[ast.stmt] = [ast.Try([ast.Return(result, **_PLACE)], [handler], [], [], **_PLACE)]
    arguments = ast.arguments([], [ast.arg(each, **_PLACE) for each in [DATA, *names]], None, [], [], None, [])
    definition = ast.FunctionDef("condition", arguments, body, [], **_PLACE)
    return ast.Module([definition], [])


def code_of(module: ast.Module) -> CodeType:
    """Return the code of the one function in *module*."""
    return next(part for part in compile(module, "<condition>", "exec").co_consts if isinstance(part, CodeType))
