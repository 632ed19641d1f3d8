"""A program written for target-python-sdk 1.1.0 runs on this package once its import lines name it."""

import json
import queue
import re
import types
from pathlib import Path

import pytest

import target_decisioning
from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi
from target_decisioning import DeliveryRequest, ModelProperty, TargetClient

PROGRAM = Path(__file__).parent / "drop_in/shop.py"
ARTIFACTS = Path(__file__).parent.parent / "artifacts"
EARLIER_IMPORT = re.compile(r"^from (?:target_python_sdk|delivery_api_client)(?:\.\w+)* import", re.MULTILINE)
METHODS = ("server-side", "on-device", "hybrid")
SECONDS = 5.0


def test_only_import_lines_are_changed():
    before, after = PROGRAM.read_text(encoding="utf-8").splitlines(), _on_this_package().splitlines()
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 3
    assert all(line.startswith("from ") for line in changed)


@pytest.mark.parametrize("method", METHODS)
def test_the_ready_event_comes_once_the_client_can_be_used(shop, method):
    assert shop.ready.wait(SECONDS)
    if method == "server-side":
        assert shop.artifacts.empty()
    else:
        name, location, version = shop.artifacts.get(timeout=SECONDS)
        assert (name, location.rpartition("/")[2], version) == ("artifact_download_succeeded", "shop.json", "1.0.0")


@pytest.mark.parametrize("method", METHODS)
def test_a_page_is_decided_and_the_visitor_is_known_again(shop, api, method):
    browser = {}
    first, second = shop.home(browser), shop.home(browser)
    assert first["tnt_id"] == second["tnt_id"]
    assert first["hero"] == second["hero"]
    assert first["hero"]
    assert f"PC#{first['tnt_id']}#" in browser["mbox"]
    assert first["method"] == ("server-side" if method == "server-side" else "on-device")
    if method != "server-side":
        assert {"setStyle", "insertBefore"} <= set(first["page"])
    assert json.loads(first["logged"])["id"]["tnt_id"] == first["tnt_id"]
    shop.target_client.flush(SECONDS)
    assert len({call.session_id for call in api.calls}) == 1
    assert api.problems == []


@pytest.mark.parametrize("method", METHODS)
def test_a_signed_in_customer_gets_an_offer_and_is_reported_with_his_ids(shop, api, method):
    offer = shop.checkout({}, "customer-7", 150.0)
    assert offer == _expected(method, "checkout-offer", {"discountPercent": 15, "code": "GOLD15"})
    shop.target_client.flush(SECONDS)
    assert api.calls[-1].session_id == "checkout-session"
    assert api.calls[-1].body["id"]["customerIds"] == [
        {"id": "customer-7", "integrationCode": "crm", "authenticatedState": "authenticated"}
    ]


@pytest.mark.parametrize("method", METHODS)
def test_the_property_that_a_request_names_counts(shop, api, method):
    assert shop.newsletter("shop-app") == [_expected(method, "newsletter", "<p>Get news in the app</p>")]
    assert shop.newsletter("shop-web") == [_expected(method, "newsletter", "<p>Get news by mail</p>")]
    if method == "server-side":
        assert [call.body["property"] for call in api.decisions] == [{"token": "shop-app"}, {"token": "shop-web"}]


@pytest.mark.parametrize("method", METHODS)
def test_a_flag_is_read_through_its_attributes(shop, api, method):
    api.always(_flag if method == "server-side" else None)
    activity = "a test of the server's" if method == "server-side" else "Search ranking"
    assert shop.ranking("lena") == ("newest", 24, activity)


