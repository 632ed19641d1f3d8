"""Only one to three digits name a cluster, and only a cluster or the configuration steers a connection."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.preparation.location import (
    choose_cluster,
    cluster_of_device_id,
    cluster_of_edge_host,
    delivery_host,
    hint_cookie,
    is_cluster,
)
from tests.shared import vectors


def config(client="acme", server_domain=None, secure=True):
    return SimpleNamespace(client=client, server_domain=server_domain, secure=secure)


def test_clusters_of_device_ids_are_as_recorded():
    for case in vectors("cluster")["device_id"]:
        assert cluster_of_device_id(case["device_id"]) == case["cluster"], case


def test_clusters_of_edge_hosts_are_as_recorded():
    for case in vectors("cluster")["edge_host"]:
        expected = None if "deviates" in case else case["cluster"]
        assert cluster_of_edge_host(case["edge_host"]) == expected, case


def test_hint_cookies_are_as_recorded():
    for case in vectors("cluster")["hint_cookie"]:
        wanted = case["cookie"] and {"name": "mboxEdgeCluster", "value": case["cookie"]["value"], "max_age": 1860}
        assert hint_cookie(case["request_cluster"], case["edge_host"]) == wanted, case


def test_the_device_ids_cluster_beats_every_hint():
    for case in vectors("cluster")["choice"]:
        for hints in ((case["location_hint"], None), (None, case["location_hint"])):
            assert choose_cluster(case["device_id"], *hints) == case["cluster"], case


def test_an_unusable_hint_of_the_call_leaves_the_clients_own():
    assert choose_cluster(None, "evil.example", "35") == "35"
    assert choose_cluster(None, "", "35") == "35"
    assert choose_cluster(None, "28", "35") == "28"


def test_hosts_are_as_recorded():
    for case in vectors("host"):
        if "deviates" not in case:
            options = config(case["client"], case["server_domain"], case["secure"])
            assert delivery_host(options, case["cluster"]) == case["host"], case


SPELLINGS = ["LOCALHOST", "localhost.", "127.1", "127.0.1", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize(
    "domain", ["localhost", "api.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "stage.acme.com:8443", *SPELLINGS]
)
def test_a_stand_in_is_never_replaced_by_a_cluster(domain):
    assert delivery_host(config(server_domain=domain, secure=False), "28") == f"http://{domain}"


HOSTILE = [
    "x@localhost:1",
    "[::1]",
    "2130706433",
    "28\n",
    "\x00",
    "2" * 300,
    "\uff12\uff18",
    "\u0662\u0668",
    "28.evil.com/",
    "-1",
    "",
    "1.2",
]


@pytest.mark.parametrize("cluster", HOSTILE)
def test_a_hostile_cluster_counts_as_absent(cluster):
    assert not is_cluster(cluster)
    assert cluster_of_device_id(f"t.{cluster}_0") is None
    assert choose_cluster(None, cluster, cluster) is None
    assert cluster_of_edge_host(f"mboxedge{cluster}.tt.omtrdc.net") is None
    assert hint_cookie(cluster, None) is None
    assert delivery_host(config(), cluster) == "https://acme.tt.omtrdc.net"


@given(st.text())
def test_no_device_id_or_edge_host_gives_anything_but_digits(text):
    for cluster in (cluster_of_device_id(text), cluster_of_edge_host(text), choose_cluster(text, text, text)):
        assert cluster is None or (cluster.isascii() and cluster.isdigit() and len(cluster) <= 3)
