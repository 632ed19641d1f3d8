"""What comes back: the Delivery API's response, as the server or the process itself gave it.

Source: the Delivery API's description; semantics.md 4.3 and 4.4.
"""

from typing import Any, TypeAlias

from target_decisioning.delivery.base import ResponseModel
from target_decisioning.delivery.enums import MetricType, OptionType
from target_decisioning.delivery.visitor import VisitorId

ResponseTokens: TypeAlias = dict[str, Any]
"""What an answer tells of its activity, experience and offer, such as ``activity.id``."""

TraceResponse: TypeAlias = dict[str, Any]
"""How an answer came about."""


class Action(ResponseModel):
    """One change to a page, an entry of the content of an option of type ``actions``."""

    type: str | None = None
    selector: str | None = None
    css_selector: str | None = None
    content: str | dict[str, Any] | None = None


class AnalyticsPayload(ResponseModel):
    """What a client passes on to Analytics."""

    pe: str | None = None
    tnta: str | None = None


class AnalyticsResponse(ResponseModel):
    """What Analytics is to be told of an answer."""

    payload: AnalyticsPayload | None = None


class Metric(ResponseModel):
    """What to notify of when it happens, with ``event_token``."""

    type: MetricType | str | None = None
    selector: str | None = None
    event_token: str | None = None
    analytics: AnalyticsResponse | None = None


class Option(ResponseModel):
    """An offer. ``content`` is text, an object or a list of actions, by ``type``; a default offer has neither."""

    type: OptionType | str | None = None
    content: str | dict[str, Any] | list[Any] | None = None
    event_token: str | None = None
    response_tokens: ResponseTokens | None = None


class MboxResponse(ResponseModel):
    """The answer for an mbox; without ``options`` there is nothing to show."""

    index: int | None = None
    name: str | None = None
    options: list[Option] | None = None
    metrics: list[Metric] | None = None
    analytics: AnalyticsResponse | None = None
    trace: TraceResponse | None = None


class PrefetchMboxResponse(MboxResponse):
    """The answer for an mbox to be shown later; ``state`` goes into the notification."""

    state: str | None = None


class PageLoadResponse(ResponseModel):
    """The answer for a page load: every offer that applies to the page as a whole."""

    options: list[Option] | None = None
    metrics: list[Metric] | None = None
    analytics: AnalyticsResponse | None = None
    state: str | None = None
    trace: TraceResponse | None = None


class View(ResponseModel):
    """The answer for a view; ``state`` goes into the notification."""

    name: str | None = None
    key: str | None = None
    options: list[Option] | None = None
    metrics: list[Metric] | None = None
    analytics: AnalyticsResponse | None = None
    state: str | None = None
    trace: TraceResponse | None = None


class ExecuteResponse(ResponseModel):
    """What to show now."""

    page_load: PageLoadResponse | None = None
    mboxes: list[MboxResponse] | None = None


class PrefetchResponse(ResponseModel):
    """What to show later."""

    views: list[View] | None = None
    page_load: PageLoadResponse | None = None
    mboxes: list[PrefetchMboxResponse] | None = None
    metrics: list[Metric] | None = None


class NotificationResponse(ResponseModel):
    """That a notification was received."""

    id: str | None = None
    trace: TraceResponse | None = None


class DeliveryResponse(ResponseModel):
    """The answer to one call. ``status`` 206: some of it needs the server and stayed blank."""

    status: int | None = None
    request_id: str | None = None
    id: VisitorId | None = None
    client: str | None = None
    edge_host: str | None = None
    execute: ExecuteResponse | None = None
    prefetch: PrefetchResponse | None = None
    notifications: list[NotificationResponse] | None = None
    telemetry_server_token: str | None = None


class UnexpectedError(ResponseModel):
    """Why the server refused."""

    status: int | None = None
    message: str | None = None
