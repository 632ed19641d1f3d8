"""One ``get_offers`` call, from the prepared request to the envelope.

    prepared --route--> decided here | asked of the server | both, merged --> envelope; what is owed stays in prepared

Source: semantics.md 1.3, 4.4, 5.
"""

from __future__ import annotations

from collections.abc import Callable
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
from target_decisioning.preparation import Prepared
from target_decisioning.remote import DeliveryApi
from target_decisioning.routing import NO_NEEDS, ONLY_SERVER, Needs, merge, needs_of, sources, split

WithTelemetry = Callable[[dict[str, Any]], dict[str, Any]]
ON_DEVICE, SERVER_SIDE, HYBRID = "on-device", "server-side", "hybrid"


class Answering:
    """Answers prepared requests by one of the three decisioning methods.

    ``with_telemetry`` adds what telemetry waits to the body of a Delivery call.
    """

    def __init__(
        self, config: Config, on_device: OnDevice | None, delivery: DeliveryApi, with_telemetry: WithTelemetry
    ) -> None:
        self._config = config
        self._on_device = on_device
        self._delivery = delivery
        self._with_telemetry = with_telemetry
        self._outage = OutageLog(config.logger, *_OUTAGE)

    def answer(self, prepared: Prepared, method: str, *, strict: bool) -> TargetDeliveryResponse:
        """Answer *prepared* by *method*.

        Raises:
            ArtifactUnavailable, ArtifactUnsupported: ``on-device``, and there is nothing to decide from; or the
                artifact is too old and must not be replaced by the server.
            DeliveryError: the server was needed and gave no answer.
        """
        on_device = self._on_device
        loaded = on_device.current() if on_device else None
        if loaded is not None and on_device is not None:
            needs = needs_of(loaded.program, prepared.request)
            if method == ON_DEVICE:
                return self._decide(on_device, loaded, prepared, needs)
            if method == HYBRID:
                return self._share(on_device, loaded, prepared, needs, strict=strict)
            return self._deliver(prepared, needs)
        if method == ON_DEVICE or (method == HYBRID and on_device is not None and on_device.is_refused()):
            raise on_device.why_not() if on_device else ArtifactUnavailable(_NO_ENGINE)
        return self._deliver(prepared, NO_NEEDS, is_hybrid=method == HYBRID)

    def deliver(self, prepared: Prepared) -> TargetDeliveryResponse:
        """Send *prepared* to the server as it is."""
        return self._deliver(prepared, NO_NEEDS)

    def _decide(self, on_device: OnDevice, loaded: Loaded, prepared: Prepared, needs: Needs) -> TargetDeliveryResponse:
        prepared.identify(new_id)
        decision = on_device.decide(loaded, prepared, prepared.request)
        response = self._local_response(prepared, decision, status=200 if needs is NO_NEEDS else 206)
        if "notifications" in prepared.request:
            prepared.unsent = _own(prepared)
        return _envelope(prepared, response, _meta(ON_DEVICE, needs))

    def _share(
        self, on_device: OnDevice, loaded: Loaded, prepared: Prepared, needs: Needs, *, strict: bool
    ) -> TargetDeliveryResponse:
        """Decide here what can be, ask the server for the rest."""
        if not ONLY_SERVER.isdisjoint(prepared.request):
            return self._deliver(prepared, needs, is_hybrid=True)
        if needs is NO_NEEDS:
            return self._decide(on_device, loaded, prepared, needs)
        local, remote = split(prepared.request, needs)
        if local is None:
            return self._deliver(prepared, needs, is_hybrid=True)
        prepared.identify(new_id)
        local["id"] = remote["id"] = prepared.request["id"]
        decision = on_device.decide(loaded, prepared, local)
        return self._merge(prepared, needs, decision, remote, strict=strict)

    def _merge(
        self, prepared: Prepared, needs: Needs, decision: Decision, remote: dict[str, Any], *, strict: bool
    ) -> TargetDeliveryResponse:
        """Ask the server for the *remote* part, and join its answer with the *decision*."""
        try:
            response = merge(prepared.request, needs, decision, self._ask(prepared, remote))
        except DeliveryError as failure:
            if failure.reason != CIRCUIT_OPEN:  # what opened it was told
                self._outage.failed(str(failure))
            if strict:
                raise
            prepared.unsent = _own(prepared)
            response = self._local_response(prepared, decision, status=206)
            return _envelope(prepared, response, _shared_meta(prepared, needs, failure))
        self._outage.recovered()
        return _envelope(prepared, response, _shared_meta(prepared, needs))

    def _deliver(self, prepared: Prepared, needs: Needs, *, is_hybrid: bool = False) -> TargetDeliveryResponse:
        prepared.context = prepared.request["context"]
        response = self._ask(prepared, prepared.request)
        meta = _meta(SERVER_SIDE, needs)
        if is_hybrid:
            meta["sources"] = sources(prepared.request, lambda _kind, _entry: SERVER_SIDE)
        return _envelope(prepared, response, meta)

    def _ask(self, prepared: Prepared, request: dict[str, Any]) -> dict[str, Any]:
        response, prepared.timing = self._delivery.deliver(
            self._with_telemetry(request),
            prepared.session_id,
            prepared.cluster,
            safe_to_repeat="execute" not in request,
        )
        prepared.edge_host, prepared.server_token = response.get("edgeHost"), response.get("telemetryServerToken")
        return response

    def _local_response(self, prepared: Prepared, decision: Decision, *, status: int) -> dict[str, Any]:
        """Return a response that is decided here (semantics.md 4.4)."""
        ids = prepared.request.get("id", _NOTHING)
        response: dict[str, Any] = {
            "status": status,
            "requestId": prepared.request["requestId"],
            "id": fresh(ids) if "customerIds" in ids else ids.copy(),
            "client": self._config.client,
        }
        if decision.execute is not None:
            response["execute"] = decision.execute
        if decision.prefetch is not None:
            response["prefetch"] = decision.prefetch
        return response


_OUTAGE = ("Hybrid decisions lack the server's part", "Hybrid decisions have the server's part again")
_NOTHING: dict[str, Any] = {}
_NO_ENGINE = "The client was created for server-side decisions and keeps no artifact."


def _own(prepared: Prepared) -> list[dict[str, Any]]:
    own: list[dict[str, Any]] = prepared.request.get("notifications", [])
    return own


def _meta(method: str, needs: Needs) -> Meta:
    return Meta(decisioning_method=method, remote_mboxes=needs.mboxes.copy(), remote_views=needs.views.copy())


def _shared_meta(prepared: Prepared, needs: Needs, failure: DeliveryError | None = None) -> Meta:
    remote = "failed" if failure else SERVER_SIDE
    meta = _meta(ON_DEVICE if failure else HYBRID, needs)
    meta["sources"] = sources(prepared.request, lambda kind, entry: remote if needs.covers(kind, entry) else ON_DEVICE)
    if failure:
        meta["remote_error"] = {"type": type(failure).__name__, "message": str(failure)}
    return meta


def _envelope(prepared: Prepared, response: dict[str, Any], meta: Meta) -> TargetDeliveryResponse:
    return TargetDeliveryResponse(response, prepared.request, meta, prepared, prepared.visitor_state)
