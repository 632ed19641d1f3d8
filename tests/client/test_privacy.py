"""E7, case 66: nothing personal in a log from INFO on, in an error's text, or in a ``repr``, however a call ends."""

import json
import logging
import traceback

import pytest

from fixtures.delivery_api import DeliveryApi, json_answer
from fixtures.loopback import NEVER, Answer
from target_decisioning import DeliveryRequest, TargetClient
from target_decisioning.errors import TargetError
from tests.client.parts import ORGANIZATION, places

CANARY = "canary-in-every-field"


def personal(**others):
    """A request that has a canary in every field that can hold a text."""
    details = {
        "address": {"url": f"https://{CANARY}.example.com/{CANARY}?{CANARY}={CANARY}", "referringUrl": CANARY},
        "parameters": {"p": CANARY, "nested.name": CANARY},
        "profileParameters": {"p": CANARY},
        "order": {"id": CANARY, "total": 1, "purchasedProductIds": [CANARY]},
        "product": {"id": CANARY, "categoryId": CANARY},
    }
    ids = {"tntId": f"{CANARY}.28_0", "thirdPartyId": CANARY, "marketingCloudVisitorId": CANARY}
    customer = {"id": CANARY, "integrationCode": CANARY, "authenticatedState": "authenticated"}
    return {
        "requestId": CANARY,
        "impressionId": CANARY,
        "id": {**ids, "customerIds": [customer]},
        "property": {"token": CANARY},
        "trace": {"authorizationToken": CANARY, "usage": {"u": CANARY}},
        "context": {
            "channel": "web",
            "userAgent": CANARY,
            "address": details["address"],
            "geo": {"ipAddress": "203.0.113.77", "city": CANARY, "countryCode": CANARY, "zip": CANARY},
            "browser": {"host": CANARY, "language": CANARY},
            "application": {"id": CANARY, "name": CANARY, "version": CANARY},
            "mobilePlatform": {"deviceName": CANARY},
            "clientHints": {"model": CANARY, "platform": CANARY},
        },
        "experienceCloud": {
            "analytics": {"supplementalDataId": CANARY, "trackingServer": CANARY},
            "audienceManager": {"locationHint": 9, "blob": CANARY},
        },
        "execute": {
            "mboxes": [{"name": name, "index": at, **details} for at, name in enumerate(("local-1", "remote-1"))]
        },
        "prefetch": {"views": [{"name": "view-1", "key": CANARY, **details}], "pageLoad": details},
        "notifications": [
            {"id": CANARY, "impressionId": CANARY, "type": "click", "timestamp": 1, "tokens": [CANARY], **details},
            {"id": CANARY, "type": CANARY},
        ],
        "telemetry": {"entries": [{"requestId": CANARY, "timestamp": 1}]},
        **others,
    }


OPTIONS = {
    "session_id": CANARY,
    "target_cookie": f"session#{CANARY}#9999999999|PC#{CANARY}.28_0#9999999999|{CANARY}#{CANARY}",
    "target_location_hint": CANARY,
    "consumer_id": CANARY,
    "customer_ids": {CANARY: {"id": CANARY, "authState": 1}},
    "visitor_cookie": f"1|MCMID|{CANARY}|MCAAMB|{CANARY}",
}
ECHO = {"message": CANARY, "id": CANARY}
ANSWERS = {
    "success": None,
    "refused": json_answer(ECHO, status=400),
    "failing": json_answer(ECHO, status=500),
    "never": NEVER,
    "cut": Answer(body=CANARY.encode() * 9, cut_after=5),
    "no json": Answer(body=CANARY.encode()),
    "another shape": json_answer({**ECHO, "execute": CANARY}),
    "redirect": Answer(status=302, headers={"Location": f"https://{CANARY}.example.com/{CANARY}"}),
}
WRONG = {
    "a text for an object": personal(context=CANARY),
    "a text for a list": personal(execute={"mboxes": CANARY}),
    "an object for a text": personal(id={"tntId": {CANARY: CANARY}}),
    "control characters": personal(id={"tntId": f"{CANARY}\n"}),
    "too long": personal(context={"userAgent": CANARY * 10_000}),
    "half a character": personal(execute={"mboxes": [{"name": "a", "parameters": {"p": f"{CANARY}\ud800"}}]}),
    "no number": personal(execute={"mboxes": [{"name": CANARY, "index": float("inf")}]}),
}
CALLS = {
    "get_offers": lambda client, request, **more: client.get_offers(request=request, **OPTIONS, **more),
    "get_attributes": lambda client, request, **more: client.get_attributes(["x"], request=request, **OPTIONS, **more),
    "send_notifications": lambda client, request, **more: client.send_notifications(request=request, **OPTIONS, **more),
}


