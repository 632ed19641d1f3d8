"""What a client tells its operator: about misspelt requests, and about artifacts that it cannot use whole."""

import pytest

from tests.builders import a_rule, an_artifact
from tests.client.parts import asking


class Log:
    def __init__(self):
        self.said = []

    def debug(self, message):
        pass

    def error(self, message):
        self.said.append(message)


def test_a_certificate_that_is_not_there_is_told_at_once(make_client, tmp_path):
    log = Log()
    there = tmp_path / "there.pem"
    there.touch()
    make_client(logger=log, ca_bundle=tmp_path / "gone.pem", client_cert=(there, tmp_path / "gone.key"))
    make_client(logger=log, ca_bundle=there, client_cert=there)
    assert log.said == [
        f"option '{option}': there is no such file; no server will be reached over TLS"
        for option in ("ca_bundle", "client_cert")
    ]


@pytest.mark.parametrize(
    ("customers", "told"),
    [
        ([{"id": "c", "integration_code": "crm"}], "customer_ids[].integration_code; did you mean 'integrationCode'?"),
        ({"crm": {"Id": "c"}, "erp": "d"}, "customer_ids[].Id; did you mean 'id'?"),
        ({"crm": {"id": "c", "auth_state": 1}}, None),
        (None, None),
    ],
)
def test_a_misspelt_key_of_customer_ids_is_told(make_client, customers, told):
    log = Log()
    client = make_client(logger=log)
    client.get_offers(request=asking(mboxes="local-1"), customer_ids=customers)
    assert log.said == ([f"A key that the API does not have is dropped: {told}"] if told else [])


def test_a_misspelt_key_of_a_request_is_told_once(make_client):
    log = Log()
    client = make_client(logger=log)
    request = {**asking(mboxes="local-1 local-2"), "id": {"tnt_id": "secret-visitor"}}
    request["execute"]["mboxes"][1]["paramters"] = {}
    for _ in range(3):
        client.get_offers(request=request, decisioning_method="on-device")
    assert log.said == [
        "A key that the API does not have is dropped: request.id.tnt_id; did you mean 'tntId'?",
        "A key that the API does not have is dropped: request.execute.mboxes[].paramters; did you mean 'parameters'?",
    ]


def test_a_location_that_only_the_server_can_decide_is_told_once_per_artifact(make_client):
    log = Log()
    broken = an_artifact(home=[a_rule("x", condition={"nope": [1]})], other=[a_rule("y")])
    client = make_client(logger=log, artifact_payload=broken)
    client.get_offers(request=asking(mboxes="home other"), decisioning_method="on-device")
    (told,) = log.said
    assert told.startswith('A location is left to the server: rules.mboxes["home"][0].condition: found operator')
    assert list(client.status()["undecidable"]) == ['rules.mboxes["home"]']


@pytest.mark.parametrize("blank", [False, 0, "", None])
@pytest.mark.parametrize("key", ["execute", "trace", "notifications", "context", "nonsense"])
def test_a_blank_part_of_a_request_is_looked_through_too(make_client, key, blank):
    client = make_client(logger=Log())
    assert client.get_offers(request={**asking(mboxes="local-1"), key: blank}).meta.remote_mboxes == []
