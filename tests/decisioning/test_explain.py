import datetime as dt
import itertools
import json
import random
import re
from pathlib import Path

import pytest

from target_decisioning.decisioning import decide, load_program, remote_needs
from target_decisioning.decisioning.explain import explain
from target_decisioning.decisioning.explanation import Verdict
from tests.decisioning.conditions.generated import Generator

SHOP = Path(__file__).parents[2] / "artifacts/shop.json"
NOW_MS = int(dt.datetime(2024, 3, 4, 12, 30, tzinfo=dt.UTC).timestamp() * 1000)
HUGO = {"tntId": "hugo"}  # stands at 28.55 in activity 700001 of client acme


def a_rule(condition=True, *, key=None, tokens=(), activity=700001, **consequence):
    return {
        "ruleKey": key,
        "propertyTokens": list(tokens),
        "meta": {"activity.id": activity, "activity.name": "Hero", "experience.id": 0, "experience.name": "A"},
        "condition": condition,
        "consequence": {"name": "home", "options": [], **consequence},
    }


def an_artifact(*home, views=None, **frame):
    rules = {"mboxes": {"home": list(home)}, "views": views or {}}
    return {"version": "1.0.0", "localMboxes": ["home"], "rules": rules, **frame}


def explained(artifact, asked=None, *, token=None, mode="execute", context=None):
    program = load_program(artifact, "acme")
    request = {"id": HUGO, "context": context or {}, mode: asked or {"mboxes": [{"name": "home", "index": 0}]}}
    if token:
        request["property"] = {"token": token}
    return explain(program, request, now_ms=NOW_MS, new_id=lambda: "new")


def verdicts(artifact, asked=None, **keywords):
    (location,) = explained(artifact, asked, **keywords).locations
    return [rule.verdict.value for rule in location.rules]


def the_rule(artifact, place=0, **keywords):
    return explained(artifact, **keywords).locations[0].rules[place]


def test_the_first_rule_that_holds_wins_an_mbox_and_no_later_one_is_reached():
    assert verdicts(an_artifact(a_rule(False), a_rule(), a_rule(), a_rule(False))) == [
        "lost",
        "won",
        "not-reached",
        "not-reached",
    ]


def test_a_rule_that_is_not_reached_still_says_whether_it_would_hold():
    artifact = an_artifact(a_rule(), a_rule(), a_rule(False))
    assert [the_rule(artifact, place).holds for place in range(3)] == [True, True, False]


def test_a_page_load_takes_each_rule_that_holds_once_per_key():
    artifact = an_artifact(a_rule(key="a"), a_rule(key="a"), a_rule(False, key="b"), a_rule(key="b"), globalMbox="home")
    assert verdicts(artifact, {"pageLoad": {}}) == ["won", "key-answered", "lost", "won"]
    assert "home" in the_rule(artifact, 1).reason


def test_a_view_takes_each_rule_that_holds_once_per_key():
    artifact = an_artifact(views={"cart": [a_rule(key="a"), a_rule(key="a"), a_rule(key="b")]}, localViews=["cart"])
    assert verdicts(artifact, {"views": [{"name": "cart"}]}, mode="prefetch") == ["won", "key-answered", "won"]


def test_all_views_are_one_list_in_which_a_key_answers_once():
    views = {"cart": [a_rule(key="a")], "home": [a_rule(key="a"), a_rule(key="b")]}
    (location,) = explained(an_artifact(views=views), {"views": [{}]}, mode="prefetch").locations
    assert [(rule.where, rule.verdict) for rule in location.rules] == [
        ('rules.views["cart"][0]', Verdict.WON),
        ('rules.views["home"][0]', Verdict.KEY_ANSWERED),
        ('rules.views["home"][1]', Verdict.WON),
    ]


@pytest.mark.parametrize(("token", "expected"), [("web", "won"), ("app", "wrong-property"), (None, "wrong-property")])
def test_a_rule_of_other_properties_is_never_looked_at(token, expected):
    rule = the_rule(an_artifact(a_rule(tokens=["web", "web-test"])), token=token)
    assert (rule.verdict, rule.property_tokens) == (expected, ("web", "web-test"))


