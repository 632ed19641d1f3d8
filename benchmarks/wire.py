"""A connection that takes what the client reports and answers only when told to.

A decision is measured with everything that it owes handed to the outbox; the sending is another thread's work, and
would otherwise share the interpreter with what is measured.
"""

from __future__ import annotations

import io
import threading
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse


class HeldSession(requests.Session):
    """A session whose exchanges wait until ``release`` and then all end with 204."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self._adapter = _Held()
        self.mount("http://", self._adapter)

    def hold(self) -> None:
        """Let exchanges wait from now on."""
        self._adapter.gate.clear()

    def release(self) -> None:
        """Let exchanges end."""
        self._adapter.gate.set()


class _Held(BaseAdapter):
    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Wait, then answer."""
        self.gate.wait()
        response = requests.Response()
        response.status_code, response.request, response.url = 204, request, request.url or ""
        response.raw = HTTPResponse(io.BytesIO(), status=204, preload_content=False)
        return response

    def close(self) -> None:
        """Have nothing to close."""
