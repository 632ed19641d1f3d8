"""Every error a caller can act on.

    TargetError
    ├── ConfigError                 an option of TargetClient.create is wrong: mend the code that creates the client
    ├── RequestError                what was asked is wrong, and where: mend the call
    ├── AttributeNotFound           get_attributes: the mbox's offers have no such key
    ├── ArtifactError
    │   ├── ArtifactUnavailable     nothing to decide from yet (or no longer): wait, or ask the server
    │   ├── ArtifactUnsupported     the artifact is of a newer major version: update this package
    │   └── ArtifactInvalid         the artifact breaks the format or a limit: mend it at its source
    ├── TransportError              a connection failed: the reason says how
    ├── DeliveryError               the Delivery API refused or could not be reached: status and body say why
    │   └── DeliveryTimeout         ... did not answer within ``timeout``
    └── ClientClosed                the client was closed before this call

Callers branch on the class and its fields, never on the text. Every error is rebuilt from its ``args``, so it
survives pickling. No message holds an id, an address, a cookie or a parameter's value.
"""

from __future__ import annotations


class TargetError(Exception):
    """The root: whatever this package raises on purpose is one of these."""


class ConfigError(TargetError):
    """An option of ``TargetClient.create`` is missing, unknown or wrong.

    ``option`` names it (None for the options as a whole).
    """

    def __init__(self, message: str, option: str | None = None) -> None:
        super().__init__(message, option)
        self.message, self.option = message, option

    def __str__(self) -> str:
        return self.message


class RequestError(TargetError):
    """What was asked cannot be read.

    ``where`` is a path into the call (``request.execute.mboxes[0].parameters``), ``found`` and ``expected`` say
    what stood there and what would be right.
    """

    def __init__(self, where: str, found: str, expected: str, message: str | None = None) -> None:
        super().__init__(where, found, expected, message)
        self.where, self.found, self.expected, self.message = where, found, expected, message

    def __str__(self) -> str:
        return self.message or f"{self.where}: found {self.found}; expected {self.expected}"


class AttributeNotFound(TargetError, KeyError):
    """The offers of ``mbox`` have no attribute ``key``."""

    def __init__(self, mbox: str, key: str) -> None:
        super().__init__(mbox, key)
        self.mbox, self.key = mbox, key

    def __str__(self) -> str:
        return f"Attribute '{self.key}' does not exist for mbox '{self.mbox}'"


class ArtifactError(TargetError):
    """There is no artifact that could decide."""


class ArtifactUnavailable(ArtifactError):
    """Nothing to decide from: no artifact has been loaded yet, or it had to be given up.

    ``detail`` says why. The text of one that a request raises begins with *refusal*; that of a try to load, which is
    told through events and ``status()``, does not.
    """

    REFUSAL = "Unable to fulfill request; decisioning engine not ready."

    def __init__(self, detail: str = "", refusal: str = REFUSAL) -> None:
        super().__init__(detail, refusal)
        self.detail, self.refusal = detail, refusal

    def __str__(self) -> str:
        return f"{self.refusal} {self.detail}".strip()


class ArtifactUnsupported(ArtifactError):
    """The artifact's major version is not the one this package understands."""

    def __init__(self, found: str, supported: str = "1") -> None:
        super().__init__(found, supported)
        self.found, self.supported = found, supported

    def __str__(self) -> str:
        return (
            f"The decisioning artifact version ({self.found}) is not supported. "
            f"This library is compatible with this major version: {self.supported}"
        )


class ArtifactInvalid(ArtifactError):
    """The artifact breaks the format or a limit; the last good program stays. Mend it at its source.

    ``faults`` holds every fault found as ``(where, found, expected)``; the first is also in ``where``, ``found``
    and ``expected``. The text tells the first twenty.
    """

    _SHOWN = 20

    def __init__(self, *faults: tuple[str, str, str]) -> None:
        super().__init__(*faults)
        self.faults = faults
        self.where, self.found, self.expected = faults[0]

    def __str__(self) -> str:
        lines = [f"artifact, {where}: found {found}; expected {expected}" for where, found, expected in self.faults]
        more = len(lines) - self._SHOWN
        return "\n".join([*lines[: self._SHOWN], f"and {more} more"] if more > 0 else lines)


class TransportError(TargetError):
    """One HTTP exchange failed.

    ``reason`` is one word to branch on: ``connect``, ``timeout``, ``tls``, ``reset``, ``truncated``, ``too_large``,
    ``encoding``, ``redirect``, ``protocol``, ``circuit_open`` (not even tried). ``detail`` says it in words, with the
    host. ``was_sent`` is False only if the server certainly saw nothing of the request.
    """

    def __init__(self, reason: str, detail: str, was_sent: bool = True) -> None:
        super().__init__(reason, detail, was_sent)
        self.reason, self.detail, self.was_sent = reason, detail, was_sent

    def __str__(self) -> str:
        return self.detail


class DeliveryError(TargetError):
    """The Delivery API gave no usable answer.

    ``status`` is the HTTP status (None: no answer), ``body`` the start of the answer's text, cleaned of control
    characters, ``reason`` one word as in ``TransportError``, or ``status``, or ``invalid``.
    """

    def __init__(self, message: str, status: int | None = None, body: str = "", reason: str = "status") -> None:
        super().__init__(message, status, body, reason)
        self.message, self.status, self.body, self.reason = message, status, body, reason

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:  # without the body, which may echo ids
        return f"{type(self).__name__}({self.message!r}, status={self.status}, reason={self.reason!r})"


class DeliveryTimeout(DeliveryError):
    """The Delivery API did not answer within ``timeout_seconds``, the call's total time."""

    def __init__(self, timeout_seconds: float, detail: str = "") -> None:
        told = detail or f"no answer within {timeout_seconds:g} s"
        super().__init__(f"Request timed out: {told}", reason="timeout")
        self.args = (timeout_seconds, detail)
        self.timeout_seconds = timeout_seconds


class ClientClosed(TargetError):
    """The client was closed; create a new one."""

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call

    def __str__(self) -> str:
        return f"{self.call} was called on a client that is closed; create a new one with TargetClient.create"
