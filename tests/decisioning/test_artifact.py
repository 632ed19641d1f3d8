"""An artifact that keeps the format's rules, or what breaks them (semantics.md 2.2; faults.md A4, A7, cases 7 to 9)."""

import json
import pickle

import pytest

from target_decisioning import TargetClient
from target_decisioning.decisioning import load_program
from target_decisioning.decisioning.artifact import DEFAULT_GLOBAL_MBOX, read
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported
from tests.builders import CLIENT, a_rule, a_view_rule, an_artifact, decide, mboxes, offers


def faults(source):
    with pytest.raises(ArtifactInvalid) as caught:
        load_program(source, CLIENT)
    return list(caught.value.faults)


def rule_faults(**broken):
    """What is told of a rule with these keys beside one that is whole."""
    artifact = read(an_artifact(home=[a_rule("whole"), {**a_rule("broken"), **broken}]))
    assert [rule.key for rule in artifact.mboxes["home"]] == ["whole"]
    return artifact.faults["mboxes", "home"]


# -- versions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.0.0", "0.9", "v1.0", "", "11", "10.0", "-1.0", "1" * 5000, "\uff11.0"])
def test_only_1_is_1(version):
    with pytest.raises(ArtifactUnsupported):
        read({"version": version})


@pytest.mark.parametrize(
    "version", ["1.0.0", "1.9.7", "1", "01.2", "1x.0", " 1.0", "\n1", "+1.0", "0000000000000000000001"]
)
def test_the_version_is_read_as_javascript_reads_integers(version):
    assert read({"version": version}).version == version


def test_a_version_of_any_length_makes_a_short_message():
    with pytest.raises(ArtifactUnsupported) as caught:
        read({"version": "2\n" * 5000})
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_an_unsupported_version_is_told_before_any_fault():
    with pytest.raises(ArtifactUnsupported) as caught:
        read({"version": "2.0.0", "rules": "in another form"})
    assert (caught.value.found, caught.value.supported) == ("2.0.0", "1")


@pytest.mark.parametrize(
    ("version", "found"), [({}, "null"), ({"version": None}, "null"), ({"version": 1}, "a number")]
)
def test_a_version_must_be_there(version, found):
    assert faults(version) == [("version", found, "text such as 1.0.0")]


def test_unknown_fields_are_accepted():
    assert read({"version": "1.9.7", "targetAdminActivityUrls": {"1": "x"}, "rules": {"profiles": 1}})


# -- the frame ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["absent", None])
def test_missing_parts_have_their_defaults(value):
    """D19: the reference fails at each request instead."""
    parts = ("meta", "globalMbox", "geoTargetingEnabled", "responseTokens", "localMboxes", "remoteMboxes", "localViews",
             "remoteViews", "rules")  # fmt: skip
    artifact = read({"version": "1.0.0", **({} if value == "absent" else dict.fromkeys(parts, value))})
    assert (artifact.meta, artifact.global_mbox, artifact.geo_targeting_enabled) == ({}, DEFAULT_GLOBAL_MBOX, False)
    assert (artifact.mboxes, artifact.views, artifact.response_tokens) == ({}, {}, frozenset())
    assert artifact.local_mboxes == artifact.remote_mboxes == artifact.local_views == artifact.remote_views == ()


def test_the_maps_of_rules_may_be_missing_too():
    assert read({"version": "1.0.0", "rules": {"views": None}}).views == {}


def test_a_blank_global_mbox_is_the_usual_one():
    assert read({"version": "1.0.0", "globalMbox": ""}).global_mbox == DEFAULT_GLOBAL_MBOX


def test_a_program_tells_what_its_client_needs_to_know():
    frame = {"version": "1.2.3", "globalMbox": "everywhere", "geoTargetingEnabled": True}
    program = load_program(an_artifact(frame=frame), CLIENT)
    assert (program.version, program.global_mbox, program.geo_targeting_enabled) == ("1.2.3", "everywhere", True)


def test_every_fault_of_the_frame_is_told_at_once_and_those_of_the_rules_with_them():
    source = {
        "version": 1,
        "meta": [],
        "globalMbox": 7,
        "geoTargetingEnabled": "true",
        "responseTokens": "activity.id",
        "localMboxes": ["home", 3, {}],
        "remoteViews": {},
        "rules": {"mboxes": {"home": [1]}, "views": []},
    }
    assert faults(source) == [
        ("version", "a number", "text such as 1.0.0"),
        ("meta", "a list", "an object"),
        ("globalMbox", "a number", "text"),
        ("geoTargetingEnabled", "text", "true or false"),
        ("responseTokens", "text", "a list of names"),
        ("localMboxes[1]", "a number", "a name"),
        ("localMboxes[2]", "an object", "a name"),
        ("remoteViews", "an object", "a list of names"),
        ("rules.views", "a list", "an object"),
        ('rules.mboxes["home"][0]', "a number", "a rule (an object)"),
    ]


