"""The options of ``TargetClient.create``: what each takes, what it becomes, and how a wrong one is refused."""

import logging
import pickle
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from target_decisioning.config import _READERS, LONGEST_SECONDS, ClientOptions, Config, read_config
from target_decisioning.delivery import DecisioningMethod
from target_decisioning.errors import ConfigError
from target_decisioning.events import EVENTS

WHO = {"client": "acme", "organization_id": "ORG@AdobeOrg"}


def config(**options) -> Config:
    return read_config(WHO | options, {})


def test_the_defaults():
    made = config()
    assert (made.client, made.organization_id, made.decisioning_method) == ("acme", "ORG@AdobeOrg", "server-side")
    assert (made.timeout_seconds, made.geo_timeout_seconds, made.maximum_wait_ready_seconds) == (3.0, 0.5, 5.0)
    assert (made.polling_interval_seconds, made.polling_floor_applies) == (300.0, False)
    assert (made.secure, made.telemetry_enabled, made.background, made.learn_location_hint) == (True,) * 4
    assert (made.strict, made.log_bodies, made.follow_artifact_redirects) == (False,) * 3
    assert (made.environment, made.on_forbidden, made.stale_policy) == ("production", "keep", "serve")
    assert made.max_artifact_age_seconds is None


@pytest.mark.parametrize("options", [None, {}])
def test_no_options_at_all_are_refused(options):
    with pytest.raises(ConfigError, match=r"^Options are required$"):
        read_config(options, {})


@pytest.mark.parametrize(
    ("options", "message", "option"),
    [
        ({"organization_id": "o"}, "Client is required", "client"),
        ({"client": "", "organization_id": "o"}, "Client is required", "client"),
        ({"client": 5, "organization_id": "", "x": 1}, "Client is required", "client"),
        ({"client": "c"}, "Organization Id is required", "organization_id"),
        ({"client": "c", "organization_id": None}, "Organization Id is required", "organization_id"),
    ],
)
def test_who_is_asked_for_first(options, message, option):
    with pytest.raises(ConfigError) as caught:
        read_config(options, {})
    assert (str(caught.value), caught.value.option) == (message, option)


@pytest.mark.parametrize("method", ["", "edge", 5, "On-Device"])
def test_a_decisioning_method_is_one_of_three(method):
    with pytest.raises(ConfigError, match=r"^Invalid Decisioning Method\.  Must be set to one of: hybrid,"):
        config(decisioning_method=method, nope=1)


