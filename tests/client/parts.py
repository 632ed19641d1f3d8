"""What the tests of the client are made of: an artifact with local and remote places, requests, what was answered."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.builders import GLOBAL_MBOX, a_rule, a_view_rule, an_artifact

Json = dict[str, Any]

ORGANIZATION = "1234567890@AdobeOrg"
VISITOR = {"tntId": "visitor.28_0"}
REMOTE_VIEWS = ["view-1", "remote-view"]
"""What the stand-in of the server answers an unnamed view with."""


def places(*, page_load: str = "local", remote_views: bool = True) -> Json:
    """Return an artifact in which ``local-1``, ``local-2`` and ``view-1``, ``view-2`` can be decided here.

    ``remote-1``, ``remote-2`` and ``remote-view`` can not, nor can ``both``, which has a rule too.
    """
    remote = ["remote-1", "remote-2", "both", *([GLOBAL_MBOX] if page_load == "remote" else [])]
    rules = {name: [a_rule(f"offer of {name}")] for name in ("local-1", "local-2", "both")}
    views = {name: [a_view_rule(f"offer of {name}")] for name in ("view-1", "view-2")}
    frame = {"remoteMboxes": remote, "remoteViews": ["remote-view"] if remote_views else []}
    local = page_load == "local"
    return an_artifact(views=views, page_load=[a_rule("offer of page load")] if local else None, frame=frame, **rules)


def asking(*, mode: str = "execute", **others: Any) -> Json:
    """Return a request of a known visitor: ``mboxes="a b"``, ``views=["v", None]``, ``page_load=True``, other keys."""
    part: Json = {}
    if "mboxes" in others:
        part["mboxes"] = [{"name": name, "index": at} for at, name in enumerate(others.pop("mboxes").split())]
    if "views" in others:
        part["views"] = [{} if name is None else {"name": name} for name in others.pop("views")]
    if others.pop("page_load", False):
        part["pageLoad"] = {}
    return {"id": dict(VISITOR), "context": {"channel": "web"}, mode: part, **others}


def entries(wire: Json) -> list[tuple[str, str, Json]]:
    """Return what a request asks for, or a response answers: (mode, kind, entry) in its order."""
    return [
        (mode, kind, entry)
        for mode in ("execute", "prefetch")
        for kind in ("mboxes", "views", "pageLoad")
        for entry in _listed(wire.get(mode, {}).get(kind))
    ]


def asked(request: Json) -> list[tuple[str, str, str | None]]:
    """Return what a request (wire) asks for: (mode, kind, name)."""
    return [(mode, kind, entry.get("name")) for mode, kind, entry in entries(request)]


def offered(response: Json) -> list[tuple[str, str, str | None, list[str]]]:
    """Return what a response (wire) offers: (mode, kind, name, offers)."""
    return [
        (mode, kind, entry.get("name"), [_text(option) for option in entry.get("options", ())])
        for mode, kind, entry in entries(response)
    ]


def here(name: str | None) -> str:
    """The offer that a rule of ``places`` makes."""
    return f"offer of {name or 'page load'}"


def there(name: str | None) -> str:
    """The offer that the stand-in of the server makes."""
    return f"<p>remote offer for {name or 'page load'}</p>"


def _text(option: Json) -> str:
    content = option["content"]
    return content if isinstance(content, str) else content[0]["content"]


def _listed(part: Any) -> list[Json]:
    if part is None:
        return []
    return part if isinstance(part, list) else [part]


def until(is_true: Any, seconds: float = 5.0) -> bool:
    """Wait until *is_true*; return whether it became so."""
    ends = time.monotonic() + seconds
    while not is_true() and time.monotonic() < ends:
        time.sleep(0.005)
    return is_true()


class Heard:
    """When and where an event was told."""

    def __init__(self):
        self.at, self.threads = [], []

    def __call__(self):
        self.at.append(time.monotonic())
        self.threads.append(threading.current_thread())
