"""JavaScript's conversions and comparisons, on JSON values.

    value  --to_number, parse_float-->  number
           --to_text----------------->  text
           --is_truthy--------------->  truth

Rules and macros are written for JavaScript; this module says what it would say. A value is None, a bool, an int or
float, a str, a list, a dict with str keys, or ``UNDEFINED``; anything else is taken for an object. Numbers are IEEE
doubles: an int beyond 2**53 counts as the nearest one. A text is measured and ordered in UTF-16 units.

Nothing here recurses: a value may be nested as deep as it likes. Source: semantics.md 3.6 (conversions, loose
equality, order) and 3.9.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Any, Final, Literal

LONGEST_TEXT: Final = 65_536
"""Characters of a list's text wherever a comparison or a number needs it."""

_SAFE: Final = 2**53
_PRIMITIVE: Final = (str, int, float)
_BLANKS: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DECIMAL: Final = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_BASES: Final = {
    "x": (16, re.compile("[0-9a-fA-F]+")),
    "o": (8, re.compile("[0-7]+")),
    "b": (2, re.compile("[01]+")),
}


class Undefined(Enum):
    """The one value that JSON cannot spell; falsy, as in JavaScript."""

    UNDEFINED = "undefined"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined.UNDEFINED


class TextTooLong(Exception):
    """The text of a list would pass the limit."""


def is_truthy(value: Any) -> bool:
    """Whether *value* is truthy: all but false, null, undefined, 0, NaN and the empty text."""
    if isinstance(value, (list, dict)):
        return True
    return bool(value) and value == value  # NaN alone differs from itself


def to_number(value: Any) -> float:
    """Return ``Number(value)``; an int stays one if a double holds it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if -_SAFE <= value <= _SAFE else to_double(value)
    if isinstance(value, str):
        return _number_of_text(value)
    if value is None:
        return 0
    return _number_of_text(to_text(value, LONGEST_TEXT)) if isinstance(value, list) else math.nan


def to_double(value: float) -> float:
    """Return the double nearest to an int of any size."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def parse_float(value: Any) -> float:
    """Return ``parseFloat(value)``: the number that the value's text begins with, else NaN."""
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        return to_double(value) + 0.0  # by way of its text, which is "0" for -0
    text = value if isinstance(value, str) else to_text(value, LONGEST_TEXT)
    found = _DECIMAL.match(text.lstrip(_BLANKS))
    return float(found[0]) if found else math.nan


def to_text(value: Any, longest: int | None = None) -> str:
    """Return ``String(value)``.

    Raises:
        TextTooLong: if *longest* is given and the text of a list has more characters, or as many nested entries.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return _text_of_list(value, longest)
    return _text_of_one(value)


def _text_of_list(value: list[Any], longest: int | None) -> str:
    pieces: list[str] = []
    length = entries = 0
    waiting = [iter(value)]
    is_first = [True]
    while waiting:
        entry = next(waiting[-1], _END)
        if entry is _END:
            waiting.pop()
            is_first.pop()
            continue
        if not is_first[-1]:
            pieces.append(",")
            length += 1
        is_first[-1] = False
        if isinstance(entry, list):
            waiting.append(iter(entry))
            is_first.append(True)
        elif entry is not None and entry is not UNDEFINED:
            pieces.append(to_text(entry))
            length += len(pieces[-1])
        entries += 1
        if longest is not None and max(length, entries) > longest:
            raise TextTooLong
    return "".join(pieces)


_END: Final = object()


def _text_of_one(value: Any) -> str:
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -_SAFE <= value <= _SAFE:
        return str(int(value))
    return _text_of_double(to_double(value)) if isinstance(value, (int, float)) else "[object Object]"


def _text_of_double(number: float) -> str:
    """Shortest digits that read back the same, laid out as ECMAScript's Number::toString does."""
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    digits, point = _digits(abs(number))
    if 0 < point <= 21:
        whole, part = digits[:point].ljust(point, "0"), digits[point:]
        return f"{sign}{whole}.{part}" if part else sign + whole
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    part = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{part}e{point - 1:+d}"


def _digits(number: float) -> tuple[str, int]:
    """The significant digits of a positive double, and where the point stands among them."""
    mantissa, _, exponent = repr(number).partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    leading = len(whole + part) - len(digits)
    return digits.rstrip("0"), len(whole) - leading + int(exponent or 0)


def _number_of_text(text: str) -> float:
    if text.isascii() and text.isdecimal():
        return float(text)
    text = text.strip(_BLANKS)
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        return float(text)
    base, digits = _BASES.get(text[1:2].lower(), (0, _DECIMAL))
    if text[0] == "0" and base and digits.fullmatch(text, 2):
        return to_double(int(text[2:], base))
    return math.nan


def strict_equals(a: Any, b: Any) -> bool:
    """Whether ``a === b``: same type and value; lists and objects only if the very same."""
    if isinstance(a, str):
        return isinstance(b, str) and a == b
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)):
        return isinstance(b, (int, float)) and to_number(a) == to_number(b)
    return a is b


def loose_equals(a: Any, b: Any) -> bool:
    """Whether ``a == b``: types that differ are converted first."""
    if a is None or a is UNDEFINED or b is None or b is UNDEFINED:
        return (a is None or a is UNDEFINED) and (b is None or b is UNDEFINED)
    if not isinstance(a, _PRIMITIVE):
        if not isinstance(b, _PRIMITIVE):
            return a is b
        a = to_text(a, LONGEST_TEXT)
    elif not isinstance(b, _PRIMITIVE):
        b = to_text(b, LONGEST_TEXT)
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    return to_number(a) == to_number(b)


def less_than(a: Any, b: Any) -> bool:
    """Whether ``a < b``: by UTF-16 units if both are texts (lists and objects count as theirs), else as numbers."""
    a, b = _comparable(a), _comparable(b)
    if isinstance(a, str) and isinstance(b, str):
        return _text_is_less(a, b)
    return to_number(a) < to_number(b)


def less_or_equal(a: Any, b: Any) -> bool:
    """Whether ``a <= b``; false if either is no number while one must be."""
    a, b = _comparable(a), _comparable(b)
    if isinstance(a, str) and isinstance(b, str):
        return not _text_is_less(b, a)
    return to_number(a) <= to_number(b)


def _comparable(value: Any) -> Any:
    if value is None:
        return 0
    if value is UNDEFINED:
        return math.nan
    return value if isinstance(value, _PRIMITIVE) else to_text(value, LONGEST_TEXT)


def _text_is_less(a: str, b: str) -> bool:
    if a.isascii() or b.isascii():  # code points and UTF-16 units order alike unless both pass U+D7FF
        return a < b
    return a.encode("utf-16-be", "surrogatepass") < b.encode("utf-16-be", "surrogatepass")


def utf16_length(text: str) -> int:
    """Return ``text.length``."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def utf16_slice(text: str, start: int, end: int) -> str:
    """Return the UTF-16 units from *start* up to *end*, both ``>= 0``; half of a pair is a lone surrogate."""
    if text.isascii():
        return text[start:end]
    units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
    return units.decode("utf-16-le", "surrogatepass")


def pair_surrogates(text: str) -> str:
    """Return *text* with each high surrogate and the low one after it made one character, as JavaScript sees them."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
