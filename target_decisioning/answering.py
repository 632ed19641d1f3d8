"""One ``get_offers`` call, from the prepared request to the envelope.

    prepared --route--> decided here | asked of the server | both, merged --> Answered(envelope, what is owed)

Source: semantics.md 1.3, 4.4, 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from target_decisioning.artifact import Loaded
from target_decisioning.config import Config
from target_decisioning.decisioning import remote_needs
from target_decisioning.decisioning.fresh import fresh
from target_decisioning.delivery import Cookie, Meta, TargetDeliveryResponse
from target_decisioning.errors import ArtifactUnavailable, DeliveryError
from target_decisioning.on_device import Decided, OnDevice, new_id
from target_decisioning.preparation import Prepared, hint_cookie, target_cookie
from target_decisioning.remote import DeliveryApi
from target_decisioning.routing import ONLY_SERVER, Needs, local_only, merge, sources, split

WithTelemetry = Callable[[dict[str, Any]], dict[str, Any]]
ON_DEVICE, SERVER_SIDE, HYBRID = "on-device", "server-side", "hybrid"


@dataclass(slots=True)
class Answered:
    """The answer to one call, and what follows from it."""

    envelope: TargetDeliveryResponse
    response: dict[str, Any]
    """The envelope's response in wire form, only to be read."""
    context: dict[str, Any]
    """The context that was decided in or sent."""
    owed: list[dict[str, Any]] = field(default_factory=list)
    """Notifications that no Delivery call took along."""
    timing: dict[str, Any] | None = None
    """What is known of the Delivery call's times."""


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

    def answer(self, prepared: Prepared, method: str, *, strict: bool) -> Answered:
        """Answer *prepared* by *method*.

        Raises:
            ArtifactUnavailable, ArtifactUnsupported: ``on-device``, and there is nothing to decide from.
            DeliveryError: the server was needed and gave no answer.
        """
        loaded = self._on_device.current() if self._on_device else None
        if method == ON_DEVICE:
            return self._decide(prepared, loaded)
        if method == SERVER_SIDE:
            return self._deliver(prepared, _needs(loaded, prepared))
        if loaded is None:
            return self._deliver(prepared, _NO_NEEDS, is_hybrid=True)
        return self._share(prepared, loaded, strict=strict)

    def deliver(self, prepared: Prepared) -> Answered:
        """Send *prepared* to the server as it is."""
        return self._deliver(prepared, _NO_NEEDS)

    def _decide(self, prepared: Prepared, loaded: Loaded | None) -> Answered:
        if loaded is None or self._on_device is None:
            raise self._on_device.why_not() if self._on_device else ArtifactUnavailable(_NO_ENGINE)
        needs = _needs(loaded, prepared)
        prepared.identify(new_id)
        decided = self._on_device.decide(loaded, prepared, prepared.request)
        response = self._local_response(prepared, decided, status=206 if needs else 200)
        owed = [*prepared.request.get("notifications", ()), *decided.decision.impressions]
        return Answered(_envelope(prepared, response, _meta(ON_DEVICE, needs)), response, decided.context, owed)

    def _share(self, prepared: Prepared, loaded: Loaded, *, strict: bool) -> Answered:
        """Decide here what can be, ask the server for the rest."""
        needs = _needs(loaded, prepared)
        if any(key in prepared.request for key in ONLY_SERVER):
            return self._deliver(prepared, needs, is_hybrid=True)
        local, remote = split(prepared.request, needs)
        if remote is None:
            return self._decide(prepared, loaded)
        if local is None:
            return self._deliver(prepared, needs, is_hybrid=True)
        prepared.identify(new_id)
        local["id"] = remote["id"] = prepared.request["id"]
        return self._merge(prepared, loaded, needs, local, remote, strict=strict)

    def _merge(
        self,
        prepared: Prepared,
        loaded: Loaded,
        needs: Needs,
        local: dict[str, Any],
        remote: dict[str, Any],
        *,
        strict: bool,
    ) -> Answered:
        assert self._on_device is not None  # noqa: S101 -- an artifact was loaded
        decided = self._on_device.decide(loaded, prepared, local)
        owed, timing = decided.decision.impressions, None
        failure: DeliveryError | None = None
        try:
            answer, timing = self._ask(prepared, remote)
            response = merge(prepared.request, needs, decided.decision, answer)
        except DeliveryError as error:
            if strict:
                raise
            failure = error
            response = self._local_response(prepared, decided, status=206)
            owed = [*prepared.request.get("notifications", ()), *owed]
        envelope = _envelope(prepared, response, _shared_meta(prepared, needs, failure))
        return Answered(envelope, response, decided.context, owed, timing)

    def _deliver(self, prepared: Prepared, needs: Needs, *, is_hybrid: bool = False) -> Answered:
        response, timing = self._ask(prepared, prepared.request)
        meta = _meta(SERVER_SIDE, needs)
        if is_hybrid:
            meta["sources"] = sources(prepared.request, lambda _kind, _entry: SERVER_SIDE)
        return Answered(_envelope(prepared, response, meta), response, prepared.request["context"], timing=timing)

    def _ask(self, prepared: Prepared, request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._delivery.deliver(
            self._with_telemetry(request),
            prepared.session_id,
            prepared.cluster,
            safe_to_repeat=not _has_effects(request),
        )

    def _local_response(self, prepared: Prepared, decided: Decided, *, status: int) -> dict[str, Any]:
        """Return a response that is decided here (semantics.md 4.4)."""
        response = {
            "status": status,
            "requestId": prepared.request["requestId"],
            "id": fresh(prepared.request.get("id", {})),
            "client": self._config.client,
        }
        response.update(local_only(decided.decision))
        return response


_NO_ENGINE = "The client was created for server-side decisions and keeps no artifact."
_NO_NEEDS = Needs(mboxes=[], views=[], global_mbox="")


def _needs(loaded: Loaded | None, prepared: Prepared) -> Needs:
    if loaded is None:
        return _NO_NEEDS
    mboxes, views = remote_needs(loaded.program, prepared.request)
    return Needs(mboxes=mboxes, views=views, global_mbox=loaded.program.global_mbox)


def _has_effects(request: dict[str, Any]) -> bool:
    return "execute" in request or "notifications" in request


def _meta(method: str, needs: Needs) -> Meta:
    return Meta(decisioning_method=method, remote_mboxes=needs.mboxes.copy(), remote_views=needs.views.copy())


def _shared_meta(prepared: Prepared, needs: Needs, failure: DeliveryError | None) -> Meta:
    remote = "failed" if failure else SERVER_SIDE
    meta = _meta(ON_DEVICE if failure else HYBRID, needs)
    meta["sources"] = sources(prepared.request, lambda kind, entry: remote if needs.covers(kind, entry) else ON_DEVICE)
    if failure:
        meta["remote_error"] = {"type": type(failure).__name__, "message": str(failure)}
    return meta


def _envelope(prepared: Prepared, response: dict[str, Any], meta: Meta) -> TargetDeliveryResponse:
    tnt_id = (response.get("id") or {}).get("tntId")
    hint = hint_cookie(prepared.cluster, response.get("edgeHost"))
    return TargetDeliveryResponse(
        response,
        prepared.request,
        meta,
        Cookie(**target_cookie(prepared.session_id, tnt_id, prepared.now_ms)),
        Cookie(**hint) if hint else None,
        prepared.visitor_state,
    )
