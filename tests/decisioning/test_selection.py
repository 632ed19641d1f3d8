"""Which rules answer, in which order (semantics.md 4.1, 4.2, 3.4)."""

import pytest

from target_decisioning.decisioning import load_program
from target_decisioning.decisioning.program import MAX_SORTED_TOKENS
from tests.builders import (
    CLIENT,
    GLOBAL_MBOX,
    NOON,
    a_rule,
    a_view_rule,
    a_visitor,
    an_artifact,
    answers,
    decide,
    mboxes,
    offers,
)

NEVER = False


def view_names(decision):
    return [entry["name"] for entry in decision.prefetch["views"]]


# -- mboxes ---------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_holds_answers():
    artifact = an_artifact(home=[a_rule("red", condition=NEVER), a_rule("green"), a_rule("blue")])
    assert offers(decide(artifact, mbox="home")) == ["green"]


def test_rules_after_it_are_not_evaluated():
    artifact = an_artifact(home=[a_rule("red"), a_rule("broken when run", condition={"*": []})])
    assert decide(artifact, mbox="home").errors == []


def test_a_visitor_beyond_a_rules_allocation_falls_to_the_next_rule():
    """Audience and allocation must both match."""
    artifact = an_artifact(
        home=[
            a_rule("red", allocation=(0, 50)),
            a_rule("green", allocation=(50, 100), condition={"==": [{"var": "mbox.member"}, "yes"]}),
            a_rule("blue", allocation=(50, 100)),
        ]
    )
    low, high = a_visitor(activity=1, between=(0, 50)), a_visitor(activity=1, between=(50.01, 100))
    assert offers(decide(artifact, mbox="home", visitor=low)) == ["red"]
    assert offers(decide(artifact, mbox="home", visitor=high)) == ["blue"]
    asked = mboxes("home", parameters={"member": "yes"})
    assert offers(decide(artifact, execute=asked, visitor=high)) == ["green"]


def test_each_activity_has_its_own_allocation():
    visitor = next(
        visitor
        for visitor in (f"visitor-{number}" for number in range(1000))
        if offers(decide(SPLITS, execute=mboxes("first", "second"), visitor=visitor)) == ["low", "high"]
    )
    assert offers(decide(SPLITS, execute=mboxes("second", "first"), visitor=visitor)) == ["high", "low"]


SPLITS = load_program(
    an_artifact(
        first=[a_rule("low", activity=1, allocation=(0, 50)), a_rule("high", activity=1)],
        second=[a_rule("low", activity=2, allocation=(0, 50)), a_rule("high", activity=2)],
    ),
    CLIENT,
)


def test_a_visitor_without_an_id_stands_at_one_place_in_all_rules_of_a_request():
    rules = [a_rule(f"to {limit}", allocation=(limit - 1, limit)) for limit in range(1, 101)]
    artifact = load_program(an_artifact(home=rules), CLIENT)
    for number in range(20):
        decision = decide(artifact, prefetch=mboxes("home", "home"), visitor=None, new_ids=iter([f"visitor-{number}"]))
        first, second = answers(decision)
        assert first["options"] == second["options"]


def test_the_client_code_is_part_of_the_allocation():
    artifact = an_artifact(home=[a_rule("low", allocation=(0, 50)), a_rule("high")])
    programs = [load_program(artifact, client) for client in ("acme", "other")]
    visitors = [f"visitor-{number}" for number in range(50)]
    assert any(
        len({offers(decide(one, mbox="home", visitor=visitor))[0] for one in programs}) == 2 for visitor in visitors
    )


@pytest.mark.parametrize("name", ["unheard-of", "", "__class__", "toString", "\ud800"])
def test_an_mbox_that_nobody_knows_is_blank(name):
    assert decide(an_artifact(home=[a_rule()]), mbox=name).execute == {"mboxes": [{"name": name, "index": 0}]}


def test_an_mbox_without_a_match_is_blank_with_the_index_it_was_asked_with():
    asked = {"mboxes": [{"name": "home", "index": 7, "parameters": {"a": "1"}}]}
    for mode in ("execute", "prefetch"):
        decision = decide(an_artifact(home=[a_rule(condition=NEVER)]), **{mode: asked})
        assert getattr(decision, mode) == {"mboxes": [{"name": "home", "index": 7}]}


def test_mboxes_are_answered_in_the_order_asked():
    artifact = an_artifact(a=[a_rule("a")], b=[a_rule("b")], c=[a_rule("c", condition=NEVER)])
    asked = {"mboxes": [{"name": name, "index": 5} for name in ("c", "b", "a", "b")]}
    answered = decide(artifact, execute=asked).execute["mboxes"]
    assert [entry["name"] for entry in answered] == ["c", "b", "a", "b"]


