"""Who a visitor is to the engine (semantics.md 3.8)."""

from __future__ import annotations

from target_decisioning.decisioning.visitor import visitor_key
from tests.shared import vectors


def test_every_known_identity_gives_its_key():
    for case in vectors("visitor_key"):
        expected = case["visitor_key"] if isinstance(case["visitor_key"], str) else ""
        assert visitor_key(case["id"]) == expected, case["id"]


def test_an_id_that_is_a_number_counts_as_its_text():
    assert visitor_key({"marketingCloudVisitorId": None, "tntId": 12.5}) == "12"
