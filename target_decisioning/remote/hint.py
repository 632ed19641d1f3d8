"""Where the Delivery API would answer this client from: asked once, at the start.

    {context: {channel: web}}, session "ping123"  -->  edgeHost "mboxedge28.tt.omtrdc.net"  -->  "28"

Source: semantics.md 1.6, start-up; faults.md E2.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from target_decisioning.errors import TargetError
from target_decisioning.forks import ProcessLock, renew_in_child
from target_decisioning.preparation import cluster_of_edge_host, prepare, read_call

if TYPE_CHECKING:
    from target_decisioning.config import Config
    from target_decisioning.remote.delivery import DeliveryApi

SESSION = "ping123"


class LocationHint:
    """The cluster that serves a client: configured, or learnt in the background.

    ``cluster`` is None until it is known. ``is_owed``: this process was forked off while its parent asked, and has to
    ask for itself.
    """

    def __init__(self, config: Config, delivery: DeliveryApi, new_id: Callable[[], str]) -> None:
        self._config, self._delivery, self._new_id = config, delivery, new_id
        self.cluster = config.target_location_hint
        self.is_owed = self._is_asking = False
        self._lock = ProcessLock()
        renew_in_child(self)

    def begin_in_child(self) -> None:
        """Owe what the parent had not learnt yet: its thread is not in the child."""
        self.is_owed, self._is_asking = self.is_owed or self._is_asking, False

    def learn(self) -> None:
        """Ask on a thread of its own, unless that is under way."""
        with self._lock:
            if self._is_asking:
                return
            self.is_owed, self._is_asking = False, True
        try:
            threading.Thread(target=self._ask, name="target-location-hint", daemon=True).start()
        except RuntimeError:  # no thread can be started, and a hint is not worth more than a try
            self._is_asking = False

    def _ask(self) -> None:
        try:
            self.cluster = learn_location_hint(self._config, self._delivery, self._new_id)
        finally:
            self._is_asking = False


def learn_location_hint(config: Config, delivery: DeliveryApi, new_id: Callable[[], str]) -> str | None:
    """Return the cluster that serves this client; None if it cannot be learnt, which harms nothing."""
    call = read_call({"request": {"context": {"channel": "web"}}, "session_id": SESSION}, {})
    prepare(call, config, None, round(time.time() * 1000), new_id)
    try:
        response, _ = delivery.deliver(call.request, call.session_id, None, safe_to_repeat=True)
    except TargetError as error:
        config.logger.debug(f"The location hint could not be learnt: {type(error).__name__}")
        return None
    return cluster_of_edge_host(response.get("edgeHost"))
