"""A request is made ready as the same for deciding here and for sending, field by field; the caller's is left alone."""

import contextlib
import copy
import time
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_decisioning import (
    Address,
    ChannelType,
    Context,
    DeliveryRequest,
    ExecuteRequest,
    MboxRequest,
    Notification,
    PrefetchRequest,
    ViewRequest,
    VisitorId,
)
from target_decisioning.config import read_config
from target_decisioning.errors import RequestError
from target_decisioning.preparation import prepare, read_call
from tests.shared import vectors

OWNER = {"client": "acme", "organization_id": "ORG@AdobeOrg"}
NOW = 1_700_000_000_000


@pytest.fixture(autouse=True)
def _two_hours_east(monkeypatch):
    east_of_greenwich = time.strptime("+0200", "%z")
    monkeypatch.setattr(time, "localtime", lambda: east_of_greenwich)


def prepared(request, *, client=None, **call):
    config = read_config({**OWNER, **(client or {})}, {})
    return prepare(read_call({"request": request, **call}, {}), config, None, NOW, lambda: "new-id")


def ready(request, **options):
    return prepared(request, **options).request


def mboxes(*entries, mode="execute"):
    return {mode: {"mboxes": list(entries)}}


# -- field by field ---------------------------------------------------------------------------------------------------


def test_a_request_id_is_kept_or_made():
    assert ready({"requestId": "mine", "execute": {}})["requestId"] == "mine"
    assert ready({"execute": {}})["requestId"] == "new-id"
    assert ready({"requestId": "", "execute": {}})["requestId"] == "new-id"


def test_the_session_is_the_cookies_then_the_options_then_a_new_one():
    for case in vectors("session_id"):
        kept = case["cookie_session"]
        cookie = None if kept is None else f"session#{kept}#{NOW // 1000 + 60}"
        call = prepared({"execute": {}}, target_cookie=cookie, session_id=case["option_session_id"])
        assert call.session_id == ("new-id" if isinstance(case["session_id"], dict) else case["session_id"])


def test_a_prepared_call_keeps_no_cookie_it_was_given_and_no_object_of_the_callers():
    given = {
        "target_cookie": "|" * 1_000_000,
        "visitor_cookie": "MCMID|1",
        "customer_ids": [{"id": "7", "integrationCode": "crm"}],
    }
    call = prepared({"execute": {}}, **given)
    assert [getattr(call, name) for name in (*given, "visitor")] == [None] * 4


def test_what_is_as_given():
    request = {
        "impressionId": "i",
        "trace": {"authorizationToken": "t", "usage": {"a": "b"}},
        "qaMode": {"token": "q", "listedActivitiesOnly": True, "previewIndexes": [{"activityIndex": 1}]},
        "preview": {"token": "p"},
        "telemetry": {"entries": [{"requestId": "r", "timestamp": 1, "features": {"executeMboxCount": 1}}]},
    }
    assert {key: ready(request)[key] for key in request} == request


def test_an_environment_id_is_the_requests_else_the_clients():
    assert ready({"environmentId": 3, "execute": {}}, client={"environment_id": 2})["environmentId"] == 3
    assert ready({"execute": {}}, client={"environment_id": 2})["environmentId"] == 2
    assert "environmentId" not in ready({"execute": {}})


@pytest.mark.parametrize(
    ("given", "own", "token"),
    [("r", "c", "r"), ("", "c", "c"), (None, "c", "c"), ("r", None, "r"), ("", None, None), (None, None, None)],
)
def test_a_property_is_the_requests_else_the_clients(given, own, token):
    request = {"property": {"token": given}, "execute": {}}
    assert ready(request, client={"property_token": own}).get("property", {}).get("token") == token


@pytest.mark.parametrize("given", [None, {}])
def test_a_property_without_a_token_is_absent(given):
    assert "property" not in ready({"property": given, "execute": {"pageLoad": {}}})


