"""The options of one call are checked at once, in a known order, and an error says where and what would be right."""

import pytest

from target_decisioning import DecisioningMethod, DeliveryRequest, ExecuteRequest, MboxRequest, PrefetchRequest
from target_decisioning.errors import RequestError
from target_decisioning.preparation import check_offers_asked, in_wire_form, read_call, read_options

ASKED = {"execute": {"mboxes": [{"name": "a"}]}}
NO_OPTIONS = "Options are required"
NO_REQUEST = "Request object of type DeliveryRequest is required"
NO_EXECUTE = "Either pageLoad or mboxes is required in execute"
NO_PREFETCH = "Either views, pageLoad or mboxes is required in prefetch"


def refused(call, *arguments):
    with pytest.raises(RequestError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("options", [None, {}])
def test_no_options_at_all(options):
    assert str(refused(read_call, options, {})) == NO_OPTIONS


@pytest.mark.parametrize("options", [[], "options", 5, [("request", ASKED)]])
def test_options_that_are_no_mapping(options):
    assert refused(read_call, options, {}).where == "options"


@pytest.mark.parametrize("request_", [None, {}, {"execute": None, "context": None}, DeliveryRequest()])
def test_a_request_without_any_defined_key(request_):
    """Null counts as absent."""
    error = refused(read_call, {"request": request_}, {})
    assert str(error) == NO_REQUEST
    assert error.where == "request"


@pytest.mark.parametrize("request_", ["execute", 5, [ASKED], object()])
def test_a_request_that_is_none(request_):
    error = refused(read_call, {"request": request_}, {})
    assert (error.where, error.expected) == ("request", "a DeliveryRequest or its wire form")


def test_options_come_as_a_mapping_as_keywords_or_both():
    for options, keywords in (
        ({"request": ASKED, "session_id": "s"}, {}),
        (None, {"request": ASKED, "session_id": "s"}),
    ):
        call = read_call(options, keywords)
        assert (call.request, call.session_id) == (ASKED, "s")
    assert read_call({"request": ASKED, "session_id": "mapping"}, {"session_id": "keyword"}).session_id == "keyword"


def test_none_for_an_option_is_not_given():
    call = read_call({"request": ASKED, "session_id": None, "strict": None, "callback": None}, {})
    assert (call.session_id, call.strict, call.callback) == ("", None, None)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("session_id", 5, "text"),
        ("target_cookie", b"session#a#1", "text"),
        ("target_location_hint", 28, "text"),
        ("consumer_id", ["a"], "text"),
        ("visitor_cookie", {}, "text"),
        ("strict", "yes", "true or false"),
        ("strict", 1, "true or false"),
        ("err_callback", "f", "a callable"),
        ("decisioning_method", "nowhere", "one of hybrid, on-device, server-side"),
        ("decisioning_method", "", "one of hybrid, on-device, server-side"),
        ("decisioning_method", ["hybrid"], "one of hybrid, on-device, server-side"),
    ],
)
def test_an_option_of_the_wrong_kind_is_named(option, value, expected):
    error = refused(read_call, {"request": ASKED, option: value}, {})
    assert (error.where, error.expected) == (option, expected)


@pytest.mark.parametrize("callback", ["f", 5, {}])
def test_a_callback_that_cannot_be_called(callback):
    assert (
        str(refused(read_call, {"request": ASKED, "callback": callback}, {})) == "Callback must be a callable function"
    )


@pytest.mark.parametrize("method", [*DecisioningMethod, "on-device"], ids=repr)
def test_a_decisioning_method_is_a_text_or_a_member(method):
    assert read_call({"request": ASKED, "decisioning_method": method}, {}).decisioning_method == method


@pytest.mark.parametrize("name", ["sesion_id", "targetCookie", "self", "unknown", 5, None])
def test_an_unknown_option_is_remembered_to_be_told(name):
    assert len(read_call({"request": ASKED, name: 1}, {}).unknown) == 1


def test_an_unknown_option_is_told_with_the_nearest_known_one():
    assert read_call({"request": ASKED, "sesion_id": "s"}, {}).unknown == ("'sesion_id'; did you mean 'session_id'?",)


@pytest.mark.parametrize("execute", [{"mboxes": []}, {"mboxes": None, "x": 1}, ExecuteRequest(mboxes=[])])
def test_an_execute_that_asks_for_nothing(execute):
    error = refused(check_offers_asked, {"execute": execute})
    assert (str(error), error.where) == (NO_EXECUTE, "request.execute")


@pytest.mark.parametrize("prefetch", [{"views": []}, {"mboxes": [], "views": []}, PrefetchRequest(views=[])])
def test_a_prefetch_that_asks_for_nothing(prefetch):
    error = refused(check_offers_asked, {"prefetch": prefetch})
    assert (str(error), error.where) == (NO_PREFETCH, "request.prefetch")


@pytest.mark.parametrize(
    "request_",
    [
        {"context": {"channel": "web"}},
        {"execute": {}},
        {"execute": {"mboxes": None}},
        {"execute": None, "prefetch": {}},
        {"execute": {"pageLoad": {}}},
        {"execute": {"pageLoad": {}, "mboxes": []}},
        {"prefetch": {"views": [{}]}},
        {"execute": ExecuteRequest(mboxes=[MboxRequest(name="a")])},
    ],
)
def test_what_may_be_asked(request_):
    check_offers_asked(request_)


def test_a_typed_request_is_read_in_its_wire_form():
    typed = DeliveryRequest(execute=ExecuteRequest(mboxes=[MboxRequest(name="a", index=1)]))
    assert in_wire_form(typed) == {"execute": {"mboxes": [{"name": "a", "index": 1}]}}


def test_options_may_be_left_out_where_the_request_may():
    assert read_options(None, {}, may_be_empty=True).request is None


def test_a_request_given_in_place_of_the_options_is_noted():
    with pytest.raises(RequestError) as caught:
        read_call(ASKED, {})
    assert str(caught.value) == "Request object of type DeliveryRequest is required"
    assert caught.value.__notes__ == ["found only other options, such as 'execute'; pass the request as request=..."]


def test_what_is_asked_under_a_name_that_nobody_knows_is_noted():
    with pytest.raises(RequestError) as caught:
        check_offers_asked({"execute": {"mbox": [{"name": "a"}], "page_load": {}}})
    assert caught.value.where == "request.execute"
    assert caught.value.__notes__ == ["found only mbox, page_load; expected pageLoad or mboxes"]
