"""What a type checker sees of the request and response types; checked by mypy, never run."""

from typing import Any, assert_type

from target_decisioning.config import ClientOptions, Config, read_config
from target_decisioning.delivery import (
    ChannelType,
    Context,
    Cookie,
    DeliveryRequest,
    DeliveryResponse,
    ExecuteRequest,
    MboxRequest,
    MboxResponse,
    Meta,
    Option,
    OptionType,
    TargetDeliveryResponse,
)


def a_request_is_built_from_keywords() -> DeliveryRequest:
    mboxes = [MboxRequest(name="home", index=1, parameters={"color": "red"})]
    return DeliveryRequest(context=Context(channel=ChannelType.WEB), execute=ExecuteRequest(mboxes=mboxes))


def a_request_is_read_and_written(wire: dict[str, Any]) -> None:
    request = DeliveryRequest.from_wire(wire)
    assert_type(request, DeliveryRequest)
    assert_type(request.to_wire(), dict[str, Any])
    assert_type(request.to_dict(), dict[str, Any])
    request.environment_id = 5
    request.no_such_field = 5  # type: ignore[attr-defined]


def an_envelope_is_typed(envelope: TargetDeliveryResponse) -> None:
    assert_type(envelope.response, DeliveryResponse)
    assert_type(envelope.request, DeliveryRequest)
    assert_type(envelope.meta, Meta)
    assert_type(envelope.meta.decisioning_method, str)
    assert_type(envelope.meta.sources, list[dict[str, Any]] | None)
    assert_type(envelope.target_cookie, Cookie)
    assert_type(envelope.target_cookie.max_age, int)
    assert_type(envelope.target_location_hint_cookie, Cookie | None)
    assert_type(envelope.response_tokens, list[dict[str, Any]] | None)
    assert_type(envelope["response"], Any)
    assert_type(envelope.to_wire(), dict[str, Any])


def an_answer_is_typed_down_to_the_offer(response: DeliveryResponse) -> None:
    if response.execute and response.execute.mboxes:
        assert_type(response.execute.mboxes[0], MboxResponse)
        for option in response.execute.mboxes[0].options or ():
            assert_type(option, Option)
            assert_type(option.type, OptionType | str | None)
            assert_type(option.content, str | dict[str, Any] | list[Any] | None)


def options_are_typed() -> Config:
    options: ClientOptions = {"client": "acme", "organization_id": "o", "timeout": 100, "on_forbidden": "clear"}
    options["stale_policy"] = "never"  # type: ignore[typeddict-item]
    options["time_out"] = 5  # type: ignore[typeddict-unknown-key]
    return read_config(options, {})
