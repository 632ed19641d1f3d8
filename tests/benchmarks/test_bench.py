"""What the measurements compare is comparable."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.decisions import Bench
from benchmarks.workloads import WORKLOADS
from target_decisioning import RequestError

ROOT = Path(__file__).parent.parent.parent
QUICK = [workload for workload in WORKLOADS if workload.name != "W6b"]
OWN = {"id", "impressionId", "timestamp", "requestId"}


@pytest.fixture(params=QUICK, ids=lambda workload: workload.name)
def bench(request):
    made = Bench(request.param)
    yield made
    made.close()


def test_the_floor_gives_the_same_answer(bench):
    ours = bench.client.get_offers(request=bench.typical).to_wire()
    floor = bench.floor(bench.typical).to_wire()
    assert floor.keys() == ours.keys()
    assert {key: floor[key] for key in floor if key != "targetCookie"} == {
        key: ours[key] for key in ours if key != "targetCookie"
    }
    assert _places(floor["targetCookie"]["value"]) == _places(ours["targetCookie"]["value"])


def test_the_floor_owes_the_same(bench):
    bench.session.record(on=True)
    bench.client.get_offers(request=bench.typical)
    bench.client.flush()
    sent = [_without_own(body) for body in bench.session.sent if "notifications" in body][-1:]
    bench.floor(bench.typical)
    assert [_without_own(item["body"]) for item in bench.queue] == sent


def _without_own(body):
    kept = {key: value for key, value in body.items() if key not in {"requestId", "telemetry"}}
    kept["notifications"] = [
        {key: value for key, value in one.items() if key not in OWN} for one in body["notifications"]
    ]
    return kept


def _places(cookie):
    """The names of a cookie's entries, and the values of all but the session's."""
    return [(name, value) for name, value, _ in (part.split("#") for part in cookie.split("|")) if name != "session"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id", "tntId"), "a\x00b"),
        (("id", "tntId"), "a" * 70_000),
        (("requestId",), "\x85"),
        (("id",), "visitor"),
        (("context", "address"), ["https://www.example.com/"]),
        (("context", "address", "url"), {"href": "/"}),
        (("context", "userAgent"), "a" * 70_000),
        (("context", "geo", "latitude"), float("nan")),
        (("execute", "mboxes"), {"name": "box-00000"}),
        (("execute", "mboxes", 0), "box-00000"),
        (("execute", "mboxes", 0, "parameters"), ["a"]),
    ],
    ids=repr,
)
def test_the_floor_refuses_what_the_client_refuses(w1, path, value):
    request = _changed(w1.typical, path, value)
    with pytest.raises(RequestError):
        w1.client.get_offers(request=request)
    with pytest.raises(RequestError):
        w1.floor(request)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("nonsense",), 1),
        (("context", "nonsense"), {"a": 1}),
        (("context", "geo"), None),
        (("context", "channel"), "fax"),
        (("context", "address", "url"), 7),
        (("execute", "mboxes", 0, "index"), "first"),
        (("execute", "mboxes", 0, "nonsense"), "a"),
        (("execute", "mboxes", 0, "parameters"), {"a": "b"}),
    ],
    ids=repr,
)
def test_the_floor_mends_what_the_client_mends(w1, path, value):
    request = _changed(w1.typical, path, value)
    assert w1.floor(request).to_wire()["request"] == w1.client.get_offers(request=request).to_wire()["request"]


@pytest.fixture(scope="module")
def w1():
    made = Bench(WORKLOADS[0])
    yield made
    made.close()


def _changed(request, path, value):
    changed = copy.deepcopy(request)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def test_every_workload_is_answered_with_offers(bench):
    response = bench.client.get_offers(request=bench.workload.request(7)).to_wire()["response"]
    parts = [part for mode in ("execute", "prefetch") for part in response.get(mode, {}).values()]
    entries = [entry for part in parts for entry in (part if isinstance(part, list) else [part])]
    assert entries
    assert all(entry["options"] for entry in entries)


@pytest.mark.slow
def test_a_short_run_prints_every_number():
    command = [sys.executable, "-m", "benchmarks.bench", "W1", "--rounds", "2"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "ours/floor" in shown.stdout
