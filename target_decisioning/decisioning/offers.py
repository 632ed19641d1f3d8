"""What a rule answers with, prepared at load so that an answer is copied together, not worked out.

    consequence + meta  --plan-->  Offers(execute), Offers(prefetch)  --options(asked, geo)-->  fresh options

Everything the artifact alone decides is settled here: which options and metrics each mode keeps, event tokens,
response tokens from the rule's meta, content split at its macros. Source: semantics.md 4.3, 4.6, 4.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from target_decisioning.decisioning.artifact import Rule
from target_decisioning.decisioning.fresh import copier, fresh, is_container
from target_decisioning.decisioning.macros import compile_macros

Asked = dict[str, Any]
"""The entry of the request that is answered: its ``name``, ``index``, ``parameters`` fill macros."""
Make = Callable[[Asked], Any]

META_TOKENS = (
    "activity.id",
    "activity.name",
    "activity.type",
    "experience.id",
    "experience.name",
    "location.id",
    "location.name",
    "location.type",
    "offer.id",
    "offer.name",
    "option.id",
    "option.name",
)
GEO_TOKENS = {
    "geo.city": "city",
    "geo.country": "countryCode",
    "geo.state": "stateCode",
    "geo.latitude": "latitude",
    "geo.longitude": "longitude",
}
"""Response token -> key of the request's geo."""


@dataclass(frozen=True, slots=True)
class OptionPlan:
    """One option: what is the same in each answer, and how to make what is not."""

    fields: dict[str, Any]
    made: tuple[tuple[str, Make], ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """What one mode (execute or prefetch) answers with for one rule."""

    plans: tuple[OptionPlan, ...]
    tokens: Callable[[], dict[str, Any]]
    """Gives the response tokens that the rule's meta decides."""
    metric_copiers: tuple[Callable[[], Any], ...]

    def options(self, asked: Asked, geo_tokens: dict[str, Any]) -> list[dict[str, Any]]:
        """Return fresh options, macros filled from *asked*."""
        options = []
        for plan in self.plans:
            option = plan.fields.copy()
            for key, make in plan.made:
                option[key] = make(asked)
            tokens = option["responseTokens"] = self.tokens()
            if geo_tokens:
                tokens.update(geo_tokens)
            options.append(option)
        return options

    def metrics(self) -> list[dict[str, Any]]:
        """Return fresh metrics."""
        return [copy() for copy in self.metric_copiers]


def plan_execute(rule: Rule, listed_tokens: frozenset[str]) -> Offers:
    """Plan for ``execute``: no blank options, no event tokens, click metrics only."""
    options = [
        {key: value for key, value in option.items() if key != "eventToken"}
        for option in rule.options
        if "type" in option or "content" in option
    ]
    clicks = [metric for metric in rule.metrics if metric.get("type") == "click"]
    return _plan(rule, options, clicks, listed_tokens)


def plan_prefetch(rule: Rule, listed_tokens: frozenset[str]) -> Offers:
    """Plan for ``prefetch``: all options, each with an event token where a display metric has one; all metrics."""
    options = [_with_event_token(option, at, rule.metrics) for at, option in enumerate(rule.options)]
    return _plan(rule, options, rule.metrics, listed_tokens)


def _with_event_token(option: dict[str, Any], at: int, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    metric = metrics[at] if at < len(metrics) else {}
    if "eventToken" in option or metric.get("type") != "display" or "eventToken" not in metric:
        return option
    return {**option, "eventToken": metric["eventToken"]}


def _plan(rule: Rule, options: list[dict[str, Any]], metrics: list[dict[str, Any]], listed: frozenset[str]) -> Offers:
    tokens = {key: rule.meta[key] for key in META_TOKENS if key in listed and key in rule.meta}
    return Offers(
        plans=tuple(_plan_option(option, rule.meta) for option in options),
        tokens=copier({**tokens, "activity.decisioningMethod": "on-device"}),
        metric_copiers=tuple(copier(metric) for metric in metrics),
    )


def _plan_option(option: dict[str, Any], meta: dict[str, Any]) -> OptionPlan:
    fields, made = {}, []
    for key, value in option.items():
        part = _content(option.get("type"), value, meta) if key == "content" else _copied(value)
        if callable(part):
            made.append((key, part))
        else:
            fields[key] = part
    return OptionPlan(fields, tuple(made))


def _content(option_type: Any, content: Any, meta: dict[str, Any]) -> Any:
    """Return the content itself if it is the same in each answer, else what makes it."""
    if option_type == "html" and isinstance(content, str):
        return _filled(content, meta)
    if option_type == "actions" and isinstance(content, list):
        return _actions(content, meta)
    return _copied(content)


def _filled(text: str, meta: dict[str, Any]) -> str | Make:
    template = compile_macros(text)
    if template is None:
        return text
    bound = template.bind(meta)
    if bound.constant is not None:
        return bound.constant
    return lambda asked: bound.fill(asked, asked.get("parameters"))


def _copied(value: Any) -> Any:
    if not is_container(value):
        return value
    copy = copier(value)
    return lambda _asked: copy()


def _actions(actions: list[Any], meta: dict[str, Any]) -> Make:
    makes = [_action(action, meta) for action in actions]
    return lambda asked: [make(asked) for make in makes]


def _action(action: Any, meta: dict[str, Any]) -> Make:
    text = action.get("content") if isinstance(action, dict) else None
    content = _filled(text, meta) if isinstance(text, str) else text
    if callable(content):
        return lambda asked: {**fresh(action), "content": content(asked)}
    if isinstance(action, dict) and content is not text:
        action = {**action, "content": content}
    copied = _copied(action)
    return copied if callable(copied) else lambda _asked: copied
