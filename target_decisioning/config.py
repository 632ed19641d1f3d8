"""The options of ``TargetClient.create``: read, checked and resolved once, never looked at again.

    options, keywords  --read_config-->  Config (immutable; durations in seconds, defaults filled in)

Messages name the option, what would be right and what was found: a text that was given is shown unless the option may
hold a secret, or tell whose client it is. Source: semantics.md 1.1.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from target_decisioning.delivery.enums import DecisioningMethod
from target_decisioning.delivery.kinds import kind_of, nearest
from target_decisioning.errors import ConfigError
from target_decisioning.events import EVENTS
from target_decisioning.log import STANDARD, Logger

DEFAULT_TIMEOUT_SECONDS: Final = 3.0
DEFAULT_POLLING_SECONDS: Final = 300.0
DEFAULT_WAIT_READY_SECONDS: Final = 5.0
DEFAULT_GEO_TIMEOUT_SECONDS: Final = 0.5
DEFAULT_GEO_URL: Final = "https://assets.adobetarget.com/v1/geo"
LONGEST_SECONDS: Final = 31_536_000  # a year is for ever here, and still fits every timer of the platform
METHODS: Final = tuple(sorted(method.value for method in DecisioningMethod))

AnyPath = str | os.PathLike[str]


class ClientOptions(TypedDict, total=False):
    """Every option of ``TargetClient.create``; None is "not given". Times are in ms unless the name says seconds."""

    client: str
    organization_id: str
    decisioning_method: DecisioningMethod | str | None
    timeout: float | None
    timeout_seconds: float | None
    server_domain: str | None
    secure: bool | None
    target_location_hint: str | None
    property_token: str | None
    environment_id: int | None
    environment: str | None
    cdn_environment: str | None
    cdn_base_path: str | None
    artifact_location: AnyPath | None
    artifact_payload: dict[str, Any] | str | bytes | None
    artifact_format: Literal["json", "bin"] | None
    polling_interval: float | None
    polling_interval_seconds: float | None
    maximum_wait_ready: float | None
    maximum_wait_ready_seconds: float | None
    telemetry_enabled: bool | None
    version: str | None
    events: Mapping[str, Callable[..., Any]] | None
    logger: Logger | None
    geo_lookup_url: str | None
    geo_timeout: float | None
    geo_database: AnyPath | None
    strict: bool | None
    cache_dir: AnyPath | None
    outbox_path: AnyPath | None
    learn_location_hint: bool | None
    on_forbidden: Literal["keep", "clear"] | None
    max_artifact_age_seconds: float | None
    stale_policy: Literal["serve", "remote", "fail"] | None
    background: bool | None
    session: Any
    proxies: Mapping[str, str] | None
    ca_bundle: AnyPath | None
    client_cert: AnyPath | tuple[AnyPath, AnyPath] | None
    follow_artifact_redirects: bool | None
    log_bodies: bool | None


class Config(BaseModel):
    """What a client was told, ready to use. ``repr`` shows nothing that could be a secret or tell whose client it is.

    ``polling_interval_seconds`` is 0.0 for "never"; ``polling_floor_applies`` says that it came as
    ``polling_interval``, whose floor of 300 s depends on where the artifact comes from (semantics.md 2.4).
    ``max_artifact_age_seconds`` is None for three polling intervals. The readers of this file have checked each value:
    pydantic is not asked again, and with ``defer_build`` makes no validator, which takes longer than to read a file
    and decide from it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, defer_build=True)

    client: str = Field(repr=False)
    organization_id: str = Field(repr=False)
    decisioning_method: str = "server-side"
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    server_domain: str | None = Field(default=None, repr=False)
    secure: bool = True
    target_location_hint: str | None = None
    property_token: str | None = Field(default=None, repr=False)
    environment_id: int | None = None
    environment: str = "production"
    cdn_environment: str = "production"
    cdn_base_path: str | None = Field(default=None, repr=False)
    artifact_location: str | None = Field(default=None, repr=False)
    artifact_payload: dict[str, Any] | str | bytes | None = Field(default=None, repr=False)
    artifact_format: str | None = None
    polling_interval_seconds: float = DEFAULT_POLLING_SECONDS
    polling_floor_applies: bool = False
    maximum_wait_ready_seconds: float = DEFAULT_WAIT_READY_SECONDS
    telemetry_enabled: bool = True
    version: str | None = None
    events: dict[str, Callable[..., Any]] = Field(default_factory=dict, repr=False)
    logger: SkipValidation[Logger] = Field(default=STANDARD, repr=False)
    geo_lookup_url: str = Field(default=DEFAULT_GEO_URL, repr=False)
    geo_timeout_seconds: float = DEFAULT_GEO_TIMEOUT_SECONDS
    geo_database: Path | None = Field(default=None, repr=False)
    strict: bool = False
    cache_dir: Path | None = Field(default=None, repr=False)
    outbox_path: Path | None = Field(default=None, repr=False)
    learn_location_hint: bool = True
    on_forbidden: str = "keep"
    max_artifact_age_seconds: float | None = None
    stale_policy: str = "serve"
    background: bool = True
    session: Any = Field(default=None, repr=False)
    proxies: dict[str, str] | None = Field(default=None, repr=False)
    ca_bundle: str | None = Field(default=None, repr=False)
    client_cert: str | tuple[str, str] | None = Field(default=None, repr=False)
    follow_artifact_redirects: bool = False
    log_bodies: bool = False


