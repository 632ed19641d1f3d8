"""One ``get_offers`` call, from the prepared request to the envelope.

    prepared call --route--> decided here | asked of the server | both, merged --> envelope; the call keeps what is owed

Source: semantics.md 1.3, 4.4, 5.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

from target_decisioning.artifact import Loaded
from target_decisioning.config import Config
from target_decisioning.decisioning import Decision
from target_decisioning.decisioning.fresh import fresh
from target_decisioning.delivery import Meta, TargetDeliveryResponse
from target_decisioning.errors import ArtifactUnavailable, DeliveryError
from target_decisioning.http import CIRCUIT_OPEN, OutageLog
from target_decisioning.ids import new_id
from target_decisioning.on_device import OnDevice
from target_decisioning.outbox import Verdict, verdict_on
from target_decisioning.preparation import Call
from target_decisioning.remote import DeliveryApi
from target_decisioning.routing import NO_NEEDS, ONLY_SERVER, RemoteNeeds, merge, needs_of, sources, split

WithTelemetry = Callable[[dict[str, Any]], dict[str, Any]]
ON_DEVICE, SERVER_SIDE, HYBRID = "on-device", "server-side", "hybrid"


class Answering:
    """Answers prepared requests by one of the three decisioning methods.

    ``with_telemetry`` adds what telemetry waits to the body of a Delivery call.
    """

    def __init__(
        self, config: Config, on_device: OnDevice | None, delivery: DeliveryApi, with_telemetry: WithTelemetry
    ) -> None:
        self._client, self._method, self._strict = config.client, config.decisioning_method, config.strict
        self._on_device = on_device
        self._delivery = delivery
        self._with_telemetry = with_telemetry
        self._outage = OutageLog(config.logger, *_OUTAGE)

    def answer(self, call: Call) -> TargetDeliveryResponse:
        """Answer a prepared call by its decisioning method, or the client's.

        Raises:
            ArtifactUnavailable, ArtifactUnsupported: ``on-device``, and there is nothing to decide from; or the
                artifact is too old and must not be replaced by the server.
            DeliveryError: the server was needed and gave no answer.
        """
        method = call.decisioning_method or self._method
        on_device = self._on_device
        if on_device is not None and (loaded := on_device.current()) is not None:
            needs = needs_of(loaded.program, call.request)
            if method == ON_DEVICE:
                return self._decide(on_device, loaded, call, needs)
            if method == HYBRID:
                return self._share(on_device, loaded, call, needs)
            return self._deliver(call, needs)
        if method == ON_DEVICE or (method == HYBRID and on_device is not None and on_device.is_refused()):
            raise on_device.why_not() if on_device else ArtifactUnavailable(_NO_ENGINE)
        return self._deliver(call, NO_NEEDS, is_hybrid=method == HYBRID)

    def deliver(self, call: Call) -> TargetDeliveryResponse:
        """Send a prepared call to the server as it is."""
        return self._deliver(call, NO_NEEDS)

    def _decide(self, on_device: OnDevice, loaded: Loaded, call: Call, needs: RemoteNeeds) -> TargetDeliveryResponse:
        call.identify(new_id)
        decision = on_device.decide(loaded, call, call.request)
        response = self._local_response(call, decision, 200 if needs is NO_NEEDS else 206)
        if "notifications" in call.request:
            call.unsent = _own(call)
        meta = _ALL_LOCAL if needs is NO_NEEDS else partial(_meta, ON_DEVICE, needs)
        return _envelope(call, response, ON_DEVICE, meta)

    def _share(self, on_device: OnDevice, loaded: Loaded, call: Call, needs: RemoteNeeds) -> TargetDeliveryResponse:
        """Decide here what can be, ask the server for the rest."""
        if not ONLY_SERVER.isdisjoint(call.request):
            return self._deliver(call, needs, is_hybrid=True)
        if needs is NO_NEEDS:
            return self._decide(on_device, loaded, call, needs)
        local, remote = split(call.request, needs)
        if local is None:
            return self._deliver(call, needs, is_hybrid=True)
        call.identify(new_id)
        local["id"] = remote["id"] = call.request["id"]
        decision = on_device.decide(loaded, call, local)
        return self._merge(call, needs, decision, remote)

    def _merge(
        self, call: Call, needs: RemoteNeeds, decision: Decision, remote: dict[str, Any]
    ) -> TargetDeliveryResponse:
        """Ask the server for the *remote* part, and join its answer with the *decision*."""
        try:
            response = merge(call.request, needs, decision, self._ask(call, remote))
        except DeliveryError as failure:
            if failure.reason != CIRCUIT_OPEN:  # what opened it was told
                self._outage.failed(str(failure))
            if self._strict if call.strict is None else call.strict:
                raise
            call.edge_host = call.server_token = None
            if verdict_on(failure) is not Verdict.SENT:  # else it took along what rode on it, whatever it answered
                call.unsent = _own(call)
            response = self._local_response(call, decision, 206)
            return _with_meta(call, response, _shared_meta(call, needs, failure))
        self._outage.recovered()
        return _with_meta(call, response, _shared_meta(call, needs))

    def _deliver(self, call: Call, needs: RemoteNeeds, *, is_hybrid: bool = False) -> TargetDeliveryResponse:
        call.context = call.request["context"]
        response = self._ask(call, call.request)
        meta = _meta(SERVER_SIDE, needs)
        if is_hybrid:
            meta["sources"] = sources(call.request, lambda _kind, _entry: SERVER_SIDE)
        return _with_meta(call, response, meta)

    def _ask(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        response, call.timing = self._delivery.deliver(
            self._with_telemetry(request),
            call.session_id,
            call.cluster,
            safe_to_repeat="execute" not in request,
        )
        call.edge_host, call.server_token = response.get("edgeHost"), response.get("telemetryServerToken")
        return response

    def _local_response(self, call: Call, decision: Decision, status: int) -> dict[str, Any]:
        """Return a response that is decided here (semantics.md 4.4)."""
        ids = call.request.get("id", _NOTHING)
        response: dict[str, Any] = {
            "status": status,
            "requestId": call.request["requestId"],
            "id": fresh(ids) if "customerIds" in ids else ids.copy(),
            "client": self._client,
        }
        if decision.execute is not None:
            response["execute"] = decision.execute
        if decision.prefetch is not None:
            response["prefetch"] = decision.prefetch
        return response


_OUTAGE = ("Hybrid decisions lack the server's part", "Hybrid decisions have the server's part again")
_NOTHING: dict[str, Any] = {}
_NO_ENGINE = "The client was created for server-side decisions and keeps no artifact."


def _own(call: Call) -> list[dict[str, Any]]:
    own: list[dict[str, Any]] = call.request.get("notifications", [])
    return own


def _meta(method: str, needs: RemoteNeeds) -> Meta:
    return Meta(decisioning_method=method, remote_mboxes=needs.mboxes.copy(), remote_views=needs.views.copy())


_ALL_LOCAL = partial(_meta, ON_DEVICE, NO_NEEDS)


def _shared_meta(call: Call, needs: RemoteNeeds, failure: DeliveryError | None = None) -> Meta:
    remote = "failed" if failure else SERVER_SIDE
    meta = _meta(ON_DEVICE if failure else HYBRID, needs)
    meta["sources"] = sources(call.request, lambda kind, entry: remote if needs.covers(kind, entry) else ON_DEVICE)
    if failure:
        meta["remote_error"] = {"type": type(failure).__name__, "message": str(failure)}
    return meta


def _with_meta(call: Call, response: dict[str, Any], meta: Meta) -> TargetDeliveryResponse:
    return _envelope(call, response, meta["decisioning_method"], partial(copy, meta))


def _envelope(call: Call, response: dict[str, Any], method: str, meta: Callable[[], Meta]) -> TargetDeliveryResponse:
    call.method = method
    return TargetDeliveryResponse(response, call.request, meta, call, call.visitor_state)
