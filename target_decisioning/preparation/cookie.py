"""The ``mbox`` cookie: who a visitor is, from one page to the next.

    "session#<id>#<expires>|PC#<tntId>#<expires>"  <->  {"session": ..., "PC": ...}

Names and values are percent-encoded as ``encodeURIComponent`` does, ``expires`` is in epoch seconds. A cookie comes
from a browser, so it is read with limits and a part that breaks them is left out, the others stay.

Source: semantics.md 1.4, D10; faults.md E3.
"""

from __future__ import annotations

import math
import re
from typing import Final
from urllib.parse import quote

from target_decisioning.delivery import Cookie

TARGET_COOKIE: Final = "mbox"
"""Name of the cookie that a program keeps in the visitor's browser."""
SESSION: Final = "session"
DEVICE_ID: Final = "PC"
SESSION_SECONDS: Final = 1860
DEVICE_ID_SECONDS: Final = 63_244_800

_LONGEST_COOKIE = 8 * 1024
_MOST_PARTS = 16
_LONGEST_EXPIRY = 32

_BLANKS = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript trims."""
_UNESCAPED_MARKS = "-_.!~*'()"
_is_unescaped = re.compile(r"[A-Za-z0-9\-_.!~*'()]*").fullmatch
_escapes = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_has_broken_escape = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_has_unfit_character = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_is_decimal_number = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_is_based_number = re.compile(r"0(?:[xX][0-9A-Fa-f]+|[oO][0-7]+|[bB][01]+)").fullmatch


def parse_cookie(text: object, now_ms: int) -> dict[str, str]:
    """Return the cookie's valid parts as name -> value, both decoded; never raises.

    Args:
        text: the cookie's value; anything but a text gives ``{}``. Only its first 8 KiB and 16 parts are read.
        now_ms: epoch ms; a part is valid up to and in the second of its expiry.

    Source: semantics.md 1.4.
    """
    if not isinstance(text, str) or not text:
        return {}
    now_seconds = -(-now_ms // 1000)
    entries: dict[str, str] = {}
    for part in _parts(text):
        fields = part.split("#", 3)
        if len(fields) < 3 or now_seconds > _expiry(fields[2]):
            continue
        name, value = _decoded(fields[0]), _decoded(fields[1])
        if name is not None and value is not None:
            entries[name] = value
    return entries


def target_cookie(session_id: str, tnt_id: str | None, now_ms: int) -> Cookie:
    """Return the cookie to set: ``name`` (``mbox``), ``value`` and ``max_age`` in seconds.

    A blank *tnt_id* is left out. The value holds only characters that are safe in a ``Set-Cookie`` header.

    Source: semantics.md 1.4.
    """
    now_seconds = -(-now_ms // 1000)
    expires = now_seconds + SESSION_SECONDS
    value = f"session#{_encoded(session_id)}#{expires}"
    if tnt_id:
        expires = now_seconds + DEVICE_ID_SECONDS
        value += f"|PC#{_encoded(tnt_id)}#{expires}"
    return Cookie(name=TARGET_COOKIE, value=value, max_age=-((now_ms - expires * 1000) // 1000))


def _parts(text: str) -> list[str]:
    is_cut = len(text) > _LONGEST_COOKIE
    parts = text[:_LONGEST_COOKIE].split("|", _MOST_PARTS)
    if is_cut or len(parts) > _MOST_PARTS:
        parts.pop()
    return parts


def _expiry(text: str) -> float:
    """Return the number as JavaScript's ``Number`` reads it; anything that is none, or no moment, has expired."""
    if len(text) > _LONGEST_EXPIRY:
        return -math.inf
    if text.isdecimal() and text.isascii():
        return int(text)
    text = text.strip(_BLANKS)
    if _is_decimal_number(text):
        seconds = float(text)
        return seconds if seconds < math.inf else -math.inf
    return int(text, 0) if _is_based_number(text) else -math.inf


def _decoded(text: str) -> str | None:
    if "%" in text:
        if _has_broken_escape(text):
            return None
        try:
            text = _escapes.sub(lambda escapes: bytes.fromhex(escapes[0].replace("%", "")).decode(), text)
        except UnicodeDecodeError:
            return None
    return None if _has_unfit_character(text) else text


def _encoded(text: str) -> str:
    return text if _is_unescaped(text) else quote(text, safe=_UNESCAPED_MARKS, errors="replace")
