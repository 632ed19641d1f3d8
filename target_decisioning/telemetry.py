"""What a client tells about its own work: one entry per call and per artifact download.

    add_decision(...), add_download(...)  -->  [bounded queue]  -->  take() -> telemetry.entries

Adding stores what an entry is built from when it is taken: numbers and short texts, and nothing that a caller or a
visitor gave, of whatever size, but the request's id. Entries live in memory only and never hold up a call. The caller
says where they ride along. Source: semantics.md 4.10.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_decisioning.preparation import Call

MOST_ENTRIES: Final = 1_000
DUE_ENTRIES: Final = 100
DUE_SECONDS: Final = 10.0
LONGEST_ID: Final = 128
DOWNLOAD_ID: Final = "ArtifactDownload"
Sizes = tuple[Any, ...]
"""How many mboxes, whether a page load (true or false), how many views."""
_NOTHING: Final[Sizes] = (0, False, 0)
_COUNTS: Final = ("MboxCount", "PageLoad", "ViewCount")


class Telemetry:
    """Entries that wait to be taken; beyond 1,000 the oldest is dropped and counted. Threads may share it."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self.dropped = 0
        self._waiting: deque[tuple[Any, ...]] = deque(maxlen=MOST_ENTRIES)
        self._since = 0.0

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return len(self._waiting)

    def due(self, now: float) -> bool:
        """Whether what waits should leave in a call of its own by *now* (``time.monotonic()``)."""
        return len(self._waiting) >= DUE_ENTRIES or (bool(self._waiting) and now - self._since >= DUE_SECONDS)

    def add_decision(self, call: Call, ended: float) -> int:
        """Note a call that succeeded; return how many entries wait.

        Args:
            call: answered.
            ended: ``time.perf_counter()`` when it had been answered.
        """
        if not self.enabled:
            return 0
        request = call.request
        times = call.now_ms, call.began, call.prepared, ended, call.timing
        asked = _sizes(request.get("execute")), _sizes(request.get("prefetch"))
        return self._add(
            (_decision, request["requestId"], times, call.method, asked, call.edge_host, call.server_token)
        )

    def add_download(
        self,
        now_ms: int,
        execution_ms: float,
        parsing_ms: float | None = None,
        timing: Mapping[str, float] | None = None,
    ) -> None:
        """Note an artifact download: when it ended (epoch ms), how long it and its reading took, the call's times."""
        if self.enabled:
            self._add((_download, now_ms, execution_ms, parsing_ms, timing))

    def take(self) -> list[dict[str, Any]]:
        """Return all entries that wait, oldest first; they are gone from here."""
        entries: list[dict[str, Any]] = []
        while self._waiting:
            try:
                build, *facts = self._waiting.popleft()
            except IndexError:  # another thread took the last one
                break
            entries.append(build(*facts))
        return entries

    def clear(self) -> None:
        """Forget what waits: in a forked child, whose parent has it too."""
        self._waiting.clear()

    def _add(self, entry: tuple[Any, ...]) -> int:
        """Keep what builds an entry, and from what."""
        waiting = self._waiting
        count = len(waiting)
        if not count:
            self._since = time.monotonic()
        elif count == MOST_ENTRIES:
            self.dropped += 1
        waiting.append(entry)
        return min(count + 1, MOST_ENTRIES)


def _sizes(part: dict[str, Any] | None) -> Sizes:
    """Return how much one mode asks for."""
    if not part:
        return _NOTHING
    return (
        len(part["mboxes"]) if "mboxes" in part else 0,
        "pageLoad" in part,
        len(part["views"]) if "views" in part else 0,
    )


def _decision(
    request_id: Any,
    times: tuple[int, float, float, float, dict[str, Any] | None],
    method: str,
    asked: tuple[Sizes, Sizes],
    edge_host: Any,
    server_token: Any,
) -> dict[str, Any]:
    now_ms, began, prepared, ended, timing = times
    entry = _timed(request_id, now_ms, (ended - began) * 1000, (prepared - began) * 1000, timing)
    entry["mode"] = "edge" if edge_host else "local"
    if server_token:
        entry["telemetryServerToken"] = server_token
    counts = {
        f"{mode}{name}": size
        for mode, sizes in zip(("execute", "prefetch"), asked, strict=True)
        for name, size in zip(_COUNTS, sizes, strict=True)
        if size
    }
    entry["features"] = {"decisioningMethod": method, **counts}
    return entry


def _download(
    now_ms: int, execution_ms: float, parsing_ms: float | None, timing: Mapping[str, float] | None
) -> dict[str, Any]:
    return _timed(DOWNLOAD_ID, now_ms, execution_ms, parsing_ms, timing)


def _timed(
    request_id: Any,
    now_ms: int,
    execution_ms: float,
    parsing_ms: float | None,
    timing: Mapping[str, float] | None,
) -> dict[str, Any]:
    own_id = str(request_id)[:LONGEST_ID]  # a caller's may be anything, and must not spoil the call that takes it along
    entry: dict[str, Any] = {"requestId": own_id, "timestamp": now_ms, "execution": round(execution_ms, 2)}
    if parsing_ms is not None:
        entry["parsing"] = round(parsing_ms, 2)
    if timing:
        entry["request"] = {name: round(value, 2) for name, value in timing.items()}
    return entry
