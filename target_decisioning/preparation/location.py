"""Which edge cluster serves a visitor, and the host that a Delivery call goes to.

    tntId "7a3f.28_0", hint "28", edgeHost "mboxedge28.tt.omtrdc.net"  -->  cluster "28"  -->  host

A cluster steers a connection and comes from a browser: it counts only if it is one to three ASCII digits, from
wherever it comes; anything else is treated as absent.

Source: semantics.md 1.6, D11; faults.md E1.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, Protocol

from target_decisioning.delivery import Cookie

LOCATION_HINT_COOKIE: Final = "mboxEdgeCluster"
"""Name of the cookie that keeps the location hint in the visitor's browser."""
HINT_SECONDS: Final = 1860
EDGE_DOMAIN: Final = "tt.omtrdc.net"

_EDGE_PREFIX = "mboxedge"
_matches_cluster = re.compile(r"[0-9]{1,3}").fullmatch
_matches_short_loopback = re.compile(r"127(\.[0-9]+){1,2}").fullmatch
_has_port = re.compile(r"(?<!:):[0-9]*$").search


class Host(Protocol):
    """What decides the host of a call: three of the client's options."""

    @property
    def client(self) -> str:
        """The client code."""

    @property
    def server_domain(self) -> str | None:
        """Host, maybe with a port, to use where no cluster is known."""

    @property
    def secure(self) -> bool:
        """Whether to speak https."""


def is_cluster(text: object) -> bool:
    """Whether *text* may name an edge cluster."""
    return isinstance(text, str) and _matches_cluster(text) is not None


def cluster_of_device_id(device_id: str | None) -> str | None:
    """Return the cluster in a tntId's location hint (``t.28_0`` -> ``28``), None if there is none."""
    if not device_id:
        return None
    parts = device_id.split(".")
    if len(parts) != 2 or parts[1].count("_") != 1:
        return None
    cluster = parts[1].partition("_")[0]
    return cluster if is_cluster(cluster) else None


def cluster_of_edge_host(edge_host: object) -> str | None:
    """Return the cluster in an answer's ``edgeHost`` (``mboxedge28.tt.omtrdc.net`` -> ``28``), None if none."""
    if not isinstance(edge_host, str) or edge_host.count(".") != 3 or not edge_host.startswith(_EDGE_PREFIX):
        return None
    cluster = edge_host.partition(".")[0].removeprefix(_EDGE_PREFIX)
    return cluster if is_cluster(cluster) else None


def choose_cluster(device_id: str | None, option_hint: str | None, client_hint: str | None) -> str | None:
    """Return the cluster of a call.

    Args:
        device_id: the *cookie's* device id.
        option_hint: the call's ``target_location_hint``.
        client_hint: the client's own.

    Source: semantics.md 1.6.
    """
    cluster = cluster_of_device_id(device_id)
    if cluster is None and (option_hint or client_hint):
        return next((hint for hint in (option_hint, client_hint) if is_cluster(hint)), None)
    return cluster


def delivery_host(host: Host, cluster: str | None) -> str:
    """Return scheme and host of a Delivery call, such as ``https://mboxedge28.tt.omtrdc.net``.

    A cluster beats ``server_domain``, unless that is loopback or has a port: such a one is a stand-in that no cluster
    replaces.
    """
    scheme = "http" if host.secure is False else "https"
    return f"{scheme}://{_authority(host, cluster)}"


def hint_cookie(cluster: str | None, edge_host: object) -> Cookie | None:
    """Return the location hint cookie, None if no cluster is known."""
    if cluster is None and edge_host is None:
        return None
    known = cluster if is_cluster(cluster) else cluster_of_edge_host(edge_host)
    return Cookie(name=LOCATION_HINT_COOKIE, value=known, max_age=HINT_SECONDS) if known else None


def _authority(host: Host, cluster: str | None) -> str:
    domain = host.server_domain
    if is_cluster(cluster) and not _is_stand_in(domain):
        return f"{_EDGE_PREFIX}{cluster}.{EDGE_DOMAIN}"
    return domain or f"{host.client}.{EDGE_DOMAIN}"


def _is_stand_in(domain: str | None) -> bool:
    if not domain or _has_port(domain):
        return bool(domain)
    name = domain.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost") or _matches_short_loopback(name):
        return True
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback if mapped is None else mapped.is_loopback
