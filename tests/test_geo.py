from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.faults import FaultServer, answer, cut_after, silence
from target_decisioning import geo as geo_module
from target_decisioning.errors import ConfigError
from target_decisioning.geo import GeoLookup, geo_of, valid_ip
from target_decisioning.http import Transport
from tests.artifact.keeping import Log
from tests.shared import vectors

ROME = {"x-geo-latitude": "41.9", "x-geo-longitude": "12", "x-geo-country-code": "IT", "x-geo-city": "ROME"}
IN_ROME = {"latitude": 41.9, "longitude": 12, "countryCode": "IT", "city": "ROME"}


class Looked:
    """A look-up at *server*, and what it told."""

    def __init__(self, transport, url, *, timeout_seconds=0.5, database=None):
        config = SimpleNamespace(geo_lookup_url=url, geo_timeout_seconds=timeout_seconds, geo_database=database)
        self.events, self.log = [], Log()
        self.lookup = GeoLookup(
            config, transport, self.log, lambda event, **payload: self.events.append((event, payload))
        )
        self.enrich = self.lookup.enrich


@pytest.fixture
def looked():
    with closing(Transport()) as transport:
        yield lambda url="http://127.0.0.1:1/", **options: Looked(transport, url, **options)


def test_an_address_is_valid_as_the_vectors_say():
    for case in vectors("ip_address"):
        assert valid_ip(case["ip"]) is case["valid"], case


def test_headers_tell_a_place_as_the_vectors_say():
    for case in vectors("geo_headers"):
        expected = {"city": ""} if case.get("deviates") == "D14" else case["geo"]
        assert geo_of(case["headers"]) == expected


@given(
    st.dictionaries(st.sampled_from([*ROME, "x-forwarded-for", "other"]), st.one_of(st.text(), st.floats(), st.none()))
)
def test_whatever_a_server_says_becomes_a_geo_that_json_can_hold(values):
    json.dumps(geo_of(values), allow_nan=False)


def test_an_address_is_looked_up_and_its_place_laid_over(looked):
    with FaultServer(answer(body=json.dumps(ROME | {"x-forwarded-for": "9.9.9.9"}).encode())) as server:
        one = looked(server.url)
        asked = {"ipAddress": "1.2.3.4", "zip": "00100"}
        assert one.enrich(asked) == IN_ROME | {"ipAddress": "9.9.9.9", "zip": "00100"}
    assert asked == {"ipAddress": "1.2.3.4", "zip": "00100"}
    assert server.requests[0].headers["x-forwarded-for"] == "1.2.3.4"
    assert one.events == [("geo_location_updated", {"geo_context": IN_ROME | {"ipAddress": "9.9.9.9", "zip": "00100"}})]


def test_a_look_up_that_finds_nothing_is_told_with_the_geo_as_it_stays(looked):
    with FaultServer(answer(body=b"{}")) as server:
        one = looked(server.url)
        assert one.enrich({"ipAddress": "1.2.3.4"}) == {"ipAddress": "1.2.3.4"}
    assert one.events == [("geo_location_updated", {"geo_context": {"ipAddress": "1.2.3.4"}})]


def test_the_unknown_address_is_looked_up_without_a_header(looked):
    with FaultServer(answer(body=json.dumps(ROME).encode())) as server:
        assert looked(server.url).enrich({"ipAddress": "unknownIpAddress"}) == IN_ROME
    assert "x-forwarded-for" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("geo", "look_up", "enriched"),
    [
        ({}, True, {}),
        ({"ipAddress": "1.2.3.4"}, False, {"ipAddress": "1.2.3.4"}),
        ({"ipAddress": "unknownIpAddress"}, False, {}),
        ({"ipAddress": "1.2.3.4\r\nX: y", "zip": "1"}, True, {"zip": "1"}),
        ({"ipAddress": "1.2.3.4", "city": "OSLO"}, True, {"ipAddress": "1.2.3.4", "city": "OSLO"}),
        ({"ipAddress": "1.2.3.4", "latitude": 0}, True, {"ipAddress": "1.2.3.4", "latitude": 0}),
    ],
)
def test_nothing_is_looked_up_without_need(looked, geo, look_up, enriched):
    with FaultServer(answer(body=b"{}")) as server:
        assert looked(server.url).enrich(geo, look_up=look_up) == enriched
    assert server.requests == []


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(silence, id="silence"),
        pytest.param(cut_after(b""), id="cut"),
        pytest.param(answer(500), id="500"),
        pytest.param(answer(body=b"<html>"), id="html"),
        pytest.param(answer(body=b"[1]"), id="list"),
        pytest.param(answer(body=b"[" * 60_000), id="deep"),
        pytest.param(answer(body=b"x" * 100_000), id="long"),
        pytest.param(answer(302, headers={"Location": "/x"}), id="redirect"),
    ],
)
def test_a_look_up_that_fails_leaves_the_geo_and_is_logged_without_the_address(looked, step):
    with FaultServer(step) as server:
        one = looked(server.url, timeout_seconds=0.2)
        assert one.enrich({"ipAddress": "1.2.3.4"}) == {"ipAddress": "1.2.3.4"}
    assert "1.2.3.4" not in "".join(one.log.said)
    for event, payload in one.events:
        assert (event, payload["geo_context"]) == ("geo_location_updated", {})
        assert payload["reason"]
        assert "1.2.3.4" not in str(payload["error"])


