"""An artifact's bytes as JSON (semantics.md 2.2, 3.6; faults.md E11, cases 7 and 13)."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.decisioning import document
from target_decisioning.decisioning.document import MAX_KEYS, quoted, read
from target_decisioning.decisioning.nesting import MAX_DEPTH, is_deeper
from target_decisioning.errors import ArtifactInvalid


def faults(source):
    with pytest.raises(ArtifactInvalid) as caught:
        read(source)
    return list(caught.value.faults)


@pytest.mark.parametrize(
    "source",
    [
        b'{"a": [1]}',
        bytearray(b'{"a": [1]}'),
        '{"a": [1]}',
        {"a": [1]},
        {"a": (1,)},
        b'\xef\xbb\xbf{"a": [1]}',
        '\ufeff{"a": [1]}',
        '{"a": [1]}'.encode("utf-16"),
    ],
    ids=["bytes", "bytearray", "text", "dict", "tuple in it", "BOM", "BOM in text", "UTF-16"],
)
def test_json_in_any_of_its_forms_is_read(source):
    assert read(source) == {"a": [1]}


def test_a_payload_that_is_changed_later_changes_nothing():
    payload = {"a": [1]}
    found = read(payload)
    payload["a"].append(2)
    assert found == {"a": [1]}


@pytest.mark.parametrize(
    ("source", "found"),
    [("[]", "a list"), ("null", "null"), ('"x"', "text"), ("1", "a number"), ("true", "true or false"), (None, "null")],
)
def test_json_that_is_no_object_is_no_artifact(source, found):
    assert faults(source) == [("the document", found, "an object with version, meta and rules")]


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (b"<!doctype html>", "line 1 column 1"),
        (b"", "line 1 column 1"),
        (b'{"a":\n 1;}', "line 2 column 3"),
        (b'{"a": 1} {"b": 2}', "line 1 column 10"),
        (b'{"a": "\xff"}', "byte 7"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(source, where):
    assert [fault[0] for fault in faults(source)] == [where]


@pytest.mark.parametrize("payload", [{"a": {1, 2}}, {"a": b"x"}, {("a",): 1}, object(), {"a": 10**5000}])
def test_a_payload_of_other_than_json_values_is_refused(payload):
    assert faults(payload)[0][2] == "JSON values only"


def test_a_payload_that_holds_itself_is_refused():
    payload = {}
    payload["self"] = payload
    assert faults(payload)[0][0] == "the document"


@pytest.mark.parametrize(
    ("source", "where", "found"),
    [
        ('{"rules": {}, "version": "1.0.0", "rules": {}}', "the document", 'the key "rules" twice'),
        ('{"meta": [{}, {"b": 1, "a": 0, "b": 2}]}', "meta[1]", 'the key "b" twice'),
        ('{"rules": {"mboxes": {"home": [{"a": 1, "a": 1}]}}}', 'rules.mboxes["home"][0]', 'the key "a" twice'),
        ('{"rules": {"views": {"home": [{"condition": NaN}]}}}', 'rules.views["home"][0].condition', "NaN"),
        ('{"meta": {"offer.id": -Infinity}}', 'meta["offer.id"]', "-Infinity"),
        ("NaN", "the document", "NaN"),
        ('{"a": 1e999}', "a", "a number of 5 characters (1e999...)"),
        (f'{{"a": {"9" * 5000}}}', "a", "a number of 5000 characters (999999999999...)"),
        ('{"a": -1e999}', "a", "a number of 6 characters (-1e999...)"),
    ],
)
def test_what_python_would_let_pass_is_told_with_its_place(source, where, found):
    assert [fault[:2] for fault in faults(source)] == [(where, found)]


def test_nan_in_a_payload_is_refused_too():
    assert [fault[:2] for fault in faults({"meta": {"a": [float("nan")]}})] == [("meta.a[0]", "NaN")]


def test_all_of_them_are_told_at_once():
    assert [fault[0] for fault in faults('{"a": NaN, "b": {"c": 1, "c": 2}, "d": [1e999]}')] == ["a", "b", "d[0]"]


def test_what_a_repeated_key_has_replaced_is_told_without_its_place():
    assert [fault[0] for fault in faults('{"a": NaN, "a": 1}')] == ["the document", "the document"]


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("999999999999999", 999999999999999),
        ("9007199254740993", 9007199254740992),
        ("-9007199254740993", -9007199254740992),
        ("123456789012345678901", 123456789012345683968),
        ("1.5", 1.5),
        ("1e3", 1000.0),
    ],
)
def test_numbers_are_doubles(digits, number):
    """As in JavaScript: what lies between two doubles is the one nearest to it."""
    assert read(f'{{"n": {digits}}}') == {"n": number}


@pytest.mark.parametrize("source", ["[" * 100_000, '{"a":' * 100_000, '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_a_document_of_depth_100_000_is_refused(source):
    assert faults(source) == [("the document", f"more than {MAX_DEPTH} levels of nesting", f"at most {MAX_DEPTH}")]


def nested(depth, value=None):
    for _ in range(depth):
        value = {"a": value}
    return value


def dropped(payload):
    """Take a deep payload apart level by level."""
    while payload:
        payload = payload.pop("a")


def test_a_payload_of_depth_100_000_is_refused():
    payload = nested(100_000)
    assert faults(payload)[0][1] == f"more than {MAX_DEPTH} levels of nesting"
    dropped(payload)


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("depth", [500, 5000, MAX_DEPTH - 3])
def test_what_nests_deeper_than_the_stack_bears_costs_only_itself(depth, as_text):
    """It is there, but not with all of its levels: what reads it finds it too deep."""
    others = {"before": 1, "deep": ["DEEP", '"]}'], "after": [{"b": '\\"]'}]}
    if as_text:
        source = json.dumps(others).replace('"DEEP"', '{"a":' * depth + "null" + "}" * depth)
    else:
        source = {**others, "deep": [nested(depth)]}
    found = read(source)
    assert is_deeper(found.pop("deep"), 150)
    assert found == {"before": 1, "after": [{"b": '\\"]'}]}
    if not as_text:
        dropped(source["deep"][0])


@pytest.mark.parametrize("rest", ["", '"', '"\\', "]" * 5000, "]" * 5000 + '"' + '\\"' * 100_000])
def test_a_deep_document_that_is_no_json_is_refused(rest):
    assert len(faults("[" * 5000 + rest)) == 1


def test_a_deep_payload_with_other_than_json_values_is_refused():
    payload = nested(150, {"x", "y"})
    payload["deep"] = nested(5000)
    assert faults(payload)[0][2] == "JSON values only"
    dropped(payload.pop("deep"))


def test_a_tuple_that_nests_deeper_than_the_stack_bears_is_refused():
    payload = ()
    for _ in range(100_000):
        payload = (payload,)
    assert len(faults({"a": payload})) == 1


def test_equal_texts_of_a_document_are_one():
    document = read(b'{"a": "same text", "b": {"c": "same text", "d": ["same text"]}}')
    assert document["a"] is document["b"]["c"]


def test_a_dumped_value_is_loaded_again_but_for_what_nests_deeper_than_the_stack_bears():
    assert document.load(document.dump({"a": [1, 0.5, None, "\ud800"]})) == {"a": [1, 0.5, None, "\ud800"]}
    assert is_deeper(document.load("[" * 5_000 + "]" * 5_000), 150)


@pytest.mark.parametrize(("value", "depth"), [(1, 0), ("[[", 0), ([], 1), ({"a": 1}, 1), ([{"a": 1}, []], 2)])
def test_depth_counts_objects_and_lists(value, depth):
    assert not is_deeper(value, depth)
    assert depth == 0 or is_deeper(value, depth - 1)


def test_an_object_has_a_limited_number_of_keys():
    wide = {f"k{number}": 0 for number in range(MAX_KEYS + 1)}
    assert faults({"meta": wide}) == [("meta", f"an object of {MAX_KEYS + 1} keys", f"at most {MAX_KEYS}")]
    del wide["k0"]
    assert read({"meta": wide})


@pytest.mark.parametrize("kind", ["mboxes", "views"])
def test_only_the_maps_of_locations_may_have_more(kind, monkeypatch):
    wide = {f"k{number}": [] for number in range(MAX_KEYS + 1)}
    assert read({"rules": {kind: wide}})
    monkeypatch.setattr(document, "MAX_LOCATIONS", MAX_KEYS)
    assert faults({"rules": {kind: wide}}) == [
        (f"rules.{kind}", f"an object of {MAX_KEYS + 1} keys", f"at most {MAX_KEYS}")
    ]


def test_a_wide_list_of_locations_is_judged_like_any_object_where_rules_is_none():
    wide = {f"k{number}": [] for number in range(MAX_KEYS + 1)}
    assert faults({"rules": [wide]})[0][0] == "rules[0]"
    assert faults([wide])[0][0] == "[0]"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("home", '"home"'), ("café", '"café"'), ('a"b', '"a\\"b"'), ("a\nb", '"a\\nb"'), ("\ud800", '"\\ud800"')],
)
def test_a_name_is_shown_without_control_characters_and_halves_of_pairs(name, shown):
    assert quoted(name) == shown


def test_a_long_name_is_cut_in_messages():
    assert quoted("x" * 10_000) == f'"{"x" * 80}..."'
    assert len(faults(json.dumps({"x" * 10_000: {"a": 1}})[:-1] + ', "y": NaN, "y": 1}')[0][1]) < 100


@given(st.binary() | st.text() | st.text(alphabet='{}[]",:0123456789.eE-+NaInfity \\u'))
def test_any_bytes_are_read_or_refused(source):
    with contextlib.suppress(ArtifactInvalid):
        assert isinstance(read(source), dict)
