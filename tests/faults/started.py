"""A client with everything around it that a fault case needs to see: events, log lines, answers as text."""

from __future__ import annotations

import json
import socket
import time

from target_decisioning import TargetClient
from target_decisioning.events import EVENTS
from tests.faults.parts import SHOP, options
from tests.logs import Log

SHOP_BYTES = SHOP.read_bytes()
_NAMES = ("home-hero", "checkout-offer", "device-banner", "lunch-deal", "newsletter", "search-ranking", "store-finder")


class Started:
    """A client that polls *location*; ``events`` and ``log`` hold what it told, ``seconds`` how long its start took."""

    def __init__(self, location, api=None, **more):
        self.events, self.log = [], Log()
        self.began = time.monotonic()
        given = options(api, artifact_location=location, polling_interval_seconds=0.1, logger=self.log)
        del given["artifact_payload"]
        listeners = dict.fromkeys(EVENTS, self._hear) | more.pop("events", {})
        self.client = TargetClient.create(given | {"events": listeners} | more)
        self.seconds = time.monotonic() - self.began

    def _hear(self, event):
        self.events.append((event["type"], event))

    def of(self, event):
        return [payload for name, payload in list(self.events) if name == event]

    @property
    def reasons(self):
        """Why downloads failed, in order."""
        return [event["reason"] for event in self.of("artifact_download_failed")]

    @property
    def status(self):
        return self.client.status()

    def ask(self, *names, **more):
        """Prefetch mboxes: decided without owing anything."""
        mboxes = [{"name": name, "index": index} for index, name in enumerate(names or _NAMES)]
        request = {
            "requestId": "r",
            "id": {"tntId": "anna"},
            "context": {"channel": "web"},
            "prefetch": {"mboxes": mboxes},
        }
        return self.client.get_offers(request=request, session_id="s", **more)

    def answers(self):
        """Return the answers to a fixed request as text: equal bytes as long as the same artifact decides."""
        return json.dumps(self.ask().response.to_wire(), sort_keys=True)


def free_port():
    """Return a port of the loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def changed_shop(**keys):
    """Return the shop's artifact as bytes, some of its keys replaced."""
    return json.dumps(json.loads(SHOP_BYTES) | keys).encode()


def percentile(seconds, share=0.99):
    """Return what *share* of *seconds* stays under."""
    return sorted(seconds)[int(share * (len(seconds) - 1))]
