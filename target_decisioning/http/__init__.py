"""The transport: one pooled session, deadlines and size caps that hold; when to wait, retry, and stop asking."""

from target_decisioning.errors import TransportError
from target_decisioning.http.backoff import backoff_seconds, retry_after_seconds
from target_decisioning.http.breaker import CIRCUIT_OPEN, Breaker, BreakerLimits, Breakers, Leave
from target_decisioning.http.budget import RetryBudget
from target_decisioning.http.message import Headers, HttpAnswer, HttpRequest
from target_decisioning.http.outage import OutageLog
from target_decisioning.http.transport import Transport

__all__ = [
    "CIRCUIT_OPEN",
    "Breaker",
    "BreakerLimits",
    "Breakers",
    "Headers",
    "HttpAnswer",
    "HttpRequest",
    "Leave",
    "OutageLog",
    "RetryBudget",
    "Transport",
    "TransportError",
    "backoff_seconds",
    "retry_after_seconds",
]
