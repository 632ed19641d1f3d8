"""A rule's condition: read once when its artifact arrives, evaluated at each request.

JSON  --parse-->  Condition (shape + literals)  --evaluate(data)-->  value  --holds-->  truth
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from target_decisioning.decisioning.conditions.limits import (
    MAX_DEPTH,
    MAX_LITERAL_BYTES,
    MAX_NODES,
    MAX_TEXT,
    Budget,
    ConditionError,
)
from target_decisioning.decisioning.conditions.operators import (
    NUMBER,
    OBJECT,
    ODD_NUMBER,
    ODD_TEXT,
    TEXT,
    TEXTS,
    Node,
    Scope,
)
from target_decisioning.decisioning.conditions.paths import path_of
from target_decisioning.decisioning.conditions.shape import Shape, Token, shape_of
from target_decisioning.decisioning.javascript import TextTooLong, is_truthy, to_double, to_text
from target_decisioning.errors import ArtifactInvalid

_SAFE: Final = 2**53


class Condition:
    """One condition; what it shares with others of its shape is in ``shape``. It holds nothing of the JSON it was.

    ``node`` is the operator tree, ``literals`` what stands in its holes; ``nodes`` counts its operators, values and
    lists, with what is inside constants. ``reads`` are the first parts of the keys
    that ``var`` and ``missing`` read, inside loops too, where they mean the entry.
    """

    __slots__ = ("literals", "nodes", "reads", "reads_everything", "shape")

    def __init__(self, shape: Shape, literals: tuple[Any, ...], nodes: int) -> None:
        self.shape, self.literals, self.nodes = shape, literals, nodes
        keys = [literals[place] for place in shape.keys]
        firsts = [literals[place] for place in shape.first_parts]
        self.reads = _names(
            *[first if isinstance(first, str) else first[0] for first in firsts], *[key.split(".")[0] for key in keys]
        )
        self.reads_everything = shape.reads_everything or "" in keys

    @property
    def node(self) -> Node:
        """The operator tree."""
        return self.shape.node

    @property
    def unknown_operators(self) -> tuple[str, ...]:
        """Names of operators that nobody knows, evaluated or not."""
        return self.shape.unknown_operators

    def evaluate(self, data: Any) -> Any:
        """Return the value for *data*.

        Raises:
            ConditionError: an unknown operator is reached, ``*`` has no argument, or a limit is passed.
        """
        return evaluate(self.shape.node, data, self.literals, Budget() if self.shape.has_loops else None)

    def holds(self, data: Any) -> bool:
        """Whether the value for *data* is truthy in JavaScript.

        Raises:
            ConditionError: as ``evaluate``.
        """
        return is_truthy(self.evaluate(data))


def evaluate(node: Node, data: Any, literals: Sequence[Any], budget: Budget | None = None) -> Any:
    """Return the value of the tree *node* for *data* and the literals of a condition.

    Raises:
        ConditionError: as ``Condition.evaluate``.
    """
    try:
        return node.value_in(Scope(data, literals, budget))
    except TextTooLong:
        raise ConditionError(f"takes the text of a list of more than {MAX_TEXT} characters") from None


@lru_cache(maxsize=1024)
def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


def parse(condition: Any, where: str) -> Condition:
    """Read a condition; *condition* is not kept.

    Raises:
        ArtifactInvalid: at *where*, if it passes a limit.
    """
    reader = _Reader(where)
    reader.read(condition)
    return Condition(shape_of(tuple(reader.tokens), reader.depth), tuple(reader.literals), reader.nodes)


class _Texts(dict[str, None]):
    """The list of texts that ``in`` looks through, in order: a look-up where a list would be searched."""


class _Reader:
    """Takes a condition apart into tokens and literals, one value at a time and without recursion."""

    __slots__ = ("_waiting", "depth", "literals", "nodes", "tokens", "where")

    def __init__(self, where: str) -> None:
        self.where = where
        self.tokens: list[Token] = []
        self.literals: list[Any] = []
        self.nodes = self.depth = 0
        self._waiting: list[tuple[Any, int]] = []

    def read(self, condition: Any) -> None:
        """Read all of *condition*."""
        waiting = self._waiting
        waiting.append((condition, 0))
        while waiting:
            value, depth = waiting.pop()
            self._count()
            kind = type(value)
            if kind is dict and len(value) == 1:
                self._operation(value, depth)
            elif kind is list:
                self.tokens.append(("list", len(value)))
                self._later(value, depth)
            elif kind is str:
                self._take(_kind_of_text(value), self._checked(value))
            elif kind is bool or value is None:
                self.tokens.append(value)
            elif kind is int or kind is float:
                self._take(*_kind_of_number(value))
            elif kind is _Texts:
                self._take(TEXTS, value)
            else:
                self._take(OBJECT, self._own(value, self._deeper(depth)))

    def _operation(self, operation: dict[str, Any], depth: int) -> None:
        ((operator, arguments),) = operation.items()
        if type(arguments) is not list:
            arguments = [arguments]
        self.tokens.append(("op", self._checked(operator), len(arguments)))
        if operator == "var" and arguments and (key := _key(arguments[0])):
            kind, literals = path_of(self._checked(key))
            self._count()
            self.tokens.append(kind)
            self.literals += literals
            arguments = arguments[1:]
        elif operator == "in" and len(arguments) > 1 and _are_texts(arguments[1]):
            arguments = [arguments[0], self._texts(arguments[1]), *arguments[2:]]
        self._later(arguments, depth)

    def _later(self, values: list[Any], depth: int) -> None:
        inner = self._deeper(depth)
        self.depth = max(self.depth, inner)
        self._waiting += [(value, inner) for value in reversed(values)]

    def _take(self, kind: str, literal: Any) -> None:
        self.tokens.append(kind)
        self.literals.append(literal)

    def _texts(self, texts: list[str]) -> _Texts:
        for text in texts:
            self._count()
            self._checked(text)
        return _Texts((text, None) for text in texts)

    def _own(self, value: Any, depth: int) -> Any:
        """A copy of a constant, counted and limited like the rest."""
        if isinstance(value, dict):
            return {self._checked(key): self._own_entry(entry, depth) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._own_entry(entry, depth) for entry in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _kind_of_number(value)[1]
        return self._checked(value) if isinstance(value, str) else value

    def _own_entry(self, value: Any, depth: int) -> Any:
        self._count()
        return self._own(value, self._deeper(depth) if isinstance(value, (dict, list)) else depth)

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._fault("a larger condition", f"at most {MAX_NODES} operators, values and lists")

    def _deeper(self, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise self._fault("a deeper condition", f"at most {MAX_DEPTH} operators, lists and objects in one another")
        return depth + 1

    def _checked(self, text: str) -> str:
        if len(text) > MAX_LITERAL_BYTES >> 2 and len(text.encode("utf-8", "surrogatepass")) > MAX_LITERAL_BYTES:
            raise self._fault("a longer text", f"texts of at most {MAX_LITERAL_BYTES} bytes")
        return text

    def _fault(self, found: str, expected: str) -> ArtifactInvalid:
        return ArtifactInvalid((self.where, found, expected))


def _key(key: Any) -> str:
    """The text of a key that is written down; empty if it is computed, or stands for the whole data."""
    return "" if key is None or isinstance(key, (dict, list)) else to_text(key)


def _are_texts(value: Any) -> bool:
    return type(value) is list and all(type(entry) is str for entry in value)


def _kind_of_text(text: str) -> str:
    return TEXT if text and (text.isascii() or max(text) < "\ud800") else ODD_TEXT


def _kind_of_number(number: float) -> tuple[str, float]:
    if -_SAFE < number < _SAFE:
        return NUMBER, number
    return ODD_NUMBER, to_double(number)
