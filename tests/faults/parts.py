"""What the fault cases are made of: the shop's artifact, a client between two stand-ins, and child processes.

A child is a real process that runs a program text with the client's options as JSON in ``sys.argv[1]``; it imports
this module too (``create``, ``execute``), so it must need nothing but the package itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from target_decisioning import TargetClient

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "artifacts/shop.json"
LOCAL, REMOTE = "home-hero", "recommendations"
"""An mbox of the shop that is decided here and owes an impression, and one that only the server decides."""

WATCHED = "import faulthandler, signal; faulthandler.register(signal.SIGUSR1)\n"


def options(api: Any = None, cdn: Any = None, **more: Any) -> dict[str, Any]:
    """Return options for a client between the stand-ins; without *cdn* it decides from the shop's artifact itself."""
    given: dict[str, Any] = {
        "client": "acme",
        "organization_id": "1234567890@AdobeOrg",
        "decisioning_method": "on-device",
        "secure": False,
        "learn_location_hint": False,
        "telemetry_enabled": False,
    }
    if api is not None:
        given["server_domain"] = api.authority
    if cdn is None:
        given["artifact_payload"] = SHOP.read_text(encoding="utf-8")
    else:
        given |= {"artifact_location": cdn.location("shop.json"), "polling_interval_seconds": 0.2}
    return given | more


def create(*arguments: str) -> TargetClient:
    """Create the client that a child was asked to make."""
    return TargetClient.create(json.loads(arguments[0] if arguments else sys.argv[1]))


def execute(*names: str, tnt_id: str | None = "anna", **more: Any) -> dict[str, Any]:
    """Return a request that executes mboxes."""
    return {
        "id": {"tntId": tnt_id} if tnt_id else {},
        "context": {"channel": "web"},
        "execute": {"mboxes": [{"name": name, "index": index} for index, name in enumerate(names or (LOCAL,))]},
        **more,
    }


def child(program: str, *arguments: Any, python: str = sys.executable, **settings: Any) -> subprocess.Popen[str]:
    """Start *program*; an argument that is a dict arrives as JSON. Asked by SIGUSR1, it shows where it is.

    ``env`` is laid over this process's environment; None takes a variable away.
    """
    texts = [json.dumps(argument) if isinstance(argument, dict) else str(argument) for argument in arguments]
    wanted = {**os.environ, "PYTHONPATH": str(ROOT), **settings.pop("env", {})}
    environment = {name: value for name, value in wanted.items() if value is not None}
    command = [python, "-c", WATCHED + program, *texts]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, start_new_session=True, **pipes)


def run(program: str, *arguments: Any, seconds: float = 60.0, **settings: Any) -> tuple[int, str, str, float]:
    """Run *program* to its end; return its code, what it said on stdout and stderr, and how long it took."""
    began = time.monotonic()
    with ended(child(program, *arguments, **settings), seconds) as process:
        said, complained = process.communicate()
        return process.returncode, said, complained, time.monotonic() - began


@contextlib.contextmanager
def ended(process: subprocess.Popen[str], seconds: float = 60.0) -> Iterator[subprocess.Popen[str]]:
    """Give *process*, which outlives neither the block nor that time; its own children neither."""
    watch = threading.Timer(seconds, _end, (process,))
    watch.start()
    with process:
        try:
            yield process
        finally:
            watch.cancel()
            _signal(process, signal.SIGKILL)


def _end(process: subprocess.Popen[str]) -> None:
    """Have *process* and its children show where they hang, then end them."""
    _signal(process, signal.SIGUSR1)
    time.sleep(0.5)
    _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def until(is_true: Any, seconds: float = 10.0) -> bool:
    """Wait until *is_true*; return whether it became so."""
    ends = time.monotonic() + seconds
    while not is_true() and time.monotonic() < ends:
        time.sleep(0.01)
    return bool(is_true())
