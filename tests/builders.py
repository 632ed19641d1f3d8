"""Valid things for tests, made from what a test is about: artifacts, rules, requests, visitors.

decision = decide(an_artifact(home=[a_rule("red", allocation=(0, 50)), a_rule("blue")]), mbox="home")
assert offers(decision, "home") == ["red"]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from target_decisioning.decisioning import Decision, DecisionProgram, TraceSetting, load_program
from target_decisioning.decisioning import decide as decide_prepared
from target_decisioning.decisioning.allocation import activity_text, allocation

Json = dict[str, Any]

CLIENT = "acme"
GLOBAL_MBOX = "target-global-mbox"
VISITOR = "visitor"
NOON = 1_717_416_000_000
"""Monday 3 June 2024, 12:00 UTC."""

TRACE = TraceSetting(
    client_code=CLIENT, session_id="session", artifact={"artifactVersion": "1.0.0", "environment": "production"}
)


def an_artifact(
    *, views: Mapping[str, Any] | None = None, page_load: Any = None, frame: Json | None = None, **mboxes: Any
) -> Json:
    """Return an artifact with these rules.

    Args:
        views: rules by the name of their view.
        page_load: rules of the global mbox.
        frame: other keys of the artifact, in place of the usual ones.
        mboxes: rules by the name of their mbox.
    """
    if page_load is not None:
        mboxes[GLOBAL_MBOX] = page_load
    views = views or {}
    return {
        "version": "1.0.0",
        "meta": {"clientCode": CLIENT, "environment": "production"},
        "globalMbox": GLOBAL_MBOX,
        "geoTargetingEnabled": False,
        "responseTokens": [],
        "localMboxes": list(mboxes),
        "remoteMboxes": [],
        "localViews": list(views),
        "remoteViews": [],
        "rules": {"mboxes": _named(mboxes), "views": _named(views)},
        **(frame or {}),
    }


def a_rule(
    offer: Any = "offer",
    *,
    activity: Any = 1,
    condition: Any = True,
    allocation: tuple[float, float] | None = None,
    offer_type: str = "html",
    options: list[Any] | None = None,
    metrics: list[Any] | None = None,
    meta: Json | None = None,
    **others: Any,
) -> Json:
    """Return a rule that answers with *offer* if *condition* holds and the visitor stands in *allocation* (percent).

    ``options``, ``metrics`` and ``meta`` stand in for what is made of the offer and the activity; *others* are keys of
    the rule (``ruleKey``, ``propertyTokens``, ``name`` of the consequence). The offer's text is the rule's key.
    """
    consequence: Json = {
        "options": [{"type": offer_type, "content": offer, "eventToken": f"{offer}-seen"}]
        if options is None
        else options,
        "metrics": [] if metrics is None else metrics,
    }
    if "name" in others:
        consequence["name"] = others.pop("name")
    band = [{"<=": [allocation[0], {"var": "allocation"}, allocation[1]]}] if allocation else []
    return {
        "ruleKey": str(offer),
        "activityId": activity,
        "condition": {"and": [*band, condition]} if band else condition,
        "consequence": consequence,
        "meta": {
            "activity.id": activity,
            "activity.type": "ab",
            "experience.id": 0,
            "audience.ids": [],
            **(meta or {}),
        },
        **others,
    }


def a_view_rule(offer: Any = "offer", **others: Any) -> Json:
    """Return a rule of a view, as ``a_rule``: a list of actions that set *offer* as a part's HTML."""
    actions = [{"type": "setHtml", "selector": "#part", "cssSelector": "#part", "content": offer}]
    options = [{"type": "actions", "content": actions, "eventToken": f"{offer}-seen"}]
    return a_rule(offer, **{"options": options, **others})


def a_visitor(*, activity: Any, between: tuple[float, float]) -> str:
    """Return a tntId whose allocation in *activity* lies *between* two percentages, the second one left out."""
    names = (f"visitor-{number}" for number in itertools.count())
    return next(name for name in names if between[0] <= allocation(CLIENT, activity_text(activity), name) < between[1])


def decide(
    artifact: Json | DecisionProgram,
    *,
    mbox: str | None = None,
    visitor: str | None = VISITOR,
    now_ms: int = NOON,
    new_ids: Iterator[str] | None = None,
    trace: bool = False,
    **request: Any,
) -> Decision:
    """Decide a prepared request, its lists of entries joined as on the wire.

    Args:
        artifact: or a program made of one.
        mbox: asked for with ``execute``; else *request* says what is asked for.
        visitor: his tntId; None: the request names nobody.
        new_ids: what new ids are taken from.
        request: the request's keys.
    """
    program = artifact if isinstance(artifact, DecisionProgram) else load_program(artifact, CLIENT)
    numbered = new_ids or (f"id-{number}" for number in itertools.count())
    return decide_prepared(
        program,
        {
            "context": {"channel": "web"},
            **({"id": {"tntId": visitor}} if visitor else {}),
            **({"execute": mboxes(mbox)} if mbox is not None else {}),
            **request,
        },
        now_ms=now_ms,
        new_id=numbered.__next__,
        trace=TRACE if trace else None,
    )


def mboxes(*names: str, **others: Any) -> Json:
    """Return ``execute`` or ``prefetch`` with these mboxes, numbered from 0; *others* are keys of each."""
    return {"mboxes": [{"name": name, "index": at, **others} for at, name in enumerate(names)]}


def offers(decision: Decision, name: str | None = None) -> list[Any]:
    """Return the contents of all options, or of those of one mbox or view, in the answer's order."""
    return [option.get("content") for option in options(decision, name)]


def options(decision: Decision, name: str | None = None) -> list[Json]:
    """Return all options, or those of one mbox or view, in the answer's order."""
    entries = answers(decision)
    return [option for entry in entries if name in (None, entry.get("name")) for option in entry.get("options", ())]


def answers(decision: Decision) -> list[Json]:
    """Return what was answered: of ``execute``, then of ``prefetch``, mboxes, views, page load."""
    modes = [mode for mode in (decision.execute, decision.prefetch) if mode is not None]
    return [
        entry
        for mode in modes
        for entry in [
            *mode.get("mboxes", ()),
            *mode.get("views", ()),
            *([mode["pageLoad"]] if "pageLoad" in mode else []),
        ]
    ]


def _named(locations: Mapping[str, Any]) -> Json:
    return {
        name: [_at(name, rule) for rule in rules] if isinstance(rules, list) else rules
        for name, rules in locations.items()
    }


def _at(location: str, rule: Any) -> Any:
    """Name the consequence of a well-formed rule after its location, unless it has a name of its own."""
    if not isinstance(rule, dict) or not isinstance(rule.get("consequence"), dict):
        return rule
    return {**rule, "consequence": {"name": location, **rule["consequence"]}}
