"""Who a visitor is to the engine (semantics.md 1.8, 3.8)."""

from __future__ import annotations

import pytest

from target_decisioning.decisioning.visitor import has_identity, visitor_key
from tests.shared import vectors

AUTHENTICATED = {"customerIds": [{"id": "c1", "integrationCode": "x", "authenticatedState": "authenticated"}]}


def test_every_known_identity_gives_its_key():
    for case in vectors("visitor_key"):
        expected = case["visitor_key"] if isinstance(case["visitor_key"], str) else ""
        assert visitor_key(case["id"]) == expected, case["id"]


def test_an_id_that_is_a_number_counts_as_its_text():
    assert visitor_key({"marketingCloudVisitorId": None, "tntId": 12.5}) == "12"


@pytest.mark.parametrize(
    "ids", [{"tntId": "t"}, {"marketingCloudVisitorId": "m"}, {"thirdPartyId": "p"}, {"tntId": ".28_0"}]
)
def test_any_id_of_the_visitor_is_an_identity(ids):
    assert has_identity(ids)


@pytest.mark.parametrize("ids", [{}, {"tntId": "", "marketingCloudVisitorId": None}, AUTHENTICATED])
def test_a_visitor_without_one_has_none_even_if_a_customer_id_is_authenticated(ids):
    """D9: an authenticated customer id alone gave a new random key with every request."""
    assert not has_identity(ids)
