"""What a caller does to what he gave and got changes nothing later (semantics.md 4.3; faults.md case 31)."""

import copy
import json

import pytest

from target_decisioning import DeliveryRequest, TargetClient
from target_decisioning.decisioning import load_program
from target_decisioning.outbox import Outbox
from tests.builders import CLIENT, a_rule, an_artifact, decide, mboxes

NESTED = {"list": [{"deep": [1, {"deeper": []}]}], "flat": {"a": 1}}
EVERY_KIND = [
    {"type": "json", "content": NESTED, "eventToken": "j", "more": {"x": [1]}},
    {"type": "html", "content": "<b>${mbox.name}</b>${a}", "eventToken": "h"},
    {"type": "actions", "eventToken": "a", "content": [
        {"type": "setHtml", "content": "${mbox.name}", "asset": [{}]},
        {"type": "setHtml", "content": "text", "asset": [{}]},
        {"type": "remove"},
        ["odd", {"a": []}],
    ]},
    {"type": "actions", "content": {"no": ["list"]}},
]  # fmt: skip
METRICS = [{"type": "click", "eventToken": "c", "more": [{}]}, {"type": "click", "eventToken": "d"}]
META = {"activity.name": ["odd", {"a": 1}], "offer.id": {"odd": []}, "audience.ids": [[1]]}


def everything():
    rule = a_rule("o", options=copy.deepcopy(EVERY_KIND), metrics=copy.deepcopy(METRICS), meta=copy.deepcopy(META))
    rule["consequence"]["state"] = {"own": [{}]}
    second = {**copy.deepcopy(rule), "ruleKey": "second"}
    view = {**copy.deepcopy(rule), "ruleKey": "view"}
    return an_artifact(
        home=[rule], page_load=[rule, second], views={"v": [view]}, frame={"responseTokens": [*META, "geo.city"]}
    )


def request():
    return {
        "id": {"tntId": "t.28_0", "customerIds": [{"id": "c", "integrationCode": "i"}]},
        "context": {"channel": "web", "geo": {"city": "OSLO"}, "address": {"url": "https://example.com/"}},
        "property": {"token": "p"},
        "trace": {"authorizationToken": "t"},
        "execute": {
            **mboxes("home", "blank", parameters={"a": "1", "l": [[2]]}),
            "pageLoad": {"parameters": {"a": "2"}},
        },
        "prefetch": {**mboxes("home"), "pageLoad": {}, "views": [{"name": "v"}, {}]},
    }


def spoil(value):
    """Empty every object and list in *value*, from the inside out."""
    for part in list(value.values() if isinstance(value, dict) else value):
        if isinstance(part, dict | list):
            spoil(part)
    value.clear()


def test_a_decision_shares_nothing_with_the_program_or_the_request():
    program, asked = load_program(everything(), CLIENT), request()
    del asked["trace"]
    first = decide(program, trace=True, **asked)
    told = json.dumps([first.execute, first.prefetch, first.impressions])
    for part in (first.execute, first.prefetch, first.impressions):
        spoil(part)
    again = request()
    del again["trace"]
    assert asked == again
    second = decide(program, trace=True, **asked)
    assert json.dumps([second.execute, second.prefetch, second.impressions]) == told


def test_no_two_parts_of_a_decision_share_anything():
    decision = decide(everything(), execute=request()["execute"], prefetch=request()["prefetch"], trace=True)
    seen = [id(part) for part in containers([decision.execute, decision.prefetch, decision.impressions])]
    assert len(seen) == len(set(seen))


def containers(value):
    yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from containers(part)


# -- through the client ---------------------------------------------------------------------------------------------


@pytest.fixture
def owed(monkeypatch):
    """What is handed to the outbox, which makes the items of it later."""
    items = []
    monkeypatch.setattr(Outbox, "offer", lambda _self, item: items.append(lambda: item()[0]) or True)
    return items


def a_client(payload):
    return TargetClient.create(
        client=CLIENT,
        organization_id="ORG@AdobeOrg",
        decisioning_method="on-device",
        artifact_payload=payload,
        telemetry_enabled=False,
    )


@pytest.fixture
def client():
    with a_client(everything()) as one:
        yield one


def told(envelope):
    """The whole answer but for what is new in each: ids and moments."""
    wire = envelope.to_wire()
    return {key: without_news(wire[key]) for key in ("response", "meta", "responseTokens")}


def without_news(value):
    if isinstance(value, list):
        return [without_news(part) for part in value]
    if not isinstance(value, dict):
        return value
    new = {"requestId", "timestamp", "impressionId", "current_timestamp", "current_time", "current_day", "sessionId"}
    new |= {"id"} if "impressionId" in value else set()
    return {key: without_news(part) for key, part in value.items() if key not in new}


@pytest.mark.parametrize("as_typed", [False, True], ids=["dict", "typed"])
def test_a_spoilt_request_changes_neither_the_answer_nor_what_is_owed(client, owed, as_typed):
    asked = DeliveryRequest.from_wire(request()) if as_typed else request()
    envelope = client.get_offers(request=asked)
    (make_item,) = owed
    item_then = copy.deepcopy(without_news(make_item()))
    if as_typed:
        spoil_typed(asked)
    else:
        spoil(asked)
    assert without_news(make_item()) == item_then
    assert told(envelope) == told(client.get_offers(request=request()))


@pytest.mark.parametrize("as_typed", [False, True], ids=["dict", "typed"])
def test_asking_changes_nothing_of_the_request(client, owed, as_typed):
    asked = DeliveryRequest.from_wire(request()) if as_typed else request()
    client.get_offers(request=asked)
    assert (asked.to_wire() if as_typed else asked) == request()
    assert len(owed) == 1


def test_a_spoilt_answer_changes_neither_the_next_one_nor_what_is_owed(client, owed):
    first = client.get_offers(request=request())
    expected = told(first)
    item_then = copy.deepcopy(without_news(owed[0]()))
    spoil(first.to_wire())
    assert told(first) == expected
    for name in ("response_tokens", "trace"):
        spoil(getattr(first, name))
    for name in ("response", "request"):
        spoil_typed(getattr(first, name))
    first.meta.remote_mboxes.append("x")
    first.meta.remote_views.append("x")
    assert without_news(owed[0]()) == item_then
    assert told(client.get_offers(request=request())) == expected


def spoil_typed(model):
    """Empty every list and object that a typed model holds, and every field."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, list):
            for entry in value:
                if hasattr(entry, "to_wire"):
                    spoil_typed(entry)
            value.clear()
        elif isinstance(value, dict):
            spoil(value)
        elif hasattr(value, "to_wire"):
            spoil_typed(value)
        if value is not None:
            setattr(model, name, None)


def test_a_payload_that_is_spoilt_after_create_changes_nothing(owed):
    payload = everything()
    with a_client(payload) as client:
        expected = told(client.get_offers(request=request()))
        spoil(payload)
        assert told(client.get_offers(request=request())) == expected
    assert len(owed) == 2
