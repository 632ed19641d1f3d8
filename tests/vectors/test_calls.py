"""Expected Delivery calls, envelopes, attributes and needs of the server, through the code that makes them."""

import json
import re
import time
from urllib.parse import urlsplit

import pytest

from target_decisioning.attributes import Attributes, add_mboxes
from target_decisioning.config import read_config
from target_decisioning.decisioning import load_program, remote_needs
from target_decisioning.delivery import Meta, TargetDeliveryResponse
from target_decisioning.errors import AttributeNotFound
from target_decisioning.preparation import Call, prepare, read_call
from target_decisioning.preparation.location import choose_cluster
from target_decisioning.remote import build_call
from tests.matching import differences
from tests.shared import SHARED, vectors

OWNER = {"client": "acme", "organization_id": "ORG@AdobeOrg"}
OURS = {
    "context without time offset": {"context": {"channel": "web", "timeOffsetInMinutes": 0}},
    "channel mobile": {"context": {"channel": "mobile", "timeOffsetInMinutes": -60}},
}
"""D8: filled in if it is absent; D7: kept."""


def _cases(section, *inner):
    if not (SHARED / "design/vectors.json").exists():
        return []
    cases = vectors(section)
    for key in inner:
        cases = cases[key]
    return [pytest.param(case, id=str(case.get("label", at))) for at, case in enumerate(cases)]


def _snake(name):
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setattr(time, "localtime", time.gmtime)


@pytest.mark.parametrize("case", _cases("delivery_requests"))
def test_a_delivery_call(case):
    config = read_config({_snake(name): value for name, value in case["client_options"].items()}, OWNER)
    call = read_call({_snake(name): value for name, value in case["options"].items()}, {})
    prepared = prepare(call, config, config.target_location_hint, 1_700_000_000_000, lambda: "f" * 32)
    sent = build_call(config, prepared.request, prepared.session_id, prepared.cluster, "f" * 32)
    assert (sent.method, sent.url) == (case["method"], case["url"])
    assert sent.headers.keys() == case["headers"].keys()
    assert list(differences(_expected_body(case), json.loads(sent.body))) == []


def _expected_body(case):
    body = {**case["body"], **OURS.get(case["label"], {}), "requestId": case["body"]["requestId"]}
    if body["requestId"] == {"$random_uuid": True}:
        body["requestId"] = "f" * 32
    analytics = body["experienceCloud"]["analytics"]
    kept = {key: value for key, value in analytics.items() if key != "supplementalDataId"}  # P9: none is invented
    return {**body, "experienceCloud": {**body["experienceCloud"], "analytics": kept}}


@pytest.mark.parametrize("case", _cases("delivery_responses"))
def test_an_envelope(case):
    response = case["delivery_response"]
    cluster = case["client_options"].get("targetLocationHint")
    envelope = TargetDeliveryResponse(
        response,
        {},
        lambda: Meta(decisioning_method="server-side", remote_mboxes=[], remote_views=[]),
        _a_call(case["session_id"], cluster, case["now_ms"]),
    )
    wire = envelope.to_wire()
    expected = {
        key: [one for one in value if one is not None] if isinstance(value, list) else value  # D18: holes are skipped
        for key, value in case["envelope"].items()
    }
    assert {key: value for key, value in wire.items() if key not in ("request", "response")} == expected
    assert wire["response"] == response


@pytest.mark.parametrize("case", _cases("remote_dependency", "cases"))
def test_what_needs_the_server(case):
    artifact = vectors("remote_dependency")["artifact"]
    request = _prepared_parts(case["request"])
    mboxes, views = remote_needs(load_program({"version": "1.0.0", **artifact}, "acme"), request)
    if case.get("deviates") == "D15":
        assert views == artifact["remoteViews"]
    elif case.get("deviates") == "1.5":
        assert (mboxes, views) == ([], [])
    else:
        assert (mboxes, views) == (case["result"]["remoteMboxes"], case["result"]["remoteViews"])