@pytest.fixture
def api():
    with DeliveryApi(refuse_invalid=False) as server:
        yield server


@pytest.fixture
def said(caplog):
    """Everything that was said where an operator hears it."""
    caplog.set_level(logging.INFO)

    def all_of_it():
        return "\n".join(caplog.handler.format(record) + repr(record.args) for record in caplog.records)

    return all_of_it


def told_by(error):
    """What is shown of an error: its text, its ``repr``, its traceback with all that led to it."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error)])


def is_clean(text):
    return CANARY not in text and "203.0.113.77" not in text


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("method", ["on-device", "hybrid", "server-side"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_can_be_read(make_client, api, said, call, method, answer):
    api.always(ANSWERS[answer])
    client = make_client(decisioning_method=method, timeout=50 if answer == "never" else None, telemetry_enabled=True)
    shown = [repr(client), json.dumps(client.status())]
    try:
        result = CALLS[call](client, personal())
    except TargetError as error:
        shown.append(told_by(error))
        assert answer != "success"
    else:
        shown += [repr(result), *map(repr, vars(result).values() if hasattr(result, "__dict__") else ())]
    client.flush(0.05)
    shown += [json.dumps(client.status()), *map(repr, client._reporting.outbox.dead_letters)]
    assert all(map(is_clean, shown))
    assert is_clean(said())


@pytest.mark.parametrize("wrong", WRONG)
def test_a_call_that_cannot_be_read(client, said, wrong):
    with pytest.raises(TargetError) as caught:
        client.get_offers(request=WRONG[wrong], **OPTIONS)
    assert is_clean(str(caught.value))
    assert is_clean(repr(caught.value))
    assert is_clean(said())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("session_id", f"{CANARY}\n"),
        ("customer_ids", {"crm": {"id": CANARY, "authState": CANARY}}),
        ("customer_ids", [CANARY]),
        ("decisioning_method", CANARY),
        ("strict", CANARY),
        ("callback", CANARY),
        ("visitor", CANARY),
    ],
)
def test_an_option_that_cannot_be_read(client, option, value):
    with pytest.raises(TargetError) as caught:
        client.get_offers(request=personal(), **{option: value})
    assert is_clean(str(caught.value))
    assert is_clean(repr(caught.value))


def test_an_answer_and_its_parts(client, api):
    """What a debugger or an error tracker would print of them."""
    api.always(lambda call: {**api.usual(call.body), "id": {"tntId": CANARY}})
    envelope = client.get_offers(request=personal(), **OPTIONS)
    parts = [envelope, envelope.request, envelope.response, envelope.target_cookie, envelope.meta]
    parts += [envelope.response.id, envelope.request.context, envelope.request.execute.mboxes[0]]
    assert all(is_clean(repr(part)) and is_clean(str(part)) for part in parts)


def test_a_typed_request(client):
    typed = DeliveryRequest.from_wire(personal())
    assert is_clean(repr(typed))
    client.get_offers(request=typed)


def test_the_meta_of_an_artifact(said, api):
    """Texts of the artifact are its owner's business, not the log's."""
    artifact = places()
    artifact["rules"]["mboxes"]["local-1"][0]["meta"]["activity.name"] = CANARY
    artifact["meta"]["clientCode"] = CANARY
    options = {"client": "acme", "organization_id": ORGANIZATION, "server_domain": api.authority, "secure": False}
    with TargetClient.create(options, decisioning_method="on-device", artifact_payload=artifact) as client:
        client.get_offers(request=personal())
        assert is_clean(repr(client))
    assert is_clean(said())


def test_the_secrets_of_a_client(said):
    options = {
        "client": CANARY,
        "organization_id": CANARY,
        "property_token": CANARY,
        "proxies": {"http": f"http://user:{CANARY}@proxy.example.com"},
        "client_cert": CANARY,
    }
    with TargetClient.create(options) as client:
        assert is_clean(repr(client))
        assert is_clean(repr(client._config))
    for name, value in {
        "polling": CANARY,
        "server_domain": f"http://user:{CANARY}@api.example.com",
        "geo_lookup_url": CANARY,
        "artifact_payload": [CANARY],
    }.items():
        with pytest.raises(TargetError) as caught:
            TargetClient.create(options, **{name: value})
        assert is_clean(str(caught.value))
    assert is_clean(said())
