# ruff: noqa: D102 - an override means what its base says
"""The tree that a condition is: one class for each kind of operator, and what each evaluates to.

A tree is shared by all conditions of one shape (see ``shape``); their literals are in the ``Scope`` that it is
evaluated in. Evaluating here is what a condition means; compiled code must answer the same.
Source: semantics.md 3.6.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from jsonlogic.core import Operator
from jsonlogic.registry import OperatorRegistry

from target_decisioning.decisioning.conditions.functions import BOOLEAN, READING, STRICT, is_true
from target_decisioning.decisioning.conditions.limits import Budget, ConditionError, checked_list
from target_decisioning.decisioning.conditions.paths import PathKind, read, read_key
from target_decisioning.decisioning.javascript import UNDEFINED

LiteralKind = str
"""What is known of a literal in every condition of a shape."""
NUMBER: Final = "number"
"""A finite number under 2**53, whatever its sign: Python orders it against any number as JavaScript does."""
ODD_NUMBER: Final = "odd number"
TEXT: Final = "text"
"""Not empty, and only of characters under U+D800: Python orders it against any text as JavaScript does."""
ODD_TEXT: Final = "odd text"
TEXTS: Final = "texts"
"""The list of texts that ``in`` looks through, as the keys of a dict."""
OBJECT: Final = "object"
"""An object that is no operation."""


class Scope:
    """What a tree is evaluated in: the data, the condition's literals, and inside loops the steps that are left."""

    __slots__ = ("budget", "data", "literals")

    def __init__(self, data: Any, literals: Sequence[Any], budget: Budget | None = None) -> None:
        self.data, self.literals, self.budget = data, literals, budget

    def spend(self, steps: int) -> None:
        """Take *steps* from the budget, if there is one.

        Raises:
            ConditionError: it has not so many.
        """
        if self.budget:
            self.budget.spend(steps)

    def inside(self, entry: Any) -> Scope:
        """Return the scope in which a loop looks at *entry*: nothing outside it can be seen."""
        return Scope(entry, self.literals, self.budget)


@dataclass(eq=False)
class Node(Operator):
    """Part of a condition: ``operator`` names it, ``operands`` are the parts inside it."""

    operands: tuple[Node, ...] = ()

    @classmethod
    def from_expression(cls, operator: str, arguments: list[Any]) -> Node:
        """Return the node for an operation that the package has read."""
        return cls(operator, tuple(map(as_node, arguments)))

    @property
    def is_boolean(self) -> bool:
        """Whether the value is always true or false."""
        return False

    def evaluate(self, context: Any) -> Any:
        """The package's name for ``value_in``; *context* is a ``Scope``."""
        return self.value_in(context)

    @abstractmethod
    def value_in(self, scope: Scope) -> Any:
        """Return the value in *scope*.

        Raises:
            ConditionError: there is none.
        """

    def operand(self, place: int, scope: Scope) -> Any:
        """Return the value of the operand at *place*, undefined if there is none."""
        return self.operands[place].value_in(scope) if place < len(self.operands) else UNDEFINED


def as_node(argument: Any) -> Node:
    """Return what the package leaves of an argument as a node: it makes nodes of operations only."""
    if isinstance(argument, Node):
        return argument
    if isinstance(argument, list):
        return ListOf("list", tuple(map(as_node, argument)))
    return Constant(operator="constant", value=argument)


