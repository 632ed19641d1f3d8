"""What a condition sees of a URL (semantics.md 3.3)."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_decisioning.decisioning.urls import EMPTY_PAGE, page_of, split
from tests.shared import vectors

LETTERS = ":/?#@[].www%-_ aé例\ud800İ01"


def own_domain(page):
    return page["domain"], page["subdomain"], page["topLevelDomain"]


def given_url(case):
    return None if isinstance(case["url"], dict) else case["url"]


def test_every_known_url_gives_its_page():
    for case in vectors("urls"):
        if "deviates" not in case:
            assert page_of(given_url(case)) == case["page"], case["url"]


def test_every_known_url_is_split_into_its_parts():
    for case in vectors("url_parts"):
        if "deviates" not in case:
            assert list(split(case["url"])) == list(case["parts"].values()), case["url"]


@pytest.mark.parametrize("value", [None, "", 5, 0, True, ["https://example.com"], {"url": "x"}, b"https://example.com"])
def test_anything_but_a_text_gives_the_empty_page(value):
    assert page_of(value) is EMPTY_PAGE
    assert set(EMPTY_PAGE.values()) == {""}


@pytest.mark.parametrize(
    ("host", "subdomain"),
    [
        ("www.shop", "shop"),
        ("www2.shop", "www2.shop"),
        ("wwwfoo", "wwwfoo"),
        ("WWW", ""),
        ("a.www", "a.www"),
        ("www.www", "www"),
    ],
)
def test_only_a_first_label_that_is_exactly_www_is_cut(host, subdomain):
    """D5: whatever begins with www was cut by four characters."""
    assert page_of(f"https://{host}.example.com/")["subdomain"] == subdomain


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://host.example.com/@user", "host.example.com", "", "/@user"),
        ("https://example.com?a@b:c", "example.com", "", ""),
        ("http://[2001:db8::1]:8080/x", "[2001:db8::1]", "8080", "/x"),
        ("http://user:pass@[::1]/x", "[::1]", "", "/x"),
        ("[::1]:80/x", "[::1]", "80", "/x"),
        ("http://[broken/x", "[broken", "", "/x"),
        ("localhost:8080/x", "localhost", "8080", "/x"),
        ("localhost:8080", "localhost", "8080", ""),
        ("localhost:8080?x", "localhost", "8080", ""),
        ("user@localhost:8080/x", "localhost", "8080", "/x"),
        ("example.com:8080/x", "example.com", "8080", "/x"),
        ("http://a@b@example.com/", "example.com", "", "/"),
    ],
)
def test_an_authority_is_read_as_rfc_3986_has_it(url, host, port, path):
    """D6: an at sign in a path, a bracketed address, a port without scheme."""
    parts = split(url)
    assert (parts.host, parts.port, parts.path) == (host, port, path)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "query"),
    [
        ("http://example.com:port/x", "example.com", "", "port/x", ""),
        ("com.acme.app:settings/profile?x=1", "com.acme.app", "", "settings/profile", "x=1"),
        ("a.b:c", "a.b", "", "c", ""),
        ("example.com:8080abc/x", "example.com", "8080", "abc/x", ""),
        ("http://[::1]x/y?q", "[::1]", "", "x/y", "q"),
    ],
)
def test_a_path_begins_where_host_and_port_end(url, host, port, path, query):
    parts = split(url)
    assert (parts.host, parts.port, parts.path, parts.query) == (host, port, path, query)


@pytest.mark.parametrize(
    ("url", "scheme", "host"),
    [
        ("localhost:8080x/", "localhost", "8080x"),
        ("localhost:/x", "localhost", ""),
        ("mailto:me", "mailto", "me"),
        ("a.b:c", "", "a.b"),
        ("tel:12345", "", "tel"),
        ("file:///etc/hosts", "file", ""),
        ("http:/path", "http", ""),
    ],
)
def test_what_stands_before_a_colon_is_a_scheme_unless_a_port_follows_or_it_has_a_dot(url, scheme, host):
    parts = split(url)
    assert (parts.scheme, parts.host) == (scheme, host)


def test_query_and_fragment_may_hold_anything_that_comes_after_their_sign():
    assert split("https://example.com/a\nb?c?\n/d#e\n#?f")[4:] == ("/a\nb", "c?\n/d", "e\n#?f")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shop.example.kawasaki.jp", ("shop.example.kawasaki.jp", "", "example.kawasaki.jp")),
        ("a.city.kawasaki.jp", ("city.kawasaki.jp", "a", "kawasaki.jp")),
        ("example.kawasaki.jp", ("example.kawasaki.jp", "", "")),
        ("a.user.github.io", ("user.github.io", "a", "github.io")),
        ("Shop.Example.РФ", ("example.рф", "shop", "рф")),
        ("shop.example.xn--p1ai", ("example.xn--p1ai", "shop", "\u0440\u0444")),
        ("xn--\u00e9.com", ("xn--\u00e9.com", "", "com")),
        ("example.xn--999999999999", ("example.xn--999999999999", "", "")),
        ("Host.Example.Unlisted", ("Host.Example.Unlisted", "", "")),
        ("a" * 63 + ".com", ("a" * 63 + ".com", "", "com")),
        ("a" * 64 + ".com", ("a" * 64 + ".com", "", "")),
        ("é" * 80 + ".com", ("é" * 80 + ".com", "", "")),
        ("a." * 126 + "com", ("a.com", "a." * 124 + "a", "com")),
        ("a." * 127 + "com", ("a." * 127 + "com", "", "")),
        ("é_x.com", ("é_x.com", "", "")),
        ("bad-.com", ("bad-.com", "", "")),
        ("example.com..", ("example.com..", "", "")),
    ],
)
def test_a_host_is_divided_by_the_public_suffix_list_or_stays_whole(host, expected):
    assert own_domain(page_of(f"https://{host}/")) == expected


def test_a_url_of_any_length_is_read_alike():
    long = page_of("https://www.Example.com/" + "A" * 5000)
    assert long["domain"] == "example.com"
    assert long["path_lc"] == "/" + "a" * 5000


@settings(deadline=None)
@given(st.text(LETTERS) | st.text())
@example("xn--.xn--a.com")
@example("http://xn--\ud800.com")
def test_any_text_is_a_url(url):
    page = page_of(url)
    assert list(page) == list(EMPTY_PAGE)
    assert all(page[f"{key}_lc"] == page[key].lower() for key in page if not key.endswith("_lc"))
    assert page["url"] == url
    assert page["domain"].lower() in url.lower()


@settings(deadline=None)
@given(st.text(LETTERS) | st.text())
def test_the_parts_stand_in_the_url_in_their_order(url):
    position = 0
    for part in split(url):
        position = url.index(part, position) + len(part)


@pytest.mark.parametrize(
    "piece", [":", "@", "[", "a:", "a@", "a.", "1", "a:1", "//", "www.", "?", "#", "é", "-", "xn--"]
)
def test_a_hostile_url_costs_time_in_proportion_to_its_length(piece):
    page_of("http://example.com/")  # loads the Public Suffix List
    start = time.perf_counter()
    page_of(piece * 100_000)
    page_of("https://" + piece * 100)
    assert time.perf_counter() - start < 1  # a search that backtracks takes minutes


@pytest.mark.parametrize(
    ("first", "is_loaded"),
    [("page_of('')", False), ("page_of('http://localhost/')", False), ("page_of('http://a.example/')", True)],
)
def test_the_public_suffix_list_is_loaded_when_it_is_first_needed(first, is_loaded):
    script = (
        "import sys; from target_decisioning.decisioning.urls import page_of;"
        f"{first}; print('publicsuffixlist' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(is_loaded)


@pytest.mark.parametrize(
    ("url", "domain", "suffix"),
    [
        ("http://x.xn--p1ai/", "x.xn--p1ai", "\u0440\u0444"),
        ("http://a.xn--55qx5d.cn", "a.xn--55qx5d.cn", "\u516c\u53f8.cn"),
    ],
)
def test_an_internationalised_suffix_is_told_as_the_list_has_it(url, domain, suffix):
    page = page_of(url)
    assert (page["domain"], page["topLevelDomain"]) == (domain, suffix)
