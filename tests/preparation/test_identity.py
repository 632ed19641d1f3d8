"""Who a visitor is: the request says it first, then the cookie, the options, the visitor object."""

import pytest

from target_decisioning import CustomerId
from target_decisioning.config import read_config
from target_decisioning.errors import RequestError
from target_decisioning.preparation import prepare, read_call

ORGANIZATION = "ORG@AdobeOrg"
CONFIG = read_config({"client": "acme", "organization_id": ORGANIZATION}, {})
NOW = 1_700_000_000_000
COOKIE = "session#s-cookie#9999999999|PC#device.28_0#9999999999"


def prepared(ids=None, **call):
    cloud = call.pop("cloud", None)
    request = {"id": ids, "experienceCloud": cloud, "context": {}}
    return prepare(read_call({"request": request, **call}, {}), CONFIG, call.get("client_hint"), NOW, lambda: "new-id")


def ids_of(ids=None, **call):
    return prepared(ids, **call).request.get("id")


class Visitor:
    """An Experience Cloud visitor as the earlier SDK takes one."""

    def __init__(self, values=None, customer_ids=None, current=None):
        self.values, self.asked = values, []
        self.state = {ORGANIZATION: {"customer_ids": customer_ids, "sdid": {"supplemental_data_id_current": current}}}

    def get_visitor_values(self):
        return self.values

    def get_state(self):
        return self.state

    def get_supplemental_data_id(self, consumer_id):
        self.asked.append(consumer_id)
        return "NEW"


FULL = {"MCMID": "ecid", "MCAAMLH": "9", "MCAAMB": "blob"}


# -- ids --------------------------------------------------------------------------------------------------------------


def test_a_tnt_id_is_the_requests_else_the_cookies():
    assert ids_of({"tntId": "t"}, target_cookie=COOKIE) == {"tntId": "t"}
    assert ids_of(target_cookie=COOKIE) == {"tntId": "device.28_0"}
    assert ids_of({"thirdPartyId": "p"}, target_cookie=COOKIE) == {"tntId": "device.28_0", "thirdPartyId": "p"}


def test_a_blank_tnt_id_of_the_request_counts_as_given():
    assert ids_of({"tntId": ""}, target_cookie=COOKIE) is None


def test_an_ecid_is_the_requests_else_the_visitors():
    assert ids_of({"marketingCloudVisitorId": "m"}, visitor=Visitor(FULL)) == {"marketingCloudVisitorId": "m"}
    assert ids_of(visitor=Visitor(FULL)) == {"marketingCloudVisitorId": "ecid"}
    assert ids_of({"marketingCloudVisitorId": ""}, visitor=Visitor(FULL)) == {"marketingCloudVisitorId": "ecid"}


@pytest.mark.parametrize("given", [None, {}, {"tntId": "", "thirdPartyId": None, "customerIds": []}, {"tntId": 0}])
def test_blank_ids_are_absent(given):
    assert ids_of(given) is None


def test_nobody_gets_a_tnt_id_before_something_is_decided_here():
    result = prepared()
    assert "id" not in result.request
    result.identify(lambda: "generated")
    assert result.request["id"] == {"tntId": "generated"}


@pytest.mark.parametrize("known", [{"tntId": "t"}, {"thirdPartyId": "p"}, {"marketingCloudVisitorId": "m"}])
def test_a_visitor_who_is_known_gets_no_other_id(known):
    result = prepared(known)
    result.identify(lambda: "generated")
    assert result.request["id"] == known


@pytest.mark.parametrize(
    ("call", "suffix"),
    [
        ({"target_location_hint": "35"}, ".35_0"),
        ({"client_hint": "7"}, ".7_0"),
        ({"target_location_hint": "evil"}, ""),
        ({"target_cookie": "PC#.28_0#9999999999"}, ".28_0"),
        ({}, ""),
    ],
)
def test_a_generated_tnt_id_ends_in_the_hint_of_the_call(call, suffix):
    hint = call.pop("client_hint", None)
    result = prepare(read_call({"request": {"id": {"tntId": ""}}, **call}, {}), CONFIG, hint, NOW, lambda: "new-id")
    result.identify(lambda: "generated")
    assert result.request["id"]["tntId"] == f"generated{suffix}"


# -- session ----------------------------------------------------------------------------------------------------------


