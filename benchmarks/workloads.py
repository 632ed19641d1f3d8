"""What is measured: requests that were never seen before, of artifacts of a certain shape."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifacts.make_large import GLOBAL_MBOX, many_activities

Json = dict[str, Any]

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.{}.0 Safari/537.36"
)
HOME = {"url": "https://www.example.com/?word=amber", "referringUrl": "https://www.google.com/"}
PLACE = {"countryCode": "US", "city": "SAN FRANCISCO", "latitude": 37.75, "longitude": -122.4}


@dataclass(frozen=True, slots=True)
class Workload:
    """``request(n)`` makes the n-th request: a visitor of its own, an id of its own."""

    name: str
    shows: str
    artifact: Callable[[], Json]
    asked: Callable[[int], Json]
    aim_us: float = 0.0
    """What the median should not pass; 0: what W1 takes, and a tenth."""
    aim_ratios: tuple[int, int] = (1_000, 35)
    """How many times that the earlier SDK for Python and the one for Node.js should take."""
    user_agent: str = CHROME.format(0)

    def request(self, n: int) -> Json:
        """Return a new wire request."""
        return {
            "requestId": f"request-{n}",
            "id": {"tntId": f"visitor-{n}.28_0"},
            "context": {
                "channel": "web",
                "address": dict(HOME),
                "geo": dict(PLACE),
                "userAgent": self.user_agent.format(n),
                "timeOffsetInMinutes": 60,
            },
            **self.asked(n),
        }


def _shop() -> Json:
    shop: Json = json.loads((ARTIFACTS / "shop.json").read_text(encoding="utf-8"))
    return shop


@functools.cache
def _large() -> Json:
    large: Json = json.loads((ARTIFACTS / "large.json").read_text(encoding="utf-8"))
    return large


def _large_with(*, mboxes: Json | None = None, views: Json | None = None) -> Json:
    return {**_large(), "rules": {"mboxes": mboxes or {}, "views": views or {}}}


def _ten_view_rules() -> Json:
    return _large_with(views={name: rules[:5] for name, rules in _large()["rules"]["views"].items()})


def _twelve_page_rules() -> Json:
    return _large_with(mboxes={GLOBAL_MBOX: _large()["rules"]["mboxes"][GLOBAL_MBOX][:12]})


def _execute(*names: str) -> Callable[[int], Json]:
    return lambda _n: {"execute": {"mboxes": [{"name": name, "index": index} for index, name in enumerate(names)]}}


def _page_load(_n: int) -> Json:
    return {"execute": {"pageLoad": {"parameters": {"word": "amber"}}}}


def _checkout(_n: int) -> Json:
    parameters = {"tier": "silver", "basket.total": "80", "orders": "3"}
    return {"prefetch": {"mboxes": [{"name": "checkout-offer", "index": 0, "parameters": parameters}]}}


def _all_views(_n: int) -> Json:
    return {"prefetch": {"views": [{"parameters": {"word": "amber"}}]}}


WORKLOADS = (
    Workload("W1", "one execute mbox, A/B", lambda: many_activities(1), _execute("box-00000"), 15, (120, 35)),
    Workload("W2", "one prefetch mbox with parameters, 3 audience rules", _shop, _checkout, 20, (80, 25)),
    Workload("W3", "prefetch of all views, 10 rules of page changes", _ten_view_rules, _all_views, 70, (100, 11)),
    Workload("W4", "page load, 12 rules, a new user agent each", _twelve_page_rules, _page_load, 90, (80, 8), CHROME),
    Workload("W5", "20 mboxes, 640 kB artifact", _large, _execute(*(f"box-{n:02}" for n in range(20))), 180, (300, 7)),
    Workload("W6a", "one mbox, 640 kB artifact", _large, _execute("box-07")),
    Workload("W6b", "one mbox, 10,000 activities", lambda: many_activities(10_000), _execute("box-05000")),
    Workload("W7", "page load, 87 rules evaluated", _large, _page_load, 180, (120, 7)),
)
