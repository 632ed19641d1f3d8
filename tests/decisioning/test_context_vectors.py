"""The parts together give the contexts that the reference builds (semantics.md 3.1)."""

from __future__ import annotations

import pytest

from target_decisioning.decisioning.clock import time_of
from target_decisioning.decisioning.urls import page_of
from target_decisioning.decisioning.user_agent import user_of
from tests.shared import vectors


@pytest.mark.parametrize("name", ["empty", "full"])
def test_the_parts_give_a_known_context(name):
    case = vectors("context")[name]
    asked = case.get("request_context", {})
    address = asked.get("address", {})
    timestamp, clock_time, day = time_of(case["now_ms"])
    built = {
        "current_timestamp": timestamp,
        "current_time": clock_time,
        "current_day": day,
        "user": user_of(asked.get("userAgent"), asked.get("clientHints")),
        "page": page_of(address.get("url")),
        "referring": page_of(address.get("referringUrl")),
    }
    assert built == {key: value for key, value in case["context"].items() if key != "geo"}
