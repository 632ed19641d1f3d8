"""What leaves the command: JSON for programs, text for people, and never a character that steers a terminal."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_UNSEEN: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def json_bytes(value: Any, *, is_compact: bool) -> bytes:
    """Return *value* as JSON in UTF-8 with a line end: indented, or all on one line.

    Control characters and halves of surrogate pairs are written as ``\\uXXXX``.
    """
    text = json.dumps(
        value,
        ensure_ascii=False,
        indent=None if is_compact else 2,
        separators=(",", ":") if is_compact else (",", ": "),
    )
    return f"{_UNSEEN.sub(_escaped, text)}\n".encode()


def visible(text: str) -> str:
    """Return *text* with what cannot be seen, or would move the cursor, written as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
