"""Python expressions that answer as the operators do, for data as they usually are.

Objects where a path goes through, numbers where it promises numbers: where the data are otherwise, the expression
raises ``KeyError`` or ``TypeError``, and the interpreter must be asked. So an expression may leave to Python what
Python and JavaScript agree on, or what Python refuses, and must check only where both would answer, but differently:

    == text      Python's == is true of the same text only; what is no text needs JavaScript's rules
    == number    likewise for numbers; True == 1 in both
    < number     numbers and booleans compare alike, NaN is never less; all else is a TypeError
    < text       texts compare alike if one has only characters under U+D800; all else is a TypeError
    in text      alike for texts that are not empty and have no lone surrogate
    and, or      alike on booleans
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from target_decisioning.decisioning.conditions.functions import READING, STRICT, is_true
from target_decisioning.decisioning.conditions.operators import (
    NUMBER,
    ODD_TEXT,
    TEXT,
    TEXTS,
    And,
    Constant,
    Hole,
    If,
    ListOf,
    Node,
    Or,
    Path,
    Reading,
    Strict,
    Var,
)
from target_decisioning.decisioning.conditions.paths import read, read_key
from target_decisioning.decisioning.conditions.syntax import (
    DATA,
    Expression,
    both,
    call,
    choice,
    compare,
    constant,
    either,
    item,
    keep,
    list_of,
    literal,
    name,
    negation,
)
from target_decisioning.decisioning.javascript import UNDEFINED, is_truthy, loose_equals


def read_parts(data: Any, parts: Sequence[str], default: Any = None, *_: Any) -> Any:
    """Return what ``var`` finds along *parts*."""
    return read(data, parts, None if default is UNDEFINED else default)


NAMES: Final[dict[str, Any]] = {
    "type_of": type,
    "text": str,
    "boolean": bool,
    "numbers": (float, int),
    "undefined": UNDEFINED,
    "entries_of": list,
    **{function.__name__: function for function in (is_true, is_truthy, loose_equals, read_key, read_parts)},
    **{function.__name__: function for function in (*STRICT.values(), *READING.values())},
}
"""All that an expression may call or compare with, besides its arguments."""
_EQUALITIES: Final = frozenset({"==", "!=", "===", "!=="})
_ORDERS: Final[dict[str, type[ast.cmpop]]] = {"<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE}
_NATIVE: Final = {("number", NUMBER), ("time", TEXT)}
"""Sorts of paths, and kinds of literals that may be compared with their values as they are."""


class Writer:
    """Writes the expressions of one function."""

    def __init__(self) -> None:
        self._kept = 0

    def value(self, node: Node) -> Expression:
        """Write the value of *node*."""
        return _VALUES[type(node)](self, node)

    def truthy(self, node: Node) -> Expression:
        """Write whether the value of *node* is truthy in JavaScript, as True or False."""
        if node.is_boolean:
            return self.value(node)
        if isinstance(node, If):
            return self._cases(node, self.truthy, constant(False))
        if isinstance(node, And) and node.operands and all(operand.is_boolean for operand in node.operands[:-1]):
            return _joined(node, [*map(self.value, node.operands[:-1]), self.truthy(node.operands[-1])])
        return call("is_truthy", self.value(node))

    def _true(self, node: Node) -> Expression:
        """Write whether the value of *node* is true to JsonLogic, as True or False."""
        if node.is_boolean:
            return self.value(node)
        if isinstance(node, If):
            return self._cases(node, self._true, constant(False))
        if isinstance(node, And) and node.operands:
            return _joined(node, list(map(self._true, node.operands)))
        return call("is_true", self.value(node))

    def _fresh(self) -> str:
        self._kept += 1
        return f"v{self._kept}"

    # -- values ------------------------------------------------------------------------------------------------------

    def _constant(self, node: Constant) -> Expression:
        return constant(node.value)

    def _hole(self, node: Hole) -> Expression:
        return call("entries_of", literal(node.index)) if node.kind == TEXTS else literal(node.index)

    def _list(self, node: ListOf) -> Expression:
        return list_of([self.value(entry) for entry in node.operands])

    def _reading(self, node: Reading) -> Expression:
        return call(node.function.__name__, name(DATA), *map(self.value, node.operands))

    def _if(self, node: If) -> Expression:
        return self._cases(node, self.value, constant(None))

    def _cases(self, node: If, write: Callable[[Node], Expression], otherwise: Expression) -> Expression:
        pairs, last = len(node.operands) // 2, len(node.operands) % 2
        written = write(node.operands[-1]) if last else otherwise
        for place in reversed(range(pairs)):
            test, then = node.operands[2 * place : 2 * place + 2]
            written = choice(self._true(test), write(then), written)
        return written

    def _and(self, node: And) -> Expression:
        if node.is_boolean:
            return _joined(node, list(map(self.value, node.operands)))
        return self._first(node, node.operands) if node.operands else name("undefined")

    def _first(self, node: And, operands: Sequence[Node]) -> Expression:
        """Halves, so that many operands do not nest deep: the first of the left half, else that of the right."""
        if len(operands) == 1:
            return self.value(operands[0])
        middle, kept = len(operands) // 2, self._fresh()
        test = call("is_true", keep(kept, self._first(node, operands[:middle])))
        left, right = name(kept), self._first(node, operands[middle:])
        return choice(test, left, right) if isinstance(node, Or) else choice(test, right, left)

    # -- var ---------------------------------------------------------------------------------------------------------

    def _var(self, node: Var) -> Expression:
        path, rest = node.path, node.operands[1:]
        if path is None:
            return call("read_key", name(DATA), *map(self.value, node.operands))
        if path.kind.sort == "odd" or len(rest) > 1 or not all(_is_plain(default) for default in rest):
            parts = literal(path.index) if path.kind.sort == "odd" else list_of(_parts(path))
            return call("read_parts", name(DATA), parts, *map(self.value, rest))
        if path.kind.sort in ("number", "time", "sure") and not rest:
            return _items(_parts(path))
        return self._guarded(path, self.value(rest[0]) if rest else constant(None))

    def _guarded(self, path: Path, default: Expression) -> Expression:
        """``v1[c1] if c1 in (v1 := d[c0]) else default``."""
        parts = _parts(path)
        found = name(DATA)
        if path.kind.sort == "known":
            found = item(found, parts.pop(0))
        tests = []
        for part in parts:
            kept = self._fresh()
            tests.append(compare(part, ast.In, keep(kept, found)))
            found = item(name(kept), part)
        return choice(both(tests), found, default)

    # -- comparisons -------------------------------------------------------------------------------------------------

    def _strict(self, node: Strict) -> Expression:
        written = None
        if len(node.operands) == 1 and node.operator in ("!", "!!"):
            truth = self._true(node.operands[0])
            return negation(truth) if node.operator == "!" else truth
        if len(node.operands) == 2 and node.operator in _EQUALITIES:
            written = self._equality(node)
        elif node.operator in _ORDERS:
            written = self._order(node)
        elif len(node.operands) == 2 and node.operator == "in":
            written = self._contains(*node.operands)
        return written or call(node.function.__name__, *map(self.value, node.operands))

    def _equality(self, node: Strict) -> Expression | None:
        left, right = node.operands
        if isinstance(left, (Hole, Constant)):
            left, right = right, left
        if isinstance(left, (Hole, Constant)):
            return None
        write = self._same if len(node.operator) == 3 else self._equal
        equality = write(left, right)
        return negation(equality) if equality and node.operator[0] == "!" else equality

    def _equal(self, left: Node, right: Node) -> Expression | None:
        if isinstance(right, Constant):
            return compare(self.value(left), ast.Is, constant(None)) if _is_read(left) and right.value is None else None
        if not isinstance(right, Hole) or right.kind not in (TEXT, ODD_TEXT, NUMBER):
            return None
        kept = self._fresh()
        kind, value, known = call("type_of", name(kept)), name(kept), literal(right.index)
        is_equal = compare(keep(kept, self.value(left)), ast.Eq, known)
        is_something = compare(value, ast.IsNot, constant(None))
        is_other = compare(kind, ast.IsNot, name("text"))
        if right.kind == NUMBER:
            is_other = compare(kind, ast.NotIn, name("numbers"))
        return either([is_equal, both([is_other, is_something, call("loose_equals", value, known)])])

    def _same(self, left: Node, right: Node) -> Expression | None:
        if isinstance(right, Constant):
            return compare(self.value(left), ast.Is, constant(right.value))
        if not isinstance(right, Hole) or right.kind not in (TEXT, ODD_TEXT, NUMBER):
            return None
        if right.kind != NUMBER:
            return compare(self.value(left), ast.Eq, literal(right.index))
        kept = self._fresh()
        is_equal = compare(keep(kept, self.value(left)), ast.Eq, literal(right.index))
        return both([is_equal, compare(call("type_of", name(kept)), ast.IsNot, name("boolean"))])

    def _order(self, node: Strict) -> Expression | None:
        symbol, operands = _ORDERS[node.operator], node.operands
        if _is_native(operands) and (len(operands) == 2 or symbol in (ast.Lt, ast.LtE)):
            return compare(self.value(operands[0]), symbol, *map(self.value, operands[1:]))
        if len(operands) != 2:
            return None
        place = 0 if isinstance(operands[0], Hole) else 1
        hole, other = operands[place], operands[1 - place]
        if not isinstance(hole, Hole) or isinstance(other, Hole) or hole.kind not in (TEXT, NUMBER):
            return None
        kept = self._fresh()
        sides = [literal(hole.index), name(kept)] if place == 0 else [name(kept), literal(hole.index)]
        is_usual = self._is_usual(hole, kept, other)
        return choice(is_usual, compare(sides[0], symbol, sides[1]), call(node.function.__name__, *sides))

    def _is_usual(self, hole: Hole, kept: str, other: Node) -> Expression:
        """Whether the value of *other*, kept from now on, is of the literal's own type."""
        kind = call("type_of", keep(kept, self.value(other)))
        return compare(kind, ast.In, name("numbers")) if hole.kind == NUMBER else compare(kind, ast.Is, name("text"))

    def _contains(self, wanted: Node, where: Node) -> Expression | None:
        if isinstance(where, Hole) and where.kind == TEXTS:
            return compare(self.value(wanted), ast.In, literal(where.index))
        if not isinstance(wanted, Hole) or wanted.kind != TEXT:
            return None
        kept = self._fresh()
        part = literal(wanted.index)
        return choice(
            self._is_usual(wanted, kept, where),
            compare(part, ast.In, name(kept)),
            call("contains", part, name(kept)),
        )


