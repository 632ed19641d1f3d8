"""Every shared conformance case, through the public client: artifact from a CDN, impressions to a Delivery API.

A case says what was asked, what must be answered and what must be reported. What it does not mention of an answered
entry must not be there either, except response tokens, which only some cases are about, and where only a trace is told.
"""

import datetime as dt
import re
import time

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi
from target_decisioning import TargetClient
from tests.matching import differences
from tests.shared import SHARED, shared_json, shared_path

UNMENTIONED = {"responseTokens"}
MODES = {"execute", "prefetch"}


def _cases():
    for path in sorted((SHARED / "conformance/cases").glob("*.json")):
        suite = shared_json(f"conformance/cases/{path.name}")
        for name, case in suite["test"].items():
            inherited = {key: suite[key] for key in ("artifact", "conf") if key in suite}
            yield pytest.param({**inherited, **case}, id=f"{path.stem}-{name}")


@pytest.fixture(scope="module")
def cdn():
    with Cdn(shared_path("conformance/artifacts")) as server:
        yield server


@pytest.fixture
def api():
    with DeliveryApi(refuse_invalid=False) as server:
        yield server


@pytest.mark.parametrize("case", list(_cases()) or [pytest.param(None, id="none")])
def test_case(case, cdn, api, monkeypatch):
    if case is None:
        shared_path("conformance/cases")
    if "mockDate" in case:
        monkeypatch.setattr(time, "time", _clock(case["mockDate"]))
    with _client(case, cdn, api) as client:
        answer = client.get_offers(**_call(case["input"])).to_wire()["response"]
        assert client.flush(timeout=5)
    assert _wrong_answers(case.get("output", {}), answer) == []
    if "notificationOutput" in case:
        assert _wrong_reports(case["notificationOutput"], api) == []


def _client(case, cdn, api):
    return TargetClient.create(
        **{_snake(name): value for name, value in case["conf"].items()},
        decisioning_method="on-device",
        artifact_location=cdn.location(f"{case['artifact']}.json"),
        geo_lookup_url=cdn.geo_url,
        server_domain=api.authority,
        secure=False,
        learn_location_hint=False,
    )


def _call(given):
    renamed = {"locationHint": "target_location_hint"}
    return {renamed.get(name, _snake(name)): value for name, value in given.items()}


def _wrong_answers(expected, answer):
    return list(differences(expected, _told_of(answer, expected), may_add=UNMENTIONED))


def _told_of(answer, expected):
    """What a case speaks of: some modes of an answer, and of entries that it names by their trace, only that."""
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        return [_told_of(got, wanted) for got, wanted in zip(answer, expected, strict=True)]
    if not isinstance(expected, dict) or not isinstance(answer, dict):
        return answer
    told = expected if expected.keys() <= MODES or expected.keys() == {"trace"} else answer
    return {key: _told_of(answer[key], expected.get(key)) for key in told if key in answer}


def _wrong_reports(expected, api):
    if expected is None:
        return [call.body for call in api.calls]
    bodies = [call.body for call in api.calls]
    return list(differences([expected["request"]], bodies, may_add=None))


def _snake(name):
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def _clock(date):
    """The moment that a case is frozen at; its months count from 0."""
    day = dt.datetime(date["year"], date["month"] + 1, date["date"], tzinfo=dt.UTC)
    moment = day + dt.timedelta(hours=date.get("hours", 0), minutes=date.get("minutes", 0))
    return moment.timestamp
