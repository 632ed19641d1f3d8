"""The child that measures the earlier SDK for Python, target-python-sdk. Runs in its own virtual environment.

It is measured at its best: requests are typed before the clock runs, what it reports ends where it is handed over, no
telemetry. It copies its configuration in each call, and with it an artifact that was given as ``artifact_payload``; so
that is taken out once it is loaded, as if it had been downloaded, unless the argument ``payload`` is given.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import logging
import platform
import sys
import time
from pathlib import Path
from typing import Any

import delivery_api_client as api
import target_python_sdk
from target_python_sdk import TargetClient

Json = dict[str, Any]


class Earlier:
    """Holds a client for each workload."""

    def __init__(self, *, keeps_payload: bool) -> None:
        self._clients: dict[str, Any] = {}
        self._keeps_payload = keeps_payload

    def open(self, workload: str, artifact: str) -> Json:
        """Make the client of *workload*."""
        target_python_sdk.request_location_hint_cookie = lambda *_: None  # it would ask the network
        client = TargetClient.create(
            {
                "client": "acme",
                "organization_id": "1234567890@AdobeOrg",
                "decisioning_method": "on-device",
                "artifact_payload": json.loads(Path(artifact).read_bytes()),
                "polling_interval": 0,
                "telemetry_enabled": False,
            }
        )
        if not self._keeps_payload:
            del client.config["artifact_payload"]
        client.decisioning_engine.config.send_notification_func = lambda _options: None
        self._clients[workload] = client
        gc.collect()
        gc.freeze()
        names = ("target-python-sdk",)
        versions = {name: importlib.metadata.version(name) for name in names}
        return {"versions": {**versions, "python": platform.python_version()}}

    def burst(self, workload: str, requests: list[Json]) -> Json:
        """Time the calls."""
        client, clock = self._clients[workload], time.perf_counter_ns
        took: list[int] = []
        typed = [{"request": _typed("DeliveryRequest", request)} for request in requests]
        gc.collect()
        for options in typed:
            began = clock()
            client.get_offers(options)
            took.append(clock() - began)
        return {"ns": took}

    def answer(self, workload: str, requests: list[Json]) -> Json:
        """Give the answers."""
        client, to_wire = self._clients[workload], api.ApiClient().sanitize_for_serialization
        answers = [client.get_offers({"request": _typed("DeliveryRequest", request)}) for request in requests]
        return {"responses": [to_wire(answer["response"]) for answer in answers]}


def _typed(kind: str, wire: Any) -> Any:
    """Make the SDK's model of *kind* from *wire*, as its own declarations say."""
    if kind.startswith("list["):
        return [_typed(kind[5:-1], entry) for entry in wire]
    model = getattr(api, kind, None)
    if model is None or not isinstance(wire, dict):
        return wire
    names = {wire_name: name for name, wire_name in model.attribute_map.items()}
    return model(**{names[key]: _typed(model.openapi_types[names[key]], value) for key, value in wire.items()})


def main() -> None:
    """Do what each line says."""
    logging.disable(logging.CRITICAL)
    earlier = Earlier(keeps_payload="payload" in sys.argv)
    for line in sys.stdin:
        command = json.loads(line)
        said = getattr(earlier, command.pop("do"))(**command)
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
