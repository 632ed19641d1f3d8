"""``get_attributes``: mboxes that the request does not ask for yet are asked for, and their JSON offers are flat."""

import copy

import pytest

from target_decisioning import Context, DeliveryRequest, ExecuteRequest, MboxRequest, PrefetchRequest
from target_decisioning.attributes import add_mboxes
from target_decisioning.errors import AttributeNotFound, RequestError
from tests.builders import a_rule, an_artifact
from tests.client.parts import asked


def _json_rule(content):
    return a_rule("json", options=[{"type": "json", "content": content, "eventToken": "t"}])


@pytest.fixture
def client(make_client):
    flags = {"on": True, "size": 3, "nested": {"list": [1]}}
    artifact = an_artifact(
        flags=[_json_rule(flags)],
        words=[_json_rule("ab")],
        html=[a_rule("html")],
        frame={"remoteMboxes": ["remote-1"]},
    )
    return make_client(artifact_payload=artifact)


def request_of(attributes):
    return attributes.get_response().to_wire()["request"]


def test_the_attributes_of_an_mbox(client):
    attributes = client.get_attributes(["flags", "html"])
    assert attributes.get_value("flags", "on") is True
    assert attributes.as_object("flags") == {"on": True, "size": 3, "nested": {"list": [1]}}
    assert attributes.as_object() == {"flags": attributes.as_object("flags")}
    assert attributes.as_object("html") == attributes.as_object("never") == {}


def test_content_that_is_no_object_counts_by_position(client):
    assert client.get_attributes(["words"]).as_object("words") == {"0": "a", "1": "b"}


def test_an_attribute_that_does_not_exist(client):
    attributes = client.get_attributes(["flags"])
    with pytest.raises(AttributeNotFound, match="Attribute 'color' does not exist for mbox 'flags'"):
        attributes.get_value("flags", "color")
    with pytest.raises(KeyError):
        attributes.get_value("never", "on")
    assert attributes.get_value("flags", "color", "red") == "red"
    assert attributes.get_value("flags", "color", None) is None


def test_an_object_is_a_copy(client):
    attributes = client.get_attributes(["flags"])
    attributes.as_object("flags")["nested"]["list"].append(2)
    attributes.as_object()["flags"].clear()
    assert attributes.get_value("flags", "nested") == {"list": [1]}


def test_without_a_request_the_web_is_asked_about(client):
    request = request_of(client.get_attributes(["flags"]))
    assert request["context"]["channel"] == "web"
    assert request["execute"] == {"mboxes": [{"name": "flags", "index": 1}]}


def test_without_a_request_the_other_options_still_count(client):
    """P13."""
    attributes = client.get_attributes(["flags"], {"session_id": "s1", "customer_ids": {"crm": "u"}})
    assert "session#s1#" in attributes.get_response().target_cookie.value
    assert request_of(attributes)["id"]["customerIds"][0]["id"] == "u"


def test_options_may_be_keywords(client):
    assert "session#s1#" in client.get_attributes(["flags"], session_id="s1").get_response().target_cookie.value


def test_one_name_may_stand_alone(client):
    assert client.get_attributes("flags").get_value("flags", "size") == 3


def test_a_typed_request_is_left_as_it_is(client):
    typed = DeliveryRequest(
        context=Context(channel="web"),
        execute=ExecuteRequest(mboxes=[MboxRequest(name="html", index=4)]),
        prefetch=PrefetchRequest(mboxes=[MboxRequest(name="flags")]),
    )
    before = typed.to_wire()
    attributes = client.get_attributes(["flags", "words"], {"request": typed})
    assert typed.to_wire() == before
    assert asked(request_of(attributes)) == [
        ("execute", "mboxes", "html"),
        ("execute", "mboxes", "words"),
        ("prefetch", "mboxes", "flags"),
    ]
    assert request_of(attributes)["execute"]["mboxes"][1]["index"] == 5
    assert attributes.as_object().keys() == {"flags", "words"}


def test_a_dict_with_typed_parts_is_left_as_it_is(client):
    request = {"context": {"channel": "web"}, "execute": ExecuteRequest(mboxes=[MboxRequest(name="html")])}
    attributes = client.get_attributes(["flags"], request=request)
    assert [name for *_, name in asked(request_of(attributes))] == ["html", "flags"]
    assert len(request["execute"].mboxes) == 1


