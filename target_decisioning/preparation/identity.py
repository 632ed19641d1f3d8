"""Who the visitor is: what the request, the cookie, the options and the visitor object say, in that order.

Source: semantics.md 1.8, 1.9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from target_decisioning.preparation.reading import IDENTIFIER, SCALAR, AList, AnObject, Unreadable, kind_of
from target_decisioning.preparation.shapes import CUSTOMER_ID
from target_decisioning.preparation.visitor import Visitor

_CUSTOMERS = AList(AnObject(CUSTOMER_ID))
_IN_A_MAP = AnObject({"id": IDENTIFIER, **dict.fromkeys(("authState", "auth_state"), SCALAR)})
_STATE_NAMES = ("unknown", "authenticated", "logged_out")
STATES: dict[Any, str] = dict(enumerate(_STATE_NAMES)) | {str(at): name for at, name in enumerate(_STATE_NAMES)}
"""By number, or by its text, which visitor objects for the earlier SDK give."""


def visitor_ids(given: dict[str, Any], device_id: str, customer_ids: Any, visitor: Visitor) -> dict[str, Any]:
    """Return the prepared ``id`` of a request, maybe ``{}``.

    Args:
        given: the request's own ``id``, already read.
        device_id: the cookie's ``PC``; a request's tntId, even a blank one, beats it.
        customer_ids: the option of that name, in either form.
        visitor: gives the ECID where the request has none, and customer ids where the option is not given.
    """
    wanted = {
        "tntId": given.get("tntId", device_id),
        "thirdPartyId": given.get("thirdPartyId"),
        "marketingCloudVisitorId": given.get("marketingCloudVisitorId") or visitor.ecid,
    }
    ids = {key: value for key, value in wanted.items() if value}
    own = read_customer_ids(visitor.customer_ids if customer_ids is None else customer_ids)
    customers = own + given.get("customerIds", [])
    if customers:
        ids["customerIds"] = customers
    return ids


def has_identity(ids: dict[str, Any]) -> bool:
    """Whether an id places the visitor; if none does, a decision on this device generates a tntId.

    A customer id alone, even an authenticated one, places nobody (D9).
    """
    return bool(ids.get("tntId") or ids.get("marketingCloudVisitorId") or ids.get("thirdPartyId"))


def new_tnt_id(new_id: Callable[[], str], cluster: str | None) -> str:
    """Return a tntId for a visitor who has none, with the location hint of their cluster if one is known."""
    return f"{new_id()}.{cluster}_0" if cluster else new_id()


def read_customer_ids(given: Any) -> list[Any]:
    """Read the option ``customer_ids``: a list of CustomerId, or a map from integration code to id.

    Raises:
        Unreadable: it is neither.
    """
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [one for code, value in given.items() for one in _of_map(code, value)]
    return _CUSTOMERS.read(given)


def unknown_keys(given: Any) -> Iterator[tuple[str, str]]:
    """Yield the paths of keys in the option ``customer_ids``, already read, which nobody knows; with the nearest."""
    if isinstance(given, Mapping):
        for value in filter(lambda one: isinstance(one, Mapping), given.values()):
            yield from ((f"[]{path}", nearest) for path, nearest in _IN_A_MAP.unknown(value))
    elif given is not None:
        yield from _CUSTOMERS.unknown(given)


def _of_map(code: Any, value: Any) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    if not isinstance(value, Mapping):
        return [
            {"id": IDENTIFIER.read(value), "integrationCode": IDENTIFIER.read(code), "authenticatedState": STATES[0]}
        ]
    if value.get("id") in (None, ""):
        return []
    customer = {"id": IDENTIFIER.read(value["id"]), "integrationCode": IDENTIFIER.read(code)}
    state = value.get("authState", value.get("auth_state"))
    if state is None:
        return [customer]
    if isinstance(state, int | str) and state in STATES:
        return [{**customer, "authenticatedState": STATES[state]}]
    raise Unreadable(kind_of(state), "authState 0, 1 or 2")
