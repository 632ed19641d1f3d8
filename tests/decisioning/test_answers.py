"""What a rule that holds answers with (semantics.md 4.1 merging, 4.3, 4.6, 4.7)."""

import pytest

from target_decisioning.decisioning import load_program
from target_decisioning.decisioning.offers import META_TOKENS
from tests.builders import CLIENT, a_rule, a_view_rule, an_artifact, decide, mboxes, offers, options

METHOD = {"activity.decisioningMethod": "on-device"}
CLICK = {"type": "click", "eventToken": "clicked", "selector": "#buy"}
DISPLAY = {"type": "display", "eventToken": "seen"}


def answered(rule, mode="execute", **request):
    """The one entry that is answered to an mbox with this rule, without its response tokens."""
    decision = decide(an_artifact(home=[rule]), **{mode: mboxes("home")}, **request)
    (entry,) = getattr(decision, mode)["mboxes"]
    for option in entry["options"]:
        assert option.pop("responseTokens") == METHOD
    return entry


# -- execute --------------------------------------------------------------------------------------------------------


def test_an_executed_offer_has_no_event_token():
    option = {"type": "html", "content": "x", "eventToken": "t"}
    assert answered(a_rule(options=[option])) == {
        "name": "home",
        "options": [{"type": "html", "content": "x"}],
        "index": 0,
    }


def test_executed_blanks_are_dropped():
    """A blank has neither a type nor content; null is a value."""
    blanks = [{}, {"eventToken": "t"}, {"id": 5}]
    kept = [{"type": None}, {"content": None}, {"type": "json", "content": {}}, {"content": ""}]
    assert answered(a_rule(options=[*blanks, *kept]))["options"] == kept


def test_a_control_offer_leaves_no_options():
    assert answered(a_rule(options=[{"eventToken": "control"}]))["options"] == []


def test_of_executed_metrics_only_clicks_are_left():
    assert answered(a_rule(metrics=[DISPLAY, CLICK, {"eventToken": "?"}]))["metrics"] == [CLICK]


@pytest.mark.parametrize("metrics", [[], [DISPLAY]])
def test_without_clicks_there_is_no_list_of_metrics(metrics):
    assert "metrics" not in answered(a_rule(metrics=metrics))


# -- prefetch -------------------------------------------------------------------------------------------------------


def test_prefetched_offers_keep_their_event_tokens_and_blanks_but_no_metrics():
    rule = a_rule(options=[{"type": "html", "content": "x", "eventToken": "t"}, {}], metrics=[CLICK])
    assert answered(rule, "prefetch") == {
        "name": "home",
        "options": [{"type": "html", "content": "x", "eventToken": "t"}, {}],
        "index": 0,
    }


@pytest.mark.parametrize(
    ("option", "metric", "token"),
    [
        ({}, DISPLAY, "seen"),
        ({"eventToken": "own"}, DISPLAY, "own"),
        ({"eventToken": None}, DISPLAY, None),
        ({}, CLICK, "none"),
        ({}, {"type": "display"}, "none"),
    ],
)
def test_a_prefetched_offer_without_a_token_takes_that_of_the_display_metric_at_its_place(option, metric, token):
    rule = a_rule(options=[{"content": "other"}, option], metrics=[CLICK, metric])
    first, second = answered(rule, "prefetch")["options"]
    assert first == {"content": "other"}
    assert second.get("eventToken", "none") == token


def test_more_offers_than_metrics_are_left_without():
    assert answered(a_rule(options=[{"type": "a"}, {"type": "b"}], metrics=[DISPLAY]), "prefetch")["options"] == [
        {"type": "a", "eventToken": "seen"},
        {"type": "b"},
    ]


def test_execute_does_not_take_tokens_from_metrics():
    assert answered(a_rule(options=[{"type": "a"}], metrics=[DISPLAY]))["options"] == [{"type": "a"}]


# -- what else a consequence has ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["execute", "prefetch"])
def test_the_consequences_own_keys_are_answered(mode):
    rule = a_rule(options=[])
    rule["consequence"] |= {"name": "other name", "state": {"a": [1]}, "index": 99}
    assert answered(rule, mode) == {"name": "other name", "state": {"a": [1]}, "options": [], "index": 0}


def test_a_view_has_no_index_even_if_its_rule_says_so():
    rule = a_view_rule(options=[])
    rule["consequence"]["index"] = 3
    decision = decide(an_artifact(views={"v": [rule]}), prefetch={"views": [{"name": "v"}]})
    assert decision.prefetch == {"views": [{"name": "v", "options": [], "metrics": []}]}


