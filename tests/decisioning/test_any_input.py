"""Nothing that is JSON makes the engine raise, but an artifact that is none (faults.md cases 7, 13, 63, 65)."""

import itertools
import json
import time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from target_decisioning.config import read_config
from target_decisioning.decisioning import decide as decide_prepared
from target_decisioning.decisioning import load_program, remote_needs
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported, RequestError
from target_decisioning.preparation import Call, prepare
from tests.builders import CLIENT, GLOBAL_MBOX, NOON, TRACE, a_rule, a_view_rule, an_artifact, decide, mboxes, offers

texts = st.text(max_size=8) | st.sampled_from(
    [
        "home",
        "v",
        GLOBAL_MBOX,
        "a",
        "a.b",
        "a..b",
        ".a",
        "a.",
        "__class__",
        "__proto__",
        "constructor",
        "length",
        "\ud800",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


def mostly(usual, other=values):
    """Give what belongs there, and one time in eight anything."""
    return st.integers(0, 7).flatmap(lambda number: usual if number else other)


def an_object(**entries):
    return st.fixed_dictionaries({}, optional=entries)


# -- artifacts ------------------------------------------------------------------------------------------------------

conditions = st.booleans() | st.recursive(
    scalars
    | st.sampled_from([{"var": "mbox.a"}, {"var": ""}, {"var": "user"}, {"<=": [0, {"var": "allocation"}, 50]}]),
    lambda inner: (
        st.dictionaries(st.sampled_from(["and", "!", "==", "in", "cat", "var", "nope", "*"]), inner, max_size=2)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)
option = an_object(
    type=mostly(st.sampled_from(["html", "json", "actions"])),
    content=mostly(st.sampled_from(["${mbox.a}${name}", "text", [{"content": "${activity.id}${a}"}, 1]])),
    eventToken=mostly(texts),
)
metric = an_object(type=mostly(st.sampled_from(["click", "display"])), eventToken=mostly(texts))
meta = st.dictionaries(
    st.sampled_from(["activity.id", "activity.name", "offer.id", "experience.id", "audience.ids", "name"]), values
)
rule = an_object(
    ruleKey=mostly(texts),
    condition=mostly(conditions),
    propertyTokens=mostly(st.lists(mostly(texts), max_size=2)),
    meta=mostly(meta),
    consequence=mostly(
        an_object(
            name=mostly(texts),
            options=mostly(st.lists(mostly(option), max_size=3)),
            metrics=mostly(st.lists(mostly(metric), max_size=3)),
            index=values,
        )
    ),
)
locations = mostly(st.dictionaries(texts, mostly(st.lists(mostly(rule), max_size=3)), max_size=3))
names = mostly(st.lists(mostly(texts), max_size=3))
artifacts = an_object(
    meta=mostly(st.dictionaries(texts, values, max_size=2)),
    globalMbox=mostly(texts),
    geoTargetingEnabled=mostly(st.booleans()),
    responseTokens=mostly(st.lists(mostly(st.sampled_from(["activity.name", "offer.id", "geo.city"])))),
    localMboxes=names,
    remoteMboxes=names,
    localViews=names,
    remoteViews=names,
    rules=mostly(an_object(mboxes=locations, views=locations)),
).flatmap(
    lambda rest: st.sampled_from(["1.0.0"] * 15 + ["2.0.0", None]).map(lambda version: {"version": version, **rest})
)

# -- requests -------------------------------------------------------------------------------------------------------

address = mostly(an_object(url=mostly(texts), referringUrl=mostly(texts)))
details = {"address": address, "parameters": mostly(st.dictionaries(texts, values, max_size=4)), "order": values}
mbox = an_object(name=mostly(texts), index=mostly(st.integers(0, 5)), **details)
view = an_object(name=mostly(texts), key=mostly(texts), **details)
asked = {"mboxes": mostly(st.lists(mostly(mbox), max_size=3)), "pageLoad": mostly(an_object(**details))}
ids = st.sampled_from(["tntId", "marketingCloudVisitorId", "thirdPartyId"])
requests = an_object(
    id=mostly(st.dictionaries(ids, scalars)),
    property=mostly(an_object(token=scalars)),
    trace=mostly(st.just({})),
    context=mostly(
        an_object(
            address=address,
            userAgent=scalars,
            clientHints=mostly(an_object(platform=scalars, browserUAWithFullVersion=scalars)),
            geo=mostly(an_object(city=scalars, countryCode=scalars, latitude=scalars, ipAddress=texts)),
        )
    ),
    execute=mostly(an_object(**asked)),
    prefetch=mostly(an_object(**asked, views=mostly(st.lists(mostly(view), max_size=3)))),
)

CONFIG = read_config({"client": CLIENT, "organization_id": "ORG@AdobeOrg"}, {})
FIXED = load_program(
    an_artifact(
        home=[a_rule("${mbox.a}${name}", condition={"==": [{"var": "mbox.a"}, {"var": "page.url"}]}), a_rule("b")],
        page_load=[a_rule("${a}", allocation=(0, 50)), a_rule("c", condition={"!!": {"var": ""}})],
        views={"v": [a_view_rule("${key}${a.b}", condition={"<": [{"var": "geo.latitude"}, {"var": "mbox.a.b"}]})]},
        frame={"responseTokens": ["activity.id", "geo.city", "geo.latitude"]},
    ),
    CLIENT,
)


def asking(request):
    call = Call()
    call.request = request
    return call


def answer(program, request):
    """Prepare and decide *request*; whatever comes out of it must be JSON."""
    try:
        prepared = prepare(asking(request), CONFIG, None, NOON, lambda: "new").request
    except RequestError:
        return assume(False)
    remote = remote_needs(program, prepared)
    new_id = map(str, itertools.count()).__next__
    trace = TRACE if "trace" in prepared else None
    decision = decide_prepared(program, prepared, now_ms=NOON, new_id=new_id, trace=trace)
    return json.dumps([remote, decision.execute, decision.prefetch, decision.impressions, decision.errors])


@given(requests)
@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
def test_any_request_that_could_be_prepared_is_decided(request):
    assert answer(FIXED, request)


@given(artifacts)
@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
def test_any_artifact_decides_or_says_what_is_wrong_with_it(artifact):
    everything = {"mboxes": [{"name": name} for name in ("home", "v", "a")], "pageLoad": {"parameters": {"a": [{}]}}}
    try:
        program = load_program(artifact, CLIENT)
    except (ArtifactInvalid, ArtifactUnsupported) as error:
        return _tells_what_is_wrong(error)
    assert answer(program, {"execute": everything, "prefetch": {**everything, "views": [{}, {"name": "v"}]}})
    assert answer(program, {"execute": everything, "trace": {}})
    return None


def _tells_what_is_wrong(error):
    assert str(error)
    assert isinstance(error, ArtifactUnsupported) or all(len(fault) == 3 for fault in error.faults)


@given(values)
@settings(deadline=None)
def test_any_json_is_an_artifact_or_says_why_not(value):
    for source in (value, json.dumps(value)):
        with pytest.raises((ArtifactInvalid, ArtifactUnsupported)):
            load_program(source, CLIENT)


# -- the cases that have a name ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "{}", "<!doctype html><title>down</title>", ""])
def test_an_answer_of_another_kind_is_no_artifact(body):
    """Case 7."""
    with pytest.raises(ArtifactInvalid):
        load_program(body.encode(), CLIENT)


@pytest.mark.parametrize(
    "condition",
    [
        {"reduce": [list(range(40)), {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "x"]},
        {"map": [list(range(1000)), {"map": [list(range(1000)), {"+": [{"var": ""}, 1]}]}]},
        {"*": ["aaaaaaaaaa", 10_000_000]},
    ],
    ids=["doubling", "a million", "repetition"],
)
def test_a_hostile_condition_costs_only_its_rule(condition):
    """Case 63: it does not hold, is counted, and is given up soon."""
    program = load_program(an_artifact(home=[a_rule("bad", condition={"==": [condition, 1]}), a_rule("good")]), CLIENT)
    started = time.perf_counter()
    decision = decide(program, mbox="home")
    assert time.perf_counter() - started < 0.5  # given up after some 10 ms; the rest is for a busy machine
    assert offers(decision) == ["good"]


ODD_PARAMETERS = {
    "__class__": "A",
    "__proto__": "B",
    "a": "1",
    "a.b": "2",
    ".a": "3",
    "a..b": "4",
    "": "5",
    "x" * 10_240: "6",
    "constructor.name": "7",
}


def test_odd_parameters_are_plain_data():
    """Case 65."""
    conditions = [
        {"==": [{"var": "mbox.__class___lc"}, "a"]},
        {"==": [{"var": "mbox.__proto__"}, "B"]},
        {"==": [{"var": "mbox.a.b"}, "2"]},
        {"==": [{"var": "mbox.constructor.name"}, "7"]},
        {"!": {"var": "mbox.keys"}},
        {"!": {"var": "page.__class__"}},
        {"==": [{"var": "mbox." + "x" * 10_240}, "6"]},
    ]
    text = "${__class__}${__proto__}${mbox.a}${keys}"
    artifact = an_artifact(home=[a_rule(text, condition={"and": conditions})])
    decision = decide(artifact, execute=mboxes("home", parameters=ODD_PARAMETERS))
    assert (offers(decision), decision.errors) == (["AB1${keys}"], [])


@pytest.mark.parametrize("depth", [1, 100, 101, 200, *range(484, 494), 5000])
def test_a_parameter_of_any_depth_is_decided_or_refused(depth):
    """A deep one would take the caller's stack: in a trace, in an answer that is read, on the wire."""
    value = []
    for _ in range(depth - 1):
        value = [value]
    request = {"trace": {}, "execute": mboxes("home", parameters={"a": value})}
    call = asking(request)
    if depth <= 100:
        assert answer(FIXED, request)
        return
    with pytest.raises(RequestError) as caught:
        prepare(call, CONFIG, None, NOON, lambda: "new")
    assert caught.value.where == 'request.execute.mboxes[0].parameters["a"]'
