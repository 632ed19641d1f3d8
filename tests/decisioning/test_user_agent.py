"""Which browser and platform a user agent and client hints name (semantics.md 3.5)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_decisioning.decisioning.user_agent import user_of
from tests.shared import vectors

CHROME_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36"
)
WORDS = ["edg", "ios", "version/", "mobile/", "chrome/", "firefox/", "trident", "rv:", "like gecko", "safari", "msie "]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3), max_leaves=5
)


def test_every_known_user_agent_is_named():
    for case in vectors("user_agents"):
        assert user_of(case["user_agent"], case["client_hints"]) == case["user"], case["label"]


@pytest.mark.parametrize(
    ("user_agent", "version"),
    [
        ("Chrome/118", 118),
        ("Chrome/v118.1", 118),
        ("Chrome/118beta.2", 118),
        ("Chrome/.5", -1),
        ("Chrome/beta", -1),
        ("Chrome/" + "9" * 5000, -1),
        ("Version/16beta Safari/1", 16),
    ],
)
def test_a_version_is_the_number_before_the_first_dot(user_agent, version):
    assert user_of(user_agent, None)["browserVersion"] == version


def test_edge_is_told_apart_from_the_chrome_it_claims_to_be():
    assert user_of(CHROME_ON_WINDOWS + " Edg/118.0.2088.46", None)["browserType"] == "edge"


def test_safari_needs_its_version_before_its_name():
    assert user_of("Safari/604.1 Version/16.6", None)["browserType"] == "unknown"


def test_trident_counts_only_before_a_revision_and_like_gecko():
    named = [user_of(text, None)["browserType"] for text in ("Trident/7.0 rv:11.0", "Trident/7.0 like Gecko")]
    assert named == ["unknown", "unknown"]
    assert user_of("Trident/7.0; rv:9.0 rv 11.0) like Gecko", None)["browserVersion"] == 11


def test_a_hinted_brand_and_a_hinted_version_win_each_on_its_own():
    hinted = user_of(CHROME_ON_WINDOWS, {"browserUAWithMajorVersion": '"Microsoft Edge";v=".9"'})
    assert (hinted["browserType"], hinted["browserVersion"]) == ("edge", 119)


def test_a_hinted_platform_that_is_no_text_is_kept_as_it_is():
    assert user_of(None, {"platform": 5})["platform"] == 5
    assert user_of(None, {"platform": True})["platform"] is True


@pytest.mark.parametrize(("end", "version"), [("115.0-esr", 115), ("3.6-Ubuntu", 3), ("-1", -1)])
def test_a_firefox_may_have_a_hyphen_in_its_version(end, version):
    user = user_of(f"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/{end}", None)
    assert (user["browserType"], user["browserVersion"]) == ("firefox", version)


def test_a_platform_is_matched_in_its_own_case():
    assert user_of("(WINDOWS NT 10.0) iphone", None)["platform"] == "unknown"


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(WORDS) | st.text(max_size=4)).map("".join),
    st.none()
    | st.dictionaries(
        st.sampled_from(["browserUAWithFullVersion", "browserUAWithMajorVersion", "platform"]), json_values
    ),
)
def test_any_user_agent_and_hints_give_a_user(user_agent, hints):
    user = user_of(user_agent, hints)
    assert list(user) == ["browserType", "platform", "locale", "browserVersion"]
    assert isinstance(user["browserVersion"], int)


@given(json_values)
def test_a_user_agent_that_is_no_text_counts_as_absent(value):
    if not isinstance(value, str):
        assert user_of(value, None) == user_of(None, None)


@pytest.mark.parametrize("piece", [*WORDS, "version/1 ", "edg/ ", "mobile/a ", "(ie ", 'chrome";v="', "Android 1."])
def test_a_hostile_user_agent_costs_time_in_proportion_to_its_length(piece):
    start = time.perf_counter()
    user_of(piece * (200_000 // len(piece)), {"browserUAWithFullVersion": piece * 20_000})
    assert time.perf_counter() - start < 1  # a search that backtracks takes minutes
