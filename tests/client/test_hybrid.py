"""One answer as if one system had made it: same visitor, same session, all in order, and no impression lost."""

import json
import re
import time
from types import SimpleNamespace

import pytest

from fixtures.delivery_api import json_answer
from fixtures.loopback import NEVER, Answer
from target_decisioning.errors import ArtifactUnavailable, DeliveryError, DeliveryTimeout
from tests.client.parts import VISITOR, asked, asking, here, offered, places, there

MIXED = {"mboxes": "local-1 remote-1 local-2"}
PARTLY = [("execute", "mboxes", name, [here(name)]) for name in ("local-1", "local-2")]


def of_whom(call):
    return call.body["id"]["tntId"]


# -- what goes out ----------------------------------------------------------------------------------------------------


def test_only_the_remote_part_goes_out_and_with_everything_that_belongs_to_it(client, api):
    request = asking(
        **MIXED,
        requestId="r1",
        impressionId="i1",
        environmentId=4,
        property={"token": "p"},
        trace={"authorizationToken": "t"},
        experienceCloud={"analytics": {"logging": "client_side"}, "audienceManager": {"locationHint": 9, "blob": "b"}},
    )
    details = {"parameters": {"a": "1"}, "address": {"url": "https://example.com/"}, "profileParameters": {"p": "2"}}
    request["context"]["userAgent"] = "agent"
    request["execute"]["mboxes"][1] |= details
    client.get_offers(request=request, session_id="s1")
    [call] = api.decisions
    assert call.session_id == "s1"
    assert call.body["execute"] == {"mboxes": [{"name": "remote-1", "index": 1, **details}]}
    whole = {key: value for key, value in request.items() if key not in ("execute", "context")}
    assert {key: call.body[key] for key in whole} == whole
    assert call.body["context"]["userAgent"] == "agent"
    assert api.problems == []


def test_both_parts_see_one_new_visitor(client, api):
    """He gets his id before the request is split; the server is told it, and so are the impressions."""
    envelope = client.get_offers(request={**asking(**MIXED), "id": {}})
    assert client.flush(5)
    tnt_id = envelope.response.id.tnt_id
    assert re.fullmatch("[0-9a-f]{32}", tnt_id)
    assert {of_whom(call) for call in api.calls} == {tnt_id}
    assert f"PC#{tnt_id}#" in envelope.target_cookie.value


def test_a_visitor_known_by_a_customer_id_gets_a_tnt_id_beside_it(client, api):
    customer = {"id": "c1", "integrationCode": "crm", "authenticatedState": "authenticated"}
    client.get_offers(request={**asking(**MIXED), "id": {"customerIds": [customer]}})
    [call] = api.decisions
    assert call.body["id"]["customerIds"] == [customer]
    assert of_whom(call)


def test_the_servers_tnt_id_wins_over_a_generated_one(client, api):
    """The impressions that are owed already keep the one that they were decided with."""
    api.always(lambda call: {**api.usual(call.body), "id": {"tntId": "theirs.28_0"}})
    envelope = client.get_offers(request={**asking(**MIXED), "id": {}})
    assert client.flush(5)
    assert envelope.response.id.tnt_id == "theirs.28_0"
    assert "PC#theirs.28_0#" in envelope.target_cookie.value
    sent, reported = api.calls
    assert of_whom(sent) == of_whom(reported) != "theirs.28_0"


def test_an_answer_without_an_id_leaves_the_visitor_who_he_is(client, api):
    api.always(lambda call: {key: value for key, value in api.usual(call.body).items() if key != "id"})
    envelope = client.get_offers(request=asking(**MIXED))
    assert envelope.to_wire()["response"]["id"] == VISITOR


@pytest.mark.parametrize("part", ["qaMode", "preview"])
def test_what_only_a_server_understands_goes_out_whole(client, api, part):
    """And ``meta`` still says what of it would have needed the server."""
    request = asking(**MIXED, **{part: {"token": "t"}})
    wire = client.get_offers(request=request).to_wire()
    [call] = api.decisions
    assert asked(call.body) == asked(request)
    assert wire["meta"]["decisioningMethod"] == "server-side"
    assert wire["meta"]["remoteMboxes"] == ["remote-1"]
    assert [item["source"] for item in wire["meta"]["sources"]] == ["server-side"] * 3


