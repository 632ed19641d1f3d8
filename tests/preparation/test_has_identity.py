"""Whether anything names a visitor (semantics.md 1.8)."""

import pytest

from target_decisioning.preparation.identity import has_identity

AUTHENTICATED = {"customerIds": [{"id": "c1", "integrationCode": "x", "authenticatedState": "authenticated"}]}


@pytest.mark.parametrize(
    "ids", [{"tntId": "t"}, {"marketingCloudVisitorId": "m"}, {"thirdPartyId": "p"}, {"tntId": ".28_0"}]
)
def test_any_id_of_the_visitor_is_an_identity(ids):
    assert has_identity(ids)


@pytest.mark.parametrize("ids", [{}, {"tntId": "", "marketingCloudVisitorId": None}, AUTHENTICATED])
def test_a_visitor_without_one_has_none_even_if_a_customer_id_is_authenticated(ids):
    """D9: an authenticated customer id alone gave a new random key with every request."""
    assert not has_identity(ids)
