"""What a download costs in memory and processor time, seen in a process of its own."""

from __future__ import annotations

import json

from fixtures.faults import FaultServer, answer
from tests.faults.parts import SHOP, options, run

PROGRAM = """
import json, resource, sys, threading, time
from target_decisioning import TargetClient

failed, reasons = threading.Event(), []
def hear(event):
    reasons.append(event["reason"])
    failed.set()

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

given = json.loads(sys.argv[1])
TargetClient.create({**given, "artifact_location": sys.argv[2]}, maximum_wait_ready=5000).close()  # all is imported
before, began = peak(), time.process_time()
given |= {"artifact_location": sys.argv[3], "events": {"artifact_download_failed": hear}, "maximum_wait_ready": 0}
client = TargetClient.create(given)
failed.wait(20)
print(json.dumps([reasons[0], peak() - before, time.process_time() - began]))
"""


def watched(url, **more):
    """Let a process of its own fetch *url*; return why that fails, MiB of growth, seconds of the processor."""
    given = options(polling_interval_seconds=0, **more)
    del given["artifact_payload"]
    with FaultServer(answer(body=SHOP.read_bytes())) as good:
        code, said, complained, _ = run(PROGRAM, given, good.url, url)
    assert code == 0, complained
    return json.loads(said)
