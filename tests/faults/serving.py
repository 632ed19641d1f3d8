"""gunicorn with preforked workers on a loopback port, and what its workers say."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import TracebackType
from typing import Any, Self

from tests.faults.parts import ROOT, until


class Gunicorn:
    """Serves *application* with *workers* that are forked after it was imported (``--preload``)."""

    def __init__(self, application: str, options: dict[str, Any], workers: int = 4) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._command = [
            *(sys.executable, "-m", "gunicorn", "--preload", "--workers", str(workers), "--no-control-socket"),
            *("--bind", f"fd://{self._listener.fileno()}", "--log-level", "warning", "--graceful-timeout", "5"),
            application,
        ]
        self._options = options

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CLIENT_OPTIONS": json.dumps(self._options)}
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment,
            pass_fds=(self._listener.fileno(),),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._listener.close()
        if self.process.poll() is None:
            self.stop()

    def stop(self, seconds: float = 20.0) -> str:
        """End it in order; return what it said."""
        self.process.send_signal(signal.SIGTERM)
        try:
            said, _ = self.process.communicate(timeout=seconds)
        finally:
            self.process.kill()
        return said

    def ask(self, path: str, seconds: float = 10.0) -> dict[str, Any]:
        """Return what one worker answers, over a connection of its own."""
        url = f"http://127.0.0.1:{self.port}/{path}"
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def ask_until(self, workers: int, seconds: float = 20.0, **wanted: Any) -> dict[int, dict[str, Any]]:
        """Ask until that many workers have answered as *wanted*; return each one's latest such answer, by its pid."""
        answers: dict[int, dict[str, Any]] = {}
        count = 0

        def asked() -> bool:
            nonlocal count
            count += 1
            told = self.ask(f"visitor-{count}")
            if told.items() >= wanted.items():
                answers[told["pid"]] = told
            return len(answers) >= workers

        until(asked, seconds)
        return answers

    def wait(self, seconds: float) -> None:
        """Let it work."""
        time.sleep(seconds)
