"""The client's own way from a request to its answer, with nothing plugged in: it sends nothing anywhere.

    artifact bytes + options --> Unplugged --answer, explain--> TargetDeliveryResponse, Explanation

No timer, no telemetry, no impressions, no look-up of a place, no start-up call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from target_decisioning.answering import ON_DEVICE, Answering
from target_decisioning.artifact import ArtifactKeeper, artifact_format
from target_decisioning.artifact.retrieval import Failed, Reader
from target_decisioning.cli.inputs import Unusable
from target_decisioning.config import Config
from target_decisioning.decisioning import DecisionProgram
from target_decisioning.decisioning.artifact import read
from target_decisioning.decisioning.explain import explain
from target_decisioning.decisioning.explanation import Explanation
from target_decisioning.decisioning.program import compile_program
from target_decisioning.delivery import TargetDeliveryResponse
from target_decisioning.errors import ArtifactInvalid, TransportError
from target_decisioning.http import Transport
from target_decisioning.ids import new_id
from target_decisioning.on_device import OnDevice
from target_decisioning.preparation import Call, check_offers_asked, prepare, read_call
from target_decisioning.preparation.identity import has_identity
from target_decisioning.remote import DeliveryApi
from target_decisioning.routing import ONLY_SERVER

NO_ORGANIZATION = "-"
"""A JSON artifact is read without one, and nothing is sent that would name it."""
PLACE = frozenset({"latitude", "longitude", "countryCode", "stateCode", "city"})


class Silence:
    """A logger for whom the command's own messages are enough."""

    def debug(self, message: str, /, *args: Any) -> None:
        """Say nothing."""

    def error(self, message: str, /, *args: Any) -> None:
        """Say nothing."""


class NoTransport(Transport):
    """Stands where the way out would be."""

    def send(self, *_args: Any, **_keywords: Any) -> NoReturn:
        """Send nothing."""
        raise TransportError("connect", "the command line sends nothing", was_sent=False)


class Unplugged:
    """An artifact, and the engine that decides from it.

    Raises:
        Unusable: the artifact cannot be used; the message names every fault.
    """

    def __init__(
        self,
        artifact: bytes,
        location: str,
        *,
        client: str | None,
        organization: str | None,
        property_token: str | None,
    ) -> None:
        self._text, self.program = _read(artifact, location, client, organization)
        self._config = Config(
            client=self.program.client_code,
            organization_id=organization or NO_ORGANIZATION,
            decisioning_method=ON_DEVICE,
            property_token=property_token or None,
            artifact_payload=self._text,
            artifact_format="json",
            polling_interval_seconds=0.0,
            telemetry_enabled=False,
            learn_location_hint=False,
            background=False,
            logger=Silence(),
        )

    def prepare(self, request: dict[str, Any], now_ms: int, session_id: str | None) -> Call:
        """Prepare a request as the client would.

        Raises:
            RequestError: it cannot be read; the path says where.
        """
        call = read_call({"request": request, "session_id": session_id}, {})
        check_offers_asked(call.request)
        return prepare(call, self._config, None, now_ms, new_id)

    def answer(self, call: Call) -> TargetDeliveryResponse:
        """Decide a prepared call on-device."""
        transport, logger = NoTransport(), self._config.logger
        keeper = ArtifactKeeper(self._config, transport, lambda _text: self.program, _tell_nobody, logger)
        keeper.start()
        on_device = OnDevice(self._config, keeper, transport, _tell_nobody)
        delivery = DeliveryApi(self._config, transport, logger)
        return Answering(self._config, on_device, delivery, dict).answer(call)

    def explain(self, call: Call) -> Explanation:
        """Explain how a prepared call is decided."""
        call.identify(new_id)
        return explain(self.program, call.request, now_ms=call.now_ms, new_id=new_id)

    def notes(self, call: Call) -> Iterator[str]:
        """Yield what else somebody who looks at the answer should know. Before it is answered."""
        request = call.request
        for where in call.dropped:
            place, _, lacking = where.partition(" ")
            yield f"request.{place} has no valid {lacking.strip('()')} and was left out"
        if not any(mode in request for mode in ("execute", "prefetch")):
            yield "the request asks for nothing: it has neither execute nor prefetch"
        if not has_identity(request.get("id", {})):
            yield "the request names no visitor: one was made up, and its allocation is another one each time"
        geo = request.get("context", {}).get("geo", {})
        if self.program.geo_targeting_enabled and "ipAddress" in geo and not PLACE.intersection(geo):
            yield "context.geo.ipAddress is not looked up here: give city, countryCode ... to be decided by place"
        for key in ONLY_SERVER:
            if key in request:
                yield f"{key} means something to the server only"
        for (kind, name), faults in self.program.undecidable.items():
            where, found, expected = faults[0]
            yield f'rules.{kind}["{name}"] is left to the server: {where}: found {found}; expected {expected}'


def _read(body: bytes, location: str, client: str | None, organization: str | None) -> tuple[bytes, DecisionProgram]:
    def compiled(text: bytes) -> DecisionProgram:
        artifact = read(text)
        own = artifact.meta.get("clientCode")
        return compile_program(artifact, client or (own if isinstance(own, str) else ""))

    outcome = Reader(compiled, artifact_format(location, None), organization or NO_ORGANIZATION).read(body)
    if isinstance(outcome, Failed):
        raise Unusable(_told(location, outcome.error)) from outcome.error
    return outcome.text, outcome.program


def _told(location: str, error: Exception) -> str:
    faults = error.faults if isinstance(error, ArtifactInvalid) else ()
    lines = [f"{where}: found {found}; expected {expected}" for where, found, expected in faults] or [str(error)]
    if len(lines) == 1:
        return f"artifact {location}: {lines[0]}"
    return "\n  ".join([f"artifact {location} has {len(lines)} faults:", *lines])


def _tell_nobody(_event: str, **_payload: Any) -> None:
    """Stand where listeners would be told."""