def test_a_session_is_the_cookies_else_the_options_else_new():
    assert prepared(target_cookie=COOKIE, session_id="s-option").session_id == "s-cookie"
    assert prepared(session_id="s-option").session_id == "s-option"
    assert prepared(session_id="").session_id == "new-id"
    assert prepared(target_cookie="session#s#1").session_id == "new-id"


# -- customer ids -----------------------------------------------------------------------------------------------------

IN_REQUEST = {"id": "r", "integrationCode": "crm", "authenticatedState": "logged_out"}
IN_OPTION = {"id": "o", "integrationCode": "crm", "authenticatedState": "authenticated"}


@pytest.mark.parametrize("option", [[IN_OPTION], (CustomerId(**IN_OPTION),)])
def test_the_options_customer_ids_come_before_the_requests(option):
    """As a list of dicts or of ``CustomerId``; nothing is taken twice, and nothing is left out for being the same."""
    assert ids_of({"customerIds": [IN_REQUEST]}, customer_ids=option)["customerIds"] == [IN_OPTION, IN_REQUEST]
    assert ids_of({"customerIds": [IN_OPTION]}, customer_ids=option)["customerIds"] == [IN_OPTION, IN_OPTION]


@pytest.mark.parametrize(
    ("value", "customer"),
    [
        ("u", {"id": "u", "integrationCode": "crm", "authenticatedState": "unknown"}),
        ({"id": "u"}, {"id": "u", "integrationCode": "crm"}),
        ({"id": "u", "authState": None}, {"id": "u", "integrationCode": "crm"}),
        ({"id": "u", "authState": 0}, {"id": "u", "integrationCode": "crm", "authenticatedState": "unknown"}),
        ({"id": "u", "authState": 1}, {"id": "u", "integrationCode": "crm", "authenticatedState": "authenticated"}),
        ({"id": "u", "authState": "1"}, {"id": "u", "integrationCode": "crm", "authenticatedState": "authenticated"}),
        ({"id": "u", "auth_state": 2}, {"id": "u", "integrationCode": "crm", "authenticatedState": "logged_out"}),
        ("", None),
        (None, None),
        ({"id": ""}, None),
        ({"authState": 1}, None),
    ],
)
def test_the_map_form_of_customer_ids(value, customer):
    assert ids_of(customer_ids={"crm": value}) == ({"customerIds": [customer]} if customer else None)


@pytest.mark.parametrize(
    ("option", "where"),
    [
        ("u", "customer_ids"),
        (5, "customer_ids"),
        (["u"], "customer_ids[0]"),
        ([{"id": []}], "customer_ids[0].id"),
        ([{"id": "u\n"}], "customer_ids[0].id"),
        ({"crm": {"id": "u", "authState": 3}}, "customer_ids"),
        ({"crm": {"id": "u", "authState": "authenticated"}}, "customer_ids"),
        ({"crm": {"id": "u", "authState": "3"}}, "customer_ids"),
        ({"crm": {"id": "u", "authState": []}}, "customer_ids"),
        ({"crm": ["u"]}, "customer_ids"),
    ],
)
def test_customer_ids_of_another_form_are_refused(option, where):
    with pytest.raises(RequestError) as caught:
        ids_of(customer_ids=option)
    assert caught.value.where == where


def test_a_visitors_customer_ids_stand_in_for_the_option():
    visitor = Visitor(customer_ids={"crm": {"id": "v", "authState": 1}})
    [customer] = ids_of(visitor=visitor)["customerIds"]
    assert (customer["id"], customer["authenticatedState"]) == ("v", "authenticated")
    assert ids_of(visitor=visitor, customer_ids=[IN_OPTION])["customerIds"] == [IN_OPTION]


# -- visitor ----------------------------------------------------------------------------------------------------------


def test_a_visitor_gives_what_the_audience_manager_needs():
    cloud = prepared(visitor=Visitor(FULL)).request["experienceCloud"]
    assert cloud["audienceManager"] == {"locationHint": 9, "blob": "blob"}


def test_the_requests_own_audience_manager_beats_the_visitors():
    given = {"audienceManager": {"locationHint": 7, "blob": "mine"}}
    cloud = prepared(visitor=Visitor(FULL), cloud=given).request["experienceCloud"]
    assert cloud["audienceManager"] == {"locationHint": 7, "blob": "mine"}


@pytest.mark.parametrize("hint", ["", None, "nine", [], 9.5])
def test_a_location_hint_that_is_no_whole_number_is_absent(hint):
    cloud = prepared(visitor=Visitor({"MCAAMLH": hint})).request["experienceCloud"]
    assert "audienceManager" not in cloud


