"""A client between stand-ins: an artifact of the test's choice, and a Delivery API on the loopback."""

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi
from target_decisioning import TargetClient
from tests.client.parts import ORGANIZATION, REMOTE_VIEWS, places


@pytest.fixture
def api():
    with DeliveryApi(views=REMOTE_VIEWS) as server:
        yield server


@pytest.fixture
def make_client(api):
    """Make a hybrid client that decides from ``places()`` and asks the stand-in; options by keyword."""
    made = []

    def make(**options):
        usual = {
            "client": "acme",
            "organization_id": ORGANIZATION,
            "decisioning_method": "hybrid",
            "artifact_payload": places() if "artifact_location" not in options else None,
            "server_domain": api.authority,
            "secure": False,
            "telemetry_enabled": False,
            "learn_location_hint": False,
        }
        made.append(TargetClient.create({**usual, **options}))
        return made[-1]

    yield make
    for client in made:
        client.close(0)


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def cdn():
    with Cdn() as server:
        server.swap("rules.json", places())
        yield server
