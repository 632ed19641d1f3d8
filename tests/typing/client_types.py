"""What a type checker sees of the client; checked by mypy, never run."""

from collections.abc import Mapping
from multiprocessing.pool import AsyncResult
from typing import Any, assert_type

from target_decisioning import (
    Attributes,
    CustomerId,
    DecisioningMethod,
    DeliveryRequest,
    ExecuteRequest,
    MboxRequest,
    TargetClient,
    TargetDeliveryResponse,
)


def a_client_is_made_of_known_options(options: Mapping[str, Any]) -> None:
    assert_type(TargetClient.create(options), TargetClient)
    assert_type(TargetClient.create({"client": "acme", "organization_id": "o"}, timeout=300), TargetClient)
    TargetClient.create(client="acme", organization_id="o", decisioning_method=DecisioningMethod.HYBRID)
    TargetClient.create(client="acme", organization_id="o", timeout="300")  # type: ignore[arg-type]
    TargetClient.create(client="acme", organization_id="o", time_out=300)  # type: ignore[call-arg]


def a_subclass_makes_itself() -> None:
    class Own(TargetClient):
        pass

    with Own.create(client="acme", organization_id="o") as client:
        assert_type(client, Own)


def a_call_answers_with_an_envelope(client: TargetClient, options: Mapping[str, Any]) -> None:
    request = DeliveryRequest(execute=ExecuteRequest(mboxes=[MboxRequest(name="home")]))
    assert_type(client.get_offers(request=request), TargetDeliveryResponse)
    assert_type(client.get_offers(request={"execute": {"pageLoad": {}}}, strict=True), TargetDeliveryResponse)
    assert_type(client.get_offers(options, session_id="s"), TargetDeliveryResponse)
    assert_type(client.send_notifications(request=request), TargetDeliveryResponse)
    client.get_offers(request=request, customer_ids=[CustomerId(id="c")])
    client.get_offers(request=request, customer_ids={"crm": {"id": "c", "authState": 1}})
    client.get_offers(request=request, session_id=5)  # type: ignore[call-overload]
    client.get_offers(request=request, sesion_id="s")  # type: ignore[call-overload]


def a_call_with_a_callback_answers_with_a_result(client: TargetClient) -> None:
    def take(envelope: TargetDeliveryResponse) -> None: ...

    def take_attributes(attributes: Attributes) -> None: ...

    def fail(error: Exception) -> None: ...

    result = client.get_offers(request={}, callback=take, err_callback=fail)
    assert_type(result, AsyncResult[TargetDeliveryResponse])
    assert_type(result.get(1.0), TargetDeliveryResponse)
    assert_type(client.send_notifications(request={}, callback=take), AsyncResult[TargetDeliveryResponse])
    assert_type(client.get_attributes(["a"], callback=take_attributes), AsyncResult[Attributes])
    client.get_offers(request={}, callback=take_attributes)  # type: ignore[arg-type]


def attributes_are_read(client: TargetClient) -> None:
    attributes = client.get_attributes(["a", "b"], request={"context": {}})
    assert_type(attributes, Attributes)
    assert_type(attributes.as_object("a"), dict[str, Any])
    assert_type(attributes.get_response(), TargetDeliveryResponse)


def a_client_tells_of_itself(client: TargetClient) -> None:
    assert_type(client.wait_until_ready(5), bool)
    assert_type(client.flush(), bool)
    assert_type(client.status(), dict[str, Any])
    client.unsubscribe(client.subscribe("client_ready", lambda: None))
    client.close(timeout=1)