@pytest.mark.parametrize(
    ("channel", "kept"), [("web", "web"), ("mobile", "mobile"), ("tv", "web"), (None, "web"), (5, "web")]
)
def test_a_channel_is_web_or_mobile(channel, kept):
    assert ready({"context": {"channel": channel}})["context"]["channel"] == kept


def test_a_time_offset_is_filled_in_only_if_it_is_absent():
    assert ready({"execute": {}})["context"] == {"channel": "web", "timeOffsetInMinutes": 120}
    assert ready({"context": {"userAgent": "a"}})["context"]["timeOffsetInMinutes"] == 120
    assert ready({"context": {"timeOffsetInMinutes": 0}})["context"]["timeOffsetInMinutes"] == 0
    assert ready({"context": {"timeOffsetInMinutes": -60}})["context"]["timeOffsetInMinutes"] == -60


def test_the_experience_cloud_is_always_there():
    assert ready({"execute": {}})["experienceCloud"] == {"analytics": {"logging": "server_side"}}
    assert ready({"experienceCloud": {"analytics": None}})["experienceCloud"] == {
        "analytics": {"logging": "server_side"}
    }


def test_what_is_given_of_the_experience_cloud_is_kept_if_it_is_not_blank():
    given = {
        "analytics": {
            "logging": "client_side",
            "trackingServer": "t",
            "trackingServerSecure": "",
            "supplementalDataId": "s",
        },
        "audienceManager": {"locationHint": 9, "blob": "b"},
    }
    cloud = ready({"experienceCloud": given})["experienceCloud"]
    assert cloud["analytics"] == {"logging": "client_side", "trackingServer": "t", "supplementalDataId": "s"}
    assert cloud["audienceManager"] == {"locationHint": 9, "blob": "b"}


def test_an_audience_manager_without_hint_and_blob_is_absent():
    assert "audienceManager" not in ready({"experienceCloud": {"audienceManager": {}}})["experienceCloud"]


@pytest.mark.parametrize("mode", ["execute", "prefetch"])
@pytest.mark.parametrize("given", [None, {}, {"mboxes": None}, {"nonsense": 1}])
def test_a_mode_that_holds_nothing_is_absent(mode, given):
    assert mode not in ready({mode: given, "context": {}})


def test_a_mode_of_which_all_mboxes_are_dropped_is_empty():
    """Whether it holds something is judged before nameless mboxes are dropped."""
    assert ready(mboxes({"name": ""}))["execute"] == {}


def test_views_are_no_part_of_execute():
    assert ready({"execute": {"pageLoad": {}, "views": [{}]}})["execute"] == {"pageLoad": {}}


def test_mboxes_without_a_name_are_dropped_and_named_by_their_place():
    given = mboxes(
        {"name": ""}, {"name": "a"}, {}, None, {"name": 5}, {"name": "b", "index": 9}, {"name": "c", "index": "3"}
    )
    result = prepared(given)
    assert result.request["execute"]["mboxes"] == [
        {"name": "a", "index": 0},
        {"name": "b", "index": 9},
        {"name": "c", "index": 2},
    ]
    assert list(result.dropped) == [f"execute.mboxes[{at}] (name)" for at in (0, 2, 3, 4)]


@pytest.mark.parametrize("index", ["3", True, None, [1], {"a": 1}, [[[[1]]]]])
def test_an_index_that_is_no_number_is_the_place_among_the_kept(index):
    assert ready(mboxes({"name": "a", "index": index}))["execute"]["mboxes"][0]["index"] == 0


@pytest.mark.parametrize("index", [0, -1, 7, 2.5])
def test_an_index_that_is_a_number_is_kept(index):
    assert ready(mboxes({"name": "a", "index": index}))["execute"]["mboxes"][0]["index"] == index


def test_any_view_is_kept_as_it_is():
    views = [{}, {"name": "v", "key": "k"}, {"name": "", "key": ""}, {"parameters": {"a": "1"}}]
    assert ready({"prefetch": {"views": views}})["prefetch"]["views"] == views


