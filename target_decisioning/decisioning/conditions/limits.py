"""How much one condition may cost, when it is read and each time it is evaluated.

A condition comes from outside and runs inside every request. Without loops (``map``, ``reduce`` ...) its size bounds
its cost; with them a budget of steps does. Source: faults.md E8.
"""

from __future__ import annotations

from typing import Any, Final

MAX_DEPTH: Final = 64
"""Operators, lists and objects inside one another."""
MAX_NODES: Final = 10_000
MAX_LITERAL_BYTES: Final = 65_536
"""UTF-8 bytes of one text in a condition."""
MAX_TEXT: Final = 65_536
"""Characters of a text that an operator makes."""
MAX_LIST: Final = 10_000
"""Entries of a list that an operator makes."""
MAX_STEPS: Final = 100_000
"""Steps of one evaluation: a node evaluated inside a loop, an entry of a list looked at there, 1,024 characters."""


class ConditionError(Exception):
    """A condition has no value for these data; ``reason`` says why. The rule does not hold."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """The steps that one evaluation has left."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take *steps* away.

        Raises:
            ConditionError: there are not so many left.
        """
        self.left -= steps
        if self.left < 0:
            raise ConditionError(f"takes more than {MAX_STEPS} steps")

    def spend_on(self, values: list[Any]) -> None:
        """Pay for an operator's look at *values*, lists inside them included.

        Raises:
            ConditionError: there are not so many steps left.
        """
        waiting = [values]
        while waiting:
            entries = waiting.pop()
            self.spend(len(entries))
            for entry in entries:
                if isinstance(entry, list):
                    waiting.append(entry)
                elif isinstance(entry, str):
                    self.spend(len(entry) >> 10)


def checked_text(text: str) -> str:
    """Return *text*, the result of an operator.

    Raises:
        ConditionError: it is too long.
    """
    if len(text) > MAX_TEXT:
        raise ConditionError(f"makes a text of more than {MAX_TEXT} characters")
    return text


def checked_list(entries: list[Any]) -> list[Any]:
    """Return *entries*, the result of an operator.

    Raises:
        ConditionError: there are too many.
    """
    if len(entries) > MAX_LIST:
        raise ConditionError(f"makes a list of more than {MAX_LIST} entries")
    return entries