def test_offers_of_any_type_keep_their_content_and_further_keys():
    kept = [
        {"type": "json", "content": {"a": [{"b": None}]}, "id": 1},
        {"type": "redirect", "content": "https://example.com/?a=${mbox.name}"},
        {"type": "dynamic", "content": "${mbox.name}"},
        {"type": "actions", "content": "no list ${mbox.name}"},
        {"type": "html", "content": {"no": "text ${mbox.name}"}},
        {"type": ["html"], "content": "${mbox.name}", "more": {"x": []}},
        {"type": "actions", "content": [{"type": "insertAfter", "asset": {"a": 1}}, "text", None, ["${mbox.name}"]]},
    ]
    assert answered(a_rule(options=kept))["options"] == kept


# -- merging --------------------------------------------------------------------------------------------------------


def test_a_page_load_joins_options_in_rule_order_and_metrics_by_token():
    """The place of the first, the value of the last; what has no token counts as one."""
    first = [CLICK, {"type": "click", "eventToken": "other"}, {"type": "click", "selector": "#1"}]
    second = [{**CLICK, "selector": "#last"}, {"type": "click", "selector": "#2"}]
    artifact = an_artifact(page_load=[a_rule("a", metrics=first), a_rule("b", metrics=second)])
    decision = decide(artifact, execute={"pageLoad": {}})
    assert offers(decision) == ["a", "b"]
    assert decision.execute["pageLoad"]["metrics"] == [
        {**CLICK, "selector": "#last"},
        {"type": "click", "eventToken": "other"},
        {"type": "click", "selector": "#2"},
    ]


def test_a_prefetched_page_load_has_no_metrics():
    decision = decide(an_artifact(page_load=[a_rule("a", metrics=[CLICK])]), prefetch={"pageLoad": {}})
    assert decision.prefetch["pageLoad"].keys() == {"options"}


def test_a_page_load_has_nothing_of_the_consequence_but_options_and_metrics():
    rule = a_rule("a", metrics=[CLICK])
    rule["consequence"] |= {"name": "x", "index": 3, "state": "s"}
    assert decide(an_artifact(page_load=[rule]), execute={"pageLoad": {}}).execute["pageLoad"].keys() == {
        "options",
        "metrics",
    }


def test_a_view_is_merged_by_the_name_of_the_consequence():
    """Options and metrics joined in order, everything else from the first."""
    rules = [
        a_view_rule("a", name="one", metrics=[CLICK, DISPLAY]),
        a_view_rule("b", name="two"),
        a_view_rule("c", name="one", metrics=[CLICK]),
    ]
    rules[0]["consequence"]["state"], rules[2]["consequence"]["state"] = "first", "last"
    decision = decide(an_artifact(views={"v": rules}), prefetch={"views": [{"name": "v"}]})
    one, two = decision.prefetch["views"]
    assert [option["content"][0]["content"] for option in one["options"]] == ["a", "c"]
    assert (one["name"], one["metrics"], one["state"]) == ("one", [CLICK, DISPLAY, CLICK], "first")
    assert (two["name"], two["metrics"]) == ("two", [])


def test_views_of_one_name_in_several_views_are_one_entry():
    views = {"a": [a_view_rule("x", name="same")], "b": [a_view_rule("y", name="same")]}
    (entry,) = decide(an_artifact(views=views), prefetch={"views": [{}]}).prefetch["views"]
    assert len(entry["options"]) == 2


@pytest.mark.parametrize("metrics", [{}, {"metrics": None}])
def test_a_view_rule_without_metrics_has_an_empty_list_of_them(metrics):
    """D33: the reference fails."""
    rules = [a_view_rule("a"), a_view_rule("b")]
    for rule in rules:
        del rule["consequence"]["metrics"]
        rule["consequence"] |= metrics
    (entry,) = decide(an_artifact(views={"v": rules}), prefetch={"views": [{"name": "v"}]}).prefetch["views"]
    assert entry["metrics"] == []
    assert len(entry["options"]) == 2


# -- response tokens ------------------------------------------------------------------------------------------------

META = {key: f"value of {key}" for key in META_TOKENS}
PLACE = {"city": "OSLO", "countryCode": "NO", "stateCode": "03", "latitude": 59.9, "longitude": 0, "zip": "0150"}
GEO_TOKENS = ["geo.longitude", "geo.latitude", "geo.state", "geo.country", "geo.city"]


def tokens(listed, *, meta=META, context=None, mode="execute"):
    artifact = an_artifact(home=[a_rule("a", meta=meta)], frame={"responseTokens": listed})
    (option,) = options(decide(artifact, **{mode: mboxes("home")}, context=context or {}))
    return option["responseTokens"]


@pytest.mark.parametrize("mode", ["execute", "prefetch"])
def test_listed_tokens_come_in_their_order_from_meta_then_the_method_then_the_place(mode):
    found = tokens([*GEO_TOKENS, *reversed(META_TOKENS)], context={"geo": PLACE}, mode=mode)
    assert list(found.items()) == [
        *META.items(),
        *METHOD.items(),
        ("geo.city", "OSLO"),
        ("geo.country", "NO"),
        ("geo.state", "03"),
        ("geo.latitude", 59.9),
        ("geo.longitude", 0),
    ]