def test_an_empty_list_of_views_is_absent():
    assert ready({"prefetch": {"views": [], "pageLoad": {}}})["prefetch"] == {"pageLoad": {}}


def test_unknown_keys_are_dropped_and_null_is_absent_on_every_level():
    details = {
        "address": {"url": "u", "x": 1},
        "order": {"id": "o", "x": 1, "total": None},
        "product": {"x": 1},
        "x": 1,
    }
    request = {
        "x": 1,
        "context": {"x": 1, "userAgent": None, "geo": {"city": "X", "x": 1}},
        "execute": {"x": 1, "pageLoad": {**details, "profileParameters": None}},
    }
    result = ready(request)
    assert "x" not in result
    assert result["context"] == {"channel": "web", "timeOffsetInMinutes": 120, "geo": {"city": "X"}}
    assert result["execute"] == {"pageLoad": {"address": {"url": "u"}, "order": {"id": "o"}, "product": {}}}


def test_parameters_are_taken_as_they_are_null_included():
    given = {"a": None, "b": 1.5, "c": [1, None, {"d": None}], "e.f": True, "": "", "__proto__": "p"}
    for part in ("parameters", "profileParameters"):
        assert ready(mboxes({"name": "a", part: given}))["execute"]["mboxes"][0][part] == given


FALSY = ["trace", "qaMode", "preview", "property", "id", "context", "experienceCloud", "telemetry", "notifications"]


@pytest.mark.parametrize("value", [0, "", False])
@pytest.mark.parametrize("key", [*FALSY, "requestId", "impressionId", "environmentId", "prefetch"])
def test_a_falsy_value_on_the_top_level_is_absent(key, value):
    request = {"requestId": "r", "execute": {"pageLoad": {}}}
    assert ready({**request, key: value}) == ready({name: each for name, each in request.items() if name != key})


def test_an_empty_object_on_the_top_level_is_not():
    """So that ``trace: {}`` asks for a trace."""
    result = ready({"trace": {}, "qaMode": {}, "preview": {}, "execute": {"pageLoad": {}}})
    assert (result["trace"], result["qaMode"], result["preview"]) == ({}, {}, {})


# -- notifications ----------------------------------------------------------------------------------------------------

SEEN = {"id": "n", "timestamp": 1, "type": "display"}


def test_what_belongs_to_a_notification_passes_through():
    full = {
        **SEEN,
        "impressionId": "i",
        "mbox": {"name": "m", "state": "s"},
        "view": {"name": "v", "key": "k", "state": "s"},
        "pageLoad": {"state": "s"},
        "tokens": ["t"],
        "parameters": {"p": "1"},
        "address": {"url": "u"},
        "product": {"id": "p"},
    }
    assert ready({"notifications": [full]})["notifications"] == [full]


@pytest.mark.parametrize(
    "wrong",
    [{"id": ""}, {"id": None}, {"id": 5}, {"timestamp": "1"}, {"timestamp": True}, {"type": "seen"}, {"type": None}],
)
def test_a_notification_that_is_not_valid_is_dropped_and_named_by_its_place(wrong):
    result = prepared({"notifications": [SEEN, {**SEEN, **wrong}, None]})
    assert result.request["notifications"] == [SEEN]
    assert list(result.dropped) == [f"notifications[1] ({next(iter(wrong))})", "notifications[2] (id, timestamp, type)"]


# -- typed requests, and whose request it is --------------------------------------------------------------------------


def test_a_typed_request_is_prepared_as_its_wire_form():
    typed = DeliveryRequest(
        id=VisitorId(tnt_id="t"),
        context=Context(channel=ChannelType.MOBILE, address=Address(url="u", referring_url="r")),
        execute=ExecuteRequest(mboxes=[MboxRequest(name="a", index=1, parameters={"p": 1})]),
        prefetch=PrefetchRequest(views=[ViewRequest(name="v")]),
        notifications=[Notification(id="n", timestamp=1, type="click")],
    )
    assert ready(typed) == ready(typed.to_wire())
    assert ready(typed)["context"]["address"] == {"url": "u", "referringUrl": "r"}


