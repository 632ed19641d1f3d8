"""What a condition sees of parameters (semantics.md 3.2)."""

from __future__ import annotations

import copy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_decisioning.decisioning.parameters import unflatten
from tests.shared import vectors

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
names = st.text("a.b_lc") | st.text()
json_values = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(names, below, max_size=3), max_leaves=8
)


def test_every_known_set_of_parameters_is_opened():
    for case in vectors("unflatten"):
        if "deviates" not in case:
            assert unflatten(case["parameters"]) == case["mbox"], case["parameters"]


@pytest.mark.parametrize(
    ("parameters", "seen"),
    [
        ({"a": "2", "a.b": "1"}, {"a": {"b": "1", "b_lc": "1"}}),
        ({"a.b": "X", "a.b.c": "Y"}, {"a": {"b": {"c": "Y", "c_lc": "y"}}}),
        ({"a": 5, "a.b": True}, {"a": {"b": True}}),
        ({"a": ["x"], "a.b": 1}, {"a": {"b": 1}}),
        ({"a": None, "a.b": 1}, {"a": {"b": 1}}),
    ],
)
def test_where_two_names_disagree_the_later_one_wins(parameters, seen):
    """D3: the whole request failed."""
    assert unflatten(parameters) == seen


def test_an_object_is_opened_further_but_stays_as_it_is_in_the_request():
    parameters = {"a": {"k": {"deep": "V"}}, "a.k.b": "X", "a.c": "Y"}
    before = copy.deepcopy(parameters)
    assert unflatten(parameters) == {
        "a": {"k": {"deep": "V", "deep_lc": "v", "b": "X", "b_lc": "x"}, "c": "Y", "c_lc": "y"}
    }
    assert parameters == before


def test_a_name_of_sixteen_parts_is_opened_and_a_longer_one_is_plain():
    opened = unflatten({".".join("p" * 16): "X"})
    for _ in range(15):
        opened = opened["p"]
    assert opened == {"p": "X", "p_lc": "x"}
    longer = ".".join("p" * 17)
    assert unflatten({longer: "X"}) == {longer: "X", f"{longer}_lc": "x"}


@pytest.mark.parametrize(
    "name", ["__class__", "__proto__", "constructor", "", ".", "..", "x" * 10_240, "\ud800", "." * 9999]
)
def test_an_odd_name_is_plain_data(name):
    assert unflatten({name: "V"}) == {name: "V", f"{name}_lc": "v"}


def test_a_value_nested_beyond_all_measure_stays_as_it_is_from_the_sixteenth_level():
    value = bottom = {}
    for _ in range(100_000):
        bottom["n"] = bottom = {}
    seen = unflatten({"a.b": value, "c": value})["c"]
    for _ in range(20):
        seen, value = seen["n"], value["n"]
    assert seen is value
    while bottom := value.pop("n", None):  # taken apart by hand: the interpreter would recurse
        value = bottom


def test_many_parameters_under_one_name_are_opened_in_one_pass():
    seen = unflatten({f"a.{number}": number for number in range(100_000)})
    assert len(seen["a"]) == 100_000


@settings(deadline=None)
@given(st.dictionaries(names, json_values, max_size=6))
@example({"a": {}, "a.b": {"b": {}}})
def test_any_parameters_are_opened_and_none_is_changed(parameters):
    before = copy.deepcopy(parameters)
    seen = unflatten(parameters)
    assert parameters == before
    assert all(
        seen[f"{name}_lc"] == value.lower()
        for name, value in parameters.items()
        if isinstance(value, str)
        and "." not in name
        and not name.endswith("_lc")
        and not any(other.startswith(f"{name}.") for other in parameters)
    )
