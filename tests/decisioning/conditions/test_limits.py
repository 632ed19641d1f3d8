"""A condition can cost only so much, and what passes a limit says so."""

import sys
import time

import pytest

from target_decisioning.decisioning.conditions import ConditionError, compile_conditions, parse
from target_decisioning.errors import ArtifactInvalid

WHERE = "rules.mboxes['home'][0].condition"


def nested(depth):
    condition = True
    for _ in range(depth):
        condition = {"!": [condition]}
    return condition


def nested_lists(depth):
    condition = []
    for _ in range(depth - 1):
        condition = [condition]
    return condition


@pytest.mark.parametrize(
    "within", [nested(64), nested_lists(64), {"or": [True] * 9_999}, "x" * 65_536, {"cat": ["é" * 32_768]}]
)
def test_a_condition_within_the_limits_is_read(within):
    assert parse(within, WHERE).nodes <= 10_000


@pytest.mark.parametrize(
    "beyond",
    [
        nested(65),
        nested(5_000),
        nested_lists(65),
        {"a": nested_lists(65), "b": 1},
        {"or": [True] * 10_000},
        {"in": [{"var": "mbox.a"}, ["x"] * 10_000]},
        "x" * 65_537,
        {"cat": ["é" * 32_769]},
        {"var": "x" * 65_537},
        {"x" * 65_537: []},
        {"in": ["x", ["x" * 65_537]]},
        {"a": {"x" * 65_537: 1}, "b": 1},
    ],
)
def test_a_condition_beyond_a_limit_is_refused_where_it_stands(beyond):
    with pytest.raises(ArtifactInvalid) as refused:
        parse(beyond, WHERE)
    assert refused.value.where == WHERE
    assert "at most" in refused.value.expected


def doubling(operation):
    return {"reduce": [list(range(40)), operation, "x"]}


TWICE = [{"var": "accumulator"}, {"var": "accumulator"}]
NUMBERS = {"var": "mbox.numbers"}
BOMBS = {
    "a text that doubles": doubling({"cat": TWICE}),
    "a list that doubles": {"reduce": [list(range(40)), {"merge": TWICE}, [1]]},
    "the text of nested lists that double": {"in": [doubling(TWICE), "x"]},
    "nested lists that double, compared each time": {
        "reduce": [list(range(40)), {"if": [{"==": [{"var": "accumulator"}, "y"]}, 1, TWICE]}, ["x"]]
    },
    "long texts looked at in a loop": {"map": [NUMBERS, {"merge": ["x" * 65_536, "x" * 65_536]}]},
    "a loop in a loop": {"map": [NUMBERS, {"map": [list(range(1_000)), {"+": [{"var": ""}, 1]}]}]},
    "a search in a loop": {"some": [NUMBERS, {"in": [{"var": ""}, [[each] for each in range(1_000)]]}]},
    "many loops in a row": {"or": [{"some": [NUMBERS, {"<": [{"var": ""}, -1]}]} for _ in range(100)]},
    "no factor": {"*": []},
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_would_cost_too_much_has_no_value(bomb):
    (holds,) = compile_conditions([parse(bomb, WHERE)])
    started = time.thread_time()
    with pytest.raises(ConditionError):
        holds({"mbox": {"numbers": list(range(1_000))}})
    assert time.thread_time() - started < 1.0  # some 0.04; room for a slow machine under coverage


def test_a_text_times_a_number_is_no_text():
    (holds,) = compile_conditions([parse({"*": ["aaaaaaaaaa", 10_000_000]}, WHERE)])
    assert holds({}) is False


def test_a_long_text_out_of_the_data_is_no_result_of_an_operator():
    text = "x" * 100_000
    condition = parse({"==": [{"var": "mbox.a"}, {"var": "mbox.b"}]}, WHERE)
    assert condition.holds({"mbox": {"a": text, "b": text}})
    for made in ({"cat": [{"var": "mbox.a"}]}, {"substr": [{"var": "mbox.a"}, 1]}):
        with pytest.raises(ConditionError):
            parse(made, WHERE).evaluate({"mbox": {"a": text}})


@pytest.mark.parametrize("operator", ["merge", "map", "filter"])
def test_an_operator_makes_no_list_of_more_than_10_000_entries(operator):
    condition = parse({operator: [{"var": "mbox.list"}, True]}, WHERE)
    with pytest.raises(ConditionError):
        condition.evaluate({"mbox": {"list": [0] * 10_001}})


def test_the_deepest_condition_needs_little_of_the_stack():
    condition = nested(64)

    def with_frames(frames):
        return with_frames(frames - 1) if frames else parse(condition, WHERE).holds({})

    assert with_frames(sys.getrecursionlimit() - 500) is True


def test_a_list_is_compared_by_its_text_only_if_that_is_short_enough():
    condition = parse({"==": [{"var": "mbox.list"}, "x"]}, WHERE)
    for holds in (condition.holds, *compile_conditions([condition])):
        assert holds({"mbox": {"list": ["x"]}})
        with pytest.raises(ConditionError, match="text of a list"):
            holds({"mbox": {"list": ["x" * 65_537]}})
