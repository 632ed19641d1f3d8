"""The mbox cookie is read leniently and written exactly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.preparation.cookie import DEVICE_ID, SESSION, parse_cookie, target_cookie
from tests.shared import vectors

NOW = 1_700_000_000_000
VALID = "1700000005"


def test_every_recorded_cookie_is_read_as_recorded():
    for case in vectors("cookies")["parse"]:
        expected = {name: entry["value"] for name, entry in case.get("parsed", {}).items()}  # D10: dropped, not raised
        entries = parse_cookie(case["cookie"], NOW)
        assert entries == expected, case
        assert (entries.get(SESSION) or None) == (case.get("session_id") or None)
        assert (entries.get(DEVICE_ID) or None) == case.get("device_id")


def test_every_recorded_cookie_is_written_as_recorded():
    for case in vectors("cookies")["create"]:
        wanted = {**case["cookie"], "max_age": case["cookie"]["maxAge"]}
        del wanted["maxAge"]
        assert target_cookie(case["session_id"], case["tnt_id"], case["now_ms"]) == wanted


@pytest.mark.parametrize(
    "part",
    [
        f"PC#%#{VALID}",
        f"PC#%E4%BD#{VALID}",
        f"PC#a%0D%0ASet-Cookie: x#{VALID}",
        f"PC#a\r\n#{VALID}",
        f"PC#a%00#{VALID}",
        f"PC#\ud800#{VALID}",
        "PC#t#" + "9" * 33,
        "PC#t#1e999",
        "PC#t#Infinity",
        "PC#t#NaN",
        "PC#t#1_700_000_005",
        "PC#t#\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0665",
        "PC#t",
    ],
)
def test_a_broken_part_is_left_out_and_the_others_stay(part):
    assert parse_cookie(f"{part}|session#s#{VALID}", NOW) == {"session": "s"}


@pytest.mark.parametrize("cookie", ["|" * 1_000_000, f"a#b#{VALID}|" * 10_000, f"a#b#{VALID}|" * 300, "#" * 1_000_000])
def test_a_huge_cookie_costs_little(cookie):
    costs = []
    for _ in range(5):
        started = time.perf_counter()
        assert len(parse_cookie(cookie, NOW)) <= 16
        costs.append(time.perf_counter() - started)
    assert min(costs) < 0.005


def test_what_stands_in_the_first_eight_kib_of_a_huge_cookie_is_read():
    assert parse_cookie(f"session#s#{VALID}|PC#{'x' * 9000}#{VALID}", NOW) == {"session": "s"}


@pytest.mark.parametrize("cookie", [None, 5, b"session#s#1", ["session"]])
def test_what_is_no_text_is_no_cookie(cookie):
    assert parse_cookie(cookie, NOW) == {}


@given(st.text(alphabet=st.sampled_from("ab#|%0129 eE.-\x00é\ud83d"), max_size=60) | st.text())
def test_no_text_breaks_the_reader(text):
    assert all(isinstance(value, str) for value in parse_cookie(text, NOW).values())


@given(session_id=st.text(), tnt_id=st.text() | st.none(), now_ms=st.integers(0, 4_000_000_000_000))
def test_a_written_cookie_is_safe_in_a_header(session_id, tnt_id, now_ms):
    value = target_cookie(session_id, tnt_id, now_ms)["value"]
    assert value.isascii()
    assert not set(value) & set('\r\n\0;, "\\')


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(session_id=PRINTABLE, tnt_id=PRINTABLE, now_ms=st.integers(0, 4_000_000_000_000))
def test_what_was_written_is_read_back(session_id, tnt_id, now_ms):
    entries = parse_cookie(target_cookie(session_id[:99], tnt_id[:99], now_ms)["value"], now_ms)
    assert entries == {"session": session_id[:99], "PC": tnt_id[:99]}