def test_qa_mode_has_no_effect_on_this_device_but_on_the_impressions(client, api):
    client.get_offers(request=asking(mboxes="local-1", qaMode={"token": "t"}), decisioning_method="on-device")
    assert client.flush(5)
    [call] = api.calls
    assert call.body["qaMode"] == {"token": "t"}
    assert len(api.impressions) == 1


def test_the_callers_notifications_ride_on_the_call(client, api):
    seen = {"id": "n1", "type": "click", "timestamp": 1_700_000_000_000, "tokens": ["t"], "mbox": {"name": "a"}}
    client.get_offers(request=asking(**MIXED, notifications=[seen]))
    assert client.flush(5)
    assert api.decisions[0].body["notifications"] == [seen]
    assert [entry["id"] for entry in api.impressions].count("n1") == 1


@pytest.mark.parametrize("method", ["on-device", "hybrid"])
def test_the_callers_notifications_leave_as_a_call_of_their_own_where_none_takes_them_along(client, api, method):
    seen = {"id": "n1", "type": "click", "timestamp": 1_700_000_000_000, "tokens": ["t"], "mbox": {"name": "a"}}
    client.get_offers(request=asking(mboxes="local-1", notifications=[seen]), decisioning_method=method)
    assert client.flush(5)
    assert api.calls[0].body["notifications"] == [seen]
    assert [len(call.body["notifications"]) for call in api.calls] == [1, 1]
    assert {of_whom(call) for call in api.calls} == {VISITOR["tntId"]}


def test_the_remote_part_carries_the_place_as_the_caller_told_it(make_client, api):
    """What is removed or looked up for deciding here is for deciding here."""
    request = asking(**MIXED)
    request["context"]["geo"] = {"ipAddress": "no address", "city": "PARIS"}
    make_client().get_offers(request=request)
    assert api.decisions[0].body["context"]["geo"] == {"ipAddress": "no address", "city": "PARIS"}


# -- what comes back --------------------------------------------------------------------------------------------------


def test_tokens_analytics_and_traces_of_both_parts_are_gathered(client, api):
    def answer(call):
        usual = api.usual(call.body)
        usual["execute"]["mboxes"][0] |= {"analytics": {"payload": {"pe": "tnt"}}, "trace": {"from": "there"}}
        return usual

    api.always(answer)
    envelope = client.get_offers(request=asking(**MIXED, trace={"authorizationToken": "t"}))
    methods = [tokens["activity.decisioningMethod"] for tokens in envelope.response_tokens]
    assert methods == ["on-device", "server-side", "on-device"]
    assert envelope.analytics_details == [{"payload": {"pe": "tnt"}}]
    assert [trace.get("from", "here") for trace in envelope.trace] == ["here", "there", "here"]


def test_the_location_hint_comes_from_the_remote_answer(client):
    envelope = client.get_offers(request=asking(**MIXED))
    assert envelope.target_location_hint_cookie == {"name": "mboxEdgeCluster", "value": "28", "max_age": 1860}
    assert client.get_offers(request=asking(mboxes="local-1")).target_location_hint_cookie is None


def test_foreign_entries_are_ignored(client, api):
    """Case 45: options for mboxes that were not asked of the server."""

    def answer(call):
        usual = api.usual(call.body)
        foreign = [{"name": name, "index": 0, "options": [{"content": "foreign"}]} for name in ("local-1", "foreign")]
        usual["execute"]["mboxes"] = [*foreign, *usual["execute"]["mboxes"]]
        return usual

    api.always(answer)
    response = client.get_offers(request=asking(**MIXED)).to_wire()["response"]
    assert [offers for *_, offers in offered(response)] == [[here("local-1")], [there("remote-1")], [here("local-2")]]


# -- when the server fails --------------------------------------------------------------------------------------------


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def answered_mbox(**spoilt):
    return json_answer({"execute": {"mboxes": [{"name": "remote-1", "index": 1, "options": [], **spoilt}]}})


