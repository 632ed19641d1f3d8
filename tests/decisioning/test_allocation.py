"""Where in an activity's traffic a visitor stands (semantics.md 3.7)."""

from __future__ import annotations

import mmh3
from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.decisioning.allocation import (
    activity_part,
    activity_text,
    allocation,
    allocation_of,
    visitor_part,
)
from tests.shared import vectors

any_text = st.text(st.characters(codec=None, exclude_categories=()))


def test_every_known_visitor_stands_where_the_reference_puts_him():
    for case in vectors("allocation"):
        place = allocation(case["client"], activity_text(case["activity_id"]), case["visitor_id"])
        assert place == case["allocation"], case["hashed_text"]


def test_the_hash_is_murmur3_of_the_utf_16_code_units():
    for case in vectors("murmur3_32"):
        assert mmh3.hash(case["text"].encode("utf-16-le", "surrogatepass")) == case["signed"], case["text"]


def test_an_activity_without_an_id_is_hashed_with_none():
    assert activity_text(None) == ""


def test_the_parts_of_an_activity_and_a_visitor_join_to_the_text_that_is_hashed():
    joined = activity_part("acme", "12") + visitor_part("v")
    assert joined.decode("utf-16-le") == "acme.12.v.0"


@given(any_text, any_text, any_text)
def test_any_visitor_stands_between_0_and_99_99_in_steps_of_a_hundredth(client, activity, visitor):
    place = allocation(client, activity, visitor)
    assert place == allocation_of(activity_part(client, activity), visitor_part(visitor))
    assert place in {0.0, *(bucket / 100 for bucket in range(10_000))}
