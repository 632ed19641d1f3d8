"""Workers of one host that share a cache folder: real processes, a CDN that counts."""

from __future__ import annotations

import json
import os
import time

import pytest

from fixtures.cdn import Cdn
from tests.faults.parts import SHOP, child, ended

FLEET = """
import json, os, sys, time
from target_decisioning import TargetClient

location, folder, processes, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
children = []
for number in range(processes):
    child = os.fork()
    if child == 0:
        client = TargetClient.create(
            client="acme", organization_id="1@AdobeOrg", decisioning_method="on-device", artifact_location=location,
            cache_dir=folder, polling_interval_seconds=1.0, telemetry_enabled=False, learn_location_hint=False,
            maximum_wait_ready=20_000,
        )
        os.write(1, b"ready\\n")
        ends = time.monotonic() + seconds
        versions = set()
        while time.monotonic() < ends:
            time.sleep(0.2)
            versions.add(client.status()["version"])
        status = client.status()
        told = json.dumps([sorted(versions), status["age_seconds"], status["last_error"]])
        os.write(1, told.encode() + b"\\n")
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fleet_of_32_workers_makes_one_request_per_interval(tmp_path):
    shop = json.loads(SHOP.read_text())
    with Cdn() as cdn, ended(child(FLEET, cdn.location("rules.json"), tmp_path / "cache", 32, 6)) as fleet:
        cdn.swap("rules.json", {**shop, "version": "1.0.0"})
        for _ in range(32):
            assert fleet.stdout.readline() == "ready\n"
        began, asked = time.monotonic(), len(cdn.received)
        assert asked <= 4  # one, unless the machine is so slow that a second interval began
        time.sleep(2)
        cdn.swap("rules.json", {**shop, "version": "1.0.1"})
        told = [json.loads(line) for line in fleet.stdout]
        fleet.wait(20)
        lasted = time.monotonic() - began
    assert len(cdn.received) - asked <= lasted / 0.9 + 2
    assert [versions[-1] for versions, _, _ in told] == ["1.0.1"] * 32
    assert all(age < 3 for _, age, _ in told)
    assert all(error is None for _, _, error in told)
