"""What many conditions of one artifact have in common: all but their literals.

    tokens of a condition  --shape_of-->  Shape: the operator tree, with holes where the literals were

Thousands of rules have a few dozen shapes. The tree is built once for each, and so is the code; a condition is then
no more than its literals. A shape lives as long as a condition of it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any, Final
from weakref import WeakValueDictionary

from jsonlogic.core import JSONLogicExpression

from target_decisioning.decisioning.conditions.operators import (
    LOOPS,
    ODD_TEXT,
    OPERATORS,
    TEXT,
    Hole,
    Node,
    Path,
    Reading,
    Registry,
    Var,
    walk,
)
from target_decisioning.decisioning.conditions.paths import PathKind

Token = Any
"""What a condition is made of, in reading order, operands after their operator:

``("op", name, number of operands)``, ``("list", number of entries)``, a ``PathKind``, the kind of another literal (a
str), or True, False, None themselves.
"""
_ROOT: Final = "condition"
_REGISTRY: Final = Registry()


class Shape:
    """What all conditions with the same tokens have in common.

    ``node`` is the operator tree, ``literals`` how many holes it has; ``codes`` what was compiled of it, with the
    names that it uses. ``first_parts`` and ``keys`` are the places
    of the literals that say what is read (first parts of paths, or all parts in one; whole keys of ``missing``);
    ``reads_everything`` that more is read than these say.
    """

    __slots__ = (
        "__weakref__",
        "codes",
        "depth",
        "first_parts",
        "has_loops",
        "keys",
        "literals",
        "node",
        "nodes",
        "reads_everything",
        "unknown_operators",
    )

    def __init__(self, tokens: tuple[Token, ...], depth: int) -> None:
        expression = _Expression(tokens)
        self.node = _tree(expression.next())
        self.literals = expression.literals
        self.depth = depth
        self.codes: dict[str, tuple[CodeType | None, dict[str, Any]]] = {}
        parts = list(walk(self.node))
        self.nodes = len(parts)
        self.has_loops = any(part.operator in LOOPS for part in parts)
        self.unknown_operators = _unknown(tokens)
        self.first_parts = tuple(part.index for part in parts if isinstance(part, Path))
        keys = [key for part in parts if isinstance(part, Reading) for key in part.keys]
        texts = [key for key in keys if isinstance(key, Hole) and key.kind in (TEXT, ODD_TEXT)]
        self.keys = tuple(key.index for key in texts)
        computed = any(isinstance(part, Var) and part.path is None for part in parts)
        self.reads_everything = computed or len(texts) < len(keys)


_shapes: WeakValueDictionary[tuple[Token, ...], Shape] = WeakValueDictionary()


def shape_of(tokens: tuple[Token, ...], depth: int) -> Shape:
    """Return the shape of conditions with these *tokens*: the same one as long as any condition has it."""
    shape = _shapes.get(tokens)
    if shape is None:
        shape = _shapes[tokens] = Shape(tokens, depth)
    return shape


def _unknown(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    names = [token[1] for token in tokens if isinstance(token, tuple) and token[0] == "op"]
    return tuple(dict.fromkeys(name for name in names if name not in OPERATORS))


def _tree(expression: Any) -> Node:
    """Have the jsonlogic package build the tree, under a root of ours, so that a text or a list is a condition too."""
    root = JSONLogicExpression.from_json({_ROOT: [expression]}).as_operator_tree(_REGISTRY)
    assert isinstance(root, Node)  # noqa: S101 # the registry gives nothing else
    return root.operands[0]


class _Expression:
    """Spells tokens as JsonLogic again, with nodes where the literals were; ``literals`` counts those."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens: Iterator[Token] = iter(tokens)
        self.literals = 0

    def next(self) -> Any:
        match next(self._tokens):
            case ("op", name, count):
                return {name: [self.next() for _ in range(count)]}
            case ("list", count):
                return [self.next() for _ in range(count)]
            case PathKind() as kind:
                return Path(operator="path", kind=kind, index=self._take(kind.slots))
            case str(kind):
                return Hole(operator="literal", kind=kind, index=self._take(1))
            case constant:
                return constant

    def _take(self, slots: int) -> int:
        index = self.literals
        self.literals += slots
        return index
