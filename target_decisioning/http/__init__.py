"""The transport: one pooled session, deadlines and size caps that hold, and how to wait between tries."""

from target_decisioning.errors import TransportError
from target_decisioning.http.backoff import backoff_seconds, retry_after_seconds
from target_decisioning.http.message import Headers, HttpAnswer, HttpRequest
from target_decisioning.http.outage import OutageLog
from target_decisioning.http.transport import Transport

__all__ = [
    "Headers",
    "HttpAnswer",
    "HttpRequest",
    "OutageLog",
    "Transport",
    "TransportError",
    "backoff_seconds",
    "retry_after_seconds",
]
