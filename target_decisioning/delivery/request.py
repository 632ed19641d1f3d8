"""What a caller sends: the Delivery API's request, every field optional.

Names are the wire's in snake_case (``tntId`` is ``tnt_id``). Imported at the first use of one of them. Annotations are
evaluated here, as in the other files of types: pydantic would take longer over their texts.

Source: the Delivery API's description; semantics.md 1.5.
"""

import builtins
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from target_decisioning.delivery.base import RequestModel
from target_decisioning.delivery.enums import (
    ChannelType,
    DecisioningMethod,
    DeviceType,
    ExecutionMode,
    LoggingType,
    MetricType,
    MobilePlatformType,
    ScreenOrientationType,
)
from target_decisioning.delivery.visitor import VisitorId

Parameters: TypeAlias = dict[str, Any]
"""Names and values of a caller's own; a condition sees them as ``mbox.*``."""


class Address(RequestModel):
    """Where the visitor is, and where they came from."""

    url: str | None = None
    referring_url: str | None = None


class Application(RequestModel):
    """The app that asks."""

    id: str | None = None
    name: str | None = None
    version: str | None = None


class AudienceManager(RequestModel):
    """The visitor's place in Audience Manager."""

    location_hint: int | None = None
    blob: str | None = None


class AnalyticsRequest(RequestModel):
    """How what happens is reported to Analytics."""

    supplemental_data_id: str | None = None
    logging: LoggingType | str | None = None
    tracking_server: str | None = None
    tracking_server_secure: str | None = None


class ExperienceCloud(RequestModel):
    """What the visitor's other Experience Cloud solutions need."""

    audience_manager: AudienceManager | None = None
    analytics: AnalyticsRequest | None = None


class Browser(RequestModel):
    """The browser's own description of itself."""

    host: str | None = None
    language: str | None = None
    web_gl_renderer: str | None = None


class ClientHints(RequestModel):
    """The user-agent client hints; where present they beat the user agent's text."""

    mobile: bool | None = None
    model: str | None = None
    platform: str | None = None
    platform_version: str | None = None
    browser_ua_with_major_version: str | None = None
    browser_ua_with_full_version: str | None = None
    architecture: str | None = None
    bitness: str | None = None


class Geo(RequestModel):
    """Where on earth the visitor is; an ``ip_address`` alone can be looked up."""

    ip_address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    country_code: str | None = None
    state_code: str | None = None
    city: str | None = None
    zip: str | None = None


class MobilePlatform(RequestModel):
    """The mobile device that asks."""

    device_name: str | None = None
    device_type: DeviceType | str | None = None
    platform_type: MobilePlatformType | str | None = None
    version: str | None = None


class Screen(RequestModel):
    """The screen: pixels, bits per pixel, device pixels per CSS pixel."""

    width: float | None = None
    height: float | None = None
    color_depth: float | None = None
    pixel_ratio: float | None = None
    orientation: ScreenOrientationType | str | None = None


class Window(RequestModel):
    """The browser window, in pixels."""

    width: float | None = None
    height: float | None = None


class Context(RequestModel):
    """The circumstances of the call. ``time_offset_in_minutes`` counts east of UTC."""

    channel: ChannelType | str | None = None
    mobile_platform: MobilePlatform | None = None
    application: Application | None = None
    screen: Screen | None = None
    window: Window | None = None
    browser: Browser | None = None
    address: Address | None = None
    geo: Geo | None = None
    time_offset_in_minutes: float | None = None
    user_agent: str | None = None
    client_hints: ClientHints | None = None
    beacon: bool | None = None


class Property(RequestModel):
    """The property for which activities must be enabled."""

    token: str | None = None


ModelProperty = Property


class Order(RequestModel):
    """What the visitor bought. ``time`` is a moment, or its ISO 8601 text."""

    id: str | None = None
    total: float | None = None
    purchased_product_ids: list[str] | None = None
    time: datetime | str | None = None
    experience_local_id: int | None = None
    duplicate: bool | None = None
    outlier: bool | None = None


class Product(RequestModel):
    """What the visitor looks at."""

    id: str | None = None
    category_id: str | None = None


class RequestDetails(RequestModel):
    """What a page load, mbox or view tells of itself. An ``address`` here replaces the context's."""

    address: Address | None = None
    parameters: Parameters | None = None
    profile_parameters: Parameters | None = None
    order: Order | None = None
    product: Product | None = None


