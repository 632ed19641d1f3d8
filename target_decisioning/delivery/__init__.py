"""The request and response types of the Delivery API, and the envelope that an answer comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_decisioning.delivery.base import Model
from target_decisioning.delivery.enums import (
    AuthenticatedState,
    ChannelType,
    DecisioningMethod,
    DeviceType,
    ExecutionMode,
    LoggingType,
    MetricType,
    MobilePlatformType,
    OptionType,
    ScreenOrientationType,
)
from target_decisioning.delivery.envelope import (
    Cookie,
    Meta,
    TargetDeliveryResponse,
)
from target_decisioning.delivery.response import (
    Action,
    AnalyticsPayload,
    AnalyticsResponse,
    DeliveryResponse,
    ExecuteResponse,
    MboxResponse,
    Metric,
    NotificationResponse,
    Option,
    PageLoadResponse,
    PrefetchMboxResponse,
    PrefetchResponse,
    ResponseTokens,
    TraceResponse,
    UnexpectedError,
    View,
)
from target_decisioning.delivery.visitor import CustomerId, VisitorId
from target_decisioning.forks import late_import

if TYPE_CHECKING:
    from target_decisioning.delivery.request import (
        Address,
        AnalyticsRequest,
        Application,
        AudienceManager,
        Browser,
        ClientHints,
        Context,
        DeliveryRequest,
        ExecuteRequest,
        ExperienceCloud,
        Geo,
        MboxRequest,
        MobilePlatform,
        ModelProperty,
        Notification,
        NotificationMbox,
        NotificationPageLoad,
        NotificationView,
        Order,
        Parameters,
        PrefetchRequest,
        Preview,
        Product,
        Property,
        QAMode,
        QAModePreviewIndex,
        RequestDetails,
        Screen,
        Telemetry,
        TelemetryEntry,
        TelemetryFeatures,
        TelemetryRequest,
        Trace,
        ViewRequest,
        Window,
    )
else:

    def __getattr__(name: str) -> Any:
        """Import the types of requests at the first use of one: who sends plain dicts needs none of them."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with late_import:
            import target_decisioning.delivery.request as home
        return globals().setdefault(name, getattr(home, name))

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "Action",
    "Address",
    "AnalyticsPayload",
    "AnalyticsRequest",
    "AnalyticsResponse",
    "Application",
    "AudienceManager",
    "AuthenticatedState",
    "Browser",
    "ChannelType",
    "ClientHints",
    "Context",
    "Cookie",
    "CustomerId",
    "DecisioningMethod",
    "DeliveryRequest",
    "DeliveryResponse",
    "DeviceType",
    "ExecuteRequest",
    "ExecuteResponse",
    "ExecutionMode",
    "ExperienceCloud",
    "Geo",
    "LoggingType",
    "MboxRequest",
    "MboxResponse",
    "Meta",
    "Metric",
    "MetricType",
    "MobilePlatform",
    "MobilePlatformType",
    "Model",
    "ModelProperty",
    "Notification",
    "NotificationMbox",
    "NotificationPageLoad",
    "NotificationResponse",
    "NotificationView",
    "Option",
    "OptionType",
    "Order",
    "PageLoadResponse",
    "Parameters",
    "PrefetchMboxResponse",
    "PrefetchRequest",
    "PrefetchResponse",
    "Preview",
    "Product",
    "Property",
    "QAMode",
    "QAModePreviewIndex",
    "RequestDetails",
    "ResponseTokens",
    "Screen",
    "ScreenOrientationType",
    "TargetDeliveryResponse",
    "Telemetry",
    "TelemetryEntry",
    "TelemetryFeatures",
    "TelemetryRequest",
    "Trace",
    "TraceResponse",
    "UnexpectedError",
    "View",
    "ViewRequest",
    "VisitorId",
    "Window",
]