def read_config(options: Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> Config:
    """Check what ``TargetClient.create`` was given and resolve it; a keyword beats the same key of *options*.

    Raises:
        ConfigError: for the first fault, in the order of semantics.md 1.1; ``option`` names the culprit.
    """
    given = gather(options, keywords)
    for name, label in (("client", "Client"), ("organization_id", "Organization Id")):
        if not (isinstance(given.get(name), str) and given[name]):
            error = ConfigError(f"{label} is required", name)
            error.add_note(f"found {_instead_of(name, given)}; expected a text that is not empty")
            raise error
    if "decisioning_method" in given:
        given["decisioning_method"] = read_decisioning_method(given["decisioning_method"])
    refuse_unknown([*(options or ()), *keywords], _READERS)
    _refuse_both_names(given)
    settings: dict[str, Any] = {}
    for name, value in given.items():
        settings |= _READERS[name](name, value)
    return Config.model_construct(**{name: value for name, value in settings.items() if value is not None})


def _instead_of(name: str, given: Mapping[str, Any]) -> str:
    """Return what was given in place of an option: under its name, or under one that nobody knows."""
    if name in given:
        return kind_of(given[name])
    others = [other for other in given if isinstance(other, str) and other not in _READERS]
    close = nearest(name, others)
    return _quoted(close) if close else "nothing"


def gather(options: Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Lay *keywords* over *options*; leave out what is None.

    Raises:
        ConfigError: if nothing was given at all, or *options* is no mapping.
    """
    if not isinstance(options, Mapping | None):
        raise ConfigError(f"options: found {kind_of(options)}; expected a mapping of option names to values")
    if not options and not keywords:
        raise ConfigError("Options are required")
    both = [*(options or {}).items(), *keywords.items()]
    return {name: value for name, value in both if value is not None}


def read_decisioning_method(value: Any) -> str:
    """Return the plain text of a decisioning method, given as text or ``DecisioningMethod``.

    Raises:
        ConfigError: if it is neither.
    """
    if isinstance(value, str) and value in METHODS:
        return str(value)
    message = f"Invalid Decisioning Method.  Must be set to one of: {','.join(METHODS)}"
    error = ConfigError(message, "decisioning_method")
    error.add_note(f"found {_found('decisioning_method', value)}")  # the text itself is that of the earlier SDK
    raise error


def refuse_unknown(names: Iterable[Any], known: Mapping[str, Any]) -> None:
    """Raise ``ConfigError`` for the first of *names* that is not in *known*, with the nearest that is."""
    for name in names:
        if name not in known:
            option = name if isinstance(name, str) else None
            raise ConfigError(f"Unknown option {_quoted(name)}{_hint(name, known)}", option)


def _hint(name: Any, known: Mapping[str, Any]) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:80]).lower() if isinstance(name, str) else ""
    close = nearest(snake, known, 0.5)
    return f"; did you mean '{close}'?" if close else f"; expected one of {', '.join(sorted(known))}"


def _quoted(name: Any) -> str:
    return f"'{name[:80]}'" if isinstance(name, str) else kind_of(name)


def _refuse_both_names(given: Mapping[str, Any]) -> None:
    for name in ("timeout", "polling_interval", "maximum_wait_ready"):
        if name in given and f"{name}_seconds" in given:
            message = f"option '{name}': found '{name}_seconds' as well; expected one of the two, they set one value"
            raise ConfigError(message, name)


_is_other_url = re.compile(r"(?!https?:|file:)[a-z][a-z0-9+.-]+:", re.IGNORECASE).match  # ``C:`` is a drive

# A reader checks one option and says which settings it makes; None leaves the default.
Reader = Callable[[str, Any], dict[str, Any]]


_NOT_SHOWN = frozenset(
    {
        "client",
        "organization_id",
        "property_token",
        "artifact_location",
        "artifact_payload",
        "cdn_base_path",
        "geo_lookup_url",
        "proxies",
        "session",
    }
)


def _wrong(name: str, value: Any, expected: str) -> ConfigError:
    return ConfigError(f"option '{name}': found {_found(name, value)}; expected {expected}", name)


def _found(name: str, value: Any) -> str:
    if not isinstance(value, str):
        return kind_of(value)
    if name in _NOT_SHOWN or "@" in value:  # such as https://user:password@host
        return "text (not shown)"
    return f"the text {value[:80]!r}"


def _text(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise _wrong(name, value, "text")
    return {name: str(value) or None}


def _lower_text(name: str, value: Any) -> dict[str, Any]:
    return {name: text.lower() if (text := _text(name, value)[name]) else None}


def _url_part(name: str, value: Any) -> dict[str, Any]:
    """Read a part of the artifact's URL; one of dots only would lead to another folder."""
    part = _text(name, value)
    if part[name] and not value.strip("."):
        raise _wrong(name, value, "more than dots")
    return part


def _environment(name: str, value: Any) -> dict[str, Any]:
    return {name: part.lower() if (part := _url_part(name, value)[name]) else None}


def _cdn_base_path(name: str, value: Any) -> dict[str, Any]:
    base = _text(name, value)
    if "://" in value:
        raise _wrong(name, value, "a host, maybe with a path, without scheme")
    return base


def _boolean(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return {name: value}


def _integer(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, value, "a whole number")
    return {name: int(value)}


def _one_of(*choices: str) -> Reader:
    def read(name: str, value: Any) -> dict[str, Any]:
        if value not in choices:
            raise _wrong(name, value, f"one of {', '.join(choices)}")
        return {name: str(value)}

    return read


def _number(name: str, value: Any, unit: str) -> float:
    """Return *value*, which must be a number and not NaN, but no more than the longest time in that unit."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _wrong(name, value, f"a number of {unit}")
    return min(value, LONGEST_SECONDS * (1000 if unit == "milliseconds" else 1))


def _time_limit(name: str, value: Any) -> dict[str, Any]:
    """Read a limit in ms, or in seconds where the name says so; 0 is the default."""
    in_seconds = name.endswith("_seconds")
    number = _number(name, value, "seconds" if in_seconds else "milliseconds")
    if number < 0:
        raise ConfigError(f"option '{name}': found a negative number; expected 0 (the default) or more", name)
    return {f"{name.removesuffix('_seconds')}_seconds": float(number if in_seconds else number / 1000) or None}


def _wait_ready(name: str, value: Any) -> dict[str, Any]:
    in_seconds = name.endswith("_seconds")
    number = _number(name, value, "seconds" if in_seconds else "milliseconds")
    seconds = float(number if in_seconds else number / 1000)
    return {"maximum_wait_ready_seconds": seconds if seconds >= 0 else None}


def _polling_ms(name: str, value: Any) -> dict[str, Any]:
    number = _number(name, value, "milliseconds")
    seconds = number / 1000 if number >= 0 else DEFAULT_POLLING_SECONDS
    return {"polling_interval_seconds": seconds, "polling_floor_applies": seconds > 0}


def _polling_seconds(name: str, value: Any) -> dict[str, Any]:
    if (number := _number(name, value, "seconds")) < 0:
        raise ConfigError(f"option '{name}': found a negative number; expected 0 (no polling) or more", name)
    return {name: float(number)}


def _age(name: str, value: Any) -> dict[str, Any]:
    if (number := _number(name, value, "seconds")) <= 0:
        raise ConfigError(f"option '{name}': found 0 or less; expected a positive number of seconds", name)
    return {name: float(number)}


_HOST = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")


def _server_domain(name: str, value: Any) -> dict[str, Any]:
    domain = _text(name, value)[name]
    matched = _HOST.fullmatch(domain or "localhost")
    if not matched or int(matched[1] or 0) > 65_535:
        raise _wrong(name, domain, "a host or host:port without scheme or path")
    return {name: domain}


def _location_hint(name: str, value: Any) -> dict[str, Any]:
    """Anything but a cluster number counts as absent: a hint becomes part of a host name (semantics.md 1.6)."""
    hint = _text(name, value)[name]
    return {name: hint if re.fullmatch("[0-9]{1,3}", hint or "") else None}


def _http_url(name: str, value: Any) -> dict[str, Any]:
    url = _text(name, value)[name]
    if url and not re.match("https?://[^/?#]", url, re.IGNORECASE):
        raise _wrong(name, url, "a URL that begins with https:// or http://")
    return {name: url}


def _plain_path(name: str, value: Any) -> str | None:
    try:
        path = os.fspath(value)
    except TypeError:
        path = None
    if not isinstance(path, str):
        raise _wrong(name, value, "a path, as text or os.PathLike")
    return path or None


def _path(name: str, value: Any) -> dict[str, Any]:
    return {name: Path(path) if (path := _plain_path(name, value)) else None}


def _text_path(name: str, value: Any) -> dict[str, Any]:
    return {name: _plain_path(name, value)}


def _location(name: str, value: Any) -> dict[str, Any]:
    path = _plain_path(name, value)
    if path and _is_other_url(path):
        kinds = "found another kind of URL; expected a path, or a URL that begins with https:, http: or file:"
        raise ConfigError(f"option '{name}': {kinds}", name)
    return {name: path}


def _certificate(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, tuple | list):
        return _text_path(name, value)
    if len(value) != 2:
        raise _wrong(name, value, "a path, or a pair of paths: certificate and key")
    return {name: tuple(_plain_path(name, part) for part in value)}


def _payload(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict | str | bytes | bytearray):
        raise _wrong(name, value, "the artifact as a dict, JSON text or bytes")
    return {name: bytes(value) if isinstance(value, bytearray) else value}


def _events(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(name, value, "a mapping of event names to callables")
    known = dict.fromkeys(EVENTS)
    for event, listener in value.items():
        if event not in known:
            raise ConfigError(f"option '{name}': Unknown event {_quoted(event)}{_hint(event, known)}", name)
        if not callable(listener):
            raise ConfigError(f"option '{name}', {event}: found {kind_of(listener)}; expected a callable", name)
    return {name: dict(value)}


def _logger(name: str, value: Any) -> dict[str, Any]:
    if not (callable(getattr(value, "debug", None)) and callable(getattr(value, "error", None))):
        raise _wrong(name, value, "an object with the methods debug and error, such as a logging.Logger")
    return {name: value}


def _session(name: str, value: Any) -> dict[str, Any]:
    if not all(callable(getattr(value, method, None)) for method in ("prepare_request", "send")):
        raise _wrong(name, value, "a requests.Session or an object with its methods")
    return {name: value}


def _proxies(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise _wrong(name, value, "a mapping of schemes to proxy URLs, both text")
    return {name: dict(value)}


_READERS: Final[dict[str, Reader]] = {
    "client": _text,
    "organization_id": _text,
    "decisioning_method": _text,
    "timeout": _time_limit,
    "timeout_seconds": _time_limit,
    "server_domain": _server_domain,
    "secure": _boolean,
    "target_location_hint": _location_hint,
    "property_token": _url_part,
    "environment_id": _integer,
    "environment": _environment,
    "cdn_environment": _lower_text,
    "cdn_base_path": _cdn_base_path,
    "artifact_location": _location,
    "artifact_payload": _payload,
    "artifact_format": _one_of("json", "bin"),
    "polling_interval": _polling_ms,
    "polling_interval_seconds": _polling_seconds,
    "maximum_wait_ready": _wait_ready,
    "maximum_wait_ready_seconds": _wait_ready,
    "telemetry_enabled": _boolean,
    "version": _text,
    "events": _events,
    "logger": _logger,
    "geo_lookup_url": _http_url,
    "geo_timeout": _time_limit,
    "geo_database": _path,
    "strict": _boolean,
    "cache_dir": _path,
    "outbox_path": _path,
    "learn_location_hint": _boolean,
    "on_forbidden": _one_of("keep", "clear"),
    "max_artifact_age_seconds": _age,
    "stale_policy": _one_of("serve", "remote", "fail"),
    "background": _boolean,
    "session": _session,
    "proxies": _proxies,
    "ca_bundle": _text_path,
    "client_cert": _certificate,
    "follow_artifact_redirects": _boolean,
    "log_bodies": _boolean,
}
