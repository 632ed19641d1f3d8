"""A keeper with everything around it that a test needs to see what it does."""

from __future__ import annotations

import json
import time

from target_decisioning.artifact import ArtifactKeeper
from target_decisioning.config import read_config
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported


class Program:
    """What a compiler would make: knows which artifact it came from."""

    def __init__(self, artifact):
        self.artifact, self.version = artifact, artifact["version"]


def compile_program(source):
    """Compile as the engine does, as far as a keeper can tell."""
    try:
        artifact = json.loads(source)
    except ValueError as error:
        raise ArtifactInvalid(("(whole)", "no JSON", "JSON")) from error
    if not isinstance(artifact, dict) or "version" not in artifact:
        raise ArtifactInvalid(("version", "nothing", "text"))
    if not artifact["version"].startswith("1."):
        raise ArtifactUnsupported(artifact["version"])
    return Program(artifact)


def artifact(name="a", version="1.0.0"):
    """Return the bytes of an artifact that can be told from others by *name*."""
    return json.dumps({"version": version, "name": name}).encode()


class Log:
    def __init__(self):
        self.said = []

    def debug(self, message):
        pass

    def error(self, message):
        self.said.append(message)

    warning = error


class Kept:
    """A keeper, and what it told."""

    def __init__(self, transport, **options):
        options = {"client": "acme", "organization_id": "1234567890@AdobeOrg"} | options
        self.events, self.ready, self.downloads, self.compiled, self.log = [], [], [], [], Log()
        self.keeper = ArtifactKeeper(
            read_config(options, {}),
            transport,
            self._compile,
            self._emit,
            self.log,
            lambda *download: self.downloads.append(download),
            on_ready=lambda: self.ready.append(time.monotonic()),
        )

    def _compile(self, source):
        self.compiled.append(source)
        return compile_program(source)

    def _emit(self, event, **payload):
        self.events.append((event, payload))

    @property
    def name(self):
        """Which artifact decides."""
        current = self.keeper.current
        return current and current.program.artifact["name"]

    @property
    def status(self):
        return self.keeper.status()

    @property
    def reasons(self):
        return [payload["reason"] for event, payload in self.events if event == "artifact_download_failed"]

    def names_of_events(self):
        return [event for event, _ in self.events]


def until(condition, seconds=5.0):
    """Wait for *condition* to hold."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.005)
