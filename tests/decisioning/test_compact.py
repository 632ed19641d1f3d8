"""JSON values in little memory are the same values again."""

import json

from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.decisioning import document
from target_decisioning.decisioning.compact import Compactor, restore

objects = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))


@given(objects)
def test_a_record_is_the_same_object_again_and_new_each_time(value):
    record = Compactor().record(value)
    assert json.dumps(restore(record)) == json.dumps(value)
    assert restore(record) is not restore(record)


def test_records_with_the_same_keys_in_the_same_order_share_them():
    compact = Compactor()
    (first, *_), (second, *_), (turned, *_) = map(
        compact.record, ({"a": 1, "b": 2}, {"a": 3, "b": 4}, {"b": 1, "a": 2})
    )
    assert first is second
    assert turned == ("b", "a")


def test_equal_values_share_a_text():
    compact = Compactor()
    text = compact.text({"a": [1, True]})
    assert compact.text({"a": [1, True]}) is text
    assert compact.text({"a": [1, 1]}) != text
    assert document.load(text) == {"a": [1, True]}


def test_equal_labels_are_one_unless_they_hold_more_than_texts():
    """``1`` and ``true`` are equal in Python."""
    compact = Compactor()
    assert compact.labels({"name": "a"}) is compact.labels({"name": "a"})
    assert compact.labels({"name": 1}) is not compact.labels({"name": True})
    assert list(compact.labels({"a": "x", "b": "y"})) != list(compact.labels({"b": "y", "a": "x"}))