@pytest.mark.parametrize("method", METHODS)
def test_what_was_fetched_in_advance_is_reported_when_it_is_seen(shop, api, method):
    status, sent = shop.store("emma.28_0")
    assert status == 200
    assert [notification["id"] for notification in api.impressions] == sent
    display, click = api.impressions
    assert (display["type"], display["mbox"]) == ("display", {"name": "home-hero"})
    assert (click["type"], click["view"]) == ("click", {"name": "cart"})
    is_local = method != "server-side"
    assert display["tokens"] == ["hero-forest-seen" if is_local else "remote-home-hero"]
    assert click["tokens"] == ["view-cart-nearly-seen" if is_local else "remote-cart"]
    assert {call.session_id for call in api.calls} == {"store-session"}


@pytest.mark.parametrize("method", METHODS)
def test_a_callback_gets_the_answer_off_the_callers_thread(shop, method):
    answers, errors = [], []
    result = shop.recommendations("emma.28_0", answers.append, errors.append)
    result.wait(SECONDS)
    assert errors == []
    meta, mboxes = answers[0]["meta"], answers[0]["response"].execute.mboxes
    assert [mbox.name for mbox in mboxes] == ["recommendations", "device-banner"]
    assert [bool(mbox.options) for mbox in mboxes] == [method != "on-device", True]
    assert meta["decisioning_method"] == method
    assert meta["remote_mboxes"] == ([] if method == "server-side" else ["recommendations"])


def test_an_error_reaches_the_error_callback(make_shop, api):
    api.close()
    answers, errors = [], []
    shop = make_shop("server-side")
    shop.recommendations("emma.28_0", answers.append, errors.append).wait(SECONDS)
    assert answers == []
    assert isinstance(errors[0], Exception)


def test_an_event_answers_by_attribute_too(make_shop):
    told = queue.Queue()
    make_shop("on-device", events={"artifact_download_succeeded": lambda event: told.put(event.artifact_location)})
    assert told.get(timeout=SECONDS).endswith("shop.json")


def test_the_constructor_points_to_create():
    with pytest.raises(Exception, match=r"Please use TargetClient\.create static method instead"):
        TargetClient({"client": "acme", "organization_id": "o"})


def test_the_earlier_spelling_of_property_is_the_same_field():
    request = DeliveryRequest(_property=ModelProperty(token="first"))
    assert request.property.token == "first"
    request._property = ModelProperty(token="second")
    assert request._property is request.property
    assert request.to_wire() == {"property": {"token": "second"}}


def test_to_str_lays_out_every_value():
    assert "'token': 'shop-web'" in ModelProperty(token="shop-web").to_str()


@pytest.fixture(scope="module")
def cdn():
    with Cdn(ARTIFACTS) as server:
        yield server


@pytest.fixture
def api():
    with DeliveryApi(edge_host=None) as server:
        yield server


@pytest.fixture
def make_shop(cdn, api):
    """Run the program's start with a decisioning method and more options; its client is closed at the end."""
    program = types.ModuleType("shop_on_this_package")
    exec(compile(_on_this_package(), PROGRAM, "exec"), program.__dict__)
    shops = []

    def make(method, **options):
        settings = {
            "decisioning_method": method,
            "server_domain": api.authority,
            "secure": False,
            "artifact_location": cdn.location("shop.json"),
            "target_location_hint": "28",
        }
        shops.append(program.Shop({**settings, **options}))
        return shops[-1]

    yield make
    for shop in shops:
        shop.target_client.close()


@pytest.fixture
def shop(make_shop, method):
    return make_shop(method)


def _on_this_package():
    return EARLIER_IMPORT.sub(f"from {target_decisioning.__name__} import", PROGRAM.read_text(encoding="utf-8"))


def _expected(method, mbox, local):
    return f"<p>remote offer for {mbox}</p>" if method == "server-side" else local


def _flag(call):
    option = {
        "type": "json",
        "content": {"sort": "newest", "pageSize": 24},
        "responseTokens": {"activity.name": "a test of the server's"},
    }
    asked = call.body["execute"]["mboxes"]
    return {
        "status": 200,
        "client": "acme",
        "execute": {"mboxes": [{"name": mbox["name"], "index": mbox["index"], "options": [option]} for mbox in asked]},
    }
