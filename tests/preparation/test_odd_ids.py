"""Ids that no wire can carry, and lists with gaps."""

import pytest

from target_decisioning.config import read_config
from target_decisioning.errors import RequestError
from target_decisioning.preparation import prepare, read_call

CONFIG = read_config({"client": "acme", "organization_id": "0@AdobeOrg"}, {})


def prepared(request, **options):
    return prepare(read_call({"request": request, **options}, {}), CONFIG, None, 0, lambda: "id")


@pytest.mark.parametrize("name", ["tntId", "thirdPartyId", "marketingCloudVisitorId"])
def test_half_of_a_surrogate_pair_is_no_id(name):
    """Its cookie would name another visitor."""
    with pytest.raises(RequestError, match=rf"request\.id\.{name}: found half of a surrogate pair"):
        prepared({"id": {name: "visitor-\ud800"}})
    with pytest.raises(RequestError, match="session_id"):
        prepared({"context": {}}, session_id="\ud800")


def test_a_null_in_a_list_of_texts_counts_as_absent():
    notification = {"id": "n", "type": "display", "timestamp": 1, "tokens": [None, "t"]}
    assert prepared({"notifications": [notification]}).request["notifications"][0]["tokens"] == ["t"]


def test_a_blank_blob_is_a_blob():
    cloud = {"audienceManager": {"blob": ""}}
    assert prepared({"experienceCloud": cloud, "context": {}}).request["experienceCloud"]["audienceManager"] == {
        "blob": ""
    }
