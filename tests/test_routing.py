"""A prepared request is split into two parts, and a decision and a remote answer are merged as if one had answered."""

import copy

import pytest

from target_decisioning.decisioning import Decision, load_program
from target_decisioning.errors import DeliveryError
from target_decisioning.routing import NO_NEEDS, merge, needs_of, sources, split
from tests.builders import GLOBAL_MBOX
from tests.client.parts import places

PAGE = {"address": {"url": "https://example.com/"}, "parameters": {"a": "1"}}


def needs(request, **artifact):
    return needs_of(load_program(places(**artifact), "acme"), request)


def decided(execute=None, prefetch=None):
    """A decision whose mboxes and views are given as a list of answers for each asked entry."""
    ends = []

    def joined(answer):
        return answer and {key: _joined(value, ends) if key != "pageLoad" else value for key, value in answer.items()}

    decision = Decision(load_program(places(), "acme"), {}, now_ms=0, new_id=str)
    decision.execute, decision.prefetch, decision.ends = joined(execute), joined(prefetch), ends
    return decision


def _joined(groups, ends):
    entries = []
    for group in groups:
        entries += group
        ends.append(len(entries))
    return entries


def request(**modes):
    return {"requestId": "r", "id": {"tntId": "t"}, "context": {"channel": "web"}, **modes}


def mbox(name, index=0, **others):
    return {"name": name, "index": index, **others}


def answered(*boxes, **others):
    return {"id": {"tntId": "t"}, "execute": {"mboxes": list(boxes), **others}}


def merged_mboxes(asked, local, answer, **artifact):
    """Merge what was decided for the local ones among *asked* with the answered mboxes."""
    whole = request(execute={"mboxes": asked})
    decision = decided(execute={"mboxes": [[entry] for entry in local]})
    return merge(whole, needs(whole, **artifact), decision, answered(*answer))["execute"]["mboxes"]


def merged_views(asked, local, answer):
    whole = request(prefetch={"views": asked})
    decision = decided(prefetch={"views": local})
    return merge(whole, needs(whole), decision, {"prefetch": {"views": answer}})["prefetch"]["views"]


# -- splitting --------------------------------------------------------------------------------------------------------


def test_each_part_keeps_the_entries_as_they_are():
    local, remote = mbox("local-1", 7, **PAGE), mbox("remote-1", 3, **PAGE)
    whole = request(execute={"mboxes": [remote, local]}, prefetch={"mboxes": [local], "views": [{"name": "view-1"}]})
    here, there = split(whole, needs(whole))
    assert here["execute"] == {"mboxes": [local]}
    assert here["prefetch"] == {"mboxes": [local], "views": [{"name": "view-1"}]}
    assert there["execute"] == {"mboxes": [remote]}
    assert "prefetch" not in there


def test_each_part_keeps_everything_but_the_entries():
    common = {"property": {"token": "p"}, "experienceCloud": {"analytics": {}}, "trace": {}, "environmentId": 2}
    whole = request(execute={"mboxes": [mbox("local-1"), mbox("remote-1")]}, **common)
    for part in split(whole, needs(whole)):
        assert {key: part[key] for key in (*common, "requestId", "id", "context")} == {
            key: whole[key] for key in (*common, "requestId", "id", "context")
        }


def test_splitting_changes_nothing_in_the_request():
    whole = request(execute={"mboxes": [mbox("local-1"), mbox("remote-1")]}, prefetch={"views": [{}]})
    before = copy.deepcopy(whole)
    split(whole, needs(whole))
    assert whole == before


def test_nothing_is_local_where_everything_is_remote():
    whole = request(execute={"mboxes": [mbox("remote-1")], "pageLoad": {}})
    here, there = split(whole, needs(whole, page_load="remote"))
    assert here is None
    assert there["execute"] == whole["execute"]


def test_a_name_in_both_lists_is_remote_as_a_whole():
    whole = request(execute={"mboxes": [mbox("both"), mbox("local-1", 1)]}, prefetch={"mboxes": [mbox("both")]})
    here, there = split(whole, needs(whole))
    assert here["execute"]["mboxes"] == [mbox("local-1", 1)]
    assert "prefetch" not in here
    assert [part["mboxes"] for part in (there["execute"], there["prefetch"])] == [[mbox("both")], [mbox("both")]]


@pytest.mark.parametrize(("remote_views", "is_remote"), [(True, True), (False, False)])
def test_an_unnamed_view_is_remote_wherever_the_artifact_lists_remote_views(remote_views, is_remote):
    """Not because of an unknown view that stands beside it."""
    whole = request(prefetch={"views": [{"name": "unheard-of"}, {"key": "k"}]})
    assert needs(whole, remote_views=remote_views).covers("views", {"key": "k"}) is is_remote