def test_a_decisioning_method_may_be_an_enum_member():
    made = config(decisioning_method=DecisioningMethod.HYBRID)
    assert type(made.decisioning_method) is str
    assert made.decisioning_method == "hybrid"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("pollingInterval", "polling_interval"),
        ("artifactPayload", "artifact_payload"),
        ("organisation_id", "organization_id"),
        ("propertyToken", "property_token"),
        ("time_out", "timeout"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_known_one(name, nearest):
    for value in ("x", None):
        with pytest.raises(ConfigError, match=f"Unknown option '{name}'; did you mean '{nearest}'") as caught:
            config(**{name: value})
        assert caught.value.option == name


def test_an_option_like_no_other_is_refused_with_the_list_of_all():
    with pytest.raises(ConfigError, match="Unknown option 'qqq'; expected one of artifact_format, "):
        config(qqq=1)
    with pytest.raises(ConfigError, match="Unknown option a number; expected one of artifact_format, "):
        read_config(WHO | {5: 1}, {})


def test_options_must_be_a_mapping():
    with pytest.raises(ConfigError, match="options: found a list"):
        read_config([("client", "acme")], {})


def test_a_keyword_beats_an_option_and_none_is_not_given():
    assert read_config(WHO | {"timeout": 100}, {"timeout": 200}).timeout_seconds == 0.2
    assert read_config(WHO | {"timeout": 100}, {"timeout": None}).timeout_seconds == 0.1


@pytest.mark.parametrize("name", sorted(set(_READERS) - {"client", "organization_id"}))
def test_none_is_the_default_of_every_option(name):
    default, made = config(), config(**{name: None})
    assert all(getattr(made, each) == getattr(default, each) for each in Config.__slots__)


def test_every_option_is_declared_for_type_checkers():
    assert set(ClientOptions.__annotations__) == set(_READERS)


WRONG = {
    "text": ("server_domain", "property_token", "environment", "cdn_environment", "cdn_base_path", "version"),
    "True or False": ("secure", "telemetry_enabled", "strict", "background", "learn_location_hint", "log_bodies"),
    "a path": ("artifact_location", "cache_dir", "outbox_path", "geo_database", "ca_bundle", "client_cert"),
    "a number of milliseconds": ("timeout", "polling_interval", "maximum_wait_ready", "geo_timeout"),
    "a number of seconds": ("timeout_seconds", "polling_interval_seconds", "max_artifact_age_seconds"),
    "one of": ("artifact_format", "on_forbidden", "stale_policy"),
    "a whole number": ("environment_id",),
    "the artifact as": ("artifact_payload",),
    "a mapping": ("events", "proxies"),
    "debug and error": ("logger",),
    "Session": ("session",),
}


@pytest.mark.parametrize(("expected", "name"), [(kind, name) for kind, names in WRONG.items() for name in names])
def test_a_value_of_a_wrong_type_is_refused_and_not_shown(expected, name):
    value = {"x": 5} if name == "proxies" else {5}
    with pytest.raises(ConfigError, match=f"^option '{name}': found an? .*; expected .*{expected}") as caught:
        config(**{name: value})
    assert caught.value.option == name
    assert pickle.loads(pickle.dumps(caught.value)).option == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secure", False),
        ("strict", True),
        ("environment_id", 7),
        ("artifact_format", "bin"),
        ("on_forbidden", "clear"),
        ("stale_policy", "fail"),
        ("version", "1.2"),
        ("max_artifact_age_seconds", 9.5),
        ("cdn_environment", "staging"),
    ],
)
def test_a_right_value_is_taken_as_it_is(name, value):
    assert getattr(config(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"), [("artifact_format", "xml"), ("on_forbidden", ""), ("stale_policy", "Serve")]
)
def test_a_word_that_is_no_choice_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"option '{name}': found the text '{value}'; expected one of"):
        config(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("stale_policy", "Serve", "found the text 'Serve'; expected one of serve, remote, fail"),
        ("timeout", "5s", "found the text '5s'; expected a number of milliseconds"),
        ("secure", "no", "found the text 'no'; expected True or False"),
        ("server_domain", "https://a.com\n", r"found the text 'https://a.com\n'; expected a host or host:port"),
        ("server_domain", "https://u:secret@a.com", "found text (not shown); expected a host or host:port"),
        ("geo_lookup_url", "secret", "found text (not shown); expected a URL"),
        ("proxies", "http://secret", "found text (not shown); expected a mapping"),
    ],
)
def test_a_wrong_text_is_shown_unless_it_may_be_a_secret(name, value, message):
    with pytest.raises(ConfigError) as caught:
        config(**{name: value})
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("value", "found"), [("ondevice", "the text 'ondevice'"), (5, "a number")])
def test_a_wrong_method_is_told_in_the_text_of_the_earlier_sdk(value, found):
    with pytest.raises(ConfigError) as caught:
        config(decisioning_method=value)
    expected = "Invalid Decisioning Method.  Must be set to one of: hybrid,on-device,server-side"
    assert (str(caught.value), caught.value.option) == (expected, "decisioning_method")
    assert caught.value.__notes__ == [f"found {found}"]


def test_true_is_no_number():
    with pytest.raises(ConfigError, match="environment_id': found true or false; expected a whole number"):
        config(environment_id=True)