def test_typed_parts_may_stand_in_a_dict_on_any_level():
    mixed = {
        "id": VisitorId(tnt_id="t"),
        "context": {"channel": ChannelType.WEB, "address": Address(url="u")},
        "execute": {"mboxes": [MboxRequest(name="a", index=1), {"name": "b", "address": Address(url="v")}]},
        "prefetch": PrefetchRequest(views=[ViewRequest(name="v")]),
    }
    result = ready(mixed)
    assert result["id"] == {"tntId": "t"}
    assert result["context"]["address"] == {"url": "u"}
    assert [entry["name"] for entry in result["execute"]["mboxes"]] == ["a", "b"]
    assert result["execute"]["mboxes"][1]["address"] == {"url": "v"}
    assert result["prefetch"]["views"] == [{"name": "v"}]
    assert type(result["context"]["channel"]) is str


def test_a_member_of_an_enum_is_its_text():
    class Name(StrEnum):
        HOME = "home"

    [entry] = ready(mboxes({"name": Name.HOME, "parameters": {"p": Name.HOME}}))["execute"]["mboxes"]
    assert (type(entry["name"]), entry["name"], type(entry["parameters"]["p"])) == (str, "home", str)


def full_request():
    return {
        "id": {"tntId": "t", "customerIds": [{"id": "c"}]},
        "context": {"userAgent": "a", "geo": {"city": "X"}, "address": {"url": "u"}},
        "experienceCloud": {"analytics": {}},
        "execute": {
            "mboxes": [{"name": "a", "parameters": {"p": [1, {"q": 2}]}, "order": {"purchasedProductIds": [1]}}]
        },
        "prefetch": {"views": [{}]},
        "notifications": [{**SEEN, "tokens": ["t"]}],
        "trace": {"usage": {"a": "b"}},
    }


def _change_all(value):
    if isinstance(value, dict):
        for part in list(value.values()):
            _change_all(part)
        value["changed"] = True
    elif isinstance(value, list):
        for part in value:
            _change_all(part)
        value.append("changed")


def test_the_callers_request_is_not_changed_and_nothing_of_it_is_kept():
    given = full_request()
    result = ready(given, client={"property_token": "p", "environment_id": 3})
    assert given == full_request()
    before = copy.deepcopy(result)
    _change_all(given)
    assert result == before


# -- what cannot be mended --------------------------------------------------------------------------------------------

DEEP = []
for _ in range(5000):
    DEEP = [DEEP]
ITSELF: dict = {}
ITSELF["itself"] = ITSELF

