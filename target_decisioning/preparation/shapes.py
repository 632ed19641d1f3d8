"""What the wire knows of a request, level by level. Source: the Delivery API's description, semantics.md 1.5."""

from __future__ import annotations

from target_decisioning.preparation.reading import (
    IDENTIFIER,
    INDEX,
    NAME,
    PARAMETERS,
    SCALAR,
    AList,
    AnObject,
    Reader,
    quick,
)

Shape = dict[str, Reader]


def _scalars(*keys: str) -> Shape:
    return dict.fromkeys(keys, SCALAR)


DETAILS: Shape = {
    "address": AnObject(_scalars("url", "referringUrl")),
    "parameters": PARAMETERS,
    "profileParameters": PARAMETERS,
    "order": AnObject(
        {
            **_scalars("id", "total", "time", "experienceLocalId", "duplicate", "outlier"),
            "purchasedProductIds": AList(SCALAR),
        }
    ),
    "product": AnObject(_scalars("id", "categoryId")),
}
MBOX: Shape = {**DETAILS, "index": INDEX, "name": NAME}
VIEW: Shape = {**DETAILS, **_scalars("name", "key")}
NOTIFICATION: Shape = {
    **DETAILS,
    "id": IDENTIFIER,
    "impressionId": IDENTIFIER,
    "type": SCALAR,
    "timestamp": SCALAR,
    "tokens": AList(IDENTIFIER),
    "mbox": AnObject(_scalars("name", "state")),
    "view": AnObject(_scalars("name", "key", "state")),
    "pageLoad": AnObject(_scalars("state")),
}
CUSTOMER_ID: Shape = {"id": IDENTIFIER, "integrationCode": IDENTIFIER, "authenticatedState": SCALAR}
VISITOR_ID: Shape = {
    "tntId": IDENTIFIER,
    "thirdPartyId": IDENTIFIER,
    "marketingCloudVisitorId": IDENTIFIER,
    "customerIds": AList(AnObject(CUSTOMER_ID)),
}
CONTEXT: Shape = {
    "channel": SCALAR,
    "mobilePlatform": AnObject(_scalars("deviceName", "deviceType", "platformType", "version")),
    "application": AnObject(_scalars("id", "name", "version")),
    "screen": AnObject(_scalars("width", "height", "colorDepth", "pixelRatio", "orientation")),
    "window": AnObject(_scalars("width", "height")),
    "browser": AnObject(_scalars("host", "language", "webGLRenderer")),
    "address": DETAILS["address"],
    "geo": AnObject(
        {"ipAddress": IDENTIFIER} | _scalars("latitude", "longitude", "countryCode", "stateCode", "city", "zip")
    ),
    "timeOffsetInMinutes": SCALAR,
    "userAgent": SCALAR,
    "clientHints": AnObject(
        _scalars(
            "mobile",
            "model",
            "platform",
            "platformVersion",
            "browserUAWithMajorVersion",
            "browserUAWithFullVersion",
            "architecture",
            "bitness",
        )
    ),
    "beacon": SCALAR,
}
EXPERIENCE_CLOUD: Shape = {
    "audienceManager": AnObject(_scalars("locationHint", "blob")),
    "analytics": AnObject(_scalars("supplementalDataId", "logging", "trackingServer", "trackingServerSecure")),
}
TELEMETRY_ENTRY: Shape = {
    **_scalars("timestamp", "mode", "execution", "parsing"),
    "requestId": IDENTIFIER,
    "telemetryServerToken": IDENTIFIER,
    "features": AnObject(
        _scalars(
            "decisioningMethod",
            "executeMboxCount",
            "executePageLoad",
            "prefetchMboxCount",
            "prefetchPageLoad",
            "prefetchViewCount",
        )
    ),
    "request": AnObject(_scalars("dns", "tls", "timeToFirstByte", "download", "responseSize")),
}
QA_MODE: Shape = {
    "token": IDENTIFIER,
    "listedActivitiesOnly": SCALAR,
    "evaluateAsTrueAudienceIds": AList(SCALAR),
    "evaluateAsFalseAudienceIds": AList(SCALAR),
    "previewIndexes": AList(AnObject(_scalars("activityIndex", "experienceIndex"))),
}


def _entries(shape: Shape) -> Reader:
    """Return the reader of a list of objects in which null is an object without keys."""
    return AList(AnObject(shape), null_is={})


EXECUTE: Shape = {"pageLoad": AnObject(DETAILS), "mboxes": _entries(MBOX)}
PREFETCH: Shape = {**EXECUTE, "views": _entries(VIEW)}
REQUEST: Shape = {
    "requestId": IDENTIFIER,
    "impressionId": IDENTIFIER,
    "id": AnObject(VISITOR_ID),
    "environmentId": SCALAR,
    "property": AnObject({"token": IDENTIFIER}),
    "trace": AnObject({"authorizationToken": IDENTIFIER, "usage": PARAMETERS}),
    "context": AnObject(CONTEXT),
    "experienceCloud": AnObject(EXPERIENCE_CLOUD),
    "execute": AnObject(EXECUTE),
    "prefetch": AnObject(PREFETCH),
    "telemetry": AnObject({"entries": AList(AnObject(TELEMETRY_ENTRY))}),
    "notifications": _entries(NOTIFICATION),
    "qaMode": AnObject(QA_MODE),
    "preview": AnObject({"token": IDENTIFIER}),
}
WHOLE_REQUEST = AnObject(REQUEST)
read_wire = quick(WHOLE_REQUEST)
"""Reads a whole request."""