def walk(root: Node) -> Iterator[Node]:
    """Yield *root* and every node inside it."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.operands)


@dataclass(eq=False, kw_only=True)
class Constant(Node):
    """True, false, null or undefined: the same in every condition of the shape."""

    value: Any

    @property
    def is_boolean(self) -> bool:
        return isinstance(self.value, bool)

    def value_in(self, scope: Scope) -> Any:  # noqa: ARG002 # the same everywhere
        return self.value


@dataclass(eq=False, kw_only=True)
class Hole(Node):
    """A number, a text or an object: the literal at ``index`` of the condition."""

    kind: LiteralKind
    index: int

    def value_in(self, scope: Scope) -> Any:
        value = scope.literals[self.index]
        return list(value) if self.kind == TEXTS else value


@dataclass(eq=False, kw_only=True)
class Path(Node):
    """The key of a ``var`` that was written down: its parts are the literals from ``index`` on."""

    kind: PathKind
    index: int

    def parts(self, literals: Sequence[Any]) -> Sequence[str]:
        """Return the parts, given the literals of a condition."""
        if self.kind.sort == "odd":
            parts: tuple[str, ...] = literals[self.index]
            return parts
        return literals[self.index : self.index + self.kind.slots]

    def value_in(self, scope: Scope) -> Any:
        return ".".join(self.parts(scope.literals))


class ListOf(Node):
    """A list: of the values of its entries, a new one each time."""

    def value_in(self, scope: Scope) -> Any:
        return [entry.value_in(scope) for entry in self.operands]


class Var(Node):
    """``var``: a value out of the data, else the default."""

    @property
    def path(self) -> Path | None:
        """The key, if it was written down."""
        return key if self.operands and isinstance(key := self.operands[0], Path) else None

    def value_in(self, scope: Scope) -> Any:
        if (path := self.path) is None:
            return read_key(scope.data, *_values(self.operands, scope))
        default = _values(self.operands[1:], scope)[0] if len(self.operands) > 1 else None
        parts = path.parts(scope.literals)
        scope.spend(len(parts) >> 3)
        return read(scope.data, parts, None if default is UNDEFINED else default)


class Strict(Node):
    """An operator that evaluates all of its arguments and then applies ``function``."""

    @property
    def is_boolean(self) -> bool:
        return self.operator in BOOLEAN

    @property
    def function(self) -> Callable[..., Any]:
        """What is done with the values of the operands."""
        return STRICT[self.operator]

    def value_in(self, scope: Scope) -> Any:
        return self.function(*_values(self.operands, scope))


class Reading(Node):
    """``missing``, ``missing_some``: as ``Strict``, but ``function`` sees the data too."""

    @property
    def function(self) -> Callable[..., Any]:
        """What is done with the data and the values of the operands."""
        return READING[self.operator]

    @property
    def keys(self) -> tuple[Node, ...]:
        """Where the keys come from."""
        lists = self.operands[1:2] if self.operator == "missing_some" else self.operands
        return lists[0].operands if lists and isinstance(lists[0], ListOf) else lists

    def value_in(self, scope: Scope) -> Any:
        return self.function(scope.data, *_values(self.operands, scope))


def _values(operands: tuple[Node, ...], scope: Scope) -> list[Any]:
    values = [operand.value_in(scope) for operand in operands]
    if scope.budget:
        scope.budget.spend_on(values)
    return values


class And(Node):
    """``and``: the first value that is not true, else the last."""

    @property
    def is_boolean(self) -> bool:
        return bool(self.operands) and all(operand.is_boolean for operand in self.operands)

    def value_in(self, scope: Scope) -> Any:
        value: Any = UNDEFINED
        for operand in self.operands:
            value = operand.value_in(scope)
            if not is_true(value):
                break
        return value


class Or(And):
    """``or``: the first value that is true, else the last."""

    def value_in(self, scope: Scope) -> Any:
        value: Any = UNDEFINED
        for operand in self.operands:
            value = operand.value_in(scope)
            if is_true(value):
                break
        return value


class If(Node):
    """``if``, ``?:``: pairs of a condition and a value; an odd last one is the value of all other cases, else null."""

    def value_in(self, scope: Scope) -> Any:
        for place in range(0, len(self.operands) - 1, 2):
            if is_true(self.operands[place].value_in(scope)):
                return self.operands[place + 1].value_in(scope)
        return self.operands[-1].value_in(scope) if len(self.operands) % 2 else None


class Loop(Node):
    """An operator that evaluates its second argument once for each entry of its first."""

    @cached_property
    def inner_nodes(self) -> int:
        """How many nodes the second argument has."""
        return sum(1 for operand in self.operands[1:2] for _ in walk(operand))

    def entries(self, scope: Scope) -> list[Any] | None:
        """Return the value of the first argument if it is a list."""
        value = self.operand(0, scope)
        return value if isinstance(value, list) else None

    def inner(self, entry: Any, scope: Scope) -> Any:
        """Return what the second argument says of *entry*, and pay for it."""
        scope.spend(1 + self.inner_nodes)
        return self.operand(1, scope.inside(entry))

    def is_true_of(self, entry: Any, scope: Scope) -> bool:
        """Whether the second argument holds for *entry*."""
        return is_true(self.inner(entry, scope))


class Filter(Loop):
    """``filter``: the entries for which the second argument holds."""

    def value_in(self, scope: Scope) -> Any:
        return checked_list([entry for entry in self.entries(scope) or () if self.is_true_of(entry, scope)])


class Map(Loop):
    """``map``: what the second argument makes of each entry."""

    def value_in(self, scope: Scope) -> Any:
        return checked_list([self.inner(entry, scope) for entry in self.entries(scope) or ()])


class Reduce(Loop):
    """``reduce``: what is left when the second argument has seen each entry and what it had made before."""

    def value_in(self, scope: Scope) -> Any:
        entries = self.entries(scope)
        kept = self.operands[2].value_in(scope) if len(self.operands) > 2 else None
        for entry in entries or ():
            kept = self.inner({"current": entry, "accumulator": kept}, scope)
        return kept


class All(Loop):
    """``all``: the second argument holds for each entry, and there is one."""

    def value_in(self, scope: Scope) -> Any:
        entries = self.entries(scope)
        return bool(entries) and all(self.is_true_of(entry, scope) for entry in entries or ())


class Some(Loop):
    """``some``: the second argument holds for an entry."""

    def value_in(self, scope: Scope) -> Any:
        return any(self.is_true_of(entry, scope) for entry in self.entries(scope) or ())


class NoneOf(Some):
    """``none``: the second argument holds for no entry."""

    def value_in(self, scope: Scope) -> Any:
        return not super().value_in(scope)


class Unknown(Node):
    """An operator that nobody knows."""

    def value_in(self, scope: Scope) -> Any:  # noqa: ARG002 # whatever the data
        raise ConditionError("has an operator that is not known")


OPERATORS: Final[dict[str, type[Node]]] = {
    "var": Var,
    **dict.fromkeys(STRICT, Strict),
    **dict.fromkeys(READING, Reading),
    "and": And,
    "or": Or,
    "if": If,
    "?:": If,
    "filter": Filter,
    "map": Map,
    "reduce": Reduce,
    "all": All,
    "some": Some,
    "none": NoneOf,
}
LOOPS: Final = frozenset(name for name, kind in OPERATORS.items() if issubclass(kind, Loop))


class Registry(OperatorRegistry):
    """Our operators under JsonLogic's names, ``Unknown`` under every other."""

    def get(self, operator_id: str, /) -> type[Operator]:
        """Return the class for *operator_id*."""
        return OPERATORS.get(operator_id, Unknown)