def test_a_service_that_keeps_failing_costs_no_time_any_more(looked):
    with FaultServer(silence) as server:
        one = looked(server.url, timeout_seconds=0.05)
        for _ in range(5):
            one.enrich({"ipAddress": "1.2.3.4"})
        began = time.thread_time()
        for _ in range(100):
            assert one.enrich({"ipAddress": "1.2.3.4"}) == {"ipAddress": "1.2.3.4"}
        assert time.thread_time() - began < 0.1
    assert len(server.requests) == 5
    assert [payload["reason"] for _, payload in one.events] == ["timeout"] * 5 + ["circuit_open"] * 100
    (told,) = one.log.said
    assert told.startswith("The place of an address could not be looked up: no whole answer from 127.0.0.1:")


class Database:
    def __init__(self, records):
        self.get = records.get

    def close(self):
        pass


def test_a_local_database_is_asked_first(looked, monkeypatch):
    record = {
        "location": {"latitude": 41.9, "longitude": 12},
        "country": {"iso_code": "IT"},
        "subdivisions": [{"iso_code": "62"}],
        "city": {"names": {"en": "Rome"}},
    }
    monkeypatch.setattr(geo_module, "_open_database", lambda _: Database({"1.2.3.4": record}))
    with FaultServer(answer(body=b'{"x-geo-city": "OSLO"}')) as server:
        one = looked(server.url, database="geo.mmdb")
        assert one.enrich({"ipAddress": "1.2.3.4"}) == IN_ROME | {"stateCode": "62", "ipAddress": "1.2.3.4"}
        assert server.requests == []
        assert one.enrich({"ipAddress": "5.6.7.8"})["city"] == "OSLO"


@pytest.fixture(scope="session")
def city_database(tmp_path_factory):
    """A real database of three networks, as MaxMind lays it out."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    path = tmp_path_factory.mktemp("geo") / "city.mmdb"
    rome = {
        "city": {"names": {"de": "Rom", "en": "Rome"}},
        "country": {"iso_code": "IT"},
        "location": {"latitude": 41.9, "longitude": 12.0},
        "subdivisions": [{"iso_code": "62"}],
    }
    writer = MMDBWriter(6, "GeoIP2-City", languages=["en"], ipv4_compatible=True, description="for tests")
    writer.insert_network(IPSet(["1.2.3.0/24", "2001:db8::/32"]), rome)
    writer.insert_network(IPSet(["5.6.7.0/24"]), {"country": {"iso_code": "NO"}})
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("1.2.3.4", IN_ROME | {"stateCode": "62"}),
        (" 1.2.3.4 ", IN_ROME | {"stateCode": "62"}),
        ("2001:db8::1", IN_ROME | {"stateCode": "62"}),
        ("2001:db8::1%eth0", IN_ROME | {"stateCode": "62"}),
        ("5.6.7.8", {"countryCode": "NO"}),
    ],
)
def test_a_real_database_tells_the_place(looked, city_database, ip, place):
    with FaultServer(answer(500)) as server:
        one = looked(server.url, database=city_database)
        assert one.enrich({"ipAddress": ip}) == place | {"ipAddress": ip.strip()}
        one.lookup.close()
    assert server.requests == []


@pytest.mark.parametrize("ip", ["9.9.9.9", "2002::1", "unknownIpAddress"])
def test_what_a_real_database_does_not_know_is_looked_up(looked, city_database, ip):
    with FaultServer(answer(body=b'{"x-geo-city": "OSLO"}')) as server:
        assert looked(server.url, database=city_database).enrich({"ipAddress": ip})["city"] == "OSLO"


def test_a_database_that_breaks_while_in_use_costs_the_place_only(looked, city_database):
    with FaultServer(answer(500)) as server:
        one = looked(server.url, database=city_database)
        one.lookup.close()  # as a file that was cut would fail: in the reader
        assert one.enrich({"ipAddress": "1.2.3.4"}) == {"ipAddress": "1.2.3.4"}


@pytest.mark.parametrize("content", [b"", b"no database", b"x" * 100_000])
def test_a_file_that_is_no_database_is_a_config_error(looked, tmp_path, content):
    (tmp_path / "geo.mmdb").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        looked(database=tmp_path / "geo.mmdb")
    assert caught.value.option == "geo_database"


def test_a_database_that_cannot_be_opened_is_a_config_error(looked, monkeypatch):
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(ConfigError) as caught:
        looked(database="geo.mmdb")
    assert caught.value.option == "geo_database"
