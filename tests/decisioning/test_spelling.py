import pytest

from target_decisioning.decisioning.javascript import UNDEFINED
from target_decisioning.decisioning.spelling import spell, spell_value


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"<=": [0, {"var": "allocation"}]}, "0 <= allocation"),
        ({"<=": ["0900", {"var": "current_time"}, "1700"]}, '"0900" <= current_time <= "1700"'),
        ({"in": [{"var": "user.browserType"}, ["chrome", "edge"]]}, 'user.browserType in ["chrome", "edge"]'),
        ({"and": [{"==": [1, 1]}, {"!": [{"var": "mbox.a"}]}]}, "(1 == 1) and (not mbox.a)"),
        ({"!": {"in": ["a", {"var": "mbox.b"}]}}, 'not ("a" in mbox.b)'),
        ({"or": [{"var": "mbox.a"}, {"+": [1, 2, {"*": [3, 4]}]}]}, "mbox.a or (1 + 2 + (3 * 4))"),
        ({"substr": [{"var": ["mbox.a", ""]}, -3]}, 'substr((mbox.a or else ""), -3)'),
        ({"if": [{"var": "mbox.a"}, 1, 0]}, "if(mbox.a, 1, 0)"),
    ],
)
def test_operators_stand_between_their_operands(condition, text):
    assert spell(condition) == text


@pytest.mark.parametrize("key", ["", "a b", "a..b", ".a", 1, None, {"cat": ["mbox.", "a"]}])
def test_a_key_that_would_not_read_as_a_name_is_spelled_as_an_argument(key):
    assert spell({"var": key}).startswith("var(")


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (True, "true"),
        ({}, "{}"),
        ({"a": 1, "b": {"var": "x"}}, '{"a": 1, "b": {"var": "x"}}'),
        ([], "[]"),
        ({"<": [1]}, "<(1)"),
        ({"regex": ["a", "b"]}, 'regex("a", "b")'),
        ({"and": []}, "and()"),
    ],
)
def test_constants_are_json_and_other_operations_are_calls(condition, text):
    assert spell(condition) == text


def test_values_that_json_has_not_are_spelled_as_in_javascript():
    values = [UNDEFINED, float("nan"), float("-inf"), None]
    assert list(map(spell_value, values)) == ["undefined", "NaN", "-Infinity", "null"]


def test_numbers_are_written_as_javascript_writes_them():
    assert spell_value([1.0, -2.0, 0.5, {"a": 3.0}]) == '[1, -2, 0.5, {"a": 3}]'
