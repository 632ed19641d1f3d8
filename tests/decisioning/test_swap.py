"""A request is decided from one program, whatever arrives meanwhile (faults.md A15, case 29)."""

import sys
import threading
import time

import pytest

from target_decisioning import TargetClient
from tests.builders import CLIENT, a_rule, a_view_rule, an_artifact

THREADS = 4
SWAPS = 1000
BOXES = [f"box-{number}" for number in range(20)]


def an_artifact_of(letter):
    """An artifact that differs from the other letter's in whatever an answer can show."""
    rules = {name: [a_rule(f"{letter} {name} ${{index}}", meta={"activity.name": letter})] for name in BOXES}
    meta = {"environment": letter, "generation": letter}
    frame = {
        "version": f"1.{letter}",
        "meta": meta,
        "globalMbox": f"global {letter}",
        "responseTokens": ["activity.name"] if letter == "a" else ["activity.type"],
        "remoteMboxes": [f"remote {letter}", BOXES[0]] if letter == "a" else ["remote b"],
        "remoteViews": [f"remote view {letter}"],
    }
    page_load = {f"global {letter}": [a_rule(f"{letter} everywhere")]}
    views = {"v": [a_view_rule(f"{letter} view", name=f"view {letter}")]}
    return an_artifact(views=views, frame=frame, **rules, **page_load)


def a_client(letter):
    return TargetClient.create(
        client=CLIENT,
        organization_id="ORG@AdobeOrg",
        decisioning_method="on-device",
        artifact_payload=an_artifact_of(letter),
        telemetry_enabled=False,
    )


def ask(client):
    """Return what can be told apart in one answer: a text."""
    boxes = [{"name": name, "index": at} for at, name in enumerate([*BOXES, "remote a", "remote b"])]
    request = {
        "requestId": "r",
        "id": {"tntId": "t"},
        "trace": {},
        "prefetch": {"mboxes": boxes, "pageLoad": {}, "views": [{}]},
    }
    return repr(client.get_offers(request=request, session_id="s").to_wire())


@pytest.fixture
def often_interrupted():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("often_interrupted")
def test_each_answer_is_wholly_old_or_wholly_new(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    with a_client("a") as client, a_client("b") as other:
        whole = {ask(client), ask(other)}
        assert len(whole) == 2
        programs = [client._keeper.current, other._keeper.current]
        answered, is_over = [], threading.Event()

        def decide():
            while not is_over.is_set():
                answered.append(ask(client))

        threads = [threading.Thread(target=decide) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for swap in range(SWAPS):
            client._keeper.current = programs[swap % 2]
            time.sleep(0.0005)
        is_over.set()
        for thread in threads:
            thread.join()
        assert set(answered) == whole
        assert len(answered) > THREADS
