"""The material that tests share with other implementations: expected values, conformance cases, the API's description.

It lies beside the repository (``../shared``) and is read from there, never copied. Where it is missing the tests that
need it skip with one line; with ``CI=true`` they fail instead, so that a green run there means they ran.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def shared_path(name: str) -> Path:
    """Return the path of *name* (``conformance/cases``); skip the calling test where it is missing."""
    path = SHARED / name
    if path.exists():
        return path
    reason = f"needs ../shared/{name}, which is not there"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def shared_json(name: str) -> Any:
    """Return the JSON in *name*, fresh at each call; lone surrogates stay in its texts."""
    return json.loads(shared_path(name).read_text(encoding="utf-8"))


@functools.cache
def _vectors() -> dict[str, Any]:
    sections: dict[str, Any] = shared_json("design/vectors.json")
    return sections


def vectors(section: str) -> Any:
    """Return one section of the expected values. It is read once for all tests: do not change it."""
    return _vectors()[section]