FAILURES = {
    "refused": (json_answer({"message": "no"}, status=403), "DeliveryError"),
    "limited": (json_answer({}, status=429), "DeliveryError"),
    "failing": (json_answer({}, status=503), "DeliveryError"),
    "cut": (Answer(hang_up=True), "DeliveryError"),
    "html": (Answer(body=b"<html>"), "DeliveryError"),
    "an empty object": (json_answer({}), "DeliveryError"),
    "another shape": (json_answer({"execute": {"mboxes": ["x"]}}), "DeliveryError"),
    "metrics that are none": (answered_mbox(metrics="m"), "DeliveryError"),
    "a content that is too deep": (answered_mbox(options=[{"type": "json", "content": deep(250)}]), "DeliveryError"),
    "a name that is none": (answered_mbox(name=["remote-1"]), "DeliveryError"),
    "an id that is none": (json_answer({"id": {"tntId": {"a": 1}}, "execute": {"mboxes": []}}), "DeliveryError"),
    "notifications that are none": (json_answer({"execute": {"mboxes": []}, "notifications": [1]}), "DeliveryError"),
    "never": (NEVER, "DeliveryTimeout"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_the_local_part_is_answered_and_the_rest_is_named(make_client, api, how):
    """Cases 43 to 46: the call has effects, so it is sent once."""
    reply, error = FAILURES[how]
    client = make_client(timeout=100 if how == "never" else None)
    api.script(reply)
    wire = client.get_offers(request=asking(**MIXED)).to_wire()
    assert offered(wire["response"]) == PARTLY
    assert wire["response"]["status"] == 206
    assert wire["response"]["id"] == VISITOR
    assert wire["meta"]["decisioningMethod"] == "on-device"
    assert wire["meta"]["remoteMboxes"] == ["remote-1"]
    assert wire["meta"]["remoteError"]["type"] == error
    assert len(api.decisions) == 1
    assert client.flush(5)
    assert len(api.impressions) == 2


def test_a_part_that_fails_takes_no_notification_of_the_callers_with_it(make_client, api):
    seen = {"id": "n1", "type": "click", "timestamp": 1_700_000_000_000, "tokens": ["t"], "mbox": {"name": "a"}}
    client = make_client()
    api.script(json_answer({}, status=503))
    client.get_offers(request=asking(**MIXED, notifications=[seen]))
    assert client.flush(5)
    assert [entry["id"] for entry in api.impressions].count("n1") == 1
    assert len(api.impressions) == 3


@pytest.mark.parametrize("useless", [Answer(status=204), Answer(body=b"<html>"), json_answer({"edgeHost": "x"})])
def test_a_call_that_was_accepted_took_the_callers_notifications_whatever_it_answered(make_client, api, useless):
    seen = {"id": "n1", "type": "click", "timestamp": 1_700_000_000_000, "tokens": ["t"], "mbox": {"name": "a"}}
    client = make_client(telemetry_enabled=True)
    api.script(useless)
    answer = client.get_offers(request=asking(**MIXED, notifications=[seen]))
    assert answer.meta.remote_error
    assert client.flush(5)
    sent = [entry["id"] for call in api.calls for entry in call.body.get("notifications", ())]
    assert sent.count("n1") == 1
    assert {entry["mode"] for call in api.calls for entry in call.body.get("telemetry", {}).get("entries", ())} == {
        "local"
    }


@pytest.mark.parametrize(("ours", "calls"), [(True, None), (False, True), (True, True)])
def test_strict_raises_as_a_server_side_call_would(make_client, api, ours, calls):
    """And nothing of the local part is reported."""
    client = make_client(strict=ours)
    api.script(json_answer({}, status=403))
    with pytest.raises(DeliveryError) as caught:
        client.get_offers(request=asking(**MIXED), **({} if calls is None else {"strict": calls}))
    assert caught.value.status == 403
    assert client.flush(5)
    assert api.impressions == []


def test_a_call_may_be_less_strict_than_its_client(make_client, api):
    client = make_client(strict=True)
    api.script(json_answer({}, status=403))
    assert client.get_offers(request=asking(**MIXED), strict=False).meta.remote_error


def test_an_outage_is_told_once(make_client, api):
    """C6: the same failure once, and not once per call."""

    errors = []
    client = make_client(
        logger=SimpleNamespace(debug=lambda *_: None, error=lambda message, *_: errors.append(message))
    )
    api.always(lambda call: json_answer({}, status=503) if call.asks else {})
    for _ in range(4):
        client.get_offers(request=asking(**MIXED))
    told = [message for message in errors if message.startswith("Hybrid decisions lack the server's part")]
    why = f"The Delivery API at {api.authority} answered 503 Service Unavailable"
    assert told == [f"Hybrid decisions lack the server's part: {why}"]


@pytest.mark.parametrize("policy", ["serve", "remote", "fail"])
def test_an_artifact_that_is_too_old_does_as_its_policy_says(make_client, tmp_path, policy):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(places()))
    client = make_client(
        artifact_location=str(path),
        polling_interval_seconds=100,
        max_artifact_age_seconds=0.001,
        stale_policy=policy,
    )
    time.sleep(0.01)
    request = asking(mode="prefetch", mboxes="local-1")
    if policy == "serve":
        assert client.get_offers(request=request).meta.decisioning_method == "on-device"
        return
    with pytest.raises(ArtifactUnavailable, match=r"last confirmed 0\.0 s ago"):
        client.get_offers(request=request, decisioning_method="on-device")
    if policy == "remote":
        assert client.get_offers(request=request).meta.decisioning_method == "server-side"
    else:
        with pytest.raises(ArtifactUnavailable, match="last confirmed"):
            client.get_offers(request=request)
    assert client.get_offers(request=request, decisioning_method="server-side").meta.remote_mboxes == []


# -- time -------------------------------------------------------------------------------------------------------------

DRIP = Answer(body=json.dumps({"execute": {"mboxes": []}}).encode() + b" " * 1000, drip_seconds=0.02)


@pytest.mark.parametrize("how", [NEVER, DRIP], ids=["never answers", "drips"])
@pytest.mark.parametrize("method", ["server-side", "hybrid"])
def test_a_timeout_of_300_ms_ends_the_call_in_300_to_400_ms(make_client, api, method, how):
    """Case 44: raised, or told in ``meta`` beside the local part; asked once."""
    client = make_client(timeout=300)
    client.get_offers(request=asking(mboxes="remote-1"), decisioning_method="server-side")
    for last in (False, False, False, True):  # a busy machine may be late now and then
        seconds = _seconds_to_time_out(client, api, method, how)
        assert seconds >= 0.3
        if seconds <= 0.4:
            break
        assert not last


def _seconds_to_time_out(client, api, method, how):
    api.calls.clear()
    api.script(how)
    began = time.monotonic()
    if method == "server-side":
        with pytest.raises(DeliveryTimeout, match="Request timed out"):
            client.get_offers(request=asking(**MIXED), decisioning_method=method)
    else:
        assert client.get_offers(request=asking(**MIXED)).meta.remote_error["type"] == "DeliveryTimeout"
    seconds = time.monotonic() - began
    assert len(api.decisions) == 1
    return seconds


def test_a_body_past_the_limit_is_not_read_to_its_end(make_client, api):
    """Case 45: 50 MiB."""
    api.script(Answer(body=b" " * (50 << 20)))
    with pytest.raises(DeliveryError) as caught:
        make_client().get_offers(request=asking(mboxes="remote-1"))
    assert caught.value.reason == "too_large"


# -- many -------------------------------------------------------------------------------------------------------------


def test_a_thousand_mixed_requests(make_client, api):
    """Few connections, only undecidable names on the wire, each impression once and of the right visitor."""
    client = make_client()
    names = ["local-1 remote-1", "remote-2 local-2 local-1", "both local-2", "local-1", "remote-1 remote-2"]
    owed = {}
    for number in range(1000):
        request = {**asking(mboxes=names[number % 5]), "id": {} if number % 2 else {"tntId": f"v{number}"}}
        envelope = client.get_offers(request=request, session_id=f"s{number}")
        assert [name for *_, name in asked(request)] == [
            name for _, _, name, _ in offered(envelope.to_wire()["response"])
        ]
        decided_here = sum(name.startswith("local") for name in names[number % 5].split())
        if decided_here:
            owed[f"s{number}"] = (envelope.response.id.tnt_id, decided_here)
    assert client.flush(20)
    assert {name for call in api.decisions for *_, name in asked(call.body)} == {"remote-1", "remote-2", "both"}
    assert len(api.decisions) == 800
    assert len({call.received.connection for call in api.decisions}) <= 2
    reports = [call for call in api.calls if not call.asks]
    assert len({call.received.connection for call in reports}) <= 16
    assert {call.session_id: (of_whom(call), len(call.body["notifications"])) for call in reports} == owed
    ids = [entry["id"] for entry in api.impressions]
    assert len(ids) == len(set(ids)) == sum(count for _, count in owed.values())
    assert api.problems == []
