from __future__ import annotations

from pathlib import Path

import pytest

from target_decisioning.artifact import artifact_format, artifact_location
from target_decisioning.artifact.location import is_loopback, local_path, polling_interval_seconds
from target_decisioning.config import read_config
from target_decisioning.errors import ConfigError
from tests.shared import vectors

CDN = "https://assets.adobetarget.com/acme/production/v1"
OURS = {"D12": f"{CDN}/rules.json"}
OPTIONS = {
    "propertyToken": "property_token",
    "artifactFormat": "artifact_format",
    "artifactLocation": "artifact_location",
    "cdnEnvironment": "cdn_environment",
    "cdnBasePath": "cdn_base_path",
}


def config(**options):
    return read_config({"client": "acme", "organization_id": "x@AdobeOrg"} | options, {})


def test_the_location_is_the_one_that_the_vectors_name():
    for case in vectors("artifact_location"):
        options = {OPTIONS.get(name, name): value for name, value in case["config"].items()}
        if "deviates" not in case:
            assert artifact_location(config(**options)) == case["location"]


@pytest.mark.parametrize(
    ("options", "location"),
    [
        ({"artifact_location": ""}, f"{CDN}/rules.json"),
        ({"property_token": ""}, f"{CDN}/rules.json"),
        ({"property_token": None}, f"{CDN}/rules.json"),
        ({"client": "ac me/é"}, "https://assets.adobetarget.com/ac%20me%2F%C3%A9/production/v1/rules.json"),
        ({"cdn_environment": "staging"}, "https://assets.staging.adobetarget.com/acme/production/v1/rules.json"),
        ({"cdn_base_path": "cdn.example.com"}, "https://cdn.example.com/acme/production/v1/rules.json"),
    ],
)
def test_where_we_differ_blank_is_absent_parts_are_encoded_and_the_cdn_options_work(options, location):
    assert artifact_location(config(**options)) == location


def test_a_format_that_is_neither_is_a_config_error():
    with pytest.raises(ConfigError):
        config(artifact_format="xml")


def test_the_format_is_the_option_else_the_ending():
    for case in vectors("artifact_format"):
        assert artifact_format(case["location"], None) == case["format"]
    assert artifact_format("https://x/rules.bin", "json") == "json"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("artifacts/shop.json", Path("artifacts/shop.json")),
        ("file:///tmp/a%20b.json", Path("/tmp/a b.json")),
        ("file:/tmp/a.json", Path("/tmp/a.json")),
        ("https://x.example/a.json", None),
        ("HTTP://x.example/a.json", None),
    ],
)
def test_a_path_or_a_file_url_is_a_file(location, path):
    assert local_path(location) == path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_this_machine_is_known_by_its_address(host):
    assert is_loopback(f"http://{host}:8080/rules.json")
    assert not is_loopback(f"http://{host.strip('[]')}.example.com/rules.json")


@pytest.mark.parametrize(
    ("options", "location", "seconds"),
    [
        ({}, CDN, 300.0),
        ({"polling_interval": 0}, CDN, 0.0),
        ({"polling_interval": 1000}, CDN, 300.0),
        ({"polling_interval": -1}, CDN, 300.0),
        ({"polling_interval": 600_000}, CDN, 600.0),
        ({"polling_interval": 1000}, "http://127.0.0.1:1/rules.json", 1.0),
        ({"polling_interval": 1000}, "rules.json", 1.0),
        ({"polling_interval_seconds": 0.5}, CDN, 0.5),
    ],
)
def test_milliseconds_have_a_floor_except_near_by_and_seconds_have_none(options, location, seconds):
    assert polling_interval_seconds(config(**options), location) == seconds
