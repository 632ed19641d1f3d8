"""Offers with holes: ``${activity.id}``, ``${mbox.name}``, ``${some.parameter}`` in the text of an offer.

    text  --compile_macros (load)-->  Template  --bind to the rule's meta (load)-->  Template  --fill (request)-->  text

What the artifact alone decides is filled in at load; what is left asks the request's entry and its parameters. The
text that is put in is literal, and is not looked through for macros again. Source: semantics.md 4.7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_decisioning.decisioning.javascript import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MACRO = re.compile(r"\$\{([A-Za-z0-9_.]*)\}")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Macro:
    """One hole: the name that is looked up, and the macro as it is written (it stays where nothing is found)."""

    key: str
    written: str


@dataclass(frozen=True, slots=True)
class Template:
    """The text of an offer, split at its macros. ``parts`` holds texts and holes in order."""

    parts: tuple[str | Macro, ...]

    def bind(self, meta: Mapping[str, Any]) -> Template:
        """Return the template in which every macro that the rule's *meta* knows is text already."""
        return Template(tuple(_joined(_bound(part, meta) for part in self.parts)))

    @property
    def constant(self) -> str | None:
        """The finished text, if no macro is left; else None."""
        if not self.parts:
            return ""
        only = self.parts[0]
        return only if len(self.parts) == 1 and isinstance(only, str) else None

    def fill(self, entry: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> str:
        """Return the text for one asked *entry* (wire form) with its flat *parameters*; for a bound template."""
        return "".join(
            [part if isinstance(part, str) else _filled(part, entry, parameters or {}) for part in self.parts]
        )


def compile_macros(text: str) -> Template | None:
    """Split *text* at its macros; None if it has none, which is the usual case."""
    if "${" not in text:
        return None
    parts: list[str | Macro] = []
    end = 0
    for found in _MACRO.finditer(text):
        parts += (text[end : found.start()], Macro(_key(found[1]), found[0]))
        end = found.end()
    return Template(tuple(_joined([*parts, text[end:]]))) if parts else None


def _key(inner: str) -> str:
    """Return the name that a macro looks up: today's words for old ones, at most two parts, without ``mbox``."""
    parts = inner.replace("campaign", "activity").replace("recipe", "experience").split(".")[-2:]
    return ".".join(part for part in parts if part != "mbox")


def _bound(part: str | Macro, meta: Mapping[str, Any]) -> str | Macro:
    if isinstance(part, str) or part.key not in meta:
        return part
    return to_text(meta[part.key])


def _filled(macro: Macro, entry: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    value = entry.get(macro.key, _MISSING)
    if value is _MISSING:
        value = parameters.get(macro.key, _MISSING)
    return macro.written if value is _MISSING else to_text(value)


def _joined(parts: Iterable[str | Macro]) -> list[str | Macro]:
    """Return *parts* without empty texts and with neighbouring texts made one."""
    joined: list[str | Macro] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined
