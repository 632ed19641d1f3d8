"""The expected decisions, through the public client: answer, meta and impressions.

A case that deviates shows the reference's value; here stands what this project answers instead.
"""

import re
import time

import pytest

from fixtures.delivery_api import DeliveryApi
from target_decisioning import TargetClient
from tests.matching import differences
from tests.shared import SHARED, vectors

NAMES = {"id": {"$random_uuid": True}, "impressionId": {"$random_uuid": True}}
TIMES = {"artifactLastRetrieved": {"$timestamp": True}}


def _cases(section):
    if not (SHARED / "design/vectors.json").exists():
        return []
    return [pytest.param(case, id=case["label"]) for case in vectors("decisions")[section]]


@pytest.fixture(scope="module")
def api():
    with DeliveryApi(refuse_invalid=False) as server:
        yield server


@pytest.fixture
def client(api, monkeypatch):
    section = vectors("decisions")
    monkeypatch.setattr(time, "time", lambda: section["now_ms"] / 1000)
    api.calls.clear()
    options = {
        "client": section["client"],
        "organization_id": "ORG@AdobeOrg",
        "artifact_payload": section["artifact"],
        "target_location_hint": "28",
        "telemetry_enabled": False,
        "server_domain": api.authority,
        "secure": False,
    }
    with TargetClient.create(options, decisioning_method="on-device") as one:
        yield one


@pytest.mark.parametrize("case", _cases("on_device"))
def test_on_device(client, api, case):
    envelope = client.get_offers(request=case["request"], session_id="sess-1")
    assert client.flush(timeout=5)
    if "deviates" in case:
        return DEVIATIONS[case["label"]](envelope, case)
    wire = _generalized(envelope.to_wire())
    assert list(differences(case["response"], wire["response"])) == []
    assert wire["meta"] == case["meta"]
    assert wire.get("responseTokens", []) == case.get("responseTokens", [])
    sent = [one for call in api.calls for one in _generalized(call.body["notifications"])]
    assert sent == case["notifications"]
    return None


def _contents(envelope):
    return [option.content for mbox in envelope.response.execute.mboxes for option in mbox.options or []]


def _views_in_artifact_order(envelope, case):
    """D20: the reference walks views with integer-like names first."""
    in_artifact = list(vectors("decisions")["artifact"]["rules"]["views"])
    assert [view.name for view in envelope.response.prefetch.views] == in_artifact
    by_name = {view["name"]: view for view in case["response"]["prefetch"]["views"]}
    assert {view["name"]: view for view in envelope.to_wire()["response"]["prefetch"]["views"]} == by_name


def _the_page_of_the_entry(envelope, _case):
    """D1: the first rule asks for the page, which both read from the entry's ``url``."""
    assert _contents(envelope) == ["page from mbox"]


def _no_referring_page(envelope, _case):
    """D1: an entry's address without ``referringUrl`` has no referring page, whatever its ``url`` is."""
    assert _contents(envelope) == []


def _a_rule_with_an_unknown_operator_does_not_hold(envelope, _case):
    """D4: and its location is remote."""
    assert envelope.to_wire()["response"]["execute"] == {"mboxes": [{"name": "bad-op", "index": 0}]}
    assert envelope.meta.remote_mboxes == ["bad-op"]


def _the_later_parameter_wins(envelope, _case):
    """D3."""
    assert _contents(envelope) == ["two"]


DEVIATIONS = {
    "all views": _views_in_artifact_order,
    "view by key only": _views_in_artifact_order,
    "mbox address replaces page and (Node) referring": _the_page_of_the_entry,
    "mbox address url equal to a referring path (shows Node's referring defect)": _no_referring_page,
    "unknown operator": _a_rule_with_an_unknown_operator_does_not_hold,
    "parameters that conflict": _the_later_parameter_wins,
}


@pytest.mark.parametrize("case", _cases("hybrid"))
def test_what_hybrid_forwards(client, api, case):
    """The reference forwards a whole request; here only the part that needs the server goes out."""
    if "error" in case:
        return
    request = next(one["request"] for one in vectors("decisions")["on_device"] if one["label"] == case["label"])
    meta = client.get_offers(request=request, decisioning_method="hybrid").meta
    assert (meta.remote_mboxes, meta.remote_views) == (case["meta"]["remoteMboxes"], case["meta"]["remoteViews"])
    assert bool(api.decisions) == case["forwarded"]


def _generalized(value):
    """Replace what is random by the mark that the expected values have for it."""
    if isinstance(value, list):
        return [_generalized(part) for part in value]
    if not isinstance(value, dict):
        return value
    is_impression = "impressionId" in value
    return {
        key: NAMES[key]
        if is_impression and key in NAMES and re.fullmatch("[0-9a-f]{32}", part)
        else TIMES[key]
        if key in TIMES and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", part)
        else _generalized(part)
        for key, part in value.items()
    }


def test_every_deviation_has_its_own_expectation():
    cases = vectors("decisions")["on_device"]
    assert {case["label"] for case in cases if "deviates" in case} == DEVIATIONS.keys()
