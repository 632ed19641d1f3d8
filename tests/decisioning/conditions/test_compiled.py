"""Compiling changes the speed of a condition, never its answer."""

import ast
import gc
import json
import weakref

import pytest

from target_decisioning.decisioning.conditions import ConditionError, compile_conditions, compile_value, parse
from target_decisioning.decisioning.conditions.compiler import module_of
from target_decisioning.decisioning.javascript import is_truthy
from tests.decisioning.conditions.generated import Generator
from tests.shared import shared_path

FIRST_BAND = {"and": [{"<=": [0, {"var": "allocation"}]}, {">=": [50, {"var": "allocation"}]}]}
SYNTAX = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Try, ast.ExceptHandler, ast.Return),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.IfExp, ast.Compare, ast.cmpop),
    *(ast.NamedExpr, ast.Name, ast.Load, ast.Store, ast.Subscript, ast.Call, ast.List, ast.Constant),
)


def outcome(function, data):
    """By repr, because in Python 1 == True."""
    try:
        return repr(function(data))
    except ConditionError as error:
        return error.reason


@pytest.mark.parametrize("seed", range(8))
def test_a_compiled_condition_answers_as_the_interpreter_does(seed):
    """8 times 1,500 conditions on 3 contexts each, one condition in ten with loops."""
    generator = Generator(seed)
    for number in range(1_500):
        generator.loops = number % 10 == 0
        condition = parse(generator.condition(), "here")
        value, (holds,) = compile_value(condition), compile_conditions([condition])
        for _ in range(3):
            data = generator.data()
            assert outcome(value, data) == outcome(condition.evaluate, data)
            assert outcome(holds, data) == outcome(condition.holds, data)


def test_conditions_of_one_shape_share_their_tree_and_code_but_not_their_literals():
    first, second = parse({"==": [{"var": "mbox.a"}, "x"]}, "here"), parse({"==": [{"var": "mbox.b"}, "y"]}, "here")
    is_x, is_y = compile_conditions([first, second])
    assert first.shape is second.shape
    assert is_x.__code__ is is_y.__code__
    assert [is_x({"mbox": {"a": "x"}}), is_y({"mbox": {"a": "x"}})] == [True, False]
    assert [is_x({"mbox": {"b": "y"}}), is_y({"mbox": {"b": "y"}})] == [False, True]


def test_a_shape_ends_with_its_last_condition():
    condition = parse({"==": [{"var": "only.here"}, {"cat": ["only", "here"]}]}, "here")
    predicates = compile_conditions([condition])
    shape = weakref.ref(condition.shape)
    del condition, predicates
    gc.collect()
    assert shape() is None


def modules(conditions):
    for condition in conditions:
        for wanted in ("holds", "value"):
            module = module_of(parse(condition, "here").shape, wanted)
            if module is not None:
                yield module


def conditions_of_artifacts():
    for path in sorted(shared_path("conformance/artifacts").glob("*.json")):
        rules = json.loads(path.read_text()).get("rules", {})
        for kind in rules.values():
            for location in kind.values():
                yield from (rule["condition"] for rule in location)


def test_generated_code_is_of_few_kinds_of_syntax_and_names_of_ours():
    generator = Generator("syntax")
    for module in modules(generator.condition(4) for _ in range(2_000)):
        for part in ast.walk(module):
            assert isinstance(part, SYNTAX), ast.dump(part)
            if isinstance(part, ast.Constant):
                assert part.value is None or isinstance(part.value, bool)


def test_generated_code_sees_no_builtins():
    (holds,) = compile_conditions([parse(FIRST_BAND, "here")])
    assert holds.__globals__["__builtins__"] == {}


def test_every_condition_of_a_real_artifact_is_compiled():
    for condition in conditions_of_artifacts():
        assert module_of(parse(condition, "here").shape, "holds") is not None, condition


def test_a_condition_of_many_operands_is_compiled():
    countries = {"or": [{"==": [{"var": "geo.country"}, str(number)]} for number in range(1_000)]}
    mixed = {"or": [{"var": f"mbox.{number}"} for number in range(1_000)]}
    for condition in (countries, mixed):
        assert module_of(parse(condition, "here").shape, "value") is not None
    (holds,) = compile_conditions([parse(countries, "here")])
    assert [holds({"geo": {"country": "999"}}), holds({"geo": {"country": "1000"}})] == [True, False]
    assert compile_value(parse(mixed, "here"))({"mbox": {"a": 1}}) is None


def test_what_is_too_deep_to_compile_safely_is_interpreted():
    condition = True
    for _ in range(64):
        condition = {"!": [condition]}
    parsed = parse(condition, "here")
    assert module_of(parsed.shape, "holds") is None
    assert compile_conditions([parsed])[0]({}) is True


def test_what_would_take_too_long_to_compile_in_one_go_is_interpreted(monkeypatch):
    monkeypatch.setattr("target_decisioning.decisioning.conditions.compiler.MAX_COMPILED_AT_ONCE", 5)
    first, second = (
        parse({"==": [{"var": "mbox.a"}, 1]}, "here"),
        parse({"!": [{"and": [{"var": "mbox.a"}, 1]}]}, "here"),
    )
    compiled, interpreted = compile_conditions([first, second])
    assert interpreted == second.holds
    assert [compiled({"mbox": {"a": 1}}), interpreted({"mbox": {"a": 1}})] == [True, False]


def test_an_empty_list_holds_though_jsonlogic_calls_it_false():
    """A rule holds if the value is truthy in JavaScript."""
    condition = parse({"and": [{"var": "mbox.list"}, {"==": [1, 1]}]}, "here")
    data = {"mbox": {"list": []}}
    assert condition.evaluate(data) == []
    assert is_truthy(compile_value(condition)(data))
    assert compile_conditions([condition])[0](data) is True
