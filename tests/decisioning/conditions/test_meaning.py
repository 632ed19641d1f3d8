"""Each operator means what JsonLogic means by it in the reference implementation."""

import json

import pytest

from target_decisioning.decisioning.conditions import ConditionError, compile_value, parse
from target_decisioning.decisioning.javascript import UNDEFINED
from tests.shared import shared_json, vectors

AS_LATER_VERSIONS_DO = (
    '{"reduce": [{"var": "integers"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, {"var": "start_with"}]}'
)


def decoded(value):
    if isinstance(value, dict) and "$number" in value:
        return float(value["$number"].replace("Infinity", "inf"))
    if value == {"$undefined": True}:
        return UNDEFINED
    if isinstance(value, dict):
        return {key: decoded(entry) for key, entry in value.items()}
    return [decoded(entry) for entry in value] if isinstance(value, list) else value


def shown(value):
    """A value's text in which 1 and 1.0 are the same number, but true is none and -0 is not 0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return repr(float(value))
    if isinstance(value, list):
        return "[" + ",".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{shown(entry)}" for key, entry in value.items()) + "}"
    return repr(value)


def answers(rule, data):
    condition = parse(rule, "here")
    yield condition.evaluate(data)
    if not condition.unknown_operators:
        yield compile_value(condition)(data)


def test_every_expected_value_of_the_reference():
    for case in vectors("jsonlogic")["cases"]:
        if "error" in case or "deviates" in case:
            continue
        for answer in answers(case["rule"], decoded(case["data"])):
            assert shown(answer) == shown(decoded(case["result"])), case


def test_every_expected_error_of_the_reference():
    for case in vectors("jsonlogic")["cases"]:
        if "error" in case:
            with pytest.raises(ConditionError):
                parse(case["rule"], "here").evaluate(decoded(case["data"]))


def test_the_common_suite_of_jsonlogic():
    for case in shared_json("jsonlogic/compatible.json"):
        if isinstance(case, dict):
            for answer in answers(case["rule"], case.get("data")):
                assert shown(answer) == shown(case["result"]), case


def test_matrix_of_comparisons():
    matrix = vectors("jsonlogic")["matrix"]
    for operator, rows in matrix["rows"].items():
        condition = parse({operator: [{"var": "a"}, {"var": "b"}]}, "here")
        compiled = compile_value(condition)
        for value, row in zip(matrix["values"], rows, strict=True):
            for other, expected in zip(matrix["values"], row, strict=True):
                data = {"a": value, "b": json.loads(json.dumps(other))}
                assert condition.evaluate(data) == compiled(data) == (expected == "1"), (operator, data)


def test_a_value_is_true_to_jsonlogic():
    for case in vectors("jsonlogic")["truthy"]:
        for answer in answers({"!!": [{"var": "v"}]}, {"v": case["value"]}):
            assert answer is case["truthy"], case


@pytest.mark.parametrize(
    ("part", "text", "expected"),
    [
        ("", "", False),
        ("", "a", True),
        ("\ud83d", "😀", True),
        ("\ude00", "a😀", True),
        ("\ud8d8", "\u12d8\ud83d", False),
        ("\ud8d8", "\u12d8\ud83d\ud8d8", True),
        ("é", "é", True),
    ],
)
def test_a_text_is_searched_by_utf16_units(part, text, expected):
    for answer in answers({"in": [part, {"var": "mbox.text"}]}, {"mbox": {"text": text}}):
        assert answer is expected


def test_two_halves_of_a_pair_become_one_character():
    for answer in answers({"==": [{"cat": ["\ud83d", {"var": "mbox.low"}]}, "😀"]}, {"mbox": {"low": "\ude00"}}):
        assert answer is True


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["abcdef", 0, "-2"], ""),
        (["abcdef", 0, -1.5], "abcd"),
        (["abcdef", -2, -9], ""),
        (["abcdef", float("inf")], ""),
        (["abcdef", float("-inf"), float("inf")], "abcdef"),
        (["abcdef", 1, float("-inf")], ""),
    ],
)
def test_substr_with_lengths_nobody_expects(arguments, expected):
    for answer in answers({"substr": arguments}, {}):
        assert answer == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"*": [0, -1, -1]}, "-0.0"),
        ({"+": [-0.0, -0.0]}, "0.0"),
        ({"/": [1, -0.0]}, "-inf"),
        ({"/": [1e308, 1e-308]}, "inf"),
        ({"max": [-0.0, 0]}, "0.0"),
        ({"min": [0, -0.0]}, "-0.0"),
        ({"%": [5, float("inf")]}, "5.0"),
        ({"%": [float("inf"), 5]}, "nan"),
    ],
)
def test_arithmetic_keeps_signs_of_zero_and_infinities(rule, expected):
    for answer in answers(rule, {}):
        assert repr(answer) == expected