def _prepared_parts(request):
    return {mode: {key: value for key, value in part.items() if value != []} for mode, part in request.items()}


def test_a_page_load_needs_the_artifacts_global_mbox():
    """D16: not the usual name of it."""
    case = vectors("remote_dependency")["page_load_not_local"]
    program = load_program({"version": "1.0.0", **case["artifact"]}, "acme")
    assert remote_needs(program, case["request"]) == (["my-global"], [])


def test_an_empty_artifact_needs_the_server_for_all():
    case = vectors("remote_dependency")["empty_artifact"]
    mboxes, _ = remote_needs(load_program({"version": "1.0.0"}, "acme"), case["request"])
    assert mboxes == case["result"]["remoteMboxes"]


@pytest.mark.parametrize("case", _cases("property_filter"))
def test_rules_of_a_property(case):
    tokens = case["rule_property_tokens"]
    rule = {"ruleKey": "1", "condition": True, "consequence": {"name": "a"}, "propertyTokens": tokens}
    program = load_program({"version": "1.0.0", "rules": {"mboxes": {"a": [rule]}}}, "acme")
    token = None if case["request_token"] == {"$null": True} else case["request_token"]
    assert bool(program.mboxes["a"].rules_for(token)) == case["kept"]


@pytest.mark.parametrize("case", _cases("property_precedence"))
def test_the_property_of_a_request(case):
    config = read_config({"property_token": case["config_token"]}, OWNER)
    asked = {"property": {"token": case["request_token"]}, "context": {"channel": "web"}}
    prepared = prepare(read_call({"request": asked}, {}), config, None, 0, lambda: "id")
    assert prepared.request.get("property", {}).get("token") == case["token"]


@pytest.mark.parametrize("case", _cases("cluster", "choice"))
def test_the_cluster_of_a_call(case):
    assert choose_cluster(case["device_id"], case["location_hint"], None) == case["cluster"]


@pytest.mark.parametrize("case", _cases("artifact_version"))
def test_supported_versions(case):
    def load():
        return load_program({"version": case["version"]}, "acme")

    if case["supported"]:
        assert load().version == case["version"]
    else:
        with pytest.raises(Exception, match="is not supported"):
            load()


def _a_call(session_id, cluster=None, now_ms=0):
    call = Call()
    call.session_id, call.cluster, call.now_ms = session_id, cluster, now_ms
    return call


def _envelope_of(response):
    meta = Meta(decisioning_method="on-device", remote_mboxes=[], remote_views=[])
    return TargetDeliveryResponse(response, {}, lambda: meta, _a_call("s"))


def test_attributes_of_mboxes():
    expected = vectors("attributes")
    attributes = Attributes(_envelope_of(expected["response"]))
    assert attributes.as_object() == expected["as_object"]
    assert attributes.as_object("a") == expected["of_a"]
    assert attributes.as_object("never") == expected["of_missing"]


@pytest.mark.parametrize("case", _cases("attributes", "get"))
def test_one_attribute(case):
    attributes = Attributes(_envelope_of(vectors("attributes")["response"]))
    if "error" in case:
        with pytest.raises(AttributeNotFound, match=re.escape(case["error"])):
            attributes.get_value(case["mbox"], case["key"])
        assert attributes.get_value(case["mbox"], case["key"], "default") == "default"
    else:
        assert attributes.get_value(case["mbox"], case["key"]) == case["value"]


@pytest.mark.parametrize("case", _cases("attributes", "add_mboxes"))
def test_mboxes_that_attributes_need(case):
    given = json.loads(json.dumps(case["request"]))
    assert add_mboxes(given, case["names"]) == case["result"]
    assert given == case["request"]


def test_the_path_of_a_call_has_no_surprises():
    config = read_config({}, OWNER)
    url = build_call(config, {}, "a b/é", None, "id").url
    assert urlsplit(url).query == "imsOrgId=ORG%40AdobeOrg&sessionId=a%20b%2F%C3%A9"
