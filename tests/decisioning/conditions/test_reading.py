"""What a condition reads, and that it reads nothing but data."""

import pytest

from target_decisioning.decisioning.conditions import compile_conditions, compile_value, parse
from target_decisioning.decisioning.conditions.operators import Scope


@pytest.mark.parametrize(
    ("condition", "reads"),
    [
        (True, set()),
        ({"==": [{"var": "page.domain"}, {"var": ["mbox.a", "none"]}]}, {"page", "mbox"}),
        ({"var": 1.5}, {"1"}),
        ({"missing": ["mbox.a", "geo.city"]}, {"mbox", "geo"}),
        ({"missing": [["mbox.a"], "ignored.by.it"]}, {"mbox"}),
        ({"missing_some": [1, ["user.platform", "page.url"]]}, {"user", "page"}),
        ({"or": [True, {"nope": [{"var": "allocation"}]}]}, {"allocation"}),
        ({"var": "mbox.0.length"}, {"mbox"}),
    ],
)
def test_the_parts_of_the_context_that_a_condition_reads(condition, reads):
    parsed = parse(condition, "here")
    assert parsed.reads == reads
    assert not parsed.reads_everything


@pytest.mark.parametrize(
    "condition",
    [
        {"var": ""},
        {"var": None},
        {"var": []},
        {"var": {"var": "mbox.key"}},
        {"var": [["page", "url"]]},
        {"missing": {"var": "mbox.keys"}},
        {"missing": [""]},
        {"missing": [1]},
        {"missing_some": [1, {"merge": ["a"]}]},
    ],
)
def test_a_key_that_is_only_known_later_may_read_everything(condition):
    assert parse(condition, "here").reads_everything


def test_unknown_operators_are_named_wherever_they_stand():
    condition = parse({"or": [True, {"nope": []}, {"some": [[], {"exists": "a"}]}, {"nope": 1}, {"[": 1}]}, "here")
    assert condition.unknown_operators == ("nope", "exists", "[")
    assert condition.evaluate({}) is True
    assert parse({"a": {"nope": 1}, "b": 1}, "here").unknown_operators == ()


def test_nodes_are_operators_and_values():
    assert parse({"<=": [0, {"var": "allocation"}]}, "here").nodes == 4
    assert parse({"in": [{"var": "page.domain"}, ["a", "b"]]}, "here").nodes == 6
    assert parse({"in": [{"var": "page.domain"}, ["a", "b", "c"]]}, "here").nodes == 7
    assert parse({"!": [{"a": [1, 2], "b": {}}]}, "here").nodes == 6


ODD_KEYS = [
    "__class__",
    "__proto__",
    "constructor",
    "toString",
    "get",
    ".a",
    "a..b",
    "x" * 10_240,
    "\ud800",
    "length",
    "é",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_is_plain_data(key):
    condition = parse({"==": [{"var": f"mbox.{key}"}, "found"]}, "here")
    (holds,) = compile_conditions([condition])
    data = "found"
    for part in reversed(key.split(".")):
        data = {part: data}
    assert holds({"mbox": data}) is condition.holds({"mbox": data}) is True
    for nothing in ({}, {"mbox": {}}, {"mbox": None}, {"mbox": "text"}, {"mbox": [1]}, {"mbox": 5}):
        assert holds(nothing) is condition.holds(nothing) is False


@pytest.mark.parametrize(
    "key", ["__class__", "__len__", "upper", "append", "real", "keys", "-1", "00", "1_0", "²", "٣", "1e0", " 0"]
)
def test_var_finds_neither_attributes_nor_oddly_spelled_indexes(key):
    for value in ("text", [1, 2], {"a": 1}, 5, True, object()):
        condition = parse({"var": f"mbox.{key}"}, "here")
        assert condition.evaluate({"mbox": value}) is compile_value(condition)({"mbox": value}) is None


def test_a_condition_is_not_changed_by_what_happens_to_its_json():
    json = {"in": [{"var": "mbox.a"}, ["x"]]}
    constant = {"reduce": [[1], {"var": "accumulator.a"}, {"a": "kept", "b": 1}]}
    conditions = parse(json, "here"), parse(constant, "here")
    json["in"][1].append("y")
    constant["reduce"][2]["a"] = "changed"
    assert not conditions[0].holds({"mbox": {"a": "y"}})
    assert conditions[1].evaluate({}) == "kept"


def test_a_number_beyond_two_to_the_53_is_the_nearest_double():
    condition = parse({"===": [9007199254740993, {"var": "mbox.a"}]}, "here")
    assert condition.holds({"mbox": {"a": 9007199254740992}})
    assert compile_conditions([condition])[0]({"mbox": {"a": 9007199254740992}})


def test_the_tree_and_the_literals_say_what_the_condition_was():
    condition = parse({"==": [{"var": "page.domain"}, "example.com"]}, "here")
    var, text = condition.node.operands
    scope = Scope({"page": {"domain": "shop.com"}}, condition.literals)
    assert [part.operator for part in (condition.node, var)] == ["==", "var"]
    assert [part.evaluate(scope) for part in (var, var.path, text)] == ["shop.com", "page.domain", "example.com"]
