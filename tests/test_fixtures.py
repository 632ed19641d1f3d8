"""The project's own requests get the answers that were worked out for them by hand."""

import datetime as dt
import json
import time
from pathlib import Path

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi
from target_decisioning import TargetClient
from tests.matching import differences

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "fixtures/requests").glob("*.json"))
DIFFERENT_EACH_TIME = ("id", "impressionId", "timestamp")


@pytest.fixture(scope="module")
def cdn():
    with Cdn(ROOT / "artifacts") as server:
        yield server


@pytest.fixture
def api():
    with DeliveryApi() as server:
        yield server


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_request_is_answered_and_reported_as_written(path, cdn, api, monkeypatch):
    case = json.loads(path.read_text(encoding="utf-8"))
    cdn.geo = case.get("geo", {})
    if "now" in case:
        monkeypatch.setattr(time, "time", dt.datetime.fromisoformat(case["now"]).timestamp)
    with _client(case, cdn, api) as client:
        answer = client.get_offers(request=case["request"]).to_wire()
        assert client.flush(timeout=5)
    assert list(differences(case["response"], answer["response"], where="response")) == []
    assert list(differences(case["meta"], answer["meta"], where="meta")) == []
    assert list(differences(case["impressions"], [_lasting(impression) for impression in api.impressions])) == []
    assert api.problems == []


def test_every_local_location_of_the_shop_is_answered():
    shop = json.loads((ROOT / "artifacts/shop.json").read_text(encoding="utf-8"))
    answered = {name for path in FILES for name in _names_answered(json.loads(path.read_text(encoding="utf-8")))}
    assert {*shop["localMboxes"], *shop["localViews"]} - answered == set()


def _client(case, cdn, api):
    return TargetClient.create(
        client="acme",
        organization_id="1234567890@AdobeOrg",
        decisioning_method="on-device",
        artifact_location=cdn.location(case["artifact"]),
        geo_lookup_url=cdn.geo_url,
        server_domain=api.authority,
        secure=False,
        polling_interval=0,
        telemetry_enabled=False,
        learn_location_hint=False,
        **case.get("options", {}),
    )


def _lasting(impression):
    assert all(impression[key] for key in DIFFERENT_EACH_TIME)
    return {key: value for key, value in impression.items() if key not in DIFFERENT_EACH_TIME}


def _names_answered(case):
    for mode in ("execute", "prefetch"):
        answered = case["response"].get(mode, {})
        yield from (entry["name"] for kind in ("mboxes", "views") for entry in answered.get(kind, ()))
        if "pageLoad" in answered:
            yield "target-global-mbox"
