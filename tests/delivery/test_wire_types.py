"""Reading and writing the wire's objects: lenient with values, strict with containers, nothing lost, nothing shared."""

import copy
import json
import pickle
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.delivery import (
    Action,
    AuthenticatedState,
    ChannelType,
    Context,
    CustomerId,
    DeliveryRequest,
    DeliveryResponse,
    ExecuteRequest,
    Geo,
    MboxRequest,
    ModelProperty,
    Notification,
    Option,
    OptionType,
    Order,
    PrefetchRequest,
    Property,
    RequestDetails,
    ViewRequest,
    VisitorId,
)
from target_decisioning.errors import RequestError

CANARY = "canary-4711"

REQUEST = {
    "requestId": "r-1",
    "id": {"tntId": "t.28_0", "customerIds": [{"id": "u", "integrationCode": "crm", "authenticatedState": "unknown"}]},
    "context": {"channel": "web", "userAgent": "UA", "clientHints": {"browserUAWithFullVersion": '"Chrome";v="1"'}},
    "execute": {"mboxes": [{"name": "home", "index": 0, "parameters": {"color": "red", "nothing": None}}]},
    "prefetch": {"views": [{}, {"name": "cart"}], "pageLoad": {}},
}

RESPONSE = {
    "status": 200,
    "id": {"tntId": None},
    "execute": {
        "mboxes": [
            {"name": "home", "index": 0, "options": [{"type": None, "content": {"a": [1, None]}, "eventToken": "t"}]},
        ],
    },
    "prefetch": {"views": [{"name": "cart", "trace": {"n": 1}, "metrics": [{"type": "click"}]}]},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(("model", "wire"), [(DeliveryRequest, REQUEST), (DeliveryResponse, RESPONSE)])
def test_what_was_read_is_written_again(model, wire):
    assert model.from_wire(wire).to_wire() == wire


def test_keywords_take_either_spelling_on_every_level():
    snake = DeliveryRequest(execute={"page_load": {"profile_parameters": {"a": "1"}}}, request_id="r")
    camel = DeliveryRequest(execute={"pageLoad": {"profileParameters": {"a": "1"}}}, requestId="r")
    assert snake == camel
    assert snake.to_wire() == {"requestId": "r", "execute": {"pageLoad": {"profileParameters": {"a": "1"}}}}


def test_the_wire_has_one_spelling():
    """A field that the wire does not have is an unknown field, also if it is spelled like an attribute."""
    request = DeliveryRequest.from_wire({"request_id": "r"})
    assert request.request_id is None
    assert request.to_wire() == {"request_id": "r"}


def test_absent_values_are_left_out_of_the_wire():
    assert DeliveryRequest(context=Context(channel=ChannelType.WEB, geo=Geo())).to_wire() == {
        "context": {"channel": "web", "geo": {}}
    }


def test_a_requests_null_is_absent():
    assert DeliveryRequest.from_wire({"property": None, "id": {"tntId": None}}).to_wire() == {"id": {}}


def test_a_responses_null_is_kept_and_an_unset_field_left_out():
    assert Option.from_wire({"type": None}).to_wire() == {"type": None}
    assert Option().to_wire() == {}


def test_unknown_fields_survive_on_every_level():
    wire = {"x-new": {"deep": [1, {"a": None}]}, "execute": {"mboxes": [{"name": "a", "later": None}]}}
    request = DeliveryRequest.from_wire(wire)
    assert request.to_wire() == wire
    assert request.to_dict()["execute"]["mboxes"][0]["later"] is None


def test_an_enum_field_reads_as_its_member_and_writes_as_plain_text():
    context = Context.from_wire({"channel": "mobile"})
    assert context.channel is ChannelType.MOBILE
    assert type(context.to_wire()["channel"]) is str
    assert type(context.to_dict()["channel"]) is str


@pytest.mark.parametrize("value", ["smoke-signal", 7, 1.5, True, ["web"]])
def test_a_value_of_any_kind_stands_where_one_value_is_expected(value):
    assert Context.from_wire({"channel": value, "userAgent": value}).to_wire() == {"channel": value, "userAgent": value}


@pytest.mark.parametrize(
    ("wire", "where"),
    [
        ({"execute": []}, "request.execute"),
        ({"execute": {"mboxes": {}}}, "request.execute.mboxes"),
        ({"execute": {"mboxes": "home"}}, "request.execute.mboxes"),
        ({"execute": {"mboxes": [{}, "home"]}}, "request.execute.mboxes[1]"),
        ({"execute": {"mboxes": [{"parameters": "a=b"}]}}, "request.execute.mboxes[0].parameters"),
        ({"prefetch": {"pageLoad": {"profileParameters": [1]}}}, "request.prefetch.pageLoad.profileParameters"),
        ({"notifications": [{"tokens": "t"}]}, "request.notifications[0].tokens"),
        ({"context": {"geo": 5}}, "request.context.geo"),
        ({"id": {"customerIds": {"crm": "u"}}}, "request.id.customerIds"),
        ([], "request"),
        (None, "request"),
    ],
)
def test_a_wrong_container_is_an_error_that_says_where(wire, where):
    with pytest.raises(RequestError) as caught:
        DeliveryRequest.from_wire(wire)
    assert caught.value.where == where
    assert pickle.loads(pickle.dumps(caught.value)).where == where


def test_a_wrong_container_in_keywords_is_named_by_its_class():
    with pytest.raises(RequestError, match=r"MboxRequest\.parameters: found a number; expected an object"):
        MboxRequest(parameters=5)
    with pytest.raises(RequestError, match=r"ExecuteRequest\.mboxes\[0\]: found an instance of ViewRequest"):
        ExecuteRequest(mboxes=[ViewRequest(name="cart")])


def test_an_assigned_value_is_read_as_a_keyword_would_be():
    request = DeliveryRequest()
    request.execute = {"mboxes": [{"name": "home"}]}
    assert request.execute.mboxes[0].name == "home"
    with pytest.raises(RequestError, match=r"DeliveryRequest\.execute: found text"):
        request.execute = "home"


def test_a_null_entry_is_kept_for_the_preparation_to_drop():
    assert ExecuteRequest.from_wire({"mboxes": [None]}).to_wire() == {"mboxes": [None]}


def test_nothing_in_a_read_model_is_shared_with_the_wire():
    wire = copy.deepcopy(REQUEST) | {"later": {"deep": [1]}}
    request = DeliveryRequest.from_wire(wire)
    before = request.to_wire()
    wire["execute"]["mboxes"][0]["parameters"]["color"] = "blue"
    wire["later"]["deep"].append(2)
    wire["id"]["customerIds"].clear()
    assert request.to_wire() == before


def test_nothing_in_the_wire_is_shared_with_the_model():
    request = DeliveryRequest.from_wire(REQUEST | {"later": {"deep": [1]}})
    wire = request.to_wire()
    wire["execute"]["mboxes"][0]["parameters"]["color"] = "blue"
    wire["later"]["deep"].append(2)
    assert request.to_wire() == REQUEST | {"later": {"deep": [1]}}


def test_a_model_inside_a_wire_object_is_copied():
    box = MboxRequest(name="home")
    request = DeliveryRequest.from_wire({"execute": {"mboxes": [box]}})
    box.name = "other"
    assert request.execute.mboxes[0].name == "home"


def test_a_model_given_as_a_keyword_stays_the_callers():
    box = MboxRequest(name="home")
    execute = ExecuteRequest(mboxes=[box])
    box.name = "other"
    assert execute.to_wire() == {"mboxes": [{"name": "other"}]}


def test_a_subclass_stands_for_its_base():
    """An mbox request has all that a page load has."""
    assert ExecuteRequest(page_load=MboxRequest(name="x")).to_wire() == {"pageLoad": {"name": "x"}}


def test_to_dict_names_every_field_and_goes_all_the_way_down():
    visitor = VisitorId(customer_ids=[CustomerId(id="u", authenticated_state=AuthenticatedState.UNKNOWN)])
    assert visitor.to_dict() == {
        "tnt_id": None,
        "third_party_id": None,
        "marketing_cloud_visitor_id": None,
        "customer_ids": [{"id": "u", "integration_code": None, "authenticated_state": "unknown"}],
    }


def test_values_with_an_evident_json_form_are_written_in_it():
    now = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    ident = uuid.UUID(int=1)
    order = Order(id=ident, total=Decimal("9.5"), time=now)
    assert order.time is now
    assert order.to_wire() == {"id": str(ident), "total": 9.5, "time": "2024-02-29T12:30:00+00:00"}


def test_a_value_without_a_json_form_is_an_error_that_says_where():
    request = DeliveryRequest(execute=ExecuteRequest(mboxes=[MboxRequest(name=b"home")]))
    with pytest.raises(RequestError) as caught:
        request.to_wire()
    assert (caught.value.where, caught.value.found) == ("request.execute.mboxes[0].name", "bytes")


def test_actions_may_be_models_inside_an_options_content():
    option = Option(type=OptionType.ACTIONS, content=[Action(css_selector="#a", content="x")])
    assert option.to_wire() == {"type": "actions", "content": [{"cssSelector": "#a", "content": "x"}]}


def test_models_compare_by_what_they_hold():
    assert MboxRequest(name="a") == MboxRequest.from_wire({"name": "a"})
    assert MboxRequest(name="a") != MboxRequest(name="a", later=1)
    assert MboxRequest(name="a") != ViewRequest(name="a")


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_models_can_be_copied_and_pickled(twin):
    request = DeliveryRequest.from_wire(REQUEST | {"later": 1})
    assert twin(request) == request
    assert twin(request).to_wire() == request.to_wire()


def test_repr_says_which_fields_are_set_and_nothing_of_what_is_in_them():
    request = DeliveryRequest(
        id=VisitorId(tnt_id=CANARY),
        execute=ExecuteRequest(mboxes=[MboxRequest(name="home", parameters={CANARY: CANARY})]),
        later=CANARY,
    )
    assert repr(request) == "DeliveryRequest(id=..., execute=..., later=...)"
    assert CANARY not in f"{request} {request!r} {request.execute!r} {request.execute.mboxes!r} {request.id}"


def test_an_error_never_shows_the_value():
    with pytest.raises(RequestError) as caught:
        DeliveryRequest.from_wire({"id": CANARY})
    assert CANARY not in str(caught.value)


def test_pydantic_reads_a_model_as_this_package_does():
    """A model may be a field of a caller's own pydantic model."""
    assert DeliveryRequest.model_validate(REQUEST).to_wire() == REQUEST
    assert DeliveryRequest.model_validate_json(json.dumps(REQUEST)).to_wire() == REQUEST


def test_property_has_a_second_name():
    assert ModelProperty is Property


def test_a_nesting_beyond_the_limit_is_an_error():
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(RequestError, match="levels"):
        DeliveryRequest.from_wire({"later": deep})


def test_a_list_that_contains_itself_is_an_error():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(RequestError, match="levels"):
        RequestDetails(parameters={"a": loop})


def test_a_key_that_is_no_text_is_an_error():
    for wire in ({5: "a"}, {"execute": {"pageLoad": {"parameters": {5: "a"}}}}):
        with pytest.raises(RequestError, match="keys that are text"):
            DeliveryRequest.from_wire(wire)


FIELDS = st.sampled_from(
    ["id", "context", "execute", "prefetch", "mboxes", "views", "parameters", "tokens", "options", "x"]
)
hostile = st.recursive(
    json_values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4), max_leaves=15
)


@given(wire=hostile)
@pytest.mark.parametrize("model", [DeliveryRequest, DeliveryResponse, PrefetchRequest, Notification])
def test_any_json_is_read_or_refused_with_a_request_error(model, wire):
    try:
        read = model.from_wire(wire)
    except RequestError:
        return
    json.dumps(read.to_wire())
    read.to_dict()
