"""What of a request must be asked of the server.

    request + program  --remote_needs-->  (mbox names, view names); both empty: all can be decided here

Source: semantics.md 4.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from target_decisioning.decisioning.program import DecisionProgram

_NOTHING: dict[str, Any] = {}


def remote_needs(program: DecisionProgram, request: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the names of the mboxes and views in *request* that only the server can decide.

    A page load counts under the name of the artifact's global mbox. A name in both of the artifact's lists, or in
    none, is remote.
    """
    return _remote_mboxes(program, request), _remote_views(program, request)


def is_local(program: DecisionProgram, request: dict[str, Any]) -> bool:
    """Whether all of *request* can be decided here."""
    for mode in ("execute", "prefetch"):
        if mode not in request:
            continue
        part = request[mode]
        for mbox in part.get("mboxes", ()):
            if mbox["name"] not in program.local_mboxes:
                return False
        if "pageLoad" in part and program.global_mbox not in program.local_mboxes:
            return False
        if "views" in part and not _are_local(program, part["views"]):
            return False
    return True


def _are_local(program: DecisionProgram, views: list[dict[str, Any]]) -> bool:
    return all(view["name"] in program.local_views if "name" in view else not program.remote_views for view in views)


def _remote_mboxes(program: DecisionProgram, request: dict[str, Any]) -> list[str]:
    local = program.local_mboxes
    needed = [name for name in _asked_mboxes(program, request) if name not in local]
    return _in_order(program.remote_mboxes, needed)


def _asked_mboxes(program: DecisionProgram, request: dict[str, Any]) -> Iterator[str]:
    prefetch, execute = request.get("prefetch", _NOTHING), request.get("execute", _NOTHING)
    for part in (prefetch, execute):
        for mbox in part.get("mboxes", ()):
            yield mbox["name"]
    if "pageLoad" in prefetch or "pageLoad" in execute:
        yield program.global_mbox


def _remote_views(program: DecisionProgram, request: dict[str, Any]) -> list[str]:
    views = request.get("prefetch", _NOTHING).get("views")
    if not views:
        return []
    local = program.local_views
    needed = [view["name"] for view in views if "name" in view and view["name"] not in local]
    if any("name" not in view for view in views):
        needed += program.remote_views
    return _in_order(program.remote_views, needed)


def _in_order(listed: tuple[str, ...], needed: list[str]) -> list[str]:
    """Return the names that are *needed*: those that the artifact lists in its order, then the others as asked."""
    if not needed:
        return []
    wanted = dict.fromkeys(needed)
    return list(dict.fromkeys([name for name in listed if name in wanted] + list(wanted)))