_VALUES: Final[dict[type[Node], Callable[[Writer, Any], Expression]]] = {
    Constant: Writer._constant,
    Hole: Writer._hole,
    ListOf: Writer._list,
    Var: Writer._var,
    Strict: Writer._strict,
    Reading: Writer._reading,
    And: Writer._and,
    Or: Writer._and,
    If: Writer._if,
}
WRITABLE: Final = frozenset({*_VALUES, Path})
"""The kinds of nodes that can be written."""


def _joined(node: And, values: list[Expression]) -> Expression:
    return either(values) if isinstance(node, Or) else both(values)


def _parts(path: Path) -> list[Expression]:
    return [literal(index) for index in range(path.index, path.index + path.kind.slots)]


def _items(parts: list[Expression]) -> Expression:
    found = name(DATA)
    for part in parts:
        found = item(found, part)
    return found


def _is_plain(node: Node) -> bool:
    """Whether the value is at hand: evaluating it can neither fail nor give undefined."""
    return isinstance(node, Constant) or (isinstance(node, Hole) and node.kind != TEXTS)


def _is_read(node: Node) -> bool:
    """Whether the value is read from the data, and so never undefined."""
    return isinstance(node, Var) and node.path is not None


def _is_native(operands: Sequence[Node]) -> bool:
    """Whether the operands are literals around one path whose values Python compares with them as JavaScript does."""
    paths = [node for node in operands if isinstance(node, Var)]
    kinds = [node.kind for node in operands if isinstance(node, Hole)]
    if len(operands) not in (2, 3) or len(paths) != 1 or len(kinds) != len(operands) - 1:
        return False
    path = paths[0].path
    return path is not None and len(paths[0].operands) == 1 and all((path.kind.sort, kind) in _NATIVE for kind in kinds)
