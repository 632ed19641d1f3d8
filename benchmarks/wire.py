"""A connection that takes what the client reports and answers only when told to.

A decision is measured with everything that it owes handed to the outbox; the sending is another thread's work, and
would otherwise share the interpreter with what is measured.
"""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

Json = dict[str, Any]


class HeldSession(requests.Session):
    """A session whose exchanges wait until ``release`` and then all end with 204.

    ``sent`` holds their bodies from ``record`` on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.sent: list[Json] = []
        self._adapter = _Held(self.sent)
        self.mount("http://", self._adapter)

    def hold(self) -> None:
        """Let exchanges wait from now on."""
        self._adapter.gate.clear()

    def release(self) -> None:
        """Let exchanges end."""
        self._adapter.gate.set()

    def record(self, *, on: bool) -> None:
        """Keep the bodies of exchanges, or no more."""
        self._adapter.is_recording = on


class _Held(BaseAdapter):
    def __init__(self, sent: list[Json]) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.is_recording = False
        self._sent = sent

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Wait, then answer."""
        self.gate.wait()
        if self.is_recording:
            self._sent.append(json.loads(request.body or b"{}"))
        response = requests.Response()
        response.status_code, response.request, response.url = 204, request, request.url or ""
        response.raw = HTTPResponse(io.BytesIO(), status=204, preload_content=False)
        return response

    def close(self) -> None:
        """Have nothing to close."""
