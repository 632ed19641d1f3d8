"""Why a request was decided as it was (semantics.md 4.11)."""

import json

import pytest

from target_decisioning.decisioning import load_program
from tests.builders import (
    CLIENT,
    GLOBAL_MBOX,
    NOON,
    TRACE,
    a_rule,
    a_view_rule,
    an_artifact,
    answers,
    decide,
    mboxes,
)


def traces(artifact, **request):
    return [entry["trace"] for entry in answers(decide(artifact, trace=True, **request))]


def trace_of(rules, mode="execute", **request):
    (trace,) = traces(an_artifact(home=rules), **{mode: mboxes("home")}, **request)
    return trace


def test_nothing_is_traced_unless_asked():
    artifact = an_artifact(home=[a_rule()], page_load=[a_rule()], views={"v": [a_view_rule()]})
    decision = decide(artifact, execute={**mboxes("home", "x"), "pageLoad": {}}, prefetch={"views": [{}]})
    assert all("trace" not in entry for entry in answers(decision))


def test_a_trace_begins_with_its_surroundings():
    context = {"address": {"url": "https://www.shop.example.com/a?b"}}
    trace = trace_of([a_rule()], context=context)
    assert list(trace) == [
        "clientCode", "artifact", "profile", "request", "campaigns", "evaluatedCampaignTargets"
    ]  # fmt: skip
    assert (trace["clientCode"], trace["artifact"]) == (TRACE.client_code, TRACE.artifact)
    assert trace["request"] == {
        "sessionId": "session",
        "pageURL": "https://www.shop.example.com/a?b",
        "host": "example.com",
        "mbox": {"name": "home", "index": 0, "type": "execute"},
    }


