"""What the command is given: an artifact, a request, a moment; read, or refused with one message."""

from __future__ import annotations

import json
import math
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from target_decisioning.artifact.location import local_path
from target_decisioning.artifact.source import FETCH_SECONDS, FetchFailed, HttpSource
from target_decisioning.http import Transport

STANDARD_INPUT: Final = "-"
MAX_DEPTH: Final = 200
LATEST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


class Unusable(Exception):
    """Something that the command was given cannot be used; the message says what, where and why."""


def artifact_bytes(location: str) -> bytes:
    """Return what stands at *location*: a path, a ``file:`` URL, or a URL of the network, which is asked once.

    Raises:
        Unusable: nothing can be read there.
    """
    path = local_path(location)
    return _download(location) if path is None else _contents(path, f"artifact {location}")


def request_of(path: str) -> dict[str, Any]:
    """Return the Delivery API request in the JSON file *path* (``-``: standard input).

    What holds a request under ``request``, as an answer of ``decide`` does, stands for that request.

    Raises:
        Unusable: nothing can be read, or it is no JSON object.
    """
    is_input = path == STANDARD_INPUT
    what = "request (standard input)" if is_input else f"request {path}"
    document = _parsed(sys.stdin.buffer.read() if is_input else _contents(Path(path), what), what)
    inside = document.get("request")
    return inside if isinstance(inside, dict) else document


def moment_ms(text: str) -> int:
    """Return the epoch milliseconds of a moment: a number of them, or ISO 8601, in UTC unless it names an offset.

    Raises:
        ValueError: it is neither.
    """
    if re.fullmatch(r"[0-9]{1,15}", text):
        moment = int(text)
    else:
        read = datetime.fromisoformat(text)
        moment = math.floor((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= moment <= LATEST_MS:
        raise ValueError(f"{text} is before 1970 or after 9999")
    return moment


def _contents(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{what}: {error.strerror or type(error).__name__}") from error
    except ValueError as error:  # a path that no file system knows
        raise Unusable(f"{what}: {error}") from error


def _download(url: str) -> bytes:
    what = f"artifact {url}"
    if not _is_http(url):
        raise Unusable(f"{what}: found another scheme; expected a path, or a URL that begins with https:// or http://")
    transport = Transport()
    try:
        fetched = HttpSource(url, transport, follow_redirects=True).fetch(None, None, FETCH_SECONDS)
    except FetchFailed as failure:
        raise Unusable(f"{what}: {failure.error}") from failure
    finally:
        transport.close()
    if fetched is None or fetched.body is None:
        raise Unusable(f"{what}: the server's answer has no body")
    return fetched.body


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _parsed(body: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Unusable(f"{what}: line {error.lineno} column {error.colno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{what}: byte {error.start}: found bytes that are no text; expected JSON in UTF-8") from error
    except ValueError as error:
        raise Unusable(f"{what}: {error}") from error
    except RecursionError as error:
        raise _too_deep(what) from error
    if not isinstance(document, dict):
        raise Unusable(f"{what}: found no JSON object; expected a Delivery API request")
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
    if level:
        raise _too_deep(what)
    return document


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node


def _too_deep(what: str) -> Unusable:
    return Unusable(f"{what}: found more than {MAX_DEPTH} levels of nesting; expected at most as many")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits[:40])


def _refuse(found: str) -> NoReturn:
    raise ValueError(f"found {found}; expected numbers that JSON and a double can hold")
