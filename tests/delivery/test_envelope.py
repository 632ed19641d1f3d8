"""The envelope: three ways to read one answer, made only when read, the caller's from then on."""

import copy
import json
import pickle
from dataclasses import dataclass
from functools import partial

import pytest

from target_decisioning.delivery import Cookie, DeliveryRequest, DeliveryResponse, Meta, TargetDeliveryResponse
from target_decisioning.errors import RequestError
from tests.shared import vectors

RESPONSE = {
    "status": 200,
    "execute": {
        "mboxes": [
            {
                "name": "home",
                "index": 0,
                "options": [{"type": "json", "content": {"a": 1}, "responseTokens": {"activity.id": 7}}],
                "trace": {"n": 1},
                "analytics": {"payload": {"pe": "tnt"}},
            }
        ]
    },
}
PARTS = ["response", "target_cookie", "meta", "request"]


@dataclass
class Given:
    """Cookies that are there already."""

    target: Cookie
    hint: Cookie | None

    def new_target_cookie(self, _response):
        return self.target

    def new_hint_cookie(self, _response):
        return self.hint


def an_envelope(response=None, hint=None, **meta):
    return TargetDeliveryResponse(
        copy.deepcopy(RESPONSE) if response is None else response,
        {"context": {"channel": "web"}},
        partial(Meta, decisioning_method="on-device", remote_mboxes=[], remote_views=[], **meta),
        Given(Cookie(name="mbox", value="session#s#1", max_age=1860), hint),
    )


def test_a_part_reads_alike_by_attribute_by_key_and_by_the_wires_name():
    envelope = an_envelope()
    assert envelope.target_cookie is envelope["target_cookie"] is envelope["targetCookie"]
    assert envelope.get("responseTokens") is envelope.response_tokens
    assert isinstance(envelope.response, DeliveryResponse)
    assert isinstance(envelope.request, DeliveryRequest)


def test_an_absent_part_is_no_key_and_a_none_attribute():
    envelope = an_envelope(response={})
    for name in ("target_location_hint_cookie", "analytics_details", "trace", "response_tokens", "visitor_state"):
        assert getattr(envelope, name) is None
        assert name not in envelope
        with pytest.raises(KeyError):
            envelope[name]
    assert list(envelope) == PARTS
    assert len(envelope) == len(PARTS)


def test_an_empty_answer_is_not_absent():
    """The server answers 204 to what needs no answer."""
    assert an_envelope(response={})["response"] == DeliveryResponse()


def test_an_unknown_name_is_no_key_and_no_attribute():
    envelope = an_envelope()
    assert "_unread_response" not in envelope
    assert envelope.get("nope", 5) == 5
    with pytest.raises(AttributeError, match="nope"):
        _ = envelope.nope


def test_what_the_caller_changes_stays_changed():
    envelope = an_envelope()
    envelope.response.execute.mboxes[0].options[0].content = "mine"
    envelope.trace.append({"n": 2})
    envelope.meta.remote_mboxes.append("far")
    assert envelope["response"].execute.mboxes[0].options[0].content == "mine"
    assert envelope["trace"] == [{"n": 1}, {"n": 2}]
    wire = envelope.to_wire()
    assert wire["response"]["execute"]["mboxes"][0]["options"][0]["content"] == "mine"
    assert wire["trace"] == [{"n": 1}, {"n": 2}]
    assert wire["meta"]["remoteMboxes"] == ["far"]


def test_lists_are_gathered_from_the_answer_as_it_is_when_first_read():
    envelope = an_envelope()
    envelope.response.execute.mboxes[0].trace = {"n": 9}
    assert envelope.trace == [{"n": 9}]


def test_a_part_can_be_replaced():
    envelope = an_envelope()
    envelope.response = DeliveryResponse(status=500)
    assert envelope.to_wire()["response"] == {"status": 500}
    assert envelope.response_tokens is None


def test_a_gathered_list_shares_nothing_with_the_answer():
    envelope = an_envelope()
    envelope.response_tokens[0]["activity.id"] = 0
    assert envelope.response.execute.mboxes[0].options[0].response_tokens == {"activity.id": 7}


def test_the_wire_form_has_the_wires_names_and_leaves_absent_parts_out():
    hint = Cookie(name="mboxEdgeCluster", value="28", max_age=1860)
    wire = an_envelope(hint=hint).to_wire()
    assert json.loads(json.dumps(wire)) == {
        "response": RESPONSE,
        "targetCookie": {"name": "mbox", "value": "session#s#1", "maxAge": 1860},
        "targetLocationHintCookie": {"name": "mboxEdgeCluster", "value": "28", "maxAge": 1860},
        "analyticsDetails": [{"payload": {"pe": "tnt"}}],
        "trace": [{"n": 1}],
        "responseTokens": [{"activity.id": 7}],
        "meta": {"decisioningMethod": "on-device", "remoteMboxes": [], "remoteViews": []},
        "request": {"context": {"channel": "web"}},
    }