def test_the_allocation_is_the_visitors_in_the_rules_own_activity():
    artifact = an_artifact(
        a_rule(False), a_rule(False, activity=700012), a_rule({"<=": [{"var": "allocation"}, 28.55]})
    )
    assert [the_rule(artifact, place).allocation for place in range(3)] == [28.55, 87.65, 28.55]
    assert the_rule(artifact, 2).verdict == "won"


def test_a_visitor_whom_nothing_names_gets_a_new_key():
    program = load_program(an_artifact(a_rule()), "acme")
    request = {"context": {}, "execute": {"mboxes": [{"name": "home", "index": 0}]}}
    assert explain(program, request, now_ms=NOW_MS, new_id=lambda: "new").visitor_key == "new"


def test_conditions_see_parameters_page_and_time_of_the_request():
    conditions = {
        "and": [{"==": [{"var": key}, 0]} for key in ("mbox.a.b", "page.path", "current_time", "current_day")]
    }
    asked = {"mboxes": [{"name": "home", "index": 0, "parameters": {"a.b": "x"}}]}
    context = {"address": {"url": "https://shop.example.com/tents"}}
    (location,) = explained(an_artifact(a_rule(conditions)), asked, context=context).locations
    assert [check.seen[0].value for check in location.rules[0].check.checks] == ["x", "/tents", "1230", 1]


def test_an_entrys_own_address_is_what_its_conditions_see():
    asked = {"mboxes": [{"name": "home", "index": 0, "address": {"url": "https://a.example.org/"}}]}
    artifact = an_artifact(a_rule({"==": [{"var": "page.domain"}, "example.org"]}))
    assert verdicts(artifact, asked, context={"address": {"url": "https://b.example.com/"}}) == ["won"]


def test_a_rule_with_an_operator_that_nobody_knows_is_broken_even_if_its_condition_has_a_value():
    rule = the_rule(an_artifact(a_rule({"or": [True, {"nope": 1}]}), a_rule()))
    assert (rule.verdict, rule.holds) == ("broken", None)
    assert "nope" in rule.reason


def test_a_rule_whose_condition_has_no_value_for_this_request_fails():
    rule = the_rule(an_artifact(a_rule({"*": []})))
    assert (rule.verdict, rule.reason) == ("failed", "the condition '*' has no argument")


def test_rules_that_cannot_be_read_stand_in_their_places():
    deep = True
    for _ in range(70):
        deep = {"!": [deep]}
    artifact = an_artifact("no rule", a_rule(), a_rule(deep), {"condition": True, "consequence": []}, a_rule(False))
    found = explained(artifact).locations[0].rules
    assert [rule.verdict for rule in found] == ["broken", "won", "broken", "broken", "not-reached"]
    assert [rule.where for rule in found] == [f'rules.mboxes["home"][{place}]' for place in range(5)]
    assert "deeper" in found[2].reason
    assert "consequence" in found[3].reason


def test_a_location_whose_rules_are_no_list_has_none_to_show():
    artifact = an_artifact(views={"cart": [a_rule()]})
    artifact["rules"]["mboxes"]["home"] = 5
    (location,) = explained(artifact).locations
    assert location.rules == ()
    assert "a number" in location.why_remote


def test_a_name_that_looks_like_a_path_is_no_trouble():
    artifact = an_artifact()
    artifact["rules"]["mboxes"] = {'a"][1]["b': [7, a_rule()]}
    asked = {"mboxes": [{"name": 'a"][1]["b', "index": 0}]}
    assert verdicts(artifact, asked) == ["broken", "won"]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({}, None),
        ({"remoteMboxes": ["home"]}, "as well as"),
        ({"remoteMboxes": ["home"], "localMboxes": []}, "it is in remoteMboxes"),
        ({"localMboxes": []}, "does not know it"),
        ({"rules": {"mboxes": {"home": [a_rule({"nope": 1})]}}}, "a rule of it is broken"),
    ],
)
def test_a_location_that_needs_the_server_says_why(frame, words):
    why = explained(an_artifact(a_rule()) | frame).locations[0].why_remote
    assert why is None if words is None else words in why


@pytest.mark.parametrize(("views", "needs"), [([{}], True), ([{"name": "cart"}], False), ([{"name": "profile"}], True)])
def test_a_view_needs_the_server_as_the_engine_says(views, needs):
    artifact = an_artifact(a_rule(), localViews=["cart"], remoteViews=["profile"])
    (location,) = explained(artifact, {"views": views}, mode="prefetch").locations
    assert bool(location.why_remote) == needs
    _, remote = remote_needs(load_program(artifact, "acme"), {"prefetch": {"views": views}})
    assert bool(remote) == needs


