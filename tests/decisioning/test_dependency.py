"""What of a request only the server can decide (semantics.md 4.8; faults.md A4)."""

import pytest

from target_decisioning.decisioning import load_program, remote_needs
from tests.builders import CLIENT, GLOBAL_MBOX, a_rule, a_view_rule, an_artifact, mboxes

UNKNOWN_OPERATOR = {"regex": ["a", "b"]}


def needs(frame=None, *, execute=None, prefetch=None, **artifact):
    """Mboxes and views that are remote; *frame* lists names as ``local``, ``remote``: mboxes if not said otherwise."""
    program = load_program(an_artifact(frame=frame, **artifact), CLIENT)
    asked = {"execute": execute, "prefetch": prefetch}
    return remote_needs(program, {mode: part for mode, part in asked.items() if part is not None})


LISTED = {"localMboxes": ["a", "b", "both"], "remoteMboxes": ["z", "both", "y"]}


def test_listed_names_come_in_the_artifacts_order_then_unknown_ones_as_asked():
    asked = mboxes("new", "y", "a", "both", "z", "other", "new", "y")
    assert needs(LISTED, execute=asked) == (["z", "both", "y", "new", "other"], [])


def test_unknown_names_of_prefetch_come_before_those_of_execute():
    assert needs(LISTED, execute=mboxes("e", "p"), prefetch=mboxes("p", "q")) == (["p", "q", "e"], [])


def test_what_is_listed_as_local_needs_no_server():
    assert needs(LISTED, execute=mboxes("a", "b"), prefetch=mboxes("a")) == ([], [])


def test_a_request_for_nothing_needs_no_server():
    assert needs(LISTED) == ([], [])
    assert needs(LISTED, execute={}, prefetch={"views": []}) == ([], [])


@pytest.mark.parametrize("mode", ["execute", "prefetch"])
def test_a_page_load_counts_under_the_name_of_the_artifacts_global_mbox(mode):
    """D16: the reference always takes the usual name."""
    frame = {**LISTED, "globalMbox": "everywhere"}
    assert needs(frame, **{mode: {"pageLoad": {}}}) == (["everywhere"], [])
    frame["localMboxes"] = ["everywhere"]
    assert needs(frame, **{mode: {"pageLoad": {}}}) == ([], [])
    frame["remoteMboxes"] = ["everywhere", "z"]
    assert needs(frame, **{mode: {"pageLoad": {}, **mboxes("z")}}) == (["everywhere", "z"], [])


def test_a_page_load_without_another_name_is_the_usual_global_mbox_and_comes_last():
    assert needs(LISTED, execute={"pageLoad": {}, **mboxes("new")}) == (["new", GLOBAL_MBOX], [])


VIEWS = {"localViews": ["l", "both"], "remoteViews": ["r2", "both", "r1"]}


@pytest.mark.parametrize(
    ("asked", "remote"),
    [
        ([{"name": "l"}], []),
        ([{"name": "r1"}, {"name": "new"}, {"name": "both"}, {"name": "r1"}], ["both", "r1", "new"]),
        ([{}], ["r2", "both", "r1"]),
        ([{"key": "#k"}], ["r2", "both", "r1"]),
        ([{"name": ""}], [""]),
        ([{"name": "l"}, {}], ["r2", "both", "r1"]),
        ([{"name": "new"}, {}, {"name": "l"}], ["r2", "both", "r1", "new"]),
    ],
)
def test_views(asked, remote):
    """D15: a view without a name asks for all of them also beside one with a name. An empty name is an unknown one."""
    assert needs(VIEWS, prefetch={"views": asked}) == ([], remote)


def test_all_views_of_an_artifact_without_remote_ones_need_no_server():
    assert needs({"localViews": ["l"]}, prefetch={"views": [{}]}) == ([], [])


def test_a_location_with_a_broken_rule_is_remote_though_it_is_listed_as_local():
    broken = a_rule(condition=UNKNOWN_OPERATOR)
    artifact = {"home": [a_rule(), broken], "cart": [a_rule()], "views": {"v": [broken], "w": [a_view_rule()]}}
    assert needs(execute=mboxes("cart", "home"), prefetch={"views": [{"name": "w"}]}, **artifact) == (["home"], [])
    assert needs(prefetch={"views": [{"name": "v"}, {"name": "w"}]}, **artifact) == ([], ["v"])
    assert needs(prefetch={"views": [{}]}, **artifact) == ([], ["v"])


def test_it_comes_after_those_that_the_artifact_lists_as_remote():
    broken = [a_rule(condition=UNKNOWN_OPERATOR)]
    asked = mboxes("new", "bad", "z")
    assert needs({"remoteMboxes": ["z"]}, bad=broken, execute=asked) == (["z", "bad", "new"], [])


def test_a_page_load_is_remote_if_a_rule_of_the_global_mbox_is_broken():
    assert needs(page_load=[a_rule(), a_rule(condition=UNKNOWN_OPERATOR)], execute={"pageLoad": {}}) == (
        [GLOBAL_MBOX],
        [],
    )
