"""Where a visitor is: read from headers, or looked up by address.

    geo of the request --enrich--> the same, with what the local database or the look-up service knows

Source: semantics.md 2.7.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from target_decisioning.errors import ConfigError, TransportError
from target_decisioning.events import GEO_LOCATION_UPDATED, Emit
from target_decisioning.http import CIRCUIT_OPEN, Breaker, HttpAnswer, HttpRequest, OutageLog, Transport

if TYPE_CHECKING:
    from pathlib import Path

    from target_decisioning.config import Config
    from target_decisioning.log import Logger

UNKNOWN_IP = "unknownIpAddress"
LARGEST_ANSWER_BYTES = 64 * 1024
_LEADING_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_OUTAGE = ("The place of an address could not be looked up", "Places of addresses are looked up again")
_PLACE_KEYS = ("latitude", "longitude", "countryCode", "stateCode", "city")


def valid_ip(text: object) -> bool:
    """Whether *text* is an IPv4 or IPv6 address; blanks around it and a zone of IPv6 are allowed."""
    if not isinstance(text, str):
        return False
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True


def geo_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the geo that *values* tell: headers of an answer, or the JSON of a look-up (same keys).

    Keys that are absent, and coordinates that are no numbers, are left out.
    """
    by_name = {name.lower(): value for name, value in values.items()}
    read = {key: reader(by_name[name]) for name, (key, reader) in _READERS.items() if name in by_name}
    return {key: value for key, value in read.items() if value is not None}


class GeoLookup:
    """Finds the place of an address: in a local database if there is one, else at the look-up service.

    A service that keeps failing is not asked for a while.
    """

    def __init__(self, config: Config, transport: Transport, logger: Logger, emit: Emit) -> None:
        self._url, self._timeout_seconds = config.geo_lookup_url, config.geo_timeout_seconds
        self._transport, self._emit = transport, emit
        self._outage, self._breaker = OutageLog(logger, *_OUTAGE), Breaker()
        self._database = _open_database(config.geo_database) if config.geo_database else None

    def enrich(self, geo: Mapping[str, Any], *, look_up: bool = True) -> dict[str, Any]:
        """Return *geo* with its place filled in.

        Args:
            geo: ``context.geo`` of the request; not changed.
            look_up: the artifact's ``geoTargetingEnabled``.

        An ``ipAddress`` that is none is removed. Looked up is an address whose place the request does not tell; takes
        ``geo_timeout`` at most, and leaves the geo as it is when nothing comes; the event then has a ``reason``. Never
        raises.
        """
        asked = geo.get("ipAddress")
        known = {key: value for key, value in geo.items() if key != "ipAddress" or valid_ip(value)}
        if not look_up or not (valid_ip(asked) or asked == UNKNOWN_IP):
            return known
        if any(geo.get(key) is not None for key in _PLACE_KEYS):
            return known
        found = self._find(str(asked).strip())
        if found is None:
            return known
        place = known | found
        self._emit(GEO_LOCATION_UPDATED, geo_context=dict(place))
        return place

    def close(self) -> None:
        """Close the local database."""
        if self._database is not None:
            self._database.close()

    def _find(self, ip: str) -> dict[str, Any] | None:
        """Return what is known of an address; None if nobody could say."""
        try:
            found = self._in_database(ip) or self._ask(ip)
        except Exception as error:  # a place is never worth a decision
            self._tell_failure(error)
            return None
        self._outage.recovered()
        return found

    def _tell_failure(self, error: Exception) -> None:
        reason = error.reason if isinstance(error, TransportError) else "invalid"
        if reason != CIRCUIT_OPEN:  # what opened it was told
            self._outage.failed(str(error) if isinstance(error, TransportError) else type(error).__name__)
        self._emit(GEO_LOCATION_UPDATED, geo_context={}, error=error, reason=reason)

    def _in_database(self, ip: str) -> dict[str, Any]:
        if self._database is None or ip == UNKNOWN_IP:
            return {}
        record = self._database.get(ip.partition("%")[0])
        return _geo_of_record(record, ip) if isinstance(record, dict) else {}

    def _ask(self, ip: str) -> dict[str, Any]:
        leave, has_worked = self._breaker.enter(), False
        try:
            answer = self._send({} if ip == UNKNOWN_IP else {"x-forwarded-for": ip})
            has_worked = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        finally:
            self._breaker.report(leave, has_worked=has_worked)
        if not 200 <= answer.status < 300:
            raise TransportError("status", f"the look-up service answered with status {answer.status}")
        found = json.loads(answer.body)
        if not isinstance(found, dict):
            raise TransportError("invalid", "the look-up service answered with something else than a JSON object")
        return geo_of(found)

    def _send(self, headers: Mapping[str, str]) -> HttpAnswer:
        return self._transport.send(
            HttpRequest("GET", self._url, headers),
            total_seconds=self._timeout_seconds,
            max_wire_bytes=LARGEST_ANSWER_BYTES,
            max_body_bytes=LARGEST_ANSWER_BYTES,
        )


def _open_database(path: Path) -> Any:
    """Return a reader of the MaxMind database at *path*.

    Raises:
        ConfigError: the extra ``geo`` is not installed, or the file is no such database.
    """
    try:
        import maxminddb
    except ImportError as error:
        raise ConfigError(
            "geo_database needs the extra 'geo': pip install 'target-decisioning[geo]'", "geo_database"
        ) from error
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigError("geo_database is no readable MaxMind database", "geo_database") from error


def _geo_of_record(record: Mapping[str, Any], ip: str) -> dict[str, Any]:
    """Return the geo of a GeoIP2 City or Country record, spelled as the look-up service spells it."""
    location = record.get("location") or {}
    subdivisions = record.get("subdivisions") or [{}]
    city = ((record.get("city") or {}).get("names") or {}).get("en")
    geo = {
        "ipAddress": ip,
        "latitude": location.get("latitude"),
        "longitude": location.get("longitude"),
        "countryCode": (record.get("country") or {}).get("iso_code"),
        "stateCode": subdivisions[0].get("iso_code"),
        "city": city.upper() if city else None,
    }
    return {key: value for key, value in geo.items() if value is not None}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _coordinate(value: Any) -> float | None:
    if isinstance(value, str):
        leading = _LEADING_NUMBER.match(value)
        value = float(leading[1]) if leading else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value  # a whole number is told without ``.0``, as JavaScript does


_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "x-forwarded-for": ("ipAddress", _text),
    "x-geo-latitude": ("latitude", _coordinate),
    "x-geo-longitude": ("longitude", _coordinate),
    "x-geo-country-code": ("countryCode", _text),
    "x-geo-region-code": ("stateCode", _text),
    "x-geo-city": ("city", _text),
}
