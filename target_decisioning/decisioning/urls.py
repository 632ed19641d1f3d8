"""What a condition sees of a URL: its parts, its registrable domain, and each of them in lower case.

    url  --split-->  Parts  --host by the Public Suffix List-->  domain, subdomain, topLevelDomain  -->  page (14 keys)

A loose reading, as Adobe's SDKs have it: any text is a URL, a text without scheme begins with its host, and nothing
is decoded or trimmed. A URL is a visitor's input: the work is linear in its length. Source: semantics.md 3.3.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

CACHED_URLS = 512
LONGEST_CACHED = 1024
"""A URL longer than this (characters) is taken apart anew each time: the cache stays small."""

LONGEST_HOST = 255
LONGEST_LABEL = 63

_URL = re.compile(
    r"""
    (?: (?! \[                                   # not a scheme but a bracketed host,
          | [^:/?\#]+ : [0-9]+ (?:[/?\#]|\Z)      # nor a host and its port (D6),
          | [^:@/?\#]+ : [^:@/?\#]* @ )           # nor a user and a password
        ([^:/?\#.]+) : )?
    (?: // )?
    (?: ([^/?\#]*) @ )?                          # an at sign further on is none of the authority's (D6)
    ( \[ [^\]/?\#]* \] | [^:/?\#]* )
    (?: : ([0-9]*) )?
    ( [^?\#]* )
    (?: \? ([^\#]*) )?
    (?: \# (.*) )?
    """,
    re.VERBOSE | re.DOTALL,
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_FOREIGN_LABEL = re.compile(r"[^\x00-,./:-`{-\x7f]+")
"""``[a-z0-9\\x80-\\U0010ffff-]+``, but told by what is not in it: a range up to the last character compiles in 2 ms."""


class Parts(NamedTuple):
    """A URL taken apart; a part that is not there is ``""``. The signs between the parts are in none of them."""

    scheme: str
    user_info: str
    host: str
    port: str
    path: str
    query: str
    fragment: str


class Host(NamedTuple):
    """A host by the Public Suffix List; where it is not registrable, it is its own domain, and the rest is ``""``."""

    domain: str
    subdomain: str
    suffix: str


def page_of(url: Any) -> dict[str, str]:
    """Return the ``page`` (or ``referring``) object of the context; anything but a text gives the empty page.

    Shared by all who ask for the same: read-only.
    """
    if not url or not isinstance(url, str):
        return EMPTY_PAGE
    return _cached_page(url) if len(url) <= LONGEST_CACHED else _page(url)


def split(url: str) -> Parts:
    """Take *url* apart."""
    found = cast("re.Match[str]", _URL.match(url))  # the pattern takes any text
    return Parts(*found.groups(""))


def _page(url: str) -> dict[str, str]:
    _, _, host, _, path, query, fragment = split(url)
    domain, subdomain, suffix = _host(host)
    return {
        "url": url,
        "path": path,
        "query": query,
        "fragment": fragment,
        "subdomain": subdomain,
        "domain": domain,
        "topLevelDomain": suffix,
        "url_lc": url.lower(),
        "path_lc": path.lower(),
        "query_lc": query.lower(),
        "fragment_lc": fragment.lower(),
        "subdomain_lc": subdomain.lower(),
        "domain_lc": domain.lower(),
        "topLevelDomain_lc": suffix.lower(),
    }


_cached_page = lru_cache(CACHED_URLS)(_page)


def _host(host: str) -> Host:
    return _cached_host(host) if len(host) <= LONGEST_HOST else Host(host, "", "")


@lru_cache(CACHED_URLS)
def _cached_host(host: str) -> Host:
    name = host.lower().removesuffix(".")
    may_be_listed = "." in name and _is_host_name(name)
    suffix = _suffixes().publicsuffix(_as_listed(name)) if may_be_listed else None
    labels = name.split(".")
    size = suffix.count(".") + 1 if suffix else 0
    if suffix is None or not 0 < size < len(labels):
        return Host(host, "", "")
    before = labels[: -size - 1]
    if before[:1] == ["www"]:
        del before[0]  # the label itself, not whatever begins with it (D5)
    return Host(".".join(labels[-size - 1 :]), ".".join(before), suffix)


def _is_host_name(name: str) -> bool:
    """Whether lower-case *name* is labels of letters, digits and inner hyphens, of any script."""
    if name.isascii():
        return _HOST_NAME.fullmatch(name) is not None
    return all(map(_is_label, name.split(".")))


def _is_label(label: str) -> bool:
    if label.isascii():
        return _HOST_NAME.fullmatch(label) is not None
    return _FOREIGN_LABEL.fullmatch(label) is not None and len("xn--") + len(label.encode("punycode")) <= LONGEST_LABEL


def _as_listed(name: str) -> str:
    """Return *name* as the list spells it: each label in its own script."""
    return ".".join(map(_decoded, name.split("."))) if "xn--" in name else name


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except ValueError:  # not what it claims to be
        return label


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # a big list: read it only where a URL is looked at

    return PublicSuffixList(accept_unknown=False, accept_encoded_idn=False)


EMPTY_PAGE: dict[str, str] = _page("")
"""What is seen where there is no URL. Read-only."""
