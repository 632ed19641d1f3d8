"""What to send and when to send it again, apart from who sends.

    steps = delivery_steps(...)        yields Attempt | Pause, is sent an HttpAnswer or thrown a TransportError
    drive(steps, take_step)            runs them to their end

A call whose repetition could count something twice is sent again only if the server certainly saw nothing of it, and
only once. Any other may be repeated after 429, 5xx and a cut connection, with back-off. All of it stays within one
total time, and all retries within a budget; a host that keeps failing is not asked for a while.
Source: semantics.md 1.7, D22; faults.md C2 to C4.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from target_decisioning.errors import DeliveryError, DeliveryTimeout, TransportError
from target_decisioning.http import backoff_seconds
from target_decisioning.remote.call import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from target_decisioning.http import Breaker, HttpAnswer, HttpRequest, Leave, RetryBudget

MOST_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0

_NOT_MADE = frozenset({"connect", "timeout"})
_CUT = frozenset({"reset", "truncated", "protocol"})


class Attempt(NamedTuple):
    """Send *request* now; it may take *total_seconds*."""

    request: HttpRequest
    total_seconds: float


class Pause(NamedTuple):
    """Wait before the next attempt."""

    seconds: float


Delivered: TypeAlias = "tuple[dict[str, Any], dict[str, Any]]"
"""The response (wire) and what is known of the call's times (telemetry's ``request``, ms)."""

Steps: TypeAlias = "Generator[Attempt | Pause, HttpAnswer | None, Delivered]"


def delivery_steps(
    request: HttpRequest,
    timeout_seconds: float,
    *,
    safe_to_repeat: bool,
    breaker: Breaker | None,
    budget: RetryBudget,
    is_callers_time: bool = True,
) -> Steps:
    """Ask until there is an answer to keep, a failure to keep, or no time left.

    Args:
        request: the call.
        timeout_seconds: for all of it.
        safe_to_repeat: whether a second arrival would harm nothing.
        breaker: that of the host; None: whoever asks keeps to waits of its own.
        budget: how many calls may be repeated.
        is_callers_time: whether that time is the client's option ``timeout``, which a timeout then names.

    Raises:
        DeliveryTimeout: the total time passed without an answer.
        DeliveryError: the API refused, answered nonsense, or could not be reached; ``circuit_open``: it was not
            asked, because it failed too often lately.
    """
    leave = _enter(breaker, request.host) if breaker else None
    budget.note_call()
    most_attempts = 1 if leave and leave.is_probe else MOST_ATTEMPTS
    deadline = time.monotonic() + timeout_seconds
    for attempt in range(1, most_attempts + 1):
        outcome = yield from _outcome(request, deadline - time.monotonic())
        pause = backoff_seconds(attempt, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS) if safe_to_repeat else 0.0
        has_time = time.monotonic() + pause < deadline
        if attempt == most_attempts or not has_time or not _may_repeat(outcome, attempt, safe_to_repeat):
            break
        if not budget.take():
            break
        if pause:
            yield Pause(pause)
    if breaker and leave:
        breaker.report(leave, has_worked=_has_worked(outcome))
    if isinstance(outcome, TransportError):
        limit = f" (at most {timeout_seconds:g} s: option timeout)" if is_callers_time else ""
        raise _delivery_error(outcome, timeout_seconds, limit) from outcome
    return read_answer(outcome, request.host), dict(outcome.timing)


def drive(steps: Steps, take_step: Callable[[Attempt | Pause], HttpAnswer | None]) -> Delivered:
    """Run *steps* to their end: *take_step* sends or waits."""
    try:
        step = next(steps)
        while True:
            try:
                answer = take_step(step)
            except TransportError as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        delivered: Delivered = end.value
        return delivered


def _enter(breaker: Breaker, host: str) -> Leave:
    try:
        return breaker.enter()
    except TransportError as error:
        message = f"The Delivery API at {host} was not asked: {error.detail}"
        raise DeliveryError(message, reason=error.reason) from error


def _has_worked(outcome: HttpAnswer | TransportError) -> bool:
    """Whether the host is fit to be asked: it answered, and not with a fault of its own."""
    return not isinstance(outcome, TransportError) and outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _outcome(
    request: HttpRequest, total_seconds: float
) -> Generator[Attempt | Pause, HttpAnswer | None, HttpAnswer | TransportError]:
    try:
        answer = yield Attempt(request, total_seconds)
    except TransportError as error:
        return error
    assert answer is not None  # noqa: S101 - only a Pause is answered with None
    return answer


def _may_repeat(outcome: HttpAnswer | TransportError, attempt: int, safe_to_repeat: bool) -> bool:
    if isinstance(outcome, TransportError):
        if not outcome.was_sent and outcome.reason in _NOT_MADE:
            return safe_to_repeat or attempt == 1
        return safe_to_repeat and outcome.reason in _CUT
    return safe_to_repeat and (outcome.status == 429 or outcome.status >= 500)


def _delivery_error(error: TransportError, timeout_seconds: float, limit: str) -> DeliveryError:
    if error.reason == "timeout":
        return DeliveryTimeout(timeout_seconds, f"{error.detail}{limit}")
    return DeliveryError(f"The Delivery API gave no usable answer: {error.detail}", reason=error.reason)
