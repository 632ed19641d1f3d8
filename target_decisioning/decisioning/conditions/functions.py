"""What the operators do that first evaluate all of their arguments: functions on values.

An argument that is missing is ``UNDEFINED``, one too many is ignored. Source: semantics.md 3.6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from target_decisioning.decisioning.conditions.limits import (
    MAX_TEXT,
    ConditionError,
    checked_list,
    checked_text,
)
from target_decisioning.decisioning.conditions.paths import member, read_key
from target_decisioning.decisioning.javascript import (
    UNDEFINED,
    is_truthy,
    less_or_equal,
    less_than,
    loose_equals,
    pair_surrogates,
    parse_float,
    strict_equals,
    to_number,
    to_text,
    utf16_length,
    utf16_slice,
)


def is_true(value: Any) -> bool:
    """Whether *value* is true to JsonLogic's own operators: as JavaScript has it, but an empty list is not."""
    return len(value) > 0 if isinstance(value, list) else is_truthy(value)


def equals(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> bool:
    """``==``."""
    return loose_equals(a, b)


def differs(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> bool:
    """``!=``."""
    return not loose_equals(a, b)


def is_same(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> bool:
    """``===``."""
    return strict_equals(a, b)


def is_not_same(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> bool:
    """``!==``."""
    return not strict_equals(a, b)


def less(a: Any = UNDEFINED, b: Any = UNDEFINED, c: Any = UNDEFINED, *_: Any) -> bool:
    """``<``; with three arguments: between."""
    return less_than(a, b) and (c is UNDEFINED or less_than(b, c))


def at_most(a: Any = UNDEFINED, b: Any = UNDEFINED, c: Any = UNDEFINED, *_: Any) -> bool:
    """``<=``; with three arguments: between, ends included."""
    return less_or_equal(a, b) and (c is UNDEFINED or less_or_equal(b, c))


def greater(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> bool:
    """``>``."""
    return less_than(b, a)


def at_least(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> bool:
    """``>=``."""
    return less_or_equal(b, a)


def negate(value: Any = UNDEFINED, *_: Any) -> bool:
    """``!``."""
    return not is_true(value)


def affirm(value: Any = UNDEFINED, *_: Any) -> bool:
    """``!!``."""
    return is_true(value)


def contains(wanted: Any = UNDEFINED, where: Any = UNDEFINED, *_: Any) -> bool:
    """``in``: an entry of a list, or a part of a text (nothing is part of the empty one)."""
    if isinstance(where, str):
        return bool(where) and _has_part(where, to_text(wanted, MAX_TEXT))
    return isinstance(where, list) and any(strict_equals(entry, wanted) for entry in where)


def _has_part(text: str, part: str) -> bool:
    if part.isascii() or not any("\ud800" <= character <= "\udfff" for character in part):
        return part in text
    units, wanted = text.encode("utf-16-be", "surrogatepass"), part.encode("utf-16-be", "surrogatepass")
    place = units.find(wanted)
    while place % 2 == 1 and place != -1:  # found between two units
        place = units.find(wanted, place + 1)
    return place != -1


def concatenate(*values: Any) -> str:
    """``cat``: the texts of all values; null gives nothing."""
    pieces: list[str] = []
    left = MAX_TEXT
    for value in values:
        if value is not None and value is not UNDEFINED:
            pieces.append(to_text(value, MAX_TEXT))
            left -= len(pieces[-1])
        if left < 0:
            raise ConditionError(f"makes a text of more than {MAX_TEXT} characters")
    return pair_surrogates("".join(pieces))


def part_of(source: Any = UNDEFINED, start: Any = UNDEFINED, length: Any = UNDEFINED, *_: Any) -> str:
    """``substr``: from *start* (negative: from the end), *length* units (negative: all but as many)."""
    text = to_text(source, MAX_TEXT)
    size = utf16_length(text)
    first = _integer(start)
    first = max(0, size + first) if first < 0 else min(first, size)
    return checked_text(utf16_slice(text, int(first), int(first + _units(length, size - first))))


def _units(length: Any, rest: float) -> float:
    """How many of the *rest* units ``substr`` takes."""
    if length is UNDEFINED:
        return rest
    if less_than(length, 0):
        if isinstance(length, (str, list, dict)):  # JavaScript appends it to the rest's digits: no number
            return 0
        return max(0, math.trunc(rest + to_number(length))) if to_number(length) > -math.inf else 0
    return min(_integer(length), rest)


def _integer(value: Any) -> float:
    """ToInteger: no fraction, NaN is 0."""
    number = to_number(math.nan if value is UNDEFINED else value)
    if number != number:
        return 0
    return number if math.isinf(number) else math.trunc(number)


def add(*values: Any) -> float:
    """``+``: the sum of the numbers that the values' texts begin with."""
    total = 0.0
    for value in values:
        total += parse_float(value)
    return total


def multiply(*values: Any) -> Any:
    """``*``: as ``+``; a single value comes back as it is.

    Raises:
        ConditionError: there is none.
    """
    if not values:
        raise ConditionError("'*' has no argument")
    product, *others = values
    for value in others:
        product = parse_float(product) * parse_float(value)
    return product


def subtract(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> float:
    """``-``; of one argument: its negative."""
    return -_double(a) if b is UNDEFINED else _double(a) - _double(b)


def divide(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> float:
    """``/``: by zero an infinity, or NaN for zero."""
    dividend, divisor = _double(a), _double(b)
    if divisor:
        return dividend / divisor
    if not dividend or dividend != dividend:
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1, divisor)


def remainder(a: Any = UNDEFINED, b: Any = UNDEFINED, *_: Any) -> float:
    """``%``: has the sign of the left side and keeps fractions."""
    dividend, divisor = _double(a), _double(b)
    return math.nan if not divisor or math.isinf(dividend) else math.fmod(dividend, divisor)


def smallest(*values: Any) -> float:
    """``min``: NaN if any is; Infinity of none."""
    return _outermost(min, values, math.inf)


def largest(*values: Any) -> float:
    """``max``: NaN if any is; -Infinity of none."""
    return _outermost(max, values, -math.inf)


def _outermost(pick: Callable[..., float], values: tuple[Any, ...], of_none: float) -> float:
    numbers = [_double(value) for value in values]
    if any(number != number for number in numbers):
        return math.nan
    return pick(numbers, key=lambda number: (number, math.copysign(1, number)), default=of_none)  # -0 is under 0


def _double(value: Any) -> float:
    return math.nan if value is UNDEFINED else float(to_number(value))


def merge(*values: Any) -> list[Any]:
    """``merge``: lists joined one level deep, other values appended."""
    entries: list[Any] = []
    for value in values:
        if isinstance(value, list):
            entries.extend(value)
        else:
            entries.append(value)
        checked_list(entries)
    return entries


def log(value: Any = UNDEFINED, *_: Any) -> Any:
    """``log``: the value; nothing is printed."""
    return value


def missing(data: Any, *keys: Any) -> list[Any]:
    """``missing``: the keys (those of the first argument if it is a list) whose value is null or ``""``."""
    wanted = keys[0] if keys and isinstance(keys[0], list) else keys
    return checked_list([key for key in wanted if _is_missing(data, key)])


def _is_missing(data: Any, key: Any) -> bool:
    value = read_key(data, *key[:2]) if isinstance(key, list) else read_key(data, key)
    return value is None or (isinstance(value, str) and not value)


def missing_some(data: Any, least: Any = UNDEFINED, keys: Any = UNDEFINED, *_: Any) -> list[Any]:
    """``missing_some``: ``missing``, but nothing if at least *least* of *keys* are there.

    Raises:
        ConditionError: there are no keys.
    """
    if keys is UNDEFINED or keys is None:
        raise ConditionError("'missing_some' has no keys")
    absent = missing(data, *keys) if isinstance(keys, list) else missing(data, keys)
    there = _double(member(keys, "length")) - len(absent)
    return [] if less_or_equal(least, there) else absent


STRICT: Final[dict[str, Callable[..., Any]]] = {
    "==": equals,
    "!=": differs,
    "===": is_same,
    "!==": is_not_same,
    "<": less,
    "<=": at_most,
    ">": greater,
    ">=": at_least,
    "!": negate,
    "!!": affirm,
    "in": contains,
    "cat": concatenate,
    "substr": part_of,
    "+": add,
    "*": multiply,
    "-": subtract,
    "/": divide,
    "%": remainder,
    "min": smallest,
    "max": largest,
    "merge": merge,
    "log": log,
}
"""Functions of the arguments alone."""
READING: Final[dict[str, Callable[..., Any]]] = {"missing": missing, "missing_some": missing_some}
"""Functions of the data and the arguments."""
BOOLEAN: Final = frozenset({"==", "!=", "===", "!==", "<", "<=", ">", ">=", "!", "!!", "in"})
"""Operators whose value is always true or false."""
