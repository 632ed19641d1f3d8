"""Which part of a request is decided where, and one answer made of both.

    request --split--> local part, remote part     decision + remote answer --merge--> response, as if one had answered

Pure functions on wire dicts. A name in both of the artifact's lists is remote as a whole; the identity is fixed before
the split, so both parts see the same visitor. Source: semantics.md 4.8, 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from target_decisioning.decisioning import Decision, DecisionProgram, is_local, remote_needs
from target_decisioning.decisioning.fresh import fresh
from target_decisioning.errors import DeliveryError

MODES = ("execute", "prefetch")
KINDS = {"mboxes": "mbox", "views": "view", "pageLoad": "pageLoad"}
ONLY_SERVER = frozenset({"qaMode", "preview"})
"""Parts of a request that only a server understands: with one of them it goes out whole."""

Entry = dict[str, Any]
IsRemote = Callable[[str, Entry], bool]


@dataclass(slots=True, kw_only=True)
class RemoteNeeds:
    """What of a request only the server can decide; never changed.

    ``every_view``: whether an unnamed view, which asks for all, is among it.
    """

    mboxes: list[str]
    views: list[str]
    global_mbox: str
    every_view: bool

    def covers(self, kind: str, entry: Entry) -> bool:
        """Whether an asked entry of *kind* (``mboxes``, ``views``, ``pageLoad``) is remote."""
        if kind == "pageLoad":
            return self.global_mbox in self.mboxes
        if kind == "mboxes":
            return entry["name"] in self.mboxes
        return entry["name"] in self.views if "name" in entry else self.every_view


NO_NEEDS = RemoteNeeds(mboxes=[], views=[], global_mbox="", every_view=False)


def needs_of(program: DecisionProgram, request: Entry) -> RemoteNeeds:
    """Return what of a prepared request *program* leaves to the server."""
    if is_local(program, request):
        return NO_NEEDS
    mboxes, views = remote_needs(program, request)
    return RemoteNeeds(
        mboxes=mboxes, views=views, global_mbox=program.global_mbox, every_view=bool(program.remote_views)
    )


def split(request: Entry, needs: RemoteNeeds) -> tuple[Entry | None, Entry]:
    """Return the local and the remote part of a prepared request that has needs; None if nothing is local."""
    local = _part(request, lambda kind, entry: not needs.covers(kind, entry))
    return (local if any(mode in local for mode in MODES) else None), _part(request, needs.covers)


def merge(asked: Entry, needs: RemoteNeeds, decision: Decision, answer: Entry) -> Entry:
    """Return the response to *asked*: the local decision and the remote answer in the order asked.

    Raises:
        DeliveryError: reason ``invalid``, if the remote answer has not the parts that it was asked for.
    """
    merged = {key: value for key, value in answer.items() if key not in MODES}
    answered_id = answer.get("id") or {}
    if not answered_id.get("tntId"):  # the visitor stays who both parts were decided for
        merged["id"] = {**answered_id, **fresh(asked["id"])}
    ends = iter(decision.ends)
    for mode in MODES:
        if mode in asked:
            local = getattr(decision, mode) or {}
            merged[mode] = _merge_mode(asked[mode], needs, _Decided(local, ends), answer.get(mode))
    return merged


def sources(asked: Entry, source_of: Callable[[str, Entry], str]) -> list[dict[str, Any]]:
    """Return where each asked item was decided, in the order asked."""
    return [
        {
            "mode": mode,
            "kind": KINDS[kind],
            "name": entry.get("name"),
            "index": entry.get("index"),
            "source": source_of(kind, entry),
        }
        for mode in MODES
        for kind, entry in _entries(asked.get(mode, {}))
    ]


def _part(request: Entry, wanted: IsRemote) -> Entry:
    part = {key: value for key, value in request.items() if key not in MODES}
    for mode in MODES:
        found = _mode_part(request.get(mode, {}), wanted)
        if found:
            part[mode] = found
    return part


def _mode_part(asked: Entry, wanted: IsRemote) -> Entry:
    part: Entry = {}
    for kind, value in asked.items():
        if kind == "pageLoad":
            found: Any = value if wanted(kind, value) else None
        else:
            found = [entry for entry in value if wanted(kind, entry)] or None
        if found is not None:
            part[kind] = found
    return part


def _entries(asked: Entry) -> Iterator[tuple[str, Entry]]:
    for kind in KINDS:
        if kind == "pageLoad" and kind in asked:
            yield kind, asked[kind]
        elif kind in asked:
            yield from ((kind, entry) for entry in asked[kind])


class _Decided:
    """One mode of a decision, given out by what was asked for."""

    def __init__(self, answer: Entry, ends: Iterator[int]) -> None:
        self.page_load: Entry | None = answer.get("pageLoad")
        self._answer, self._ends = answer, ends

    def entries(self, kind: str) -> Iterator[list[Entry]]:
        """Give the answers to each asked entry of *kind*; ``mboxes`` first, then ``views``."""
        entries, begin = self._answer.get(kind, []), 0
        for end in self._ends:
            yield entries[begin:end]
            begin = end


def _merge_mode(asked: Entry, needs: RemoteNeeds, local: _Decided, answered: Any) -> Entry:
    remote: Entry = {}
    if any(needs.covers(kind, entry) for kind, entry in _entries(asked)):
        if not isinstance(answered, dict):
            raise DeliveryError("The Delivery API left out a part that it was asked for", 200, reason="invalid")
        remote = answered
    merged = {key: value for key, value in remote.items() if key not in KINDS}
    if "mboxes" in asked:
        merged["mboxes"] = _merge_mboxes(asked["mboxes"], needs, local.entries("mboxes"), _listed(remote, "mboxes"))
    if "views" in asked:
        merged["views"] = _merge_views(asked["views"], needs, local.entries("views"), _listed(remote, "views"))
    if "pageLoad" in asked:
        is_remote = needs.covers("pageLoad", asked["pageLoad"])
        merged["pageLoad"] = (remote.get("pageLoad") if is_remote else local.page_load) or {"options": []}
    return merged


def _merge_mboxes(
    asked: list[Entry], needs: RemoteNeeds, local: Iterator[list[Entry]], remote: list[Entry]
) -> list[Entry]:
    merged, waiting = [], list(remote)
    for entry in asked:
        if not needs.covers("mboxes", entry):
            merged += next(local)
            continue
        found = _claim(waiting, entry["name"], entry["index"], every=entry["name"] == needs.global_mbox)
        if not found and entry["name"] != needs.global_mbox:
            found = [{"name": entry["name"], "index": entry["index"]}]
        merged += found
    return merged


def _merge_views(
    asked: list[Entry], needs: RemoteNeeds, local: Iterator[list[Entry]], remote: list[Entry]
) -> list[Entry]:
    waiting = list(remote)
    places: list[list[Entry]] = []
    unnamed: list[Entry] | None = None
    for entry in asked:
        if not needs.covers("views", entry):
            places.append(next(local))
        elif "name" in entry:
            places.append(_claim(waiting, entry["name"]))
        else:
            places.append([])
            unnamed = places[-1] if unnamed is None else unnamed
    if unnamed is not None:
        unnamed += waiting
    return [entry for place in places for entry in place]


def _claim(waiting: list[Entry], name: str, index: Any = None, *, every: bool = False) -> list[Entry]:
    """Take the first answered entry of that name (and index) out of *waiting*, or every one.

    One without an index is taken only where none has that index.
    """
    named = [entry for entry in waiting if entry.get("name") == name]
    claimed = [entry for entry in named if index is None or entry.get("index", index) == index]
    if not every:
        exact = [entry for entry in claimed if "index" in entry]
        claimed = (exact or claimed)[:1]
    for entry in claimed:
        waiting[:] = [other for other in waiting if other is not entry]
    return claimed


def _listed(answer: Entry, kind: str) -> list[Entry]:
    found = answer.get(kind)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
