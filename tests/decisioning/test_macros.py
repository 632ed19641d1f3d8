"""What stands in the place of ``${...}`` (semantics.md 4.7)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_decisioning.decisioning.macros import compile_macros
from tests.shared import vectors

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=5,
)
mappings = st.dictionaries(st.text("ab.") | st.text(), json_values, max_size=3)
texts = st.lists(st.sampled_from(["${", "}", "$", "a", "b", ".", "mbox", "campaign", "é"])).map("".join) | st.text()


def filled(text, meta, entry):
    template = compile_macros(text)
    return text if template is None else template.bind(meta).fill(entry, entry.get("parameters"))


@pytest.mark.parametrize("section", ["html", "view_detail", "page_load_detail", "no_parameters"])
def test_every_known_template_gives_its_text(section):
    known = vectors("macros")
    for case in known[section]:
        entry = case.get("request_detail", known["request_detail"])
        assert filled(case["template"], known["meta"], entry) == case["result"], case["template"]


@pytest.mark.parametrize("text", ["", "plain", "$ {a}", "${a", "${ a }", "${a-b}", "${é}"])
def test_a_text_without_macros_needs_no_template(text):
    assert compile_macros(text) is None


def test_a_template_whose_macros_the_artifact_knows_is_a_constant_once_bound():
    assert compile_macros("<i>${activity.name}</i>").bind({"activity.name": "Blue"}).constant == "<i>Blue</i>"
    assert compile_macros("${activity.name}").bind({"activity.name": ""}).constant == ""


def test_a_template_that_asks_the_request_is_no_constant():
    bound = compile_macros("${activity.name}${mbox.name}").bind({"activity.name": "Blue"})
    assert bound.constant is None
    assert bound.fill({"name": "home"}, None) == "Bluehome"


def test_meta_wins_over_the_entry_and_the_entry_over_its_parameters():
    entry = {"name": "home", "parameters": {"name": "p", "activity.id": "p", "own": "p"}}
    assert filled("${activity.id} ${name} ${own}", {"activity.id": 1}, entry) == "1 home p"


def test_what_is_put_in_is_literal():
    entry = {"parameters": {"a": r"${b} \1 $& %s", "b": "never"}}
    assert filled("<${a}>", {}, entry) == r"<${b} \1 $& %s>"


@pytest.mark.parametrize("name", ["constructor", "toString", "__class__", "keys", "items", "mbox.__class__"])
def test_a_macro_reads_data_and_nothing_that_a_mapping_inherits(name):
    """D17: inherited names printed source text."""
    assert filled(f"${{{name}}}", {}, {"name": "home", "parameters": {}}) == f"${{{name}}}"


@settings(deadline=None)
@given(texts, mappings, mappings, st.none() | mappings)
def test_binding_first_changes_nothing(text, meta, entry, parameters):
    template = compile_macros(text)
    if template is not None:
        bound = template.bind(meta)
        assert bound.fill(entry, parameters) == template.fill({**entry, **meta}, parameters)
        assert bound.constant in (None, bound.fill({}, None))


@given(texts)
def test_a_text_whose_macros_find_nothing_stays_as_it_is(text):
    assert filled(text, {}, {}) == text