def test_locations_come_in_the_order_in_which_they_are_decided():
    program = load_program(SHOP.read_bytes(), "acme")
    part = {"pageLoad": {}, "views": [{"name": "cart"}], "mboxes": [{"name": "home-hero", "index": 3}]}
    request = {"id": HUGO, "prefetch": part, "execute": {key: part[key] for key in ("pageLoad", "mboxes")}}
    found = explain(program, request, now_ms=NOW_MS, new_id=lambda: "new").locations
    assert [(location.mode, location.kind) for location in found] == [
        ("execute", "mbox"),
        ("execute", "pageLoad"),
        ("prefetch", "mbox"),
        ("prefetch", "view"),
        ("prefetch", "pageLoad"),
    ]


def test_an_explanation_is_json_ready():
    wire = explained(an_artifact(a_rule({"<": [{"+": ["x"]}, 1]}), a_rule(), "no rule")).to_wire()
    assert json.loads(json.dumps(wire, allow_nan=False)) == wire
    assert wire["now"] == "2024-03-04T12:30:00.000Z"
    (location,) = wire["locations"]
    assert location["answeredBy"] == ['rules.mboxes["home"][1]']
    assert location["rules"][0]["condition"]["saw"] == [{"expression": {"+": ["x"]}, "value": "NaN"}]


def random_artifact(seed):
    """Rules of all sorts, each of which answers with its own place."""
    pick, generator = random.Random(seed), Generator(seed, loops=True)

    def rule(kind, name, place):
        condition = pick.choice([True, False, generator.condition(), generator.usual(), {"nope": [1]}])
        where = f'rules.{kind}["{name}"][{place}]'
        return {
            **a_rule(condition, key=pick.choice("abcd"), tokens=pick.sample(["web", "app"], pick.choice([0, 0, 1, 2]))),
            "consequence": {"name": f"{name}{place}", "options": [{"type": "json", "content": where}]},
        }

    def rules(kind, name):
        return [rule(kind, name, place) if pick.random() < 0.9 else None for place in range(6)]

    names = {"mboxes": ["home", "global"], "views": ["cart", "product"]}
    artifact = {kind: {name: rules(kind, name) for name in found} for kind, found in names.items()}
    return {"version": "1.0.0", "globalMbox": "global", "rules": json.loads(_finite(json.dumps(artifact)))}


def _finite(text):
    return re.sub(r"NaN|-?Infinity|\b[0-9]{300,}\b", "null", text)


def answered(part, ends):
    """Which rules have answered, for each asked entry, in the order of an explanation."""
    for kind, count in (("mboxes", 3), ("views", 3)):
        begin = 0
        for end in itertools.islice(ends, count if kind in part else 0):
            yield [option["content"] for entry in part[kind][begin:end] for option in entry.get("options", ())]
            begin = end
    if "pageLoad" in part:
        yield [option["content"] for option in part["pageLoad"]["options"]]


@pytest.mark.parametrize("seed", range(60))
def test_what_wins_here_is_what_the_engine_answers_with(seed):
    program = load_program(random_artifact(seed), "acme")
    mboxes = [{"name": name, "index": 0, "parameters": {"a": "1", "l": ["x"]}} for name in ("home", "global", "none")]
    request = {
        "id": {"tntId": f"visitor-{seed}"},
        "context": {"address": {"url": "https://a.example.com/b"}, "geo": {"countryCode": "a"}},
        "property": {"token": ["web", "app", "tv"][seed % 3]},
        "execute": {"mboxes": mboxes, "pageLoad": {}},
        "prefetch": {
            "mboxes": mboxes,
            "views": [{"name": "cart"}, {}, {"name": "none"}],
            "pageLoad": {"parameters": {}},
        },
    }
    decision = decide(program, request, now_ms=NOW_MS, new_id=lambda: "new")
    found = explain(program, request, now_ms=NOW_MS, new_id=lambda: "new").locations
    ends = iter(decision.ends)
    expected = [places for mode in (decision.execute, decision.prefetch) for places in answered(mode, ends)]
    assert [[rule.where for rule in location.winners] for location in found] == expected
