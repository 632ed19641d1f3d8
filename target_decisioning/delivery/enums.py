"""The closed sets of words that the wire knows. A member is its wire text: ``ChannelType.WEB == "web"``."""

from __future__ import annotations

from enum import StrEnum


class AuthenticatedState(StrEnum):
    """Whether a customer id belongs to someone who is signed in."""

    UNKNOWN = "unknown"
    AUTHENTICATED = "authenticated"
    LOGGED_OUT = "logged_out"


class ChannelType(StrEnum):
    """Through which channel the visitor comes."""

    MOBILE = "mobile"
    WEB = "web"


class DecisioningMethod(StrEnum):
    """Where decisions are made."""

    SERVER_SIDE = "server-side"
    ON_DEVICE = "on-device"
    HYBRID = "hybrid"


class DeviceType(StrEnum):
    """What kind of mobile device asks."""

    PHONE = "phone"
    TABLET = "tablet"


class ExecutionMode(StrEnum):
    """Where a call that telemetry tells of was answered: by the server (edge) or in the process (local)."""

    EDGE = "edge"
    LOCAL = "local"


class LoggingType(StrEnum):
    """Who reports to Analytics: Target's servers, or the client with what it is given."""

    SERVER_SIDE = "server_side"
    CLIENT_SIDE = "client_side"


class MetricType(StrEnum):
    """What a visitor did with an offer."""

    CLICK = "click"
    DISPLAY = "display"


class MobilePlatformType(StrEnum):
    """The operating system of a mobile device."""

    ANDROID = "android"
    IOS = "ios"


class OptionType(StrEnum):
    """What an offer's content is."""

    HTML = "html"
    JSON = "json"
    REDIRECT = "redirect"
    DYNAMIC = "dynamic"
    ACTIONS = "actions"


class ScreenOrientationType(StrEnum):
    """How the screen is held."""

    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