# -- the global mbox and page loads ---------------------------------------------------------------------------------

EVERYWHERE = an_artifact(
    page_load=[
        a_rule("one", ruleKey="1"),
        a_rule("one again", ruleKey="1"),
        a_rule("two", ruleKey="2", condition=NEVER),
        a_rule("two again", ruleKey="2"),
        a_rule("three", ruleKey="3"),
    ]
)


def test_of_the_global_mbox_every_rule_that_holds_answers_one_per_rule_key():
    answered = decide(EVERYWHERE, execute={"mboxes": [{"name": GLOBAL_MBOX, "index": 4}]}).execute["mboxes"]
    assert [(entry["name"], entry["index"]) for entry in answered] == [(GLOBAL_MBOX, 4)] * 3
    assert [entry["options"][0]["content"] for entry in answered] == ["one", "two again", "three"]


def test_a_rule_whose_key_has_answered_is_not_evaluated():
    artifact = an_artifact(page_load=[a_rule("one", ruleKey="1"), a_rule("fails", ruleKey="1", condition={"*": []})])
    assert decide(artifact, execute={"pageLoad": {}}).errors == []


def test_rules_without_a_key_count_as_one():
    rules = [{**a_rule(offer), "ruleKey": None} for offer in ("one", "two")]
    del rules[1]["ruleKey"]
    assert offers(decide(an_artifact(page_load=rules), execute={"pageLoad": {}})) == ["one"]


def test_rule_keys_are_counted_for_each_entry_anew():
    asked = {"mboxes": [{"name": GLOBAL_MBOX, "index": 0}], "pageLoad": {}}
    assert offers(decide(EVERYWHERE, execute=asked)) == ["one", "two again", "three"] * 2


def test_the_global_mbox_without_a_match_has_no_entry():
    artifact = an_artifact(page_load=[a_rule(condition=NEVER)], home=[a_rule()])
    assert decide(artifact, execute=mboxes(GLOBAL_MBOX)).execute == {"mboxes": []}
    assert decide(an_artifact(), execute=mboxes(GLOBAL_MBOX)).execute == {"mboxes": []}


@pytest.mark.parametrize("mode", ["execute", "prefetch"])
def test_a_page_load_is_one_object_of_all_that_holds(mode):
    decision = decide(EVERYWHERE, **{mode: {"pageLoad": {}}})
    assert offers(decision) == ["one", "two again", "three"]
    assert getattr(decision, mode)["pageLoad"].keys() == {"options"}


@pytest.mark.parametrize("artifact", [an_artifact(page_load=[a_rule(condition=NEVER)]), an_artifact()])
def test_a_page_load_without_a_match_has_no_options(artifact):
    assert decide(artifact, execute={"pageLoad": {}}).execute == {"pageLoad": {"options": []}}


def test_the_global_mbox_is_the_one_that_the_artifact_names():
    artifact = an_artifact(everywhere=[a_rule("a"), a_rule("b")], frame={"globalMbox": "everywhere"})
    asked = {"mboxes": [{"name": "everywhere", "index": 0}, {"name": GLOBAL_MBOX, "index": 1}], "pageLoad": {}}
    decision = decide(artifact, execute=asked)
    assert offers(decision) == ["a", "b", "a", "b"]
    assert decision.execute["mboxes"][2] == {"name": GLOBAL_MBOX, "index": 1}


# -- views ----------------------------------------------------------------------------------------------------------


def test_of_a_view_every_rule_that_holds_answers_one_per_rule_key():
    rules = [a_view_rule("a"), a_view_rule("b", condition=NEVER), a_view_rule("c", ruleKey="a"), a_view_rule("d")]
    artifact = an_artifact(views={"cart": rules, "home": [a_view_rule("h")]})
    decision = decide(artifact, prefetch={"views": [{"name": "cart"}]})
    assert [actions[0]["content"] for actions in offers(decision)] == ["a", "d"]
    assert view_names(decision) == ["cart"]


@pytest.mark.parametrize("asked", [{}, {"key": "#cart"}])
def test_a_view_without_a_name_is_all_views_in_the_artifacts_order(asked):
    """D20: the reference walks names that look like integers first."""
    views = {name: [a_view_rule(f"offer {name}")] for name in ("home", "cart", "10", "2", "1.5")}
    assert view_names(decide(an_artifact(views=views), prefetch={"views": [asked]})) == list(views)


def test_rule_keys_count_over_all_views():
    views = {"home": [a_view_rule("a")], "cart": [a_view_rule("b", ruleKey="a"), a_view_rule("c")]}
    decision = decide(an_artifact(views=views), prefetch={"views": [{}]})
    assert [actions[0]["content"] for actions in offers(decision)] == ["a", "c"]