@pytest.mark.parametrize("value", ["600000", True, float("nan")])
def test_a_duration_must_be_a_number(value):
    for name in ("timeout", "polling_interval", "maximum_wait_ready", "geo_timeout", "polling_interval_seconds"):
        with pytest.raises(ConfigError, match=f"^option '{name}'"):
            config(**{name: value})


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({}, 3.0),
        ({"timeout": 0}, 3.0),
        ({"timeout_seconds": 0}, 3.0),
        ({"timeout": 250}, 0.25),
        ({"timeout": 2.5}, 0.0025),
        ({"timeout_seconds": 1.5}, 1.5),
        ({"timeout": 10**400}, LONGEST_SECONDS),
        ({"timeout": float("inf")}, LONGEST_SECONDS),
    ],
)
def test_timeout(options, seconds):
    assert config(**options).timeout_seconds == seconds


@pytest.mark.parametrize(
    ("options", "seconds", "floor"),
    [
        ({}, 300.0, False),
        ({"polling_interval": 0}, 0.0, False),
        ({"polling_interval": 1000}, 1.0, True),
        ({"polling_interval": -5}, 300.0, True),
        ({"polling_interval": 600_000}, 600.0, True),
        ({"polling_interval_seconds": 0.5}, 0.5, False),
        ({"polling_interval_seconds": 0}, 0.0, False),
    ],
)
def test_polling_interval(options, seconds, floor):
    """The floor of five minutes is for the documented option, and depends on where the artifact comes from."""
    made = config(**options)
    assert (made.polling_interval_seconds, made.polling_floor_applies) == (seconds, floor)


@pytest.mark.parametrize(
    ("options", "seconds"),
    [({"maximum_wait_ready": value}, seconds) for value, seconds in [(-1, 5.0), (0, 0.0), (None, 5.0), (1500, 1.5)]]
    + [({"maximum_wait_ready_seconds": value}, seconds) for value, seconds in [(-1, 5.0), (0, 0.0), (1.5, 1.5)]],
)
def test_maximum_wait_ready_is_never_for_ever(options, seconds):
    assert config(**options).maximum_wait_ready_seconds == seconds


@pytest.mark.parametrize("name", ["timeout", "polling_interval", "maximum_wait_ready"])
def test_one_value_under_two_names_is_refused(name):
    with pytest.raises(ConfigError, match=f"option '{name}': found '{name}_seconds' as well"):
        config(**{name: 5000, f"{name}_seconds": 5})


@pytest.mark.parametrize(("name", "value"), [("timeout", -1), ("polling_interval_seconds", -1), ("geo_timeout", -0.1)])
def test_a_negative_duration_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"option '{name}': found a negative number"):
        config(**{name: value})


def test_an_artifacts_age_must_be_positive():
    assert config(max_artifact_age_seconds=5).max_artifact_age_seconds == 5.0
    with pytest.raises(ConfigError, match="max_artifact_age_seconds"):
        config(max_artifact_age_seconds=0)


@pytest.mark.parametrize(
    "domain", ["target.acme.com", "localhost:8080", "127.0.0.1:65535", "[::1]:80", "stand_in", "a.b."]
)
def test_a_server_domain_is_a_host_with_or_without_port(domain):
    assert config(server_domain=domain).server_domain == domain


@pytest.mark.parametrize(
    "domain",
    [
        "https://a.com",
        "a.com/x",
        "a.com?",
        "a.com#",
        "u@a.com",
        "a.com:x",
        "a.com:99999",
        "a b",
        "a\r\nb",
        ".",
        "a..b",
        "é.com",
    ],
)
def test_a_server_domain_with_anything_more_is_refused(domain):
    with pytest.raises(ConfigError, match="expected a host or host:port without scheme or path"):
        config(server_domain=domain)


@pytest.mark.parametrize("hint", ["", "x", "1234", "12 ", "٣", "28.evil", "28\n"])
def test_a_location_hint_that_is_no_cluster_counts_as_absent(hint):
    assert config(target_location_hint=hint).target_location_hint is None
    assert config(target_location_hint="28").target_location_hint == "28"


@pytest.mark.parametrize(
    "name", ["server_domain", "property_token", "cdn_base_path", "artifact_location", "version", "cache_dir"]
)
def test_blank_text_counts_as_absent(name):
    assert getattr(config(**{name: ""}), name) is None


