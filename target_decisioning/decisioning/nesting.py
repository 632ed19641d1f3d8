"""JSON that nests deeper than an interpreter's stack bears, made shallow enough to be read.

    text | value  --cut-->  the same with null in place of what lies too deep

What is cut was broken before: no condition and no offer may be nested half as deeply. But only the rule that holds it
is broken, not the artifact around it. Nothing here recurses. Source: faults.md A4, E8, cases 13 and 63.
"""

from __future__ import annotations

import re
from typing import Any

from target_decisioning.errors import ArtifactInvalid

MAX_DEPTH = 20_000
"""Levels of a whole document; what is deeper is no artifact."""
MAX_PART_DEPTH = 100
"""Levels of a part that is kept: the artifact's meta, a rule's meta and consequence."""
_CUT_DEPTH = 200

_brackets_and_texts = re.compile(r'[\[\]{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL).finditer


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists lie in one another more than *levels* deep in *value*."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(levels):
        if not level:
            return False
        level = [child for node in level for child in _children(node) if type(child) in _CONTAINERS]
    return bool(level)


def cut_text(text: str) -> str:
    """Return the JSON *text* without what lies deeper than 200 levels; it need not be well-formed.

    Raises:
        ArtifactInvalid: it has more than ``MAX_DEPTH`` levels.
    """
    kept: list[str] = []
    depth = start = 0
    for found in _brackets_and_texts(text):
        sign = text[found.start()]
        if sign in "[{":
            depth += 1
            if depth == _CUT_DEPTH + 1:
                kept += (text[start : found.start()], "null")
            if depth > MAX_DEPTH:
                raise too_deep()
        elif sign in "]}":
            if depth == _CUT_DEPTH + 1:
                start = found.end()
            depth -= 1
    return "".join(kept) if depth > _CUT_DEPTH else "".join([*kept, text[start:]])


def cut_value(value: Any) -> Any:
    """Return a copy of *value*, which does not hold itself, without what lies deeper than 200 levels.

    Raises:
        ArtifactInvalid: it has more than ``MAX_DEPTH`` levels.
    """
    if is_deeper(value, MAX_DEPTH):
        raise too_deep()
    root = [value]
    level: list[Any] = [root]
    for _ in range(_CUT_DEPTH):
        level = [copy for node in level for copy in _copied_children(node)]
    for node in level:
        for key, _ in _containers_in(node):
            node[key] = None
    return root[0]


def too_deep() -> ArtifactInvalid:
    """Return the error that says that a document nests too deeply."""
    return ArtifactInvalid(("the document", f"more than {MAX_DEPTH} levels of nesting", f"at most {MAX_DEPTH}"))


def _children(node: Any) -> Any:
    return node.values() if type(node) is dict else node


def _copied_children(node: Any) -> list[Any]:
    """Replace the objects and lists that *node* holds by copies; return those."""
    copies = []
    for key, child in _containers_in(node):
        node[key] = child.copy()
        copies.append(node[key])
    return copies


def _containers_in(node: Any) -> list[tuple[Any, Any]]:
    entries = node.items() if type(node) is dict else enumerate(node)
    return [(key, child) for key, child in entries if type(child) in _CONTAINERS]


_CONTAINERS = frozenset((dict, list))