@pytest.mark.parametrize("name", ["unheard-of", ""])
def test_a_view_that_nobody_knows_has_no_entry(name):
    artifact = an_artifact(views={"home": [a_view_rule()]})
    assert decide(artifact, prefetch={"views": [{"name": name}]}).prefetch == {"views": []}


def test_a_view_without_a_match_has_no_entry():
    artifact = an_artifact(views={"home": [a_view_rule(condition=NEVER)]})
    assert decide(artifact, prefetch={"views": [{"name": "home"}, {}]}).prefetch == {"views": []}


def test_a_view_that_is_asked_twice_is_answered_twice_in_the_order_asked():
    artifact = an_artifact(views={"home": [a_view_rule("h")], "cart": [a_view_rule("c")]})
    asked = [{"name": "cart"}, {}, {"name": "cart"}, {"name": "home"}]
    assert view_names(decide(artifact, prefetch={"views": asked})) == ["cart", "home", "cart", "cart", "home"]


def test_what_was_not_asked_is_not_answered():
    artifact = an_artifact(views={"v": [a_view_rule()]}, home=[a_rule()], page_load=[a_rule()])
    decision = decide(artifact, execute=mboxes("home"))
    assert decision.execute.keys() == {"mboxes"}
    assert decision.prefetch is None
    decision = decide(artifact, prefetch={"views": [{}]})
    assert decision.prefetch.keys() == {"views"}
    assert decision.execute is None
    assert answers(decide(artifact)) == []


# -- property tokens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [{}, {"propertyTokens": None}, {"propertyTokens": []}])
@pytest.mark.parametrize("request_", [{}, {"property": {"token": "p"}}, {"property": {}}])
def test_a_rule_without_properties_is_for_all(tokens, request_):
    assert offers(decide(an_artifact(home=[a_rule("all", **tokens)]), mbox="home", **request_)) == ["all"]


@pytest.mark.parametrize("request_", [{}, {"property": {}}, {"property": {"token": "r"}}, {"property": {"token": 5}}])
def test_a_rule_with_properties_is_for_requests_of_one_of_them(request_):
    artifact = an_artifact(home=[a_rule(propertyTokens=["p", "q"])])
    assert offers(decide(artifact, mbox="home", **request_)) == []


def test_rules_of_other_properties_are_passed_over():
    artifact = an_artifact(
        home=[a_rule("p", propertyTokens=["p"]), a_rule("q", propertyTokens=["q", "p"]), a_rule("all")],
        views={"v": [a_view_rule("w", propertyTokens=["p"])]},
    )
    for token, expected in (("p", "p"), ("q", "q"), ("r", "all")):
        assert offers(decide(artifact, mbox="home", property={"token": token})) == [expected]
    assert decide(artifact, prefetch={"views": [{}]}).prefetch == {"views": []}
    assert view_names(decide(artifact, prefetch={"views": [{}]}, property={"token": "p"})) == ["v"]


def test_a_location_with_very_many_properties_decides_alike():
    """And costs no more than its rules: by token they would be as many as its rules squared."""
    count = MAX_SORTED_TOKENS + 1
    rules = [a_rule(f"offer {number}", propertyTokens=[f"token {number}"]) for number in range(count)]
    program = load_program(an_artifact(home=[*rules, a_rule("all")]), CLIENT)
    assert program.mboxes["home"].by_token == {}
    for token, expected in (("token 0", "offer 0"), ("token 64", "offer 64"), ("none", "all")):
        assert offers(decide(program, mbox="home", property={"token": token})) == [expected]


# -- the context ----------------------------------------------------------------------------------------------------

