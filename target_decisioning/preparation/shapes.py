"""What the wire knows of a request, level by level. Source: the Delivery API's description, semantics.md 1.5."""

from __future__ import annotations

from target_decisioning.preparation.reading import (
    Reader,
    Shape,
    a_list,
    an_object,
    identifier,
    index,
    name,
    parameters,
    scalar,
    take,
)


def _scalars(*keys: str) -> Shape:
    return dict.fromkeys(keys, scalar)


DETAILS: Shape = {
    "address": an_object(_scalars("url", "referringUrl")),
    "parameters": parameters,
    "profileParameters": parameters,
    "order": an_object(
        {
            **_scalars("id", "total", "time", "experienceLocalId", "duplicate", "outlier"),
            "purchasedProductIds": a_list(scalar),
        }
    ),
    "product": an_object(_scalars("id", "categoryId")),
}
MBOX: Shape = {**DETAILS, "index": index, "name": name}
VIEW: Shape = {**DETAILS, **_scalars("name", "key")}
NOTIFICATION: Shape = {
    **DETAILS,
    "id": identifier,
    "impressionId": identifier,
    "type": scalar,
    "timestamp": scalar,
    "tokens": a_list(identifier),
    "mbox": an_object(_scalars("name", "state")),
    "view": an_object(_scalars("name", "key", "state")),
    "pageLoad": an_object(_scalars("state")),
}
CUSTOMER_ID: Shape = {"id": identifier, "integrationCode": identifier, "authenticatedState": scalar}
VISITOR_ID: Shape = {
    "tntId": identifier,
    "thirdPartyId": identifier,
    "marketingCloudVisitorId": identifier,
    "customerIds": a_list(an_object(CUSTOMER_ID)),
}
CONTEXT: Shape = {
    "channel": scalar,
    "mobilePlatform": an_object(_scalars("deviceName", "deviceType", "platformType", "version")),
    "application": an_object(_scalars("id", "name", "version")),
    "screen": an_object(_scalars("width", "height", "colorDepth", "pixelRatio", "orientation")),
    "window": an_object(_scalars("width", "height")),
    "browser": an_object(_scalars("host", "language", "webGLRenderer")),
    "address": DETAILS["address"],
    "geo": an_object(
        {"ipAddress": identifier} | _scalars("latitude", "longitude", "countryCode", "stateCode", "city", "zip")
    ),
    "timeOffsetInMinutes": scalar,
    "userAgent": scalar,
    "clientHints": an_object(
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
    "beacon": scalar,
}
EXPERIENCE_CLOUD: Shape = {
    "audienceManager": an_object(_scalars("locationHint", "blob")),
    "analytics": an_object(_scalars("supplementalDataId", "logging", "trackingServer", "trackingServerSecure")),
}
TELEMETRY_ENTRY: Shape = {
    **_scalars("timestamp", "mode", "execution", "parsing"),
    "requestId": identifier,
    "telemetryServerToken": identifier,
    "features": an_object(
        _scalars(
            "decisioningMethod",
            "executeMboxCount",
            "executePageLoad",
            "prefetchMboxCount",
            "prefetchPageLoad",
            "prefetchViewCount",
        )
    ),
    "request": an_object(_scalars("dns", "tls", "timeToFirstByte", "download", "responseSize")),
}
QA_MODE: Shape = {
    "token": identifier,
    "listedActivitiesOnly": scalar,
    "evaluateAsTrueAudienceIds": a_list(scalar),
    "evaluateAsFalseAudienceIds": a_list(scalar),
    "previewIndexes": a_list(an_object(_scalars("activityIndex", "experienceIndex"))),
}


def _entries(shape: Shape) -> Reader:
    """Return the reader of a list of objects in which null is an object without keys."""
    return a_list(lambda value: {} if value is None else take(value, shape))


EXECUTE: Shape = {"pageLoad": an_object(DETAILS), "mboxes": _entries(MBOX)}
PREFETCH: Shape = {**EXECUTE, "views": _entries(VIEW)}
REQUEST: Shape = {
    "requestId": identifier,
    "impressionId": identifier,
    "id": an_object(VISITOR_ID),
    "environmentId": scalar,
    "property": an_object({"token": identifier}),
    "trace": an_object({"authorizationToken": identifier, "usage": parameters}),
    "context": an_object(CONTEXT),
    "experienceCloud": an_object(EXPERIENCE_CLOUD),
    "execute": an_object(EXECUTE),
    "prefetch": an_object(PREFETCH),
    "telemetry": an_object({"entries": a_list(an_object(TELEMETRY_ENTRY))}),
    "notifications": _entries(NOTIFICATION),
    "qaMode": an_object(QA_MODE),
    "preview": an_object({"token": identifier}),
}