REFUSED = [
    ({"execute": []}, "request.execute"),
    ({"execute": "mboxes"}, "request.execute"),
    (mboxes("a"), "request.execute.mboxes[0]"),
    ({"execute": {"mboxes": {}}}, "request.execute.mboxes"),
    ({"execute": {"mboxes": "ab"}}, "request.execute.mboxes"),
    ({"execute": {"pageLoad": False}}, "request.execute.pageLoad"),
    ({"prefetch": {"views": [{"name": []}]}}, "request.prefetch.views[0].name"),
    ({"context": {"address": {"url": {}}}}, "request.context.address.url"),
    ({"context": {"geo": []}}, "request.context.geo"),
    ({"context": {"screen": {"width": float("nan")}}}, "request.context.screen.width"),
    ({"context": {"geo": {"ipAddress": "1.2.3.4\r\nX: y"}}}, "request.context.geo.ipAddress"),
    ({"id": {"tntId": "t\x00"}}, "request.id.tntId"),
    ({"id": {"thirdPartyId": "t\x85"}}, "request.id.thirdPartyId"),
    ({"id": {"marketingCloudVisitorId": "t\x7f"}}, "request.id.marketingCloudVisitorId"),
    ({"id": {"customerIds": [{"id": "c\n"}]}}, "request.id.customerIds[0].id"),
    ({"requestId": "r\n"}, "request.requestId"),
    ({"property": {"token": "p\n"}}, "request.property.token"),
    ({"notifications": [{"tokens": ["t\n"]}]}, "request.notifications[0].tokens[0]"),
    (mboxes({"name": "x" * (1 << 20)}), "request.execute.mboxes[0].name"),
    (mboxes({"name": "a", "parameters": {"p": "\ud800"}}), 'request.execute.mboxes[0].parameters["p"]'),
    (mboxes({"name": "a", "parameters": {"p": "x" * (1 << 20)}}), 'request.execute.mboxes[0].parameters["p"]'),
    (
        mboxes({"name": "a", "parameters": dict.fromkeys(map(str, range(100_000)), "v")}),
        "request.execute.mboxes[0].parameters",
    ),
    (mboxes({"name": "a", "parameters": {"p": DEEP}}), 'request.execute.mboxes[0].parameters["p"]'),
    (mboxes({"name": "a", "parameters": {"p": ITSELF}}), 'request.execute.mboxes[0].parameters["p"]'),
    (mboxes({"name": "a", "parameters": {"p": float("inf")}}), 'request.execute.mboxes[0].parameters["p"]'),
    (mboxes({"name": "a", "parameters": {"p": 10**400}}), 'request.execute.mboxes[0].parameters["p"]'),
    (mboxes({"name": "a", "parameters": {"p": {1}}}), 'request.execute.mboxes[0].parameters["p"]'),
    (mboxes({"name": "a", "parameters": {5: "v"}}), "request.execute.mboxes[0].parameters"),
    (mboxes({"name": "a", "parameters": []}), "request.execute.mboxes[0].parameters"),
    (mboxes({"name": "a", "index": float("nan")}), "request.execute.mboxes[0].index"),
    (mboxes(*[{"name": "a"}] * 10_001), "request.execute.mboxes"),
]


@pytest.mark.parametrize(("request_", "where"), REFUSED, ids=[f"{at}-{where}" for at, (_, where) in enumerate(REFUSED)])
def test_what_no_rule_mends_is_refused_with_its_path(request_, where):
    """Case 62, and what JSON cannot hold."""
    with pytest.raises(RequestError) as caught:
        ready(request_)
    assert caught.value.where == where


def test_a_session_id_has_no_control_characters():
    with pytest.raises(RequestError) as caught:
        ready({"execute": {}}, session_id="s\r\nX: y")
    assert caught.value.where == "session_id"


ODD = {
    "__class__": "v",
    "__proto__": "v",
    "a": "v",
    "a.b": "v",
    ".a": "v",
    "a..b": "v",
    "": "v",
    "k" * 10_240: "v",
    "\ud800": "v",
}


def test_odd_names_of_parameters_are_plain_data():
    """Case 65."""
    assert ready(mboxes({"name": "a", "parameters": ODD}))["execute"]["mboxes"][0]["parameters"] == ODD


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from([*FALSY, "requestId", "environmentId", "execute", "prefetch"])
INNER = st.sampled_from(
    [
        "mboxes",
        "views",
        "pageLoad",
        "name",
        "index",
        "parameters",
        "address",
        "url",
        "tntId",
        "customerIds",
        "token",
        "geo",
    ]
)
LIKELY = st.recursive(
    JSON,
    lambda inner: st.dictionaries(INNER, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(request=st.dictionaries(KEYS, LIKELY, max_size=4))
def test_any_request_is_prepared_or_refused(request):
    with contextlib.suppress(RequestError):
        assert ready(request)["context"]["channel"] in ("web", "mobile")