def test_the_method_is_told_though_nothing_is_listed():
    assert tokens([], context={"geo": PLACE}) == METHOD


def test_a_token_keeps_its_type():
    meta = {"activity.id": 125873, "offer.id": None, "option.id": False, "experience.name": ["a"]}
    listed = ["activity.id", "offer.id", "option.id", "experience.name"]
    assert tokens(listed, meta=meta) == {**METHOD, **meta}


def test_what_is_not_known_has_no_token():
    listed = [*META_TOKENS, *GEO_TOKENS, "profile.age", "audience.ids", "activity.decisioningMethod"]
    meta = {"activity.name": "A", "audience.ids": [1]}
    context = {"geo": {"city": "OSLO"}}
    assert tokens(listed, meta=meta, context=context).keys() == {
        "activity.id",
        "activity.name",
        "activity.type",
        "experience.id",
        "activity.decisioningMethod",
        "geo.city",
    }
    assert "geo.city" not in tokens(listed, context={"geo": {}})


def test_every_option_has_its_tokens():
    rule = a_rule(options=[{"type": "a"}, {"type": "b"}])
    artifact = an_artifact(home=[rule], page_load=[rule], views={"v": [{**rule, "ruleKey": "v"}]})
    decision = decide(artifact, execute={**mboxes("home"), "pageLoad": {}}, prefetch={"views": [{}]})
    assert [option["responseTokens"] for option in options(decision)] == [METHOD] * 6


# -- macros ---------------------------------------------------------------------------------------------------------


def filled(text, *, offer_type="html", meta=None, **asked):
    content = [{"type": "setHtml", "content": text}] if offer_type == "actions" else text
    rule = a_rule(options=[{"type": offer_type, "content": content}], meta={"activity.name": "A", **(meta or {})})
    (found,) = offers(decide(an_artifact(home=[rule]), execute=mboxes("home", **asked)))
    return found[0]["content"] if offer_type == "actions" else found


@pytest.mark.parametrize("offer_type", ["html", "actions"])
@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("no macro", "no macro"),
        ("", ""),
        ("${campaign.name}", "A"),
        ("<b>${mbox.name}</b>", "<b>home</b>"),
        ("${index} ${level}", "0 gold"),
        ("${mbox.level} of ${campaign.name}", "gold of A"),
        ("${nobody}", "${nobody}"),
        ("${parameters}", "[object Object]"),
        ("${nothing}", "null"),
        ("${blank}", ""),
    ],
)
def test_macros_are_filled_in_html_and_in_the_texts_of_actions(offer_type, text, result):
    parameters = {"level": "gold", "activity.name": "meta wins", "nothing": None, "blank": ""}
    assert filled(text, offer_type=offer_type, parameters=parameters) == result


def test_macros_without_parameters_stay():
    assert filled("${level}") == "${level}"


def test_an_action_keeps_its_other_keys():
    actions = [
        {"type": "setHtml", "content": "${mbox.name}", "asset": {"ids": [1]}, "selector": "${mbox.name}"},
        {"type": "setHtml", "content": "${campaign.id}", "asset": {"ids": [2]}},
        {"type": "setAttribute", "content": {"href": "${mbox.name}"}},
        {"type": "remove"},
    ]
    rule = a_rule(options=[{"type": "actions", "content": actions}], activity=7)
    (found,) = offers(decide(an_artifact(home=[rule]), mbox="home"))
    assert found == [{**actions[0], "content": "home"}, {**actions[1], "content": "7"}, *actions[2:]]


def test_in_a_page_load_the_name_is_that_of_the_global_mbox():
    rule = a_rule(options=[{"type": "html", "content": "${mbox.name} ${level}"}])
    artifact = an_artifact(everywhere=[rule], frame={"globalMbox": "everywhere"})
    decision = decide(artifact, execute={"pageLoad": {"parameters": {"level": "gold"}}})
    assert offers(decision) == ["everywhere gold"]


def test_macros_see_the_entry_that_asked():
    program = load_program(an_artifact(home=[a_rule(options=[{"type": "html", "content": "${index}${a}"}])]), CLIENT)
    entries = [{"name": "home", "index": at, "parameters": {"a": f"-{at}"}} for at in (1, 2)]
    assert offers(decide(program, execute={"mboxes": entries})) == ["1-1", "2-2"]


def test_macros_in_views_see_name_and_key():
    rule = a_view_rule("${mbox.name}${key}${index}")
    (found,) = offers(decide(an_artifact(views={"v": [rule]}), prefetch={"views": [{"name": "v", "key": "#k"}]}))
    assert found[0]["content"] == "v#k${index}"
