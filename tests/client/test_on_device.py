"""Decided on this device: what is answered, what is owed for it, and that nothing of it is shared with the caller."""

import copy
import json
import re
import time

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import json_answer
from tests.builders import a_rule, an_artifact
from tests.client.parts import VISITOR, asking, here, offered, places


def decide(client, **request):
    return client.get_offers(request=asking(**request), decisioning_method="on-device")


# -- the answer -------------------------------------------------------------------------------------------------------


def test_an_answer_of_this_device(client):
    wire = decide(client, mboxes="local-1", requestId="r1").to_wire()
    response = {key: value for key, value in wire["response"].items() if key != "execute"}
    assert response == {"status": 200, "requestId": "r1", "id": VISITOR, "client": "acme"}
    assert wire["meta"] == {"decisioningMethod": "on-device", "remoteMboxes": [], "remoteViews": []}
    assert wire["request"]["execute"] == {"mboxes": [{"name": "local-1", "index": 0}]}
    assert "targetLocationHintCookie" not in wire


def test_what_cannot_be_decided_here_is_blank_and_named(client, api):
    envelope = decide(client, mboxes="remote-1 local-1 both")
    assert [offers for *_, offers in offered(envelope.to_wire()["response"])] == [[], [here("local-1")], [here("both")]]
    assert envelope.response.status == 206
    assert envelope.meta.remote_mboxes == ["remote-1", "both"]
    assert "sources" not in envelope.meta
    assert api.decisions == []


def test_a_new_visitor_is_told_his_id(client):
    envelope = client.get_offers(request={"execute": {"mboxes": [{"name": "local-1"}]}}, target_location_hint="35")
    assert envelope.response.id.tnt_id.endswith(".35_0")
    assert f"PC#{envelope.response.id.tnt_id}#" in envelope.target_cookie.value
    again = client.get_offers(
        request={"execute": {"mboxes": [{"name": "local-1"}]}}, target_cookie=envelope.target_cookie.value
    )
    assert again.response.id.tnt_id == envelope.response.id.tnt_id
    assert again.target_location_hint_cookie.value == "35"


@pytest.mark.parametrize("tnt_id", [123, 1.5])
def test_an_id_that_is_no_text_is_written_as_one(client, tnt_id):
    envelope = client.get_offers(request={**asking(mboxes="local-1"), "id": {"tntId": tnt_id}})
    assert f"PC#{json.dumps(tnt_id)}#" in envelope.target_cookie.value


def test_a_request_for_nothing_is_answered(client):
    wire = client.get_offers(request={"context": {"channel": "web"}}).to_wire()
    assert wire["response"].keys() == {"status", "requestId", "id", "client"}


# -- impressions ------------------------------------------------------------------------------------------------------


def test_an_impression_carries_what_it_belongs_to(client, api):
    """D27: the request's session, property, environment and QA mode too."""
    carried = {
        "property": {"token": "p"},
        "environmentId": 7,
        "qaMode": {"token": "q"},
        "experienceCloud": {"analytics": {"logging": "client_side"}},
    }
    envelope = client.get_offers(
        request=asking(mboxes="local-1", **carried),
        decisioning_method="on-device",
        session_id="s1",
        customer_ids={"crm": "u"},
    )
    assert client.flush(5)
    [call] = api.calls
    assert call.session_id == "s1"
    assert {key: call.body[key] for key in carried} == carried
    assert call.body["id"]["customerIds"] == [{"id": "u", "integrationCode": "crm", "authenticatedState": "unknown"}]
    assert call.body["context"] == envelope.to_wire()["request"]["context"]
    assert call.body["requestId"] != envelope.response.request_id
    assert call.body.keys() <= {"requestId", "id", "context", "notifications", *carried}
    [impression] = call.body["notifications"]
    assert impression["mbox"] == {"name": "local-1"}
    assert impression["tokens"] == ["offer of local-1-seen"]
    assert api.problems == []


def test_an_impression_tells_the_place_that_was_looked_up(make_client, api):
    with Cdn(geo={"x-geo-city": "PARIS", "x-geo-country-code": "FR"}) as cdn:
        artifact = {**places(), "geoTargetingEnabled": True}
        client = make_client(artifact_payload=artifact, geo_lookup_url=cdn.geo_url)
        request = asking(mboxes="local-1")
        request["context"]["geo"] = {"ipAddress": "203.0.113.7"}
        client.get_offers(request=request)
        assert client.flush(5)
    assert api.calls[0].body["context"]["geo"] == {"ipAddress": "203.0.113.7", "city": "PARIS", "countryCode": "FR"}
    assert request["context"]["geo"] == {"ipAddress": "203.0.113.7"}


