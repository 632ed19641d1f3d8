"""Read every field of an answer, as a program would that passes all of it on."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from target_decisioning.delivery import TargetDeliveryResponse
from target_decisioning.delivery.base import Model

_PARTS = attrgetter(
    "response",
    "request",
    "meta",
    "target_cookie",
    "target_location_hint_cookie",
    "analytics_details",
    "trace",
    "response_tokens",
    "visitor_state",
)
_fields: dict[type, Callable[[Any], tuple[Any, ...]]] = {}


def read_every_field(answer: TargetDeliveryResponse) -> None:
    """Read each part of the envelope, and each field of the typed models under it."""
    for part in _PARTS(answer):
        _read(part)


def _read(value: Any) -> None:
    if isinstance(value, list):
        for entry in value:
            _read(entry)
    elif isinstance(value, Model):
        for part in _fields_of(type(value))(value):
            if type(part) is not str and part is not None:
                _read(part)


def _fields_of(kind: type[Model]) -> Callable[[Any], tuple[Any, ...]]:
    if kind not in _fields:
        names = list(kind.model_fields)
        _fields[kind] = attrgetter(*names) if len(names) > 1 else lambda model: (getattr(model, names[0]),)
    return _fields[kind]