def test_a_message_tells_the_first_twenty_faults_and_how_many_more_there_are():
    with pytest.raises(ArtifactInvalid) as caught:
        read({"version": "1.0.0", "localMboxes": [1] * 30})
    assert len(caught.value.faults) == 30
    assert str(caught.value).splitlines()[19:] == [
        "artifact, localMboxes[19]: found a number; expected a name",
        "and 10 more",
    ]


# -- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "where", "found", "expected"),
    [
        ({"consequence": []}, "consequence", "a list", "an object"),
        ({"consequence": {"options": {}}}, "consequence.options", "an object", "a list"),
        ({"consequence": {"options": [None]}}, "consequence.options[0]", "null", "an object"),
        ({"consequence": {"options": [{"eventToken": []}]}}, "consequence.options[0].eventToken", "a list", "text"),
        ({"consequence": {"metrics": "click"}}, "consequence.metrics", "text", "a list"),
        ({"consequence": {"metrics": [{}, True]}}, "consequence.metrics[1]", "true or false", "an object"),
        ({"consequence": {"name": {}}}, "consequence.name", "an object", "text"),
        ({"meta": "x"}, "meta", "text", "an object"),
        ({"meta": {"audience.ids": 5}}, 'meta["audience.ids"]', "a number", "a list"),
        ({"propertyTokens": "p"}, "propertyTokens", "text", "a list"),
        ({"propertyTokens": ["p", 1]}, "propertyTokens[1]", "a number", "text"),
        ({"ruleKey": {}}, "ruleKey", "an object", "text"),
    ],
)
def test_a_rule_that_breaks_the_format_is_told_with_its_path(broken, where, found, expected):
    assert rule_faults(**broken) == [(f'rules.mboxes["home"][1].{where}', found, expected)]


def test_all_faults_of_a_rule_are_told():
    assert [fault[0] for fault in rule_faults(meta=1, consequence=1, propertyTokens=1, ruleKey=[])] == [
        'rules.mboxes["home"][1].consequence',
        'rules.mboxes["home"][1].propertyTokens',
        'rules.mboxes["home"][1].meta',
        'rules.mboxes["home"][1].ruleKey',
    ]


def test_a_location_whose_rules_are_no_list_has_none():
    artifact = read(an_artifact(home=[a_rule()], broken="rules", missing=None))
    assert (artifact.mboxes["broken"], artifact.mboxes["missing"]) == ([], [])
    assert artifact.faults == {
        ("mboxes", "broken"): [('rules.mboxes["broken"]', "text", "a list of rules")],
        ("mboxes", "missing"): [('rules.mboxes["missing"]', "null", "a list of rules")],
    }


def test_missing_parts_of_a_rule_have_their_defaults():
    """D19. Only a condition that is missing matters: such a rule never holds."""
    bare = {"condition": True}
    assert decide(an_artifact(home=[bare]), mbox="home").execute == {"mboxes": [{"options": [], "index": 0}]}
    nulls = dict.fromkeys(("ruleKey", "propertyTokens", "consequence", "meta"))
    assert decide(an_artifact(home=[{**bare, **nulls}]), mbox="home").execute == {
        "mboxes": [{"options": [], "index": 0}]
    }
    empty = {"condition": True, "consequence": {"options": None, "metrics": None}, "meta": {"audience.ids": None}}
    assert decide(an_artifact(home=[empty]), mbox="home").execute == {
        "mboxes": [{"name": "home", "options": [], "index": 0}]
    }


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_what_an_answer_copies_is_limited_in_depth():
    """An answer's copy takes some of the caller's stack."""
    deep = ("more than 100 levels of nesting", "at most 100")
    assert rule_faults(meta={"x": nested(100)}) == [('rules.mboxes["home"][1].meta', *deep)]
    options = [{"type": "json", "content": nested(98)}]
    assert rule_faults(consequence={"options": options}) == [('rules.mboxes["home"][1].consequence', *deep)]
    assert faults(an_artifact(frame={"meta": {"x": nested(100)}})) == [("meta", *deep)]
    options = [{"type": "json", "content": nested(97)}]
    assert options == decide_options(an_artifact(home=[a_rule(options=options, meta={"x": nested(99)})]))


def decide_options(artifact):
    (entry,) = decide(artifact, mbox="home", trace=True).execute["mboxes"]
    return [{key: option[key] for key in ("type", "content")} for option in entry["options"]]


