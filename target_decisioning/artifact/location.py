"""Where the artifact is, in what format, and how often it may be asked for.

Source: semantics.md 2.1 and 2.4.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from target_decisioning.config import Config

CDN_HOSTS = {
    "production": "assets.adobetarget.com",
    "staging": "assets.staging.adobetarget.com",
    "development": "assets.staging.adobetarget.com",
}
SCHEMA_VERSION = "v1"
POLLING_FLOOR_SECONDS = 300.0
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: ``C:`` is a drive


def artifact_location(config: Config) -> str:
    """Return the URL or path that the artifact is read from.

    The option ``artifact_location`` as it is, else the CDN's URL; parts of the URL are percent-encoded, blank ones
    left out.
    """
    if config.artifact_location:
        return config.artifact_location
    host = config.cdn_base_path or CDN_HOSTS.get(config.cdn_environment, CDN_HOSTS["production"])
    environment = (config.environment or "production").lower()
    parts = [config.client, environment, SCHEMA_VERSION, config.property_token or ""]
    path = "/".join(quote(part, safe="") for part in parts if part)
    return f"https://{host.strip('/')}/{path}/rules.{'bin' if config.artifact_format == 'bin' else 'json'}"


def artifact_format(location: str, option: str | None) -> str:
    """Return ``json`` or ``bin``: the option, else what *location* ends in."""
    if option is not None:
        return option
    return "bin" if len(location) > len(".bin") and location.lower().endswith(".bin") else "json"


def local_path(location: str) -> Path | None:
    """Return the file that *location* names, as a path or a ``file:`` URL; None for a URL of the network."""
    if location[:5].lower() == "file:":
        return Path(unquote(urlsplit(location).path))
    return None if _HAS_SCHEME.match(location) else Path(location)


def is_loopback(location: str) -> bool:
    """Whether the URL *location* is served by this machine."""
    host = urlsplit(location).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def polling_interval_seconds(config: Config, location: str) -> float:
    """Return the seconds between polls; 0.0 for none.

    An interval that was given in milliseconds is at least 300 s, except for a file or this machine.
    """
    seconds = config.polling_interval_seconds
    if not seconds or not config.polling_floor_applies:
        return seconds
    is_near = local_path(location) is not None or is_loopback(location)
    return seconds if is_near and seconds > 0 else max(seconds, POLLING_FLOOR_SECONDS)