def test_a_visitors_state_is_in_the_answer():
    visitor = Visitor(FULL)
    assert prepared(visitor=visitor).visitor_state == visitor.state
    assert prepared().visitor_state is None


def test_a_visitors_current_supplemental_data_id_is_kept():
    visitor = Visitor(current="CURRENT")
    cloud = prepared(visitor=visitor, cloud={"analytics": {"supplementalDataId": "CURRENT"}}).request["experienceCloud"]
    assert cloud["analytics"]["supplementalDataId"] == "CURRENT"
    assert visitor.asked == []


@pytest.mark.parametrize("given", [None, "OLD"])
@pytest.mark.parametrize(("option", "consumer"), [({}, "target-global-mbox"), ({"consumer_id": "c"}, "c")])
def test_else_the_visitor_makes_a_new_one_for_the_consumer(given, option, consumer):
    visitor = Visitor(current="CURRENT")
    cloud = prepared(visitor=visitor, cloud={"analytics": {"supplementalDataId": given}}, **option).request[
        "experienceCloud"
    ]
    assert cloud["analytics"]["supplementalDataId"] == "NEW"
    assert visitor.asked == [consumer]


@pytest.mark.parametrize("option", [{}, {"visitor_cookie": "1|MCMID|m"}])
def test_without_a_visitor_object_the_callers_is_kept_and_none_is_invented(option):
    """P9."""
    cloud = prepared(cloud={"analytics": {"supplementalDataId": "MINE"}}, **option).request["experienceCloud"]
    assert cloud["analytics"]["supplementalDataId"] == "MINE"
    assert "supplementalDataId" not in prepared(**option).request["experienceCloud"]["analytics"]


class WithoutValues(Visitor):
    get_visitor_values = None


class WithoutDataId(Visitor):
    get_supplemental_data_id = None


@pytest.mark.parametrize("visitor", [object(), 5, "visitor", {}, WithoutValues(), WithoutDataId()])
def test_an_object_that_is_no_visitor_is_refused(visitor):
    with pytest.raises(RequestError) as caught:
        prepared(visitor=visitor)
    assert caught.value.where == "visitor"


@pytest.mark.parametrize("values", [None, {}, {"MCMID": None}, {"MCMID": {}}, {"MCMID": []}])
def test_a_visitor_may_know_nothing(values):
    assert ids_of(visitor=Visitor(values)) is None


@pytest.mark.parametrize("values", [5, "MCMID", [("MCMID", "m")]])
def test_values_that_are_no_mapping_are_refused(values):
    with pytest.raises(RequestError):
        prepared(visitor=Visitor(values))


@pytest.mark.parametrize("state", [None, 5, [], {}, {ORGANIZATION: None}, {ORGANIZATION: {"sdid": 5}}])
def test_a_state_of_any_kind_harms_nothing(state):
    visitor = Visitor(FULL)
    visitor.state = state
    assert prepared(visitor=visitor).visitor_state == (state if isinstance(state, dict) else {})


# -- the AMCV cookie --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cookie",
    [
        "-1712354808|MCIDTS|18656|MCMID|ecid|MCAAMLH-1612464391|9|MCAAMB-1612464391|blob|MCOPTOUT-1611866791s|NONE|vVersion|4.3.0",
        "-1712354808%7CMCMID%7Cecid%7CMCAAMLH-1612464391%7C9%7CMCAAMB-1612464391%7Cblob",
    ],
    ids=["as it is", "percent-encoded"],
)
def test_an_amcv_cookie_tells_what_a_visitor_object_would(cookie):
    result = prepared(visitor_cookie=cookie)
    assert result.request["id"] == {"marketingCloudVisitorId": "ecid"}
    assert result.request["experienceCloud"]["audienceManager"] == {"locationHint": 9, "blob": "blob"}
    assert result.visitor_state is None


def test_a_visitor_object_beats_the_cookie():
    assert ids_of(visitor=Visitor(FULL), visitor_cookie="1|MCMID|other") == {"marketingCloudVisitorId": "ecid"}


@pytest.mark.parametrize(
    "cookie", ["", "|", "x", "MCMID", "1|MCMID", "1|MCMID|", "1|MCMID|a\nb", "|" * 100_000, "%ff%7C"]
)
def test_an_amcv_cookie_of_any_kind_harms_nothing(cookie):
    assert ids_of(visitor_cookie=cookie) is None
