"""The comparison with other SDKs asks all sides the same, and sees whether they answer alike."""

import json
import sys

from benchmarks.peers.compare import OURS, Child, Race, offers
from benchmarks.workloads import WORKLOADS

W2 = next(workload for workload in WORKLOADS if workload.name == "W2")


def test_a_child_measures_and_answers(tmp_path):
    child = Child(OURS, [sys.executable, "-m", "benchmarks.peers.ours"])
    artifact = tmp_path / "artifact.json"
    artifact.write_text(json.dumps(W2.artifact()))
    requests = Race(W2).requests(3)
    assert "target-decisioning" in child.do("open", W2, artifact=str(artifact))["versions"]
    assert all(ns > 0 for ns in child.do("burst", W2, requests=requests)["ns"])
    (response, *_) = child.do("answer", W2, requests=requests)["responses"]
    assert offers(requests[0], response)[0][:4] == ["prefetch", "mboxes", "checkout-offer", 0]
    child.close()


def test_only_offers_of_what_was_asked_are_compared():
    request = {"execute": {"mboxes": [{"name": "home"}]}}
    mboxes = [{"name": "home", "index": 0, "options": [{"type": "html", "content": "hi", "responseTokens": {"a": 1}}]}]
    seen = [["execute", "mboxes", "home", 0, [["html", "hi"]]]]
    assert offers(request, {"execute": {"mboxes": mboxes}}) == seen
    assert offers(request, {"execute": {"mboxes": mboxes, "pageLoad": {"options": []}}}) == seen
    assert offers(request, {"execute": {"mboxes": []}}) == []
