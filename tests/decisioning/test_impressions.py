"""The display notifications that a decision owes (semantics.md 4.9)."""

import itertools

import pytest

from tests.builders import GLOBAL_MBOX, NOON, a_rule, a_view_rule, an_artifact, decide, mboxes


def owed(artifact, **request):
    """Names and tokens of the impressions."""
    decision = decide(artifact, **request)
    return [(impression["mbox"]["name"], impression["tokens"]) for impression in decision.impressions]


def test_a_rule_that_holds_owes_one_impression_with_the_tokens_of_all_its_options():
    artifact = an_artifact(home=[a_rule(options=[{"type": "html", "eventToken": "a"}, {}, {"eventToken": "blank"}])])
    decision = decide(artifact, mbox="home", new_ids=iter(["one", "two"]))
    assert decision.impressions == [
        {
            "id": "one",
            "impressionId": "two",
            "timestamp": NOON,
            "type": "display",
            "mbox": {"name": "home"},
            "tokens": ["a", "blank"],
        }
    ]


def test_no_two_share_an_id():
    artifact = an_artifact(a=[a_rule("a")], b=[a_rule("b")])
    decision = decide(artifact, execute=mboxes("a", "b"), new_ids=map(str, itertools.count()))
    ids = [impression[key] for impression in decision.impressions for key in ("id", "impressionId")]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("options", [[], [{"type": "html", "content": "x"}]])
def test_options_without_tokens_owe_nothing(options):
    assert owed(an_artifact(home=[a_rule(options=options)]), mbox="home") == []


def test_a_token_that_is_null_is_one():
    assert owed(an_artifact(home=[a_rule(options=[{"eventToken": None}])]), mbox="home") == [("home", [None])]


def test_a_blank_owes_nothing():
    assert owed(an_artifact(home=[a_rule(condition=False)]), execute={**mboxes("home", "x"), "pageLoad": {}}) == []


def test_prefetch_owes_nothing():
    artifact = an_artifact(home=[a_rule()], page_load=[a_rule()], views={"v": [a_view_rule()]})
    assert owed(artifact, prefetch={**mboxes("home"), "pageLoad": {}, "views": [{}]}) == []


def test_a_token_counts_once_per_request_under_one_name():
    artifact = an_artifact(home=[a_rule("a")])
    assert owed(artifact, execute=mboxes("home", "home")) == [("home", ["a-seen"])]
    assert owed(artifact, execute=mboxes("home")) == owed(artifact, execute=mboxes("home"))


def test_a_token_counts_once_in_a_rule():
    assert owed(an_artifact(home=[a_rule(options=[{"eventToken": "a"}] * 2)]), mbox="home") == [("home", ["a"])]


def test_the_same_token_counts_again_under_another_name():
    rule = a_rule("a")
    assert owed(an_artifact(one=[rule], two=[rule]), execute=mboxes("one", "two")) == [
        ("one", ["a-seen"]),
        ("two", ["a-seen"]),
    ]


def test_the_name_is_that_of_the_consequence():
    assert owed(an_artifact(home=[a_rule("a", name="other")]), mbox="home") == [("other", ["a-seen"])]


def test_a_consequence_without_a_name_is_told_without_one():
    artifact = an_artifact(home=[a_rule("a")])
    del artifact["rules"]["mboxes"]["home"][0]["consequence"]["name"]
    [told] = decide(artifact, mbox="home").impressions
    assert told["mbox"] == {}


def test_only_tokens_that_are_new_are_told():
    artifact = an_artifact(
        page_load=[
            a_rule("a", options=[{"eventToken": "1"}, {"eventToken": "2"}]),
            a_rule("b", options=[{"eventToken": "2"}, {"eventToken": "3"}]),
            a_rule("c", options=[{"eventToken": "1"}, {"eventToken": "3"}]),
        ]
    )
    assert owed(artifact, execute={"pageLoad": {}}) == [(GLOBAL_MBOX, ["1", "2"]), (GLOBAL_MBOX, ["3"])]


def test_a_page_load_and_the_global_mbox_share_what_is_counted():
    """The mbox comes first, and owes it."""
    artifact = an_artifact(page_load=[a_rule("a")])
    assert owed(artifact, execute={"pageLoad": {}, **mboxes(GLOBAL_MBOX)}) == [(GLOBAL_MBOX, ["a-seen"])]


def test_an_offer_that_execute_has_shown_is_owed_though_it_is_prefetched_too():
    artifact = an_artifact(home=[a_rule("a")])
    assert owed(artifact, prefetch=mboxes("home"), execute=mboxes("home")) == [("home", ["a-seen"])]


def test_rules_that_were_passed_over_owe_nothing():
    artifact = an_artifact(home=[a_rule("no", condition=False), a_rule("first"), a_rule("second")])
    assert owed(artifact, mbox="home") == [("home", ["first-seen"])]


def test_impressions_are_owed_in_the_order_of_the_decision():
    artifact = an_artifact(a=[a_rule("a")], b=[a_rule("b")], page_load=[a_rule("p"), a_rule("q")])
    asked = {"pageLoad": {}, **mboxes("b", "a")}
    assert [tokens for _, tokens in owed(artifact, execute=asked)] == [["b-seen"], ["a-seen"], ["p-seen"], ["q-seen"]]
