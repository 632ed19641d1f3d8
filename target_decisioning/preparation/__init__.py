"""From what the caller gave to what is decided and sent: cookies, identity, location, the prepared request."""

from target_decisioning.preparation.call import Call
from target_decisioning.preparation.cookie import TARGET_COOKIE, target_cookie
from target_decisioning.preparation.identity import unknown_keys
from target_decisioning.preparation.location import LOCATION_HINT_COOKIE, cluster_of_edge_host, hint_cookie
from target_decisioning.preparation.options import (
    CallKeywords,
    check_offers_asked,
    in_wire_form,
    read_call,
    read_options,
)
from target_decisioning.preparation.prepare import prepare
from target_decisioning.preparation.shapes import WHOLE_REQUEST

__all__ = [
    "LOCATION_HINT_COOKIE",
    "TARGET_COOKIE",
    "WHOLE_REQUEST",
    "Call",
    "CallKeywords",
    "check_offers_asked",
    "cluster_of_edge_host",
    "hint_cookie",
    "in_wire_form",
    "prepare",
    "read_call",
    "read_options",
    "target_cookie",
    "unknown_keys",
]
