"""What calls notice while the CDN drips, and while the outbox is full. The CDN is a process of its own.

python -m benchmarks.trouble FILE      such a CDN: gives the artifact once, then never finishes giving it again
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from requests.adapters import HTTPAdapter

from benchmarks.decisions import new_client
from benchmarks.rows import Row
from benchmarks.timing import Timings, burst
from benchmarks.wire import HeldSession
from benchmarks.workloads import ARTIFACTS, WORKLOADS
from fixtures.faults import FaultServer, answer, drip, reply
from target_decisioning import TargetClient

ROOT = Path(__file__).parent.parent
SHOP = ARTIFACTS / "shop.json"
W2 = next(workload for workload in WORKLOADS if workload.name == "W2")
CALLS = 500
DRIP_SECONDS = 0.001
OUTBOX_HOLDS = 10_000


def measure(rounds: int = 20) -> list[Row]:
    """Compare each trouble with quiet, in turns."""
    return [_dripping_cdn(rounds), _full_outbox(rounds)]


def _dripping_cdn(rounds: int) -> Row:
    quiet, troubled = Timings(), Timings()
    with _cdn() as location:
        for _ in range(rounds // 5):
            _measure(new_client(SHOP.read_bytes(), HeldSession()), quiet)
            session = HeldSession()
            session.mount(location, HTTPAdapter())
            client = new_client(None, session, artifact_location=location, polling_interval_seconds=0.05)
            client.wait_until_ready(10)
            threading.Event().wait(0.2)  # until the first poll is under way
            _measure(client, troubled)
    return _row("while the CDN drips", quiet, troubled)


def _measure(client: TargetClient, timings: Timings) -> None:
    for turn in range(6):
        one = burst(lambda request: client.get_offers(request=request), [W2.request(n) for n in range(CALLS)])
        if turn:
            timings.bursts.append(one)
    client.close()


def _full_outbox(rounds: int) -> Row:
    quiet, troubled = Timings(), Timings()
    w1 = WORKLOADS[0]
    sessions = HeldSession(), HeldSession()
    idle, full = (new_client(w1.artifact(), session) for session in sessions)
    sessions[1].hold()
    for n in range(OUTBOX_HOLDS + CALLS):
        full.get_offers(request=w1.request(n))
    assert full.status()["outbox"]["dropped"]
    for turn in range(rounds + 1):
        requests = [w1.request(n) for n in range(CALLS)]
        sessions[0].hold()
        one = burst(lambda request: idle.get_offers(request=request), requests)
        sessions[0].release()
        idle.flush(timeout=60)
        other = burst(lambda request: full.get_offers(request=request), [w1.request(n) for n in range(CALLS)])
        if turn:
            quiet.bursts.append(one)
            troubled.bursts.append(other)
    sessions[1].release()
    full.close(timeout=0)
    idle.close()
    return _row("while the outbox is full", quiet, troubled)


def _row(what: str, quiet: Timings, troubled: Timings) -> Row:
    ratio = troubled.p99_us / quiet.p99_us
    measured = f"{troubled.p99_us:.0f} µs, {ratio:.1f}x the quiet {quiet.p99_us:.0f} µs"
    numbers = {"quiet_p99_us": quiet.p99_us, "p99_us": troubled.p99_us, "ratio": ratio}
    return Row(f"p99 of calls {what}", measured, "within 2x", numbers)


@contextlib.contextmanager
def _cdn() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.trouble", str(SHOP)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def _serve(body: bytes) -> None:
    """Give *body* whole to each new client, which has no ETag yet, and then drip it, until stdin ends."""
    whole = answer(200, body, {"ETag": "1"})
    never = drip(reply(200, body, {"ETag": "2"}), seconds_per_byte=DRIP_SECONDS)

    with FaultServer(lambda to, asked: (never if "if-none-match" in asked.headers else whole)(to, asked)) as server:
        print(f"{server.url}/rules.json", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]).read_bytes())