def test_a_condition_of_depth_5_000_costs_its_location_only():
    """Case 63; as text, for Python's own writer does not come so deep either."""
    source = json.dumps(an_artifact(home=[a_rule("other", condition="DEEP"), a_rule("rest")], cart=[a_rule("sold")]))
    program = load_program(source.replace('"DEEP"', '{"!":[' * 5000 + "]}" * 5000), CLIENT)
    ((where, found, _),) = program.undecidable["mboxes", "home"]
    assert (where, found) == ('rules.mboxes["home"][0].condition', "a deeper condition")
    assert offers(decide(program, execute=mboxes("home", "cart"))) == ["rest", "sold"]


def test_so_it_does_in_a_payload():
    """Case 63, as a client's owner may have it."""
    condition = True
    for _ in range(5000):
        condition = {"!": [condition]}
    payload = an_artifact(home=[a_rule("other", condition=condition), a_rule("rest")])
    options = {"client": CLIENT, "organization_id": "ORG@AdobeOrg", "decisioning_method": "on-device"}
    with TargetClient.create(options, artifact_payload=payload, telemetry_enabled=False) as client:
        envelope = client.get_offers(request={"prefetch": mboxes("home")})
        assert envelope.response.prefetch.mboxes[0].options[0].content == "rest"
        assert (envelope.response.status, envelope.meta.remote_mboxes) == (206, ["home"])
        assert list(client.status()["undecidable"]) == ['rules.mboxes["home"]']
    while condition is not True:  # taken apart level by level
        ((condition,),) = condition.values()


@pytest.mark.parametrize("condition", [{}, {"condition": None}])
def test_a_rule_without_a_condition_never_holds(condition):
    rule = {key: value for key, value in a_rule("never").items() if key != "condition"} | condition
    assert offers(decide(an_artifact(home=[rule, a_rule("always")]), mbox="home")) == ["always"]


# -- what is left when rules are broken -------------------------------------------------------------------------------

DEEP = True
for _ in range(65):
    DEEP = {"!": [DEEP]}