def test_a_request_that_can_be_decided_here_needs_nothing():
    assert needs(request(execute={"mboxes": [mbox("local-1")], "pageLoad": {}})) is NO_NEEDS


# -- merging mboxes ---------------------------------------------------------------------------------------------------


def test_mboxes_come_in_the_order_asked():
    asked = [mbox("remote-2"), mbox("local-1", 1), mbox("remote-1", 2), mbox("local-2", 3)]
    local = [mbox("local-1", 1, at="here"), mbox("local-2", 3, at="here")]
    answer = [mbox("remote-1", 2, at="there"), mbox("remote-2", at="there")]
    merged = merged_mboxes(asked, local, answer)
    assert [entry["name"] for entry in merged] == ["remote-2", "local-1", "remote-1", "local-2"]
    assert [entry["at"] for entry in merged] == ["there", "here", "there", "here"]


def test_the_kth_asked_takes_the_kth_answered_of_its_name_and_index():
    asked = [mbox("remote-1", 1), mbox("remote-1", 0), mbox("remote-1", 0)]
    answer = [mbox("remote-1", 0, k=1), mbox("remote-1", 1, k=1), mbox("remote-1", 0, k=2)]
    assert [(entry["index"], entry["k"]) for entry in merged_mboxes(asked, [], answer)] == [(1, 1), (0, 1), (0, 2)]


def test_an_answered_mbox_without_an_index_is_taken_by_its_name():
    assert merged_mboxes([mbox("remote-1", 4)], [], [{"name": "remote-1", "k": 1}]) == [{"name": "remote-1", "k": 1}]


def test_an_answered_mbox_without_an_index_is_left_for_one_that_has_no_answer_of_its_own():
    asked = [mbox("remote-1", 1), mbox("remote-1", 3)]
    answer = [{"name": "remote-1", "k": 3}, mbox("remote-1", 1, k=1)]
    assert [entry["k"] for entry in merged_mboxes(asked, [], answer)] == [1, 3]


def test_a_mbox_that_the_server_leaves_out_is_blank():
    asked = [mbox("remote-1", 2), mbox("remote-2", 5)]
    assert merged_mboxes(asked, [], [mbox("remote-2", 5, options=[])]) == [
        mbox("remote-1", 2),
        mbox("remote-2", 5, options=[]),
    ]


def test_what_was_not_asked_of_the_server_is_ignored():
    """A local name, an index that nobody asked for, another name."""
    asked = [mbox("local-1"), mbox("remote-1", 1)]
    answer = [mbox("local-1", at="there"), mbox("remote-1", 9, at="there"), mbox("foreign", at="there")]
    assert merged_mboxes(asked, [mbox("local-1", at="here")], answer) == [
        mbox("local-1", at="here"),
        mbox("remote-1", 1),
    ]


def test_a_global_mbox_takes_all_of_its_entries():
    asked = [mbox("local-1"), mbox(GLOBAL_MBOX, 1)]
    answer = [mbox(GLOBAL_MBOX, 1, k=1), mbox(GLOBAL_MBOX, 1, k=2)]
    merged = merged_mboxes(asked, [mbox("local-1")], answer, page_load="remote")
    assert merged == [mbox("local-1"), *answer]


def test_a_global_mbox_without_an_answer_has_no_entry():
    asked = [mbox("local-1"), mbox(GLOBAL_MBOX, 1)]
    assert merged_mboxes(asked, [mbox("local-1")], [], page_load="remote") == [mbox("local-1")]


# -- merging views and page loads -------------------------------------------------------------------------------------


def test_views_come_at_the_place_of_the_asked_one():
    asked = [{"name": "remote-view"}, {"name": "view-1"}, {"name": "unheard-of"}]
    local = [[{"name": "view-1", "at": "here"}]]
    answer = [{"name": "unheard-of"}, {"name": "remote-view"}]
    names = [view["name"] for view in merged_views(asked, local, answer)]
    assert names == ["remote-view", "view-1", "unheard-of"]


def test_a_view_that_the_server_leaves_out_is_not_there():
    assert merged_views([{"name": "remote-view"}, {"name": "view-1"}], [[]], []) == []


def test_a_view_that_nobody_claims_comes_at_the_first_unnamed_one():
    asked = [{"name": "view-1"}, {"key": "a"}, {"name": "remote-view"}, {"key": "b"}]
    answer = [{"name": "view-9"}, {"name": "remote-view"}, {"name": "view-8"}]
    names = [view["name"] for view in merged_views(asked, [[{"name": "view-1"}]], answer)]
    assert names == ["view-1", "view-9", "view-8", "remote-view"]