def test_a_prefetch_owes_nothing(client, api):
    decide(client, mode="prefetch", mboxes="local-1", views=["view-1"], page_load=True)
    assert client.flush(5)
    assert api.calls == []


def test_one_decision_is_one_call(client, api):
    decide(client, mboxes="local-1 local-2", page_load=True)
    assert client.flush(5)
    [call] = api.calls
    assert [entry["mbox"]["name"] for entry in call.body["notifications"]] == [
        "local-1",
        "local-2",
        "target-global-mbox",
    ]


def test_an_impression_is_sent_again_with_the_same_ids(client, api):
    api.script(json_answer({}, status=503))
    decide(client, mboxes="local-1")
    assert client.flush(10)
    assert [call.status for call in api.calls] == [503, 200]
    assert api.calls[0].body == api.calls[1].body


def test_an_impression_that_is_refused_is_told_and_harms_no_other(make_client, api):
    told = []
    client = make_client(events={"send_notification_error": told.append})
    api.script(json_answer({}, status=400))
    decide(client, mboxes="local-1")
    decide(client, mboxes="local-2")
    client.close()
    assert len(told) == 1
    assert told[0].error.status == 400
    assert len(api.impressions) == 1
    assert client.status()["outbox"]["dead"] == 1


def test_telemetry_of_a_decision_rides_on_its_impression(make_client, api):
    client = make_client(telemetry_enabled=True)
    decide(client, mboxes="local-1 local-2", requestId="r1")
    assert api.wait_until(lambda: api.impressions)
    [entry] = api.telemetry
    assert entry["requestId"] == "r1"
    assert entry["mode"] == "local"
    assert entry["features"] == {"decisioningMethod": "on-device", "executeMboxCount": 2}
    assert entry["parsing"] <= entry["execution"]


def test_telemetry_of_a_call_to_the_server_rides_on_the_next(make_client, api):
    client = make_client(telemetry_enabled=True, decisioning_method="server-side")
    for number in (1, 2):
        client.get_offers(request=asking(mboxes="remote-1", requestId=f"r{number}"))
    [entry] = api.telemetry
    assert (entry["requestId"], entry["mode"]) == ("r1", "edge")
    assert entry["request"]["responseSize"] > 0
    assert client.flush(5)
    assert [entry["requestId"] for entry in api.telemetry] == ["r1", "r2"]


# -- nothing is shared ------------------------------------------------------------------------------------------------


def spoil(value):
    """Change everything in *value* that can be changed."""
    if isinstance(value, dict):
        for part in list(value.values()):
            spoil(part)
        value.clear()
        value["spoilt"] = True
    elif isinstance(value, list):
        for part in value:
            spoil(part)
        value[:] = ["spoilt"]


@pytest.mark.parametrize("method", ["on-device", "hybrid"])
def test_whatever_a_caller_does_to_his_things_the_next_answer_is_unharmed(make_client, api, monkeypatch, method):
    """Case 31: the payload after ``create``, the request after the call, the answer, and what is on its way."""
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    content = {"nested": {"list": [1, {"deep": True}]}}
    rules = [
        a_rule("json", options=[{"type": "json", "content": content, "eventToken": "t"}], metrics=[{"type": "click"}])
    ]
    payload = an_artifact(local=rules, frame={"remoteMboxes": ["remote-1"], "responseTokens": ["activity.id"]})
    client = make_client(artifact_payload=payload)
    request = asking(mboxes="local remote-1", trace={"authorizationToken": "t"}, requestId="r1")
    request["execute"]["mboxes"][0]["parameters"] = {"p": ["v"]}
    asked = copy.deepcopy(request)

    envelope = client.get_offers(request=request, decisioning_method=method, session_id="s")
    first = envelope.to_wire()
    expected = copy.deepcopy(first["response"])
    spoil(payload)
    spoil(request)
    spoil(first)
    for part in (envelope.trace, envelope.response_tokens, envelope.target_cookie, envelope.meta):
        spoil(part)
    spoil(envelope.response.execute.mboxes[0].options[0].content)
    envelope.response.execute.mboxes.clear()
    envelope.request.execute.mboxes.clear()

    second = client.get_offers(request=asked, decisioning_method=method, session_id="s").to_wire()["response"]
    assert _lasting(second) == _lasting(expected)
    assert client.flush(5)
    assert "spoilt" not in json.dumps([call.body for call in api.calls])
    assert len(api.impressions) == 2


def _lasting(response):
    """A response without the ids that are new each time: those of the impressions in its trace."""
    return json.loads(re.sub('"[0-9a-f]{32}"', '"id"', json.dumps(response)))