class MboxRequest(RequestDetails):
    """An mbox to decide. ``index`` tells its answer from others of the same name."""

    index: int | None = None
    name: str | None = None


class ViewRequest(RequestDetails):
    """A view to fetch; all views if it has no ``name``."""

    name: str | None = None
    key: str | None = None


class ExecuteRequest(RequestModel):
    """What to decide for showing now: an impression is owed for each answer."""

    page_load: RequestDetails | None = None
    mboxes: list[MboxRequest] | None = None


class PrefetchRequest(RequestModel):
    """What to decide for showing later: the caller notifies when it is shown."""

    views: list[ViewRequest] | None = None
    page_load: RequestDetails | None = None
    mboxes: list[MboxRequest] | None = None


class NotificationMbox(RequestModel):
    """The mbox that a notification is about, with the ``state`` its answer came with."""

    name: str | None = None
    state: str | None = None


class NotificationPageLoad(RequestModel):
    """The page load that a notification is about, with the ``state`` its answer came with."""

    state: str | None = None


class NotificationView(RequestModel):
    """The view that a notification is about, with the ``state`` its answer came with."""

    name: str | None = None
    key: str | None = None
    state: str | None = None


class Notification(RequestDetails):
    """What was shown or clicked. ``timestamp`` is in epoch ms, ``tokens`` are the options' event tokens."""

    id: str | None = None
    impression_id: str | None = None
    type: MetricType | str | None = None
    timestamp: int | None = None
    tokens: list[str] | None = None
    mbox: NotificationMbox | None = None
    view: NotificationView | None = None
    page_load: NotificationPageLoad | None = None


class Preview(RequestModel):
    """A preview of an activity that is not live."""

    token: str | None = None


class QAModePreviewIndex(RequestModel):
    """Which experience of which activity QA mode shows, both counted from 1."""

    activity_index: int | None = None
    experience_index: int | None = None


class QAMode(RequestModel):
    """A look at activities before they are live."""

    token: str | None = None
    listed_activities_only: bool | None = None
    evaluate_as_true_audience_ids: list[int] | None = None
    evaluate_as_false_audience_ids: list[int] | None = None
    preview_indexes: list[QAModePreviewIndex] | None = None


class Trace(RequestModel):
    """A wish to be told how the answer came about."""

    authorization_token: str | None = None
    usage: dict[str, Any] | None = None


class TelemetryFeatures(RequestModel):
    """What the call that telemetry tells of asked for."""

    decisioning_method: DecisioningMethod | str | None = None
    execute_mbox_count: int | None = None
    execute_page_load: bool | None = None
    prefetch_mbox_count: int | None = None
    prefetch_page_load: bool | None = None
    prefetch_view_count: int | None = None


class TelemetryRequest(RequestModel):
    """How long the parts of an HTTP call took, in ms; ``response_size`` in bytes."""

    dns: float | None = None
    tls: float | None = None
    time_to_first_byte: float | None = None
    download: float | None = None
    response_size: int | None = None


class TelemetryEntry(RequestModel):
    """One call or download: ``timestamp`` in epoch ms, ``execution`` and ``parsing`` in ms."""

    request_id: str | None = None
    timestamp: int | None = None
    mode: ExecutionMode | str | None = None
    execution: float | None = None
    parsing: float | None = None
    features: TelemetryFeatures | None = None
    request: TelemetryRequest | None = None
    telemetry_server_token: str | None = None


class Telemetry(RequestModel):
    """What earlier calls cost."""

    entries: list[TelemetryEntry] | None = None


class DeliveryRequest(RequestModel):
    """One call: who asks, under which circumstances, and for what.

    ``_property`` is another name of ``property``: Adobe's own package spells it so.
    """

    _other_names: ClassVar[dict[str, str]] = {"_property": "property"}

    request_id: str | None = None
    impression_id: str | None = None
    id: VisitorId | None = None
    environment_id: int | None = None
    property: Property | None = None
    trace: Trace | None = None
    context: Context | None = None
    experience_cloud: ExperienceCloud | None = None
    execute: ExecuteRequest | None = None
    prefetch: PrefetchRequest | None = None
    telemetry: Telemetry | None = None
    notifications: list[Notification] | None = None
    qa_mode: QAMode | None = None
    preview: Preview | None = None

    @builtins.property
    def _property(self) -> Property | None:
        return self.property

    @_property.setter
    def _property(self, value: Property | None) -> None:
        self.property = value
