"""Which browser, on which platform: what a user agent and client hints say to a condition.

The names and versions are those of Adobe's Node.js SDK. A user agent is a visitor's input: every search here is
linear in its length. Source: semantics.md 3.5.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "unknown"
LOCALE = "en"

UNKNOWN_VERSION = -1
LONGEST_VERSION = 15
"""Digits; a longer number would not be exact as a double, and is no browser's version."""

CACHED_TEXTS = 1024
LONGEST_CACHED = 1024
"""Texts longer than this (characters, together) are looked through anew each time: the cache stays small."""

_EDGE = re.compile(r"edg(?:e|ios|a)?/(?=[a-z0-9_.])([0-9]*)")
_VERSION = re.compile(r"version/(?=[a-z0-9_.])([0-9]*)")
_MOBILE_SAFARI = re.compile(r"mobile/[a-z0-9_]+\ssafari")
_CHROME = re.compile(r"chrome/v?(?=[a-z0-9_.])([0-9]*)")
_FIREFOX = re.compile(r"firefox/(?=[a-z0-9_.-])([0-9]*)[a-z0-9_.-]*\Z")
_OLD_IE = re.compile(r"(?:ms|\()ie\s(?=[a-z0-9_.])([0-9]*)")
_LIKE_GECKO = re.compile(r"like\sgecko")
_REVISION = re.compile(r"rv[:\s](?=[a-z0-9_.])([0-9]*)")

_BRANDS = {
    name: re.compile(rf'{name}";v="(?=[0-9.])([0-9]*)[0-9.]*"') for name in ("chrome", "edge", "safari", "firefox")
}

_ANDROID = re.compile(r"Android [0-9.]+;")
_RENAMED = {"Windows": "windows", "Macintosh": "mac", "Mac OS": "mac", "macOS": "mac", "Linux": "linux"}

_NOTHING = (UNKNOWN, "")


def user_of(user_agent: Any, client_hints: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the ``user`` object of the context: ``browserType``, ``platform``, ``locale``, ``browserVersion``.

    Args:
        user_agent: ``context.userAgent``; anything but a text counts as absent.
        client_hints: ``context.clientHints``. Its brands win over the user agent where they name a browser, its
            ``platform`` (also ``""``) wins where it is given.

    Returns:
        Shared by all who ask for the same: read-only. ``browserVersion`` is the major version, -1 if unknown.
    """
    text = user_agent if isinstance(user_agent, str) else ""
    if not client_hints:
        return _cached_user(text, "", None) if len(text) <= LONGEST_CACHED else _user(text, "", None)
    return _hinted_user(text, client_hints)


def _hinted_user(user_agent: str, hints: Mapping[str, Any]) -> dict[str, Any]:
    brands = hints.get("browserUAWithFullVersion") or hints.get("browserUAWithMajorVersion")
    brands = brands if isinstance(brands, str) else ""
    platform = hints.get("platform")
    if platform is not None and not isinstance(platform, str):
        return _user(user_agent, brands, platform)
    if len(user_agent) + len(brands) + len(platform or "") > LONGEST_CACHED:
        return _user(user_agent, brands, platform)
    return _cached_user(user_agent, brands, platform)


def _user(user_agent: str, brands: str, hinted_platform: Any) -> dict[str, Any]:
    name, version = _browser(user_agent.lower())
    hinted_name, hinted_version = _branded(brands.lower()) if brands else _NOTHING
    platform = _platform(user_agent) if hinted_platform is None else hinted_platform
    return {
        "browserType": name if hinted_name is UNKNOWN else hinted_name,
        "platform": _RENAMED.get(platform, platform) if isinstance(platform, str) else platform,
        "locale": LOCALE,
        "browserVersion": _major(hinted_version or version),
    }


_cached_user = lru_cache(CACHED_TEXTS)(_user)


def _browser(text: str) -> tuple[str, str]:
    """Return the browser that lower-case *text* names first in the order of preference, with its version's digits."""
    if found := _EDGE.search(text):
        return "edge", found[1]
    if safari := _safari(text):
        return safari
    if found := _CHROME.search(text):
        return "chrome", found[1]
    if found := _FIREFOX.search(text):
        return "firefox", found[1]
    if found := _OLD_IE.search(text):
        return "ie", found[1]
    return _trident(text)


def _safari(text: str) -> tuple[str, str] | None:
    """Find ``version/X``, and at least one character later ``safari``: mobile if ``mobile/WORD`` stands before it."""
    found = _VERSION.search(text)
    if not found:
        return None
    earliest = found.start(1) + 2
    if text.find("safari", earliest) < 0:
        return None
    name = "mobile safari" if _MOBILE_SAFARI.search(text, earliest) else "safari"
    return name, found[1]


def _trident(text: str) -> tuple[str, str]:
    """Find ``trident``, later ``rv:X`` (the last one counts), later ``like gecko``."""
    start = text.find("trident")
    if start < 0:
        return _NOTHING
    ends = [found.start() for found in _LIKE_GECKO.finditer(text, start)]
    versions = _REVISION.findall(text, start + len("trident") + 1, ends[-1] - 1) if ends else []
    return ("ie", versions[-1]) if versions else _NOTHING


def _branded(brands: str) -> tuple[str, str]:
    for name, pattern in _BRANDS.items():
        if found := pattern.search(brands):
            return name, found[1]
    return _NOTHING


def _major(digits: str) -> int:
    return int(digits) if digits and len(digits) <= LONGEST_VERSION else UNKNOWN_VERSION


def _platform(user_agent: str) -> str:
    """Return the platform that *user_agent* names (upper and lower case matter), before it is renamed."""
    if "iPhone" in user_agent or "iPad" in user_agent or "iPod" in user_agent:
        return "iOS"
    if _ANDROID.search(user_agent):
        return "Android"
    if " Linux " in user_agent:
        return "Linux"
    if "FreeBSD" in user_agent or "OpenBSD" in user_agent or "CrOS" in user_agent:
        return "Unix"
    if "(Windows " in user_agent or " Windows " in user_agent:
        return "Windows"
    return "Mac OS" if "Macintosh;" in user_agent else UNKNOWN
