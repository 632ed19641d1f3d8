"""What an error means for the item that met it."""

from __future__ import annotations

import pytest

from target_decisioning.errors import ConfigError, DeliveryError, DeliveryTimeout, RequestError, TransportError
from target_decisioning.outbox.dead_letter import outline
from target_decisioning.outbox.verdict import Verdict, verdict_on


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, Verdict.SENT),
        (DeliveryError("an answer that is no JSON", 200, reason="invalid"), Verdict.SENT),
        (DeliveryError("bad request", 400), Verdict.DEAD),
        (DeliveryError("too large", 413), Verdict.DEAD),
        (DeliveryError("request timeout", 408), Verdict.AGAIN),
        (DeliveryError("too early", 425), Verdict.AGAIN),
        (DeliveryError("too many", 429), Verdict.AGAIN),
        (DeliveryError("trouble", 500), Verdict.AGAIN),
        (DeliveryError("no answer", reason="connect"), Verdict.AGAIN),
        (DeliveryTimeout(3.0), Verdict.AGAIN),
        (TransportError("reset", "cut"), Verdict.AGAIN),
        (RequestError("request", "NaN", "a number"), Verdict.DEAD),
        (ConfigError("client makes no host name"), Verdict.DEAD),
        (ZeroDivisionError(), Verdict.AGAIN),
    ],
)
def test_only_what_may_pass_is_tried_again(error, verdict):
    assert verdict_on(error) is verdict


def test_an_outline_keeps_names_and_shape_and_no_value():
    item = {"id": {"tntId": "secret"}, "notifications": [{"timestamp": 5, "tokens": ["secret"], "order": None}]}
    assert outline(item) == {
        "id": {"tntId": "str"},
        "notifications": [{"timestamp": "int", "tokens": ["str"], "order": "NoneType"}],
    }