def test_an_environment_is_lower_case_and_production_if_blank():
    assert config(environment="Staging").environment == "staging"
    assert config(environment="").environment == "production"


@pytest.mark.parametrize("payload", [{}, {"version": "1.0.0"}, '{"version": "1.0.0"}', b"{}", bytearray(b"{}")])
def test_a_payload_is_a_dict_json_text_or_bytes(payload):
    assert config(artifact_payload=payload).artifact_payload == payload


def test_paths_may_be_path_objects():
    made = config(
        artifact_location=Path("rules.json"), cache_dir="c", client_cert=[Path("a"), "b"], ca_bundle=Path("ca")
    )
    assert (made.artifact_location, made.cache_dir, made.ca_bundle) == ("rules.json", Path("c"), "ca")
    assert made.client_cert == ("a", "b")
    with pytest.raises(ConfigError, match="a pair of paths"):
        config(client_cert=("a", "b", "c"))


def test_a_geo_url_is_http():
    assert config(geo_lookup_url="http://127.0.0.1:1/geo").geo_lookup_url == "http://127.0.0.1:1/geo"
    with pytest.raises(ConfigError, match="geo_lookup_url"):
        config(geo_lookup_url="ftp://x/")


def test_events_are_known_names_with_callables():
    listeners = dict.fromkeys(EVENTS, print)
    made = config(events=listeners)
    listeners.clear()
    assert set(made.events) == EVENTS
    with pytest.raises(ConfigError, match="Unknown event 'clientReady'; did you mean 'client_ready'"):
        config(events={"clientReady": print})
    with pytest.raises(ConfigError, match="client_ready: found text; expected a callable"):
        config(events={"client_ready": "print"})


def test_the_callers_own_logger_session_and_proxies_are_used():
    session, logger = requests.Session(), logging.getLogger("mine")
    made = config(session=session, logger=logger, proxies={"https": "http://p:1"})
    assert made.session is session
    assert made.logger is logger
    assert made.proxies == {"https": "http://p:1"}


def test_a_config_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        config().client = "other"


def test_repr_hides_whatever_could_be_a_secret():
    secret = "canary-4711"
    names = ("client", "organization_id", "property_token", "artifact_location", "artifact_payload", "ca_bundle")
    made = config(
        **dict.fromkeys(names, secret), proxies={"https": f"http://u:{secret}@p"}, client_cert=(secret, secret)
    )
    assert secret not in repr(made)


ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=3)
    | st.lists(st.text())
)


@given(options=st.dictionaries(st.sampled_from(sorted(_READERS)) | st.text(max_size=5), ANY, max_size=6))
def test_any_options_make_a_config_or_a_config_error(options):
    try:
        made = read_config(options | WHO, {})
    except ConfigError:
        return
    assert 0 < made.timeout_seconds <= LONGEST_SECONDS
    assert 0 <= made.polling_interval_seconds <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({}, "found nothing"),
        ({"organisation_id": "1@AdobeOrg"}, "found 'organisation_id'"),
        ({"organization_id": 5}, "found a number"),
    ],
)
def test_what_stands_in_place_of_a_required_option_is_noted(options, note):
    with pytest.raises(ConfigError) as caught:
        read_config({"client": "acme", **options}, {})
    assert str(caught.value) == "Organization Id is required"
    assert caught.value.__notes__ == [f"{note}; expected a text that is not empty"]


@pytest.mark.parametrize("location", ["ftp://example.com/rules.json", "S3://bucket/rules.json", "data:,{}"])
def test_an_artifact_is_not_read_from_a_url_of_another_kind(location):
    with pytest.raises(ConfigError, match="option 'artifact_location': found another kind of URL"):
        config(artifact_location=location)


@pytest.mark.parametrize(
    "location", ["https://example.com/r.json", "HTTP://localhost/r", "file:///r.json", "r.json", "C:\\r.json"]
)
def test_an_artifact_is_read_from_the_network_or_a_file(location):
    assert config(artifact_location=location).artifact_location == location
