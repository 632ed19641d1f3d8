"""The Delivery API as a synchronous client meets it."""

from __future__ import annotations

import functools
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from target_decisioning.http import Breakers, RetryBudget
from target_decisioning.remote.call import CallConfig, build_call
from target_decisioning.remote.steps import Attempt, Delivered, Pause, delivery_steps, drive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_decisioning.http import HttpAnswer, Transport
    from target_decisioning.log import Logger

LARGEST_ANSWER = 16 * 1024 * 1024


class DeliveryConfig(CallConfig, Protocol):
    """The client's options that a delivery needs."""

    @property
    def timeout_seconds(self) -> float:
        """Total time of one call, its repetitions included."""

    @property
    def log_bodies(self) -> bool:
        """Whether bodies are logged at DEBUG."""


class DeliveryApi:
    """Asks the Delivery API over *transport*. Any number of threads may share one.

    Each host that keeps failing is left alone for a while (*breakers*); retries of all calls share one budget.
    """

    def __init__(
        self, config: DeliveryConfig, transport: Transport, logger: Logger, breakers: Breakers | None = None
    ) -> None:
        self._config, self._transport, self._logger = config, transport, logger
        self._breakers, self._budget = breakers or Breakers(), RetryBudget()

    def deliver(
        self,
        body: Mapping[str, Any],
        session_id: str,
        cluster: str | None,
        *,
        safe_to_repeat: bool,
        timeout_seconds: float | None = None,
        in_background: bool = False,
    ) -> Delivered:
        """Return the response (wire) to *body*, and the times of the call that brought it.

        Args:
            body: the prepared request (wire); it is not changed.
            session_id: the session that the call belongs to.
            cluster: the edge cluster to ask, None for the client's own host.
            safe_to_repeat: whether a second arrival would harm nothing (no ``execute`` part).
            timeout_seconds: total time instead of the client's.
            in_background: nobody waits for it, so it takes no connection from a call for which somebody does; and it
                is tried whenever its owner's own waits are over, whatever other calls met.

        Raises:
            DeliveryTimeout: the total time passed without an answer.
            DeliveryError: the API refused, answered nonsense, could not be reached, or (``circuit_open``) was not
                asked because it failed too often lately.
        """
        request = build_call(self._config, body, session_id, cluster, str(uuid.uuid4()))
        if self._config.log_bodies:
            self._logger.debug("Delivery call: %r", request.body)
        total_seconds = self._config.timeout_seconds if timeout_seconds is None else timeout_seconds
        steps = delivery_steps(
            request,
            total_seconds,
            safe_to_repeat=safe_to_repeat,
            breaker=None if in_background else self._breakers.of(request.host),
            budget=self._budget,
            is_callers_time=timeout_seconds is None,
        )
        return drive(steps, functools.partial(self._take, in_background=in_background))

    def _take(self, step: Attempt | Pause, *, in_background: bool) -> HttpAnswer | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        answer = self._transport.send(
            step.request,
            total_seconds=step.total_seconds,
            max_wire_bytes=LARGEST_ANSWER,
            max_body_bytes=LARGEST_ANSWER,
            in_background=in_background,
        )
        if self._config.log_bodies:
            self._logger.debug("Delivery answer, status %s: %r", answer.status, answer.body)
        return answer