def test_the_callers_request_is_not_changed(client):
    request = {"context": {"channel": "web"}, "execute": {"mboxes": [{"name": "html"}]}}
    before = copy.deepcopy(request)
    client.get_attributes(["flags"], request=request)
    assert request == before


def options(**content):
    return [{"type": "json", "content": content}]


def test_what_is_executed_lies_over_what_is_prefetched(make_client, api):
    prefetched, executed = options(x="prefetched", y="prefetched"), options(x="executed")
    api.always(
        {
            "prefetch": {"mboxes": [{"name": "a", "options": prefetched}]},
            "execute": {"mboxes": [{"name": "a", "options": executed}]},
        }
    )
    request = {"prefetch": {"mboxes": [{"name": "a"}]}, "execute": {"mboxes": [{"name": "a"}]}}
    attributes = make_client().get_attributes([], request=request, decisioning_method="server-side")
    assert attributes.as_object("a") == {"x": "executed", "y": "prefetched"}


def test_remote_mboxes_are_asked_of_the_server(make_client, api):
    """An answered entry without a name belongs to nobody."""
    mboxes = [{"name": "remote-1", "index": 1, "options": options(a=1)}, {"index": 1, "options": options(b=2)}]
    api.always({"execute": {"mboxes": mboxes}})
    attributes = make_client().get_attributes(["remote-1"])
    assert attributes.get_value("remote-1", "a") == 1
    assert attributes.as_object().keys() == {"remote-1"}
    assert attributes.get_response().meta.decisioning_method == "server-side"


@pytest.mark.parametrize("names", [None, 5, [""], [None], ["a", 5], [["a"]]])
def test_names_that_are_none(client, names):
    with pytest.raises(RequestError) as caught:
        client.get_attributes(names)
    assert caught.value.where.startswith("mbox_names")


@pytest.mark.parametrize("request_", [{"execute": {"mboxes": [{"name": ["flags"]}]}}, {"execute": {"mboxes": [None]}}])
def test_an_odd_mbox_of_the_request_harms_nothing(client, request_):
    assert client.get_attributes(["flags"], request=request_).get_value("flags", "size") == 3


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        ({"execute": []}, "request.execute"),
        ({"execute": {"mboxes": {}}}, "request.execute.mboxes"),
        ({"prefetch": {"mboxes": "flags"}}, "request.prefetch.mboxes"),
        ({"prefetch": {"mboxes": ["flags"]}}, "request.prefetch.mboxes[0]"),
        ({"context": []}, "request.context"),
    ],
)
def test_a_request_that_cannot_be_read(client, request_, where):
    with pytest.raises(RequestError) as caught:
        client.get_attributes(["flags"], request=request_)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("own", "first"),
    [
        ([], 1),
        ([{"name": "x"}], 1),
        ([{"name": "x", "index": 4}, {"name": "y", "index": 2}], 5),
        ([{"name": "x", "index": -3}], 1),
        ([{"name": "x", "index": "9"}, {"name": "y", "index": True}], 1),
        ([{"name": "x", "index": None}], 1),
        ([{"name": "x", "index": 1.5}], 2.5),
    ],
)
def test_the_index_of_an_added_mbox_follows_the_highest(own, first):
    added = add_mboxes({"execute": {"mboxes": own}}, ["a", "b"])["execute"]["mboxes"][len(own) :]
    assert [mbox["index"] for mbox in added] == [first, first + 1]


def test_a_name_given_twice_is_asked_for_twice():
    assert [mbox["name"] for mbox in add_mboxes({}, ["a", "a"])["execute"]["mboxes"]] == ["a", "a"]


def test_with_nothing_to_add_the_request_is_left_alone():
    """D37."""
    request = {"prefetch": {"mboxes": [{"name": "a"}]}}
    assert add_mboxes(request, ["a"]) is request
    assert add_mboxes(request, []) is request


@pytest.mark.parametrize("request_", [{}, DeliveryRequest(), {"execute": None}])
def test_an_empty_request_asks_for_the_names_alone(client, request_):
    assert client.get_attributes(["flags"], request=request_).get_value("flags", "size") == 3