@pytest.mark.parametrize(
    ("ids", "visitor"),
    [
        ({"tntId": "t.28_0"}, {"tntId": "t", "profileLocation": "28_0"}),
        ({"tntId": "t.28_0.more"}, {"tntId": "t", "profileLocation": "28_0"}),
        ({"tntId": "t"}, {"tntId": "t"}),
        ({"tntId": 5}, {"tntId": "5"}),
        ({"marketingCloudVisitorId": "m"}, {"marketingCloudVisitorId": "m"}),
        ({"tntId": ".28_0", "customerIds": [{"id": "c"}]},
         {"tntId": "", "customerIds": [{"id": "c"}], "profileLocation": "28_0"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_the_visitor_is_told_without_his_location_hint(ids, visitor):
    assert trace_of([a_rule()], id=ids)["profile"] == {"visitorId": visitor}


def test_a_visitor_without_an_id_is_traced_too():
    assert trace_of([a_rule()], visitor=None)["profile"] == {"visitorId": {}}


# -- where there is one ---------------------------------------------------------------------------------------------


def test_each_answer_has_one_blanks_and_empty_page_loads_too():
    """D34: the reference leaves out the one of an empty page load."""
    artifact = an_artifact(home=[a_rule()], page_load=[a_rule(condition=False)], views={"v": [a_view_rule()], "w": []})
    found = traces(
        artifact,
        execute={**mboxes("home", "nobody"), "pageLoad": {"parameters": {"a": "b"}}},
        prefetch={"views": [{"name": "v", "key": "k"}, {"name": "w"}]},
    )
    assert [{key: trace["request"][key] for key in ("mbox", "view") if key in trace["request"]} for trace in found] == [
        {"mbox": {"name": "home", "index": 0, "type": "execute"}},
        {"mbox": {"name": "nobody", "index": 1, "type": "execute"}},
        {"mbox": {"name": GLOBAL_MBOX, "parameters": {"a": "b"}, "type": "execute"}},
        {"view": {"name": "v", "key": "k", "type": "prefetch"}},
    ]


def test_a_page_load_has_the_trace_of_its_last_match():
    rules = [a_rule("a", activity=1), a_rule("b", activity=2), a_rule("c", activity=3, condition=False)]
    (trace,) = traces(an_artifact(page_load=rules), execute={"pageLoad": {}})
    assert [campaign["id"] for campaign in trace["campaigns"]] == [1, 2]
    assert [target["campaignId"] for target in trace["evaluatedCampaignTargets"]] == [1, 2]


def test_a_merged_view_has_the_trace_of_its_first_match():
    rules = [a_view_rule("a", activity=1), a_view_rule("b", activity=2)]
    (trace,) = traces(an_artifact(views={"v": rules}), prefetch={"views": [{}]})
    assert [campaign["id"] for campaign in trace["campaigns"]] == [1]


# -- campaigns ------------------------------------------------------------------------------------------------------


def test_a_campaign_is_told_of_each_activity_that_answered_with_what_it_owes():
    meta = {"activity.type": "landing", "experience.id": 3, "offer.id": 77}
    (trace,) = traces(an_artifact(home=[a_rule("a", activity=9, meta=meta)]), mbox="home")
    assert trace["campaigns"] == [
        {
            "id": 9,
            "campaignType": "landing",
            "branchId": 3,
            "offers": [77],
            "environment": "production",
            "notifications": [
                {
                    "id": "id-0",
                    "impressionId": "id-1",
                    "timestamp": NOON,
                    "type": "display",
                    "mbox": {"name": "home"},
                    "tokens": ["a-seen"],
                }
            ],
        }
    ]


def test_what_a_trace_tells_of_is_sent_with_the_same_ids():
    artifact = an_artifact(home=[a_rule("a", activity=1)], page_load=[a_rule("b", activity=2)])
    decision = decide(artifact, trace=True, execute={**mboxes("home"), "pageLoad": {}})
    *_, last = answers(decision)
    told = [one for campaign in last["trace"]["campaigns"] for one in campaign["notifications"]]
    assert told == decision.impressions == decision.impressions
    assert len(told) == 2


def test_prefetch_tells_no_notifications():
    (campaign,) = trace_of([a_rule()], "prefetch")["campaigns"]
    assert "notifications" not in campaign


def test_a_rule_that_owes_nothing_adds_no_notification():
    (campaign,) = trace_of([a_rule(options=[])])["campaigns"]
    assert campaign["notifications"] == []


def test_what_the_meta_does_not_say_is_left_out():
    rule = {"condition": True, "consequence": {"options": []}}
    trace = trace_of([rule])
    assert trace["campaigns"] == [{"offers": [], "environment": "production", "notifications": []}]
    (target,) = trace["evaluatedCampaignTargets"]
    assert {"campaignId", "campaignType"}.isdisjoint(target)


def test_an_activity_is_told_once_with_all_that_it_owes():
    rules = [a_rule("a", meta={"offer.id": 1}), a_rule("b", meta={"offer.id": 2}), a_rule("c", activity=2)]
    (trace,) = traces(an_artifact(page_load=rules), execute={"pageLoad": {}})
    assert [(campaign["id"], campaign["offers"]) for campaign in trace["campaigns"]] == [(1, [1]), (2, [])]
    assert [[one["tokens"] for one in campaign["notifications"]] for campaign in trace["campaigns"]] == [
        [["a-seen"], ["b-seen"]],
        [["c-seen"]],
    ]


# -- evaluated targets ----------------------------------------------------------------------------------------------


def targets(rules, **request):
    told = (
        "campaignId",
        "matchedSegmentIds",
        "unmatchedSegmentIds",
        "matchedRuleConditions",
        "unmatchedRuleConditions",
    )
    found = trace_of(rules, **request)["evaluatedCampaignTargets"]
    return [tuple(target[key] for key in told) for target in found]


def test_only_evaluated_rules_are_told_one_target_per_activity_in_order():
    rules = [
        a_rule("a", activity=5, condition={"==": [1, 2]}, meta={"audience.ids": [7, 8, 7]}),
        a_rule("b", activity=3, condition=False, meta={"audience.ids": [1]}),
        a_rule("c", activity=5, condition={"==": [1, 1]}, meta={"audience.ids": [8, 9, 9]}),
        a_rule("d", activity=4),
    ]
    assert targets(rules) == [
        (5, [8, 9], [7, 8], [{"==": [1, 1]}], [{"==": [1, 2]}]),
        (3, [], [1], [], [False]),
    ]


def test_segments_are_told_once_conditions_as_often_as_they_were_evaluated():
    rules = [a_rule(str(number), condition=False, meta={"audience.ids": [7, number]}) for number in (1, 2)]
    assert targets(rules) == [(1, [], [7, 1, 2], [], [False, False])]


def test_a_condition_that_is_missing_is_left_out():
    rule = a_rule()
    del rule["condition"]
    assert targets([rule]) == [(1, [], [], [], [])]


def test_a_rule_whose_key_has_answered_is_not_told():
    rules = [a_rule("a", ruleKey="k", activity=1), a_rule("b", ruleKey="k", activity=2)]
    (trace,) = traces(an_artifact(page_load=rules), execute={"pageLoad": {}})
    assert [target["campaignId"] for target in trace["evaluatedCampaignTargets"]] == [1]


def test_rules_of_other_properties_are_not_told():
    assert targets([a_rule("a", propertyTokens=["p"])]) == []


def test_rules_that_fail_or_cannot_be_understood_are_told_as_unmatched():
    rules = [a_rule("a", condition={"*": []}), a_rule("b", condition={"nope": 1})]
    assert targets(rules) == [(1, [], [], [], [{"*": []}, {"nope": 1}])]


def test_activities_whose_ids_read_alike_are_one():
    rules = [a_rule("a", activity=5, condition=False), a_rule("b", activity="5")]
    assert len(targets(rules)) == 1


def test_the_context_is_told_whole_whatever_the_conditions_read():
    context = {
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
        "geo": {"city": "OSLO", "ipAddress": "127.0.0.1"},
        "address": {"url": "https://example.com/", "referringUrl": "https://example.org/"},
    }
    asked = mboxes("home", parameters={"a.b": "X"}, address={"url": "https://own.example.com/"})
    (trace,) = traces(an_artifact(home=[a_rule()]), context=context, execute=asked)
    (target,) = trace["evaluatedCampaignTargets"]
    told = target["context"]
    assert list(told) == [
        "current_timestamp", "current_time", "current_day", "user", "page", "referring", "geo", "mbox", "allocation"
    ]  # fmt: skip
    assert (told["current_timestamp"], told["current_time"], told["current_day"]) == (NOON, "1200", 1)
    assert (told["user"]["browserType"], told["geo"]) == ("firefox", {"city": "OSLO"})
    assert (told["page"]["subdomain"], told["referring"]["url"]) == ("own", "")
    assert told["mbox"] == {"a": {"b": "X", "b_lc": "x"}}
    assert 0 <= told["allocation"] < 100
    assert trace["request"]["pageURL"] == "https://example.com/"


def test_the_context_is_that_of_the_activitys_first_evaluation():
    artifact = an_artifact(home=[a_rule(condition=False)])
    entries = [{"name": "home", "index": at, "parameters": {"at": at}} for at in (1, 2)]
    _, trace = traces(artifact, execute={"mboxes": entries})
    (target,) = trace["evaluatedCampaignTargets"]
    assert target["context"]["mbox"] == {"at": 1}


# -- counting on ----------------------------------------------------------------------------------------------------


def test_counting_goes_on_over_the_entries_of_a_mode_and_begins_anew_with_the_next():
    artifact = an_artifact(a=[a_rule("a", activity=1)], b=[a_rule("b", activity=2)])
    found = traces(artifact, execute=mboxes("a", "b"), prefetch=mboxes("b"))
    assert [[campaign["id"] for campaign in trace["campaigns"]] for trace in found] == [[1], [1, 2], [2]]


def test_a_trace_says_what_had_been_counted_when_its_entry_was_done():
    """D35: in the reference the conditions and notifications of later entries show in earlier traces."""
    artifact = an_artifact(a=[a_rule("a")], b=[a_rule("b", condition=False)], c=[a_rule("c")])
    first, second, third = traces(artifact, execute=mboxes("a", "b", "c"))
    assert [len(trace["campaigns"][0]["notifications"]) for trace in (first, second, third)] == [1, 1, 2]
    counted = [
        [len(trace["evaluatedCampaignTargets"][0][f"{kind}RuleConditions"]) for kind in ("matched", "unmatched")]
        for trace in (first, second, third)
    ]
    assert counted == [[1, 0], [1, 1], [2, 1]]


# -- for itself -----------------------------------------------------------------------------------------------------


def test_tracing_changes_no_answer():
    rules = [a_rule("a", allocation=(0, 50)), a_rule("b")]
    artifact = an_artifact(home=rules, page_load=rules, views={"v": [a_view_rule()]})
    request = {"execute": {**mboxes("home", "x"), "pageLoad": {}}, "prefetch": {"views": [{}]}}
    traced, plain = decide(artifact, trace=True, **request), decide(artifact, **request)
    for entry in answers(traced):
        del entry["trace"]
    assert (traced.execute, traced.prefetch, traced.impressions) == (plain.execute, plain.prefetch, plain.impressions)
    assert (traced.errors, traced.ends) == (plain.errors, plain.ends)


def test_a_trace_shares_nothing_with_the_program_the_request_or_another_trace():
    condition = {"==": [{"var": "mbox.list"}, 1]}
    program = load_program(
        an_artifact(home=[a_rule("a", condition=condition, meta={"audience.ids": [[1]]}), a_rule("b")]), CLIENT
    )
    request = {"execute": mboxes("home", "home", parameters={"list": [[1]]}), "id": {"customerIds": [{"id": "c"}]}}
    before, whole = json.dumps(request), json.dumps(traces(program, **request))
    first, second = traces(program, **request)
    second_before = json.dumps(second)
    _spoil(first)
    assert json.dumps(second) == second_before
    _spoil(second)
    assert json.dumps(request) == before
    assert json.dumps(traces(program, **request)) == whole


def _spoil(value):
    for part in list(value.values() if isinstance(value, dict) else value):
        if isinstance(part, dict | list):
            _spoil(part)
    value.clear()