SHOP = {"url": "https://shop.example.com/a", "referringUrl": "https://www.search.net/"}
PAGES = an_artifact(
    home=[
        a_rule("shop, from search", condition={"and": [
            {"==": [{"var": "page.subdomain"}, "shop"]}, {"==": [{"var": "referring.domain"}, "search.net"]}]}),
        a_rule("shop", condition={"==": [{"var": "page.subdomain"}, "shop"]}),
        a_rule("from search", condition={"==": [{"var": "referring.domain"}, "search.net"]}),
        a_rule("no page", condition={"==": [{"var": "page.url"}, ""]}),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("address", "offer"),
    [
        (None, "shop, from search"),
        ({}, "no page"),
        ({"url": "https://shop.example.com/b"}, "shop"),
        ({"referringUrl": "https://search.net/"}, "from search"),
        ({"url": 5, "referringUrl": "https://search.net/"}, "from search"),
    ],
)
def test_an_entrys_own_address_replaces_the_requests_whole(address, offer):
    """D1: ``referring`` comes from ``referringUrl``; nothing is filled from the request's address."""
    own = {} if address is None else {"address": address}
    decision = decide(PAGES, context={"address": SHOP}, execute=mboxes("home", **own))
    assert offers(decision) == [offer]


def test_the_next_entry_sees_the_requests_address_again():
    asked = {"mboxes": [{"name": "home", "index": 0, "address": {}}, {"name": "home", "index": 1}]}
    assert offers(decide(PAGES, context={"address": SHOP}, execute=asked)) == ["no page", "shop, from search"]


def test_parameters_are_those_of_the_entry():
    rule = a_rule("member", condition={"==": [{"var": "mbox.level_lc"}, "gold"]})
    artifact = an_artifact(home=[rule], page_load=[rule], views={"v": [{**rule, "ruleKey": "view"}]})
    gold = {"parameters": {"level": "GOLD"}}
    entries = [{"name": "home", "index": 0, **gold}, {"name": "home", "index": 1}]
    assert offers(decide(artifact, execute={"mboxes": entries, "pageLoad": {}})) == ["member"]
    assert offers(decide(artifact, execute={"pageLoad": gold})) == ["member"]
    assert offers(decide(artifact, prefetch={"views": [{"name": "v", **gold}, {"name": "v"}]})) == ["member"]


@pytest.mark.parametrize(
    "condition",
    [
        {"==": [{"var": "current_timestamp"}, NOON]},
        {"==": [{"var": "current_time"}, "1200"]},
        {"==": [{"var": "current_day"}, "1"]},
        {"==": [{"var": "user.browserType"}, "firefox"]},
        {"==": [{"var": "geo.city"}, "SAN FRANCISCO"]},
        {"==": [{"var": {"cat": ["geo.", "region"]}}, "CA"]},
        {"==": [{"missing": ["geo.country", "geo.zip"]}, "geo.zip"]},
        {"<=": [0, {"var": {"cat": ["alloc", "ation"]}}, 100]},
        {"in": ["object", {"cat": {"var": ""}}]},
        {"==": [{"var": ["absent", {"var": "user.locale"}]}, "en"]},
    ],
)
def test_a_condition_finds_what_it_asks_for(condition):
    """A part of the context is worked out when a location's conditions name it, or could."""
    context = {
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
        "geo": {"city": "SAN FRANCISCO", "stateCode": "CA", "countryCode": "US", "zip": "94103"},
    }
    assert offers(decide(an_artifact(home=[a_rule("found", condition=condition)]), mbox="home", context=context))


def test_what_no_condition_reads_is_not_worked_out(monkeypatch):
    def fail(*_):
        raise AssertionError

    for name in ("page_of", "user_of", "unflatten", "time_of"):
        monkeypatch.setattr(f"target_decisioning.decisioning.context.{name}", fail)
    artifact = an_artifact(home=[a_rule("any", allocation=(0, 100), condition={"!": {"var": "geo.city"}})])
    context = {"userAgent": "x", "address": SHOP}
    decision = decide(artifact, context=context, execute=mboxes("home", parameters={"a": "b"}, address=SHOP))
    assert (offers(decision), decision.errors) == (["any"], [])


# -- conditions that fail -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [{"*": []}, {"cat": ["x" * 60_000] * 2}])
def test_a_rule_whose_condition_fails_while_it_runs_does_not_hold(condition):
    """D4. Counted; routing is unchanged."""
    program = load_program(an_artifact(home=[a_rule("failing", condition=condition), a_rule("next")]), CLIENT)
    decision = decide(program, execute=mboxes("home", "home"))
    assert offers(decision) == ["next", "next"]
    assert decision.errors == ['rules.mboxes["home"][0]'] * 2
    assert program.local_mboxes == {"home"}


def test_execute_is_worked_out_before_prefetch_and_in_each_mboxes_views_page_load():
    """Seen in who owes a shared token, in traces, and here in where conditions fail."""
    failing = a_rule(condition={"*": []})
    artifact = an_artifact(a=[failing], b=[failing], page_load=[failing], views={"v": [failing]})
    asked = {"pageLoad": {}, "mboxes": [{"name": "b", "index": 0}, {"name": "a", "index": 1}]}
    decision = decide(artifact, prefetch={"views": [{"name": "v"}], **asked}, execute=asked)
    in_execute = ['rules.mboxes["b"][0]', 'rules.mboxes["a"][0]', f'rules.mboxes["{GLOBAL_MBOX}"][0]']
    in_prefetch = [*in_execute[:2], 'rules.views["v"][0]', in_execute[2]]
    assert decision.errors == in_execute + in_prefetch