BROKEN = {
    "of another shape": {"condition": True, "consequence": []},
    "too deep": a_rule("broken", condition=DEEP),
    "an unknown operator": a_rule("broken", condition={"regex": ["a", "b"]}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_broken_rule_of_fifty_costs_its_location_not_the_others(broken):
    sound = {f"box-{number}": [a_rule(f"offer-{number}")] for number in range(49)}
    program = load_program(an_artifact(bad=[broken], **sound), CLIENT)
    assert list(program.undecidable) == [("mboxes", "bad")]
    assert program.undecidable["mboxes", "bad"][0][0].startswith('rules.mboxes["bad"][0].con')
    assert program.remote_mboxes == ("bad",)
    decision = decide(program, execute=mboxes("bad", *sound))
    assert offers(decision) == [f"offer-{number}" for number in range(49)]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_in_a_location_with_a_broken_rule_the_others_decide(broken):
    """On-device; hybrid asks the server."""
    program = load_program(an_artifact(home=[broken, a_rule("next")]), CLIENT)
    assert offers(decide(program, mbox="home")) == ["next"]
    assert "home" not in program.local_mboxes


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_view_with_a_broken_rule_is_remote(broken):
    program = load_program(an_artifact(views={"cart": [broken], "home": [a_view_rule()]}), CLIENT)
    assert (program.remote_views, program.local_views) == (("cart",), {"home"})
    assert list(program.undecidable) == [("views", "cart")]


def test_all_that_is_wrong_in_a_location_is_named():
    program = load_program(an_artifact(home=[*BROKEN.values(), a_rule()]), CLIENT)
    assert program.undecidable["mboxes", "home"] == [
        ('rules.mboxes["home"][0].consequence', "a list", "an object"),
        (
            'rules.mboxes["home"][1].condition',
            "a deeper condition",
            "at most 64 operators, lists and objects in one another",
        ),
        ('rules.mboxes["home"][2].condition', 'operator "regex"', "an operator of JsonLogic"),
    ]


def test_unknown_operators_are_named_also_where_they_would_not_be_reached():
    condition = {"or": [True, {"nope": 1}, {"!": {"never": 2}}]}
    program = load_program(an_artifact(home=[a_rule(condition=condition)]), CLIENT)
    ((_, found, _),) = program.undecidable["mboxes", "home"]
    assert found == 'operator "nope", operator "never"'


def test_an_artifact_whose_every_rule_is_broken_is_turned_down_with_all_faults():
    source = an_artifact(
        home=[BROKEN["of another shape"], BROKEN["too deep"]], cart="x", views={"v": [BROKEN["too deep"]]}
    )
    assert [where for where, _, _ in faults(source)] == [
        'rules.mboxes["home"][0].consequence',
        'rules.mboxes["home"][1].condition',
        'rules.mboxes["cart"]',
        'rules.views["v"][0].condition',
    ]


@pytest.mark.parametrize("source", [an_artifact(home=[1]), an_artifact(views={"v": [{"meta": 1}]})])
def test_so_is_one_without_any_rule_of_the_right_shape(source):
    assert len(faults(source)) == 1


def test_an_artifact_whose_every_rule_has_an_unknown_operator_is_asked_of_the_server():
    program = load_program(an_artifact(home=[BROKEN["an unknown operator"]]), CLIENT)
    assert program.remote_mboxes == ("home",)


def test_an_artifact_without_rules_is_one():
    assert load_program({"version": "1.0.0"}, CLIENT).mboxes == {}


def test_the_conditions_of_an_artifact_are_limited_together(monkeypatch):
    monkeypatch.setattr("target_decisioning.decisioning.program.MAX_CONDITION_NODES", 5)
    condition = {"==": [1, 1]}
    assert load_program(an_artifact(home=[a_rule(condition=condition)]), CLIENT)
    assert faults(an_artifact(home=[a_rule(condition=condition)] * 2)) == [
        ("rules", "conditions of 6 nodes in all", "at most 5")
    ]


# -- names ----------------------------------------------------------------------------------------------------------

ODD_NAMES = ["", " ", "a.b", 'a"b', "\n", "\ud800", "__class__", "__proto__", "constructor", "x" * 10_240, "日本語"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_a_name(name):
    """E9: names are plain data. Unnamed mboxes never come to be decided, an empty name is one for a view."""
    artifact = an_artifact(views={name: [a_view_rule(name=name)]}, **{name: [a_rule("offer")]})
    program = load_program(json.dumps(artifact), CLIENT)
    assert offers(decide(program, mbox=name)) == ["offer"]
    assert len(decide(program, prefetch={"views": [{"name": name}]}).prefetch["views"]) == 1
    assert (program.local_mboxes, program.local_views) == ({name}, {name})


def test_locations_whose_names_begin_alike_keep_their_own_rules():
    """However long the names are: what stands for them in messages is cut."""
    first, second = "x" * 200 + "1", "x" * 200 + "2"
    artifact = an_artifact(**{first: [a_rule("first")], second: [a_rule("second", condition={"nope": 1})]})
    decision = decide(artifact, execute=mboxes(first, second))
    assert offers(decision) == ["first"]


# -- what is kept small ---------------------------------------------------------------------------------------------

CONDITIONS = [
    True, None, 0, 1, 1.0, -0.0, 2**70, 1e308, "", "\ud800\u2028", [[]], {}, {"b": 1, "a": [None]},
    {"and": [{"==": [{"var": "mbox.x"}, "ü"]}, {"<": [0.1, {"var": "allocation"}]}]},
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS, ids=repr)
def test_a_rules_condition_is_the_artifacts_and_new_each_time(condition):
    (rule,) = read(json.dumps({**an_artifact(), "rules": {"mboxes": {"home": [{"condition": condition}]}}})).mboxes[
        "home"
    ]
    assert repr(rule.condition) == repr(json.loads(json.dumps(condition), parse_int=_as_a_double))
    assert rule.condition is not rule.condition or not isinstance(condition, dict | list)


def _as_a_double(digits):
    return int(float(digits))


def test_equal_conditions_are_kept_and_compiled_once_but_only_equal_ones():
    """``1``, ``1.0`` and ``true`` are equal in Python, not in JsonLogic."""
    conditions = [{"===": [{"var": "mbox.x"}, value]} for value in (1, True, 1.0, 1, True)]
    program = load_program(
        an_artifact(home=[a_rule(str(at), condition=one) for at, one in enumerate(conditions)]), CLIENT
    )
    rules = program.mboxes["home"].rules
    assert [repr(rule.source.condition) for rule in rules] == list(map(repr, conditions))
    for same, other in ((0, 3), (1, 4)):
        assert rules[same].holds is rules[other].holds
        assert rules[same].source.condition_text is rules[other].source.condition_text
    assert len({rule.holds for rule in rules}) == 3


# -- pickling -------------------------------------------------------------------------------------------------------


def test_a_program_pickles_as_its_artifact():
    """B3: for pools and Spark."""
    artifact = an_artifact(
        home=[a_rule("half", allocation=(0, 50)), BROKEN["too deep"], a_rule("rest")],
        cart=7,
        views={"v": [a_view_rule()]},
    )
    program = load_program(artifact, CLIENT)
    copy = pickle.loads(pickle.dumps(program))
    request = {"execute": mboxes("home"), "prefetch": {"views": [{}]}}
    theirs, ours = decide(copy, **request), decide(program, **request)
    assert (theirs.execute, theirs.prefetch, theirs.impressions) == (ours.execute, ours.prefetch, ours.impressions)
    assert copy.client_code == program.client_code
    assert copy.undecidable == program.undecidable
    assert (copy.remote_mboxes, copy.local_views) == (program.remote_mboxes, program.local_views)
