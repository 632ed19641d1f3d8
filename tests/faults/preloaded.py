"""A WSGI application whose client is built when the module is imported: in gunicorn's master with ``--preload``.

The client's options stand in ``CLIENT_OPTIONS`` as JSON. Each answer is JSON: who decided, and what.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from target_decisioning import TargetClient, TargetError
from tests.faults.parts import execute

client = TargetClient.create(json.loads(os.environ["CLIENT_OPTIONS"]))
client.get_offers(request=execute(tnt_id="master"), session_id=f"p{os.getpid()}")
client.flush(5)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Decide one request, over the session of this process."""
    pid = os.getpid()
    try:
        answer = client.get_offers(request=execute(tnt_id=environ["PATH_INFO"]), session_id=f"p{pid}").to_wire()
        told = {"pid": pid, "version": client.status()["version"], "answer": answer}
    except TargetError as error:
        told = {"pid": pid, "error": type(error).__name__}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
