"""Write a large rules artifact: one location with most of the rules, some with large offers, or many activities.

    python artifacts/make_large.py                       large.json, about 640 kB
    python artifacts/make_large.py --activities 10000    ten thousand A/B activities, each with a location of its own

The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

GLOBAL_MBOX = "target-global-mbox"
LARGE = Path(__file__).with_name("large.json")
BROWSERS = ("chrome", "firefox", "safari", "edge", "mobile safari")
WORDS = ("amber", "birch", "cliff", "dune", "ember", "fjord", "grove", "heath", "islet", "juniper", "kelp", "larch")


def large_artifact(seed: int = 640) -> Json:
    """Return an artifact of some 640 kB: 87 of its 159 rules on the global mbox, eight offers of 20 or 100 kB."""
    chance = random.Random(seed)
    small = {f"box-{n:02}": list(_experiment(810_000 + n, f"box-{n:02}", chance)) for n in range(20)}
    sizes = enumerate((20, 100) * 4)
    heavy = {f"heavy-{n}": [_heavy_rule(820_000 + n, f"heavy-{n}", kilobytes, chance)] for n, kilobytes in sizes}
    views = {name: list(_view_rules(830_000 + n * 100, name, chance)) for n, name in enumerate(("home", "contact"))}
    mboxes = {GLOBAL_MBOX: list(_page_rules(87, chance)), **small, **heavy}
    return _artifact(mboxes, views)


def many_activities(count: int, seed: int = 10_000) -> Json:
    """Return an artifact of *count* A/B activities in two halves, each on a location of its own (``box-00042``)."""
    chance = random.Random(seed)
    names = [f"box-{n:05}" for n in range(count)]
    return _artifact({name: list(_experiment(1_000_000 + n, name, chance)) for n, name in enumerate(names)}, {})


def _artifact(mboxes: Json, views: Json) -> Json:
    return {
        "version": "1.0.0",
        "meta": {"clientCode": "acme", "environment": "production"},
        "globalMbox": GLOBAL_MBOX,
        "geoTargetingEnabled": False,
        "responseTokens": ["activity.id", "activity.name", "experience.id", "experience.name", "option.id"],
        "localMboxes": sorted(mboxes),
        "remoteMboxes": [],
        "localViews": sorted(views),
        "remoteViews": [],
        "rules": {"mboxes": mboxes, "views": views},
    }


def _rule(activity: int, experience: int, location: str, condition: Any, option: Json, *metrics: Json) -> Json:
    return {
        "ruleKey": str(activity),
        "activityId": activity,
        "meta": {
            "activity.id": activity,
            "activity.name": f"Activity {activity}",
            "activity.type": "ab" if "allocation" in json.dumps(condition) else "landing",
            "experience.id": experience,
            "experience.name": f"Experience {'ABCD'[experience]}",
            "location.id": 0,
            "location.name": location,
            "location.type": "view" if option.get("type") == "actions" else "mbox",
            "audience.ids": [activity + 5_000_000] if condition is not True else [],
            "offer.id": activity * 10 + experience,
            "offer.name": f"/activities/{activity}/{experience}",
            "option.id": experience + 2,
            "option.name": f"Offer{experience + 2}",
        },
        "condition": condition,
        "consequence": {"name": location, "options": [option], "metrics": list(metrics)},
    }


def _experiment(activity: int, location: str, chance: random.Random) -> Iterator[Json]:
    """Two halves, each with a JSON offer."""
    for experience, condition in enumerate((_slice(0, 50), _slice(50, 100))):
        content = {"word": chance.choice(WORDS), "value": chance.randrange(1000), "enabled": experience == 0}
        yield _rule(activity, experience, location, condition, _option(activity, experience, "json", content))


def _heavy_rule(activity: int, location: str, kilobytes: int, chance: random.Random) -> Json:
    content = _text(chance, kilobytes * 1000)
    return _rule(activity, 0, location, True, _option(activity, 0, "html", content))


def _page_rules(count: int, chance: random.Random) -> Iterator[Json]:
    """Rules of a page load: by page, by browser, by parameter, by slice; page changes or the default experience."""
    for n in range(count):
        activity = 800_000 + n
        location = _page_condition(n, chance)
        if n % 5 == 4:
            option = {"eventToken": _token(activity, 0)}
        else:
            option = _option(activity, 0, "actions", _actions(n, chance))
        yield _rule(activity, 0, GLOBAL_MBOX, location, option, *_clicks(activity, n))


def _page_condition(n: int, chance: random.Random) -> Json:
    page = {"and": [{"==": ["example.com", {"var": "page.domain"}]}, {"==": ["/", {"var": "page.path"}]}]}
    kinds = (
        page,
        {"and": [_slice(0, 50), page]},
        {"and": [{"==": [{"var": "user.browserType"}, chance.choice(BROWSERS)]}, page]},
        {"and": [{"==": [chance.choice(WORDS), {"var": "mbox.word_lc"}]}, page]},
        {"or": [{"in": [word, {"var": "page.query_lc"}]} for word in chance.sample(WORDS, 3)]},
    )
    return kinds[n % len(kinds)]


def _view_rules(first_activity: int, view: str, chance: random.Random) -> Iterator[Json]:
    for n in range(12):
        activity = first_activity + n
        condition = _page_condition(n, chance)
        option = _option(activity, 0, "actions", _actions(n, chance))
        yield _rule(activity, 0, view, condition, option, *_clicks(activity, n))


def _slice(low: float, high: float) -> Json:
    first = "<" if low else "<="
    return {"and": [{first: [low, {"var": "allocation"}]}, {">=": [high, {"var": "allocation"}]}]}


def _actions(n: int, chance: random.Random) -> list[Json]:
    selector = f"HTML > BODY > DIV:nth-of-type({n % 7 + 1}) > H1"
    action = {"type": "setHtml", "selector": selector, "cssSelector": selector}
    return [{**action, "content": f"<b>{_text(chance, 60)}</b>"} for _ in range(1 + n % 3)]


def _clicks(activity: int, n: int) -> list[Json]:
    selector = f"HTML > BODY > DIV:nth-of-type({n % 7 + 1}) > A"
    return [{"type": "click", "selector": selector, "eventToken": _token(activity, 9)}] if n % 2 else []


def _option(activity: int, experience: int, kind: str, content: Any) -> Json:
    return {"type": kind, "eventToken": _token(activity, experience), "content": content}


def _token(activity: int, experience: int) -> str:
    return f"{activity:08}-{experience}-" + f"{activity * 2654435761 + experience:032x}" * 2


def _text(chance: random.Random, length: int) -> str:
    words = chance.choices(WORDS, k=length // 3)
    return " ".join(words)[:length]


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a large rules artifact.")
    parser.add_argument("--activities", type=int, help="so many A/B activities instead, each on its own location")
    parser.add_argument("--out", type=Path, default=LARGE, help="where to (default: large.json beside this script)")
    options = parser.parse_args()
    artifact = many_activities(options.activities) if options.activities else large_artifact()
    options.out.write_text(json.dumps(artifact, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
