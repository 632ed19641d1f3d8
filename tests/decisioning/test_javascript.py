"""Values are converted and compared as JavaScript does it."""

import copy
import math

import pytest

from target_decisioning.decisioning import javascript
from target_decisioning.decisioning.javascript import (
    UNDEFINED,
    less_or_equal,
    less_than,
    loose_equals,
    parse_float,
    strict_equals,
    to_number,
    to_text,
)
from tests.shared import vectors


def decoded(value):
    """The expected values spell what JSON cannot as ``{"$number": "NaN"}``."""
    if isinstance(value, dict) and "$number" in value:
        return float(value["$number"].replace("Infinity", "inf"))
    return value


def same(a, b):
    return repr(float(a)) == repr(float(b))


def test_numbers_are_written_with_the_fewest_digits():
    for case in vectors("jsonlogic")["number_to_string"]:
        assert to_text(decoded(case["number"])) == case["text"]


def test_a_text_becomes_a_number_as_number_and_parse_float_read_it():
    for case in vectors("jsonlogic")["text_to_number"]:
        assert same(to_number(case["text"]), decoded(case["as_number"])), case
        assert same(parse_float(case["text"]), decoded(case["parse_float"])), case


@pytest.mark.parametrize(
    ("operator", "function"),
    [("==", loose_equals), ("===", strict_equals), ("<", less_than), ("<=", less_or_equal)],
)
def test_every_pair_of_the_matrix_compares_as_expected(operator, function):
    matrix = vectors("jsonlogic")["matrix"]
    for value, row in zip(matrix["values"], matrix["rows"][operator], strict=True):
        answers = "".join(str(int(function(value, copy.deepcopy(other)))) for other in matrix["values"])
        assert answers == row, (operator, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (UNDEFINED, "undefined"),
        (True, "true"),
        ([1, [2, 3], None, "x", UNDEFINED], "1,2,3,,x,"),
        ([], ""),
        ([[], []], ","),
        ({"a": 1}, "[object Object]"),
        ([{}], "[object Object]"),
        (9007199254740993, "9007199254740992"),
        (10**400, "Infinity"),
    ],
)
def test_a_value_as_text(value, text):
    assert to_text(value) == text


@pytest.mark.parametrize("value", [None, UNDEFINED, False, 0, -0.0, math.nan, ""])
def test_falsy_values(value):
    assert not javascript.is_truthy(value)


@pytest.mark.parametrize("value", [True, 1, -1, math.inf, "0", "false", [], {}, [0]])
def test_truthy_values(value):
    assert javascript.is_truthy(value)


def test_integers_beyond_two_to_the_53_count_as_the_nearest_double():
    assert strict_equals(9007199254740993, 9007199254740992.0)
    assert loose_equals("9007199254740993", 9007199254740992)
    assert to_number(-(10**400)) == -math.inf


def test_texts_are_ordered_by_utf16_units():
    assert less_than("😀", "\uffff")
    assert less_or_equal("😀", "\uffff")
    assert not less_than("é", "z")


def test_a_deeply_nested_list_has_a_text():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert to_text(nested) == ""


def test_the_text_of_a_list_that_doubles_is_given_up_early():
    doubled = ["x"]
    for _ in range(60):
        doubled = [doubled, doubled]
    with pytest.raises(javascript.TextTooLong):
        loose_equals(doubled, "x")


def test_half_of_a_pair_is_a_lone_surrogate():
    assert javascript.utf16_length("a😀b") == 4
    assert javascript.utf16_slice("a😀b", 0, 2) == "a\ud83d"
    assert javascript.pair_surrogates("\ud83d\ude00") == "😀"


def test_an_empty_text_is_zero_and_no_number_to_parse_float():
    assert to_number("") == to_number(" \ufeff\u2028") == 0
    assert math.isnan(parse_float(""))
    assert math.isnan(to_number({}))
