import json
import re

import pytest

from target_decisioning.decisioning.checks import check
from target_decisioning.decisioning.conditions import ConditionError, parse
from tests.decisioning.conditions.generated import Generator


def leaf(of, *path):
    for place in path:
        of = of.checks[place]
    return of


def worth(condition, data):
    try:
        return repr(parse(condition, "condition").evaluate(data)), None
    except ConditionError as error:
        return "UNDEFINED", error.reason


def test_a_leaf_tells_the_operator_its_arguments_and_what_it_saw():
    found = check({"<=": [50, {"var": "allocation"}]}, {"allocation": 23.4})
    assert (found.operator, found.arguments, found.holds) == ("<=", (50, {"var": "allocation"}), False)
    assert [(seen.expression, seen.value) for seen in found.seen] == [({"var": "allocation"}, 23.4)]


def test_what_is_inside_an_argument_is_seen_too_and_once():
    condition = {"==": [{"cat": [{"var": "a"}, {"substr": [{"var": "a"}, 0, 1]}]}, "xyx"]}
    assert [seen.text for seen in check(condition, {"a": "xy"}).seen] == [
        'cat(a, substr(a, 0, 1)) = "xyx"',
        'a = "xy"',
        'substr(a, 0, 1) = "x"',
    ]


def test_inside_a_loop_nothing_is_seen_because_there_a_variable_is_of_the_entry():
    condition = {"some": [{"var": "l"}, {"==": [{"var": "k"}, 1]}]}
    assert [seen.text for seen in check(condition, {"l": [{"k": 1}], "k": 2}).seen] == ['l = [{"k": 1}]']


def test_a_part_that_the_condition_does_not_come_to_is_evaluated_but_said_to_be_out_of_reach():
    condition = {"and": [{"var": "a"}, {"or": [{"var": "b"}, {"var": "c"}]}]}
    found = check(condition, {"a": 0, "b": 1, "c": 1})
    assert [part.is_reached for part in found.checks] == [True, False]
    assert [part.holds for part in leaf(found, 1).checks] == [True, True]
    assert [part.is_reached for part in check(condition, {"a": 1, "b": 1}).checks[1].checks] == [True, False]


def test_of_a_choice_only_the_branch_that_is_taken_is_in_reach():
    condition = {"if": [{"var": "a"}, 1, {"var": "b"}, 2, 3]}
    reached = {
        "a": [True, True, False, False, False],
        "b": [True, False, True, True, False],
        "neither": [True, False, True, False, True],
    }
    for name, expected in reached.items():
        assert [part.is_reached for part in check(condition, {name: True}).checks] == expected


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"and": [{"==": [1, 1]}, {"and": [{"<": [{"var": "a"}, 1]}]}]}, "a < 1 does not hold (a = 5)"),
        ({"or": [{"var": "b"}, False]}, "b or false does not hold"),
        ({"!": {"==": [{"var": "a"}, 5]}}, "not (a == 5) does not hold"),
        (False, "its condition is false, which never holds"),
        ({"nope": 1}, "the condition has an operator that is not known"),
    ],
)
def test_a_condition_that_does_not_hold_says_what_of_it_does_not(condition, why):
    assert check(condition, {"a": 5}).why == why


def test_a_part_without_a_value_says_why():
    found = check({"or": [{"*": []}, True]}, {})
    assert found.error == leaf(found, 0).error == "'*' has no argument"
    assert not leaf(found, 1).is_reached


def test_a_long_line_is_cut_where_it_is_only_told():
    found = check({"==": [{"var": "a"}, "x" * 70_00]}, {"a": "y" * 7_000})
    assert len(found.why) < 400
    assert len(found.to_wire()["saw"][0]["value"]) == 7_000


@pytest.mark.parametrize("seed", range(4))
def test_every_condition_can_be_taken_apart_and_is_worth_what_the_interpreter_says(seed):
    generator = Generator(seed, loops=True)
    for _ in range(150):
        condition, data = generator.condition(), generator.data()
        found = check(condition, data)
        assert (repr(found.value), found.error) == worth(condition, data)
        assert found.why
        if not re.search(r"\b(nan|inf)\b", repr(condition)):
            json.dumps(found.to_wire(), allow_nan=False)  # as no artifact has other numbers, none comes out


def test_whatever_goes_wrong_in_a_part_is_told_of_that_part_alone():
    class Broken(dict):
        def get(self, *_):
            raise ZeroDivisionError

    found = check({"or": [{"var": "a.b"}, True]}, {"a": Broken()})
    assert leaf(found, 0).error == "fails (ZeroDivisionError)"
    assert leaf(found, 1).holds