def test_a_view_that_nobody_claims_is_ignored_where_all_are_named():
    assert merged_views([{"name": "remote-view"}], [], [{"name": "view-9"}]) == []


@pytest.mark.parametrize(("place", "offer"), [("local", "here"), ("remote", "there")])
def test_a_page_load_is_that_of_whoever_decides_it(place, offer):
    whole = request(execute={"mboxes": [mbox("remote-1"), mbox("local-1", 1)], "pageLoad": {}})
    decision = decided(execute={"mboxes": [[mbox("local-1", 1)]], "pageLoad": {"options": ["here"]}})
    answer = answered(mbox("remote-1"), pageLoad={"options": ["there"]})
    merged = merge(whole, needs(whole, page_load=place), decision, answer)
    assert merged["execute"]["pageLoad"] == {"options": [offer]}


def test_a_page_load_that_the_server_leaves_out_is_blank():
    whole = request(execute={"mboxes": [mbox("local-1")], "pageLoad": {}})
    decision = decided(execute={"mboxes": [[mbox("local-1")]]})
    merged = merge(whole, needs(whole, page_load="remote"), decision, {"execute": {}})
    assert merged["execute"]["pageLoad"] == {"options": []}


# -- merging the rest -------------------------------------------------------------------------------------------------

MIXED = request(execute={"mboxes": [mbox("remote-1"), mbox("local-1", 1)]}, prefetch={"views": [{"name": "view-1"}]})
DECIDED = {"execute": {"mboxes": [[mbox("local-1", 1)]]}, "prefetch": {"views": [[{"name": "view-1"}]]}}


def merged_whole(**answer):
    return merge(MIXED, needs(MIXED), decided(**copy.deepcopy(DECIDED)), {**answered(mbox("remote-1")), **answer})


def test_everything_else_is_the_servers():
    told = {
        "status": 206,
        "client": "acme",
        "edgeHost": "e",
        "telemetryServerToken": "s",
        "notifications": [{}],
        "x": 1,
    }
    assert {key: value for key, value in merged_whole(**told).items() if key in told} == told


def test_what_the_server_adds_to_a_mode_that_it_was_asked_about_stays():
    merged = merged_whole(execute={"mboxes": [mbox("remote-1")], "extra": 1})
    assert merged["execute"] == {"mboxes": [mbox("remote-1"), mbox("local-1", 1)], "extra": 1}


def test_a_mode_that_the_server_was_not_asked_about_is_decided_here_alone():
    merged = merged_whole(prefetch={"views": [{"name": "view-1", "at": "there"}], "extra": 1})
    assert merged["prefetch"] == {"views": [{"name": "view-1"}]}


def test_a_mode_that_nobody_asked_for_is_ignored():
    whole = request(execute={"mboxes": [mbox("remote-1"), mbox("local-1", 1)]})
    decision = decided(execute={"mboxes": [[mbox("local-1", 1)]]})
    assert "prefetch" not in merge(whole, needs(whole), decision, {**answered(), "prefetch": {"views": []}})


@pytest.mark.parametrize("answer", [{}, {"execute": None}, {"prefetch": {}}])
def test_an_answer_without_a_mode_that_it_was_asked_for_is_none(answer):
    with pytest.raises(DeliveryError) as caught:
        merge(MIXED, needs(MIXED), decided(**copy.deepcopy(DECIDED)), answer)
    assert caught.value.reason == "invalid"


def test_the_servers_id_wins():
    assert merged_whole(id={"tntId": "theirs.28_0", "x": 1})["id"] == {"tntId": "theirs.28_0", "x": 1}


@pytest.mark.parametrize("answer", [{"id": None}, {"id": {}}, {"id": {"tntId": ""}}])
def test_without_an_id_from_the_server_the_visitor_stays_who_he_was(answer):
    assert merged_whole(**answer)["id"] == {"tntId": "t"}


def test_sources_name_each_item_in_the_order_asked():
    whole = request(
        execute={"pageLoad": {}, "mboxes": [mbox("a", 3)]},
        prefetch={"views": [{}, {"name": "v"}], "mboxes": [mbox("b")]},
    )
    told = sources(whole, lambda kind, entry: f"{kind} {entry.get('name')}")
    assert [(item["mode"], item["kind"], item["name"], item["index"], item["source"]) for item in told] == [
        ("execute", "mbox", "a", 3, "mboxes a"),
        ("execute", "pageLoad", None, None, "pageLoad None"),
        ("prefetch", "mbox", "b", 0, "mboxes b"),
        ("prefetch", "view", None, None, "views None"),
        ("prefetch", "view", "v", None, "views v"),
    ]
