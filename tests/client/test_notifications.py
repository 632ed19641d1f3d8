"""``send_notifications``: what the caller saw goes to the server, whatever the decisioning method is."""

import pytest

from fixtures.delivery_api import json_answer
from target_decisioning import DeliveryRequest, Notification, NotificationMbox
from target_decisioning.errors import DeliveryError, RequestError
from tests.client.parts import VISITOR, asking

NOTHING = "Notifications list is required in request"


def seen(identity="n1", **others):
    return {
        "id": identity,
        "type": "display",
        "timestamp": 1_700_000_000_000,
        "tokens": ["t"],
        "mbox": {"name": "a"},
        **others,
    }


@pytest.mark.parametrize("method", ["on-device", "hybrid", "server-side"])
def test_notifications_go_to_the_server_in_every_mode(make_client, api, method):
    client = make_client(decisioning_method=method)
    envelope = client.send_notifications(request={"id": VISITOR, "notifications": [seen()]}, session_id="s1")
    [call] = api.calls
    assert call.body["notifications"] == [seen()]
    assert (call.session_id, call.body["id"]) == ("s1", VISITOR)
    assert envelope.meta == {"decisioning_method": "server-side", "remote_mboxes": [], "remote_views": []}
    assert "session#s1#" in envelope.target_cookie.value
    assert [entry.id for entry in envelope.response.notifications] == ["n1"]
    assert api.problems == []


def test_a_typed_request(client, api):
    typed = Notification(id="n1", type="display", timestamp=5, tokens=["t"], mbox=NotificationMbox(name="a"))
    client.send_notifications(request=DeliveryRequest(notifications=[typed]))
    assert api.impressions == [seen(timestamp=5)]


def test_what_is_not_valid_is_left_out_and_logged(client, api, caplog):
    client.send_notifications(request={"notifications": [seen(type="seen"), seen("n2"), {}]})
    assert [entry["id"] for entry in api.impressions] == ["n2"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "Notification validation failed for: notifications[0] (type)",
        "Notification validation failed for: notifications[2] (id, timestamp, type)",
    ]


def test_an_mbox_that_is_not_valid_is_logged_too(client, caplog):
    client.get_offers(request={"execute": {"mboxes": [{"name": ""}, {"name": "local-1"}]}})
    assert "Mbox validation failed for: execute.mboxes[0] (name)" in caplog.text


@pytest.mark.parametrize("request_", [{"context": {"channel": "web"}}, {"notifications": [], "context": {}}])
def test_there_must_be_something_to_send(client, request_):
    with pytest.raises(RequestError) as caught:
        client.send_notifications(request=request_)
    assert str(caught.value) == NOTHING
    assert caught.value.where == "request.notifications"


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "Options are required"), ({"request": {}}, "Request object of type DeliveryRequest is required")],
)
def test_options_and_request_are_needed(client, options, message):
    with pytest.raises(RequestError, match=message):
        client.send_notifications(**options)


def test_telemetry_of_the_callers_is_something_to_send(client, api):
    entries = [{"requestId": "r", "timestamp": 1, "features": {"decisioningMethod": "hybrid"}}]
    client.send_notifications(request={"telemetry": {"entries": entries}})
    assert api.telemetry == entries


def test_telemetry_that_waits_is_something_to_send(make_client, api):
    client = make_client(telemetry_enabled=True)
    client.get_offers(request=asking(mode="prefetch", mboxes="local-1", requestId="r1"))
    client.send_notifications(request={"context": {"channel": "web"}})
    assert [entry["requestId"] for entry in api.telemetry] == ["r1"]


def test_a_call_of_notifications_alone_may_be_repeated(client, api):
    """Their ids are the same each time, so that the server can tell."""
    api.script(json_answer({}, status=503))
    client.send_notifications(request={"notifications": [seen()]})
    assert [call.status for call in api.calls] == [503, 200]
    assert api.calls[0].body == api.calls[1].body


def test_a_refusal_is_raised(client, api):
    api.script(json_answer({"message": "no"}, status=400))
    with pytest.raises(DeliveryError) as caught:
        client.send_notifications(request={"notifications": [seen()]})
    assert caught.value.status == 400


def test_cookies_and_hints_count_as_in_get_offers(client, api):
    cookie = "PC#device.35_0#9999999999|session#s-cookie#9999999999"
    envelope = client.send_notifications(request={"notifications": [seen()]}, target_cookie=cookie)
    [call] = api.calls
    assert (call.session_id, call.body["id"]) == ("s-cookie", {"tntId": "device.35_0"})
    assert envelope.target_location_hint_cookie.value == "35"
