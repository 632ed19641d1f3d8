"""Who the visitor is: as a caller sends it, and as the answer has it. Source: semantics.md 1.5."""

from target_decisioning.delivery.base import RequestModel
from target_decisioning.delivery.enums import AuthenticatedState


class CustomerId(RequestModel):
    """The visitor's id in a system of the caller's, named by ``integration_code``."""

    id: str | None = None
    integration_code: str | None = None
    authenticated_state: AuthenticatedState | str | None = None


class VisitorId(RequestModel):
    """Who the visitor is. ``marketing_cloud_visitor_id`` is the ECID."""

    tnt_id: str | None = None
    third_party_id: str | None = None
    marketing_cloud_visitor_id: str | None = None
    customer_ids: list[CustomerId] | None = None