def test_the_wire_form_is_the_same_before_and_after_reading():
    envelope = an_envelope()
    before = envelope.to_wire()
    assert envelope.response.status == 200
    assert envelope.request.context.channel == "web"
    assert envelope.to_wire() == before


def test_the_wire_form_shares_nothing_with_the_envelope():
    envelope = an_envelope()
    envelope.to_wire()["response"]["execute"]["mboxes"].clear()
    envelope.to_wire()["meta"]["remoteMboxes"].append("x")
    assert len(envelope.response.execute.mboxes) == 1
    assert envelope.meta.remote_mboxes == []


@pytest.mark.parametrize("case", vectors("delivery_responses"), ids=lambda case: case["label"])
def test_analytics_traces_and_tokens_are_gathered_in_order(case):
    """Entries without one are skipped, where the reference leaves a hole."""
    envelope = an_envelope(response=case["delivery_response"])
    for name in ("analyticsDetails", "trace", "responseTokens"):
        expected = [each for each in case["envelope"].get(name, ()) if each is not None]
        assert envelope.get(name, []) == expected


@pytest.mark.parametrize("broken", [[], "x", 5, None, {"mboxes": 5}, {"mboxes": [5, {"options": 5, "trace": []}]}])
def test_an_answer_of_a_wrong_shape_gathers_nothing(broken):
    envelope = an_envelope(response={"execute": broken})
    assert envelope.trace is None
    assert envelope.response_tokens is None


def test_a_part_without_a_json_form_is_named():
    envelope = an_envelope()
    envelope.visitor_state = {"a": object()}
    with pytest.raises(RequestError, match="visitor_state: found an instance of object"):
        envelope.to_wire()


def test_meta_and_cookies_are_mappings_with_attributes():
    envelope = an_envelope()
    assert envelope.meta == {"decisioning_method": "on-device", "remote_mboxes": [], "remote_views": []}
    assert envelope.meta.decisioning_method == envelope.meta["decisioningMethod"] == "on-device"
    cookie = envelope.target_cookie
    assert cookie.max_age == cookie["max_age"] == cookie["maxAge"] == cookie.get("maxAge") == 1860
    assert "maxAge" in cookie
    cookie.max_age = 5
    assert dict(cookie) == {"name": "mbox", "value": "session#s#1", "max_age": 5}


def test_meta_tells_of_hybrid_parts_only_where_there_are_some():
    assert an_envelope().meta.sources is None
    assert "sources" not in an_envelope().meta
    failed = an_envelope(sources=[{"source": "failed"}], remote_error={"type": "DeliveryTimeout", "message": "m"})
    assert failed.meta.remote_error["type"] == "DeliveryTimeout"
    assert failed.to_wire()["meta"]["remoteError"] == {"type": "DeliveryTimeout", "message": "m"}
    with pytest.raises(AttributeError, match="Meta has no attribute 'source'"):
        _ = failed.meta.source
    with pytest.raises(KeyError):
        _ = failed.meta["nope"]


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_an_envelope_can_be_copied_and_pickled(twin):
    envelope = an_envelope()
    assert twin(envelope) == envelope
    assert twin(envelope).to_wire() == envelope.to_wire()
    assert twin(envelope).target_cookie.max_age == 1860


def test_repr_names_the_parts_and_shows_no_id():
    shown = f"{an_envelope()!r} {an_envelope().target_cookie!r}"
    assert "target_cookie" in shown
    assert "session#" not in shown


def test_what_is_put_into_a_copy_leaves_the_original_alone():
    envelope = an_envelope()
    other = copy.copy(envelope)
    other.request = None
    assert envelope.request is not None
    assert (other.response.status, other.to_wire()["response"]) == (envelope.response.status, RESPONSE)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [None, {"a": 1}])
def test_a_part_may_be_replaced_by_json_or_nothing(part, value):
    envelope = an_envelope()
    setattr(envelope, part, value)
    names = dict(zip(PARTS, ["response", "targetCookie", "meta", "request"], strict=True))
    assert envelope.to_wire().get(names[part]) == value
    assert (part in envelope, part in list(envelope), part in dict(envelope)) == (value is not None,) * 3


def test_the_order_of_the_wire_does_not_depend_on_what_was_read():
    envelope = an_envelope()
    before = list(envelope.to_wire())
    assert all(getattr(envelope, part) for part in reversed(PARTS))
    assert list(envelope.to_wire()) == before
