"""The JSON offers of mboxes as one flat set of attributes per mbox. Source: semantics.md 1.2, get_attributes."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from target_decisioning.delivery import TargetDeliveryResponse
from target_decisioning.errors import AttributeNotFound, RequestError
from target_decisioning.preparation.reading import Unreadable, as_object, is_number, kind_of

_NO_DEFAULT: Any = object()


class Attributes:
    """What ``get_attributes`` returns: the attributes of each mbox, and the envelope that they came in."""

    def __init__(self, envelope: TargetDeliveryResponse) -> None:
        self._envelope = envelope
        self._by_mbox = _gather(envelope.to_wire()["response"])

    def get_value(self, mbox_name: str, key: str, default: Any = _NO_DEFAULT) -> Any:
        """Return one attribute, or *default* where the mbox has none of that name.

        Raises:
            AttributeNotFound: there is no such attribute and no default.
        """
        attributes = self._by_mbox.get(mbox_name, {})
        if key in attributes:
            return attributes[key]
        if default is _NO_DEFAULT:
            raise AttributeNotFound(mbox_name, key)
        return default

    def as_object(self, mbox_name: str | None = None) -> dict[str, Any]:
        """Return a copy of the attributes of one mbox (``{}`` if it has none), or of all: mbox name -> attributes."""
        return copy.deepcopy(self._by_mbox if mbox_name is None else self._by_mbox.get(mbox_name, {}))

    def get_response(self) -> TargetDeliveryResponse:
        """Return the envelope."""
        return self._envelope


def add_mboxes(request: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return *request* with the names that it does not ask for yet added to ``execute.mboxes``.

    The given request is not changed.
    """
    wanted = _names(names)
    execute, prefetch = _mode(request, "execute"), _mode(request, "prefetch")
    own, others = _mboxes(execute, "execute"), _mboxes(prefetch, "prefetch")
    known = [mbox.get("name") for mbox in (*own, *others)]
    missing = [name for name in wanted if name not in known]
    if not missing:
        return request
    top = max((mbox["index"] for mbox in own if is_number(mbox.get("index"))), default=0)
    added = [{"name": name, "index": max(top, 0) + at} for at, name in enumerate(missing, start=1)]
    return {**request, "execute": {**execute, "mboxes": [*own, *added]}}


def _names(names: Iterable[str]) -> list[str]:
    if not isinstance(names, Iterable):
        raise RequestError("mbox_names", kind_of(names), "a list of mbox names")
    wanted = [names] if isinstance(names, str) else list(names)
    for at, name in enumerate(wanted):
        if not isinstance(name, str) or not name:
            raise RequestError(f"mbox_names[{at}]", kind_of(name), "the name of an mbox")
    return wanted


def _mode(request: dict[str, Any], mode: str) -> dict[str, Any]:
    return _object(request.get(mode), f"request.{mode}")


def _mboxes(part: dict[str, Any], mode: str) -> list[dict[str, Any]]:
    mboxes = part.get("mboxes")
    if mboxes is None:
        return []
    if not isinstance(mboxes, list | tuple):
        raise RequestError(f"request.{mode}.mboxes", kind_of(mboxes), "a list")
    return [_object(mbox, f"request.{mode}.mboxes[{at}]") for at, mbox in enumerate(mboxes)]


def _object(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        return as_object(value)
    except Unreadable as error:
        raise RequestError(where, error.found, error.expected) from None


def _gather(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    by_mbox: dict[str, dict[str, Any]] = {}
    for mode in ("prefetch", "execute"):
        for mbox in (response.get(mode) or {}).get("mboxes") or ():
            for option in mbox.get("options") or ():
                if option.get("type") == "json" and option.get("content") is not None and mbox.get("name"):
                    by_mbox.setdefault(mbox["name"], {}).update(_own_entries(option["content"]))
    return by_mbox


def _own_entries(content: Any) -> dict[str, Any]:
    """Return what JavaScript's ``Object.assign`` would copy from *content*."""
    if isinstance(content, dict):
        return content
    if isinstance(content, list | str):
        return {str(at): part for at, part in enumerate(content)}
    return {}
