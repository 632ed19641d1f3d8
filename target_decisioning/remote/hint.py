"""Where the Delivery API would answer this client from: asked once, at the start.

    {context: {channel: web}}, session "ping123"  -->  edgeHost "mboxedge28.tt.omtrdc.net"  -->  "28"

Source: semantics.md 1.6, start-up; faults.md E2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from target_decisioning.errors import TargetError
from target_decisioning.preparation import cluster_of_edge_host, prepare, read_call

if TYPE_CHECKING:
    from target_decisioning.config import Config
    from target_decisioning.remote.delivery import DeliveryApi

SESSION = "ping123"


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
