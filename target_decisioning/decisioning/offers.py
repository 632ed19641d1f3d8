"""What a rule answers with, prepared at load so that an answer is copied together, not worked out.

    consequence + meta  --plan-->  Offers(execute), Offers(prefetch)  --options(asked, geo)-->  fresh options

Everything the artifact alone decides is settled here: which options and metrics each mode keeps, event tokens,
response tokens from the rule's meta, content split at its macros. Source: semantics.md 4.3, 4.6, 4.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, NamedTuple

from target_decisioning.decisioning.artifact import Rule
from target_decisioning.decisioning.compact import Compactor
from target_decisioning.decisioning.fresh import copier, fresh, is_container
from target_decisioning.decisioning.macros import compile_macros

Asked = dict[str, Any]
"""The entry of the request that is answered: its ``name``, ``index``, ``parameters`` fill macros."""
Make = Callable[[Asked], Any]
Copy = Callable[[], Any]

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
_ON_DEVICE = {"activity.decisioningMethod": "on-device"}
_NOTHING: dict[str, Any] = {}


class OptionPlan(NamedTuple):
    """One option: what is the same in each answer, what is copied for each, and what is made of what was asked."""

    fields: dict[str, Any]
    copied: tuple[tuple[str, Copy], ...]
    made: tuple[tuple[str, Make], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """What one mode (execute or prefetch) answers with for one rule."""

    frame: Copy
    """Gives a fresh copy of the consequence without options and metrics."""
    plans: tuple[OptionPlan, ...]
    tokens: Copy
    """Gives the response tokens that the rule's meta decides."""
    metric_copiers: tuple[Copy, ...]

    def entry(self, asked: Asked, geo_tokens: dict[str, Any]) -> dict[str, Any]:
        """Return a fresh answer to *asked*, without metrics."""
        entry: dict[str, Any] = self.frame()
        entry["options"] = self.options(asked, geo_tokens)
        if "index" in asked:
            entry["index"] = asked["index"]
        return entry

    def options(self, asked: Asked, geo_tokens: dict[str, Any]) -> list[dict[str, Any]]:
        """Return fresh options, macros filled from *asked*."""
        options = []
        for fields, copied, made in self.plans:
            option = fields.copy()
            for key, copy in copied:
                option[key] = copy()
            for key, make in made:
                option[key] = make(asked)
            tokens = option["responseTokens"] = self.tokens()
            if geo_tokens:
                tokens.update(geo_tokens)
            options.append(option)
        return options

    def metrics(self) -> list[dict[str, Any]]:
        """Return fresh metrics."""
        return [copy() for copy in self.metric_copiers]


class Planner:
    """Plans what the rules of one artifact answer with; *listed_tokens* are the response tokens that it asks for."""

    def __init__(self, listed_tokens: frozenset[str]) -> None:
        self._meta_tokens = [key for key in META_TOKENS if key in listed_tokens]
        self._compactor = Compactor()
        self._frames: dict[int, Copy] = {}

    def offers(self, rule: Rule, meta: dict[str, Any]) -> tuple[Offers, Offers]:
        """Plan a rule with this *meta*: for ``execute`` and for ``prefetch``, which share what is the same in both.

        ``execute``: no blank options, no event tokens, click metrics only. ``prefetch``: all options, each with an
        event token where it or a display metric has one; all metrics.
        """
        options = rule.options
        frame = self._frames.setdefault(id(rule.frame), copier(rule.frame))
        tokens = copier({key: meta[key] for key in self._meta_tokens if key in meta} | _ON_DEVICE)
        plans = [self._option(option, meta) for option in options]
        metrics = [(metric, copier(metric)) for metric in rule.metrics]
        execute = Offers(
            frame=frame,
            plans=tuple(plan for plan, option in zip(plans, options, strict=True) if not _is_blank(option)),
            tokens=tokens,
            metric_copiers=tuple(copy for metric, copy in metrics if metric.get("type") == "click"),
        )
        prefetch = Offers(
            frame=frame,
            plans=tuple(map(_with_event_token, plans, options, chain(rule.metrics, repeat(_NOTHING)))),
            tokens=tokens,
            metric_copiers=tuple(copy for _, copy in metrics),
        )
        return execute, prefetch

    def _option(self, option: dict[str, Any], meta: dict[str, Any]) -> OptionPlan:
        """Plan an option, but for its event token. What is left is often only its type: one dict for all such."""
        fields, copied, made = {}, [], []
        for key, value in option.items():
            if key == "eventToken":
                continue
            part = _content(option.get("type"), value, meta) if key == "content" else value
            if callable(part):
                made.append((key, part))
            elif is_container(part):
                copied.append((key, copier(part)))
            else:
                fields[key] = part
        return OptionPlan(self._compactor.labels(fields), tuple(copied), tuple(made))


def _is_blank(option: dict[str, Any]) -> bool:
    return "type" not in option and "content" not in option


def _with_event_token(plan: OptionPlan, option: dict[str, Any], metric: dict[str, Any]) -> OptionPlan:
    source = option if "eventToken" in option or metric.get("type") != "display" else metric
    if "eventToken" not in source:
        return plan
    return plan._replace(fields={**plan.fields, "eventToken": source["eventToken"]})


def _content(option_type: Any, content: Any, meta: dict[str, Any]) -> Any:
    """Return the content with its macros filled as far as the rule tells, or what makes it of what was asked."""
    if option_type == "html" and isinstance(content, str):
        return _filled(content, meta)
    if option_type == "actions" and isinstance(content, list):
        return _actions(content, meta)
    return content


def _filled(text: str, meta: dict[str, Any]) -> str | Make:
    template = compile_macros(text)
    if template is None:
        return text
    bound = template.bind(meta)
    if bound.constant is not None:
        return bound.constant
    return lambda asked: bound.fill(asked, asked.get("parameters"))


def _actions(actions: list[Any], meta: dict[str, Any]) -> list[Any] | Make:
    filled = [_action(action, meta) for action in actions]
    if not any(callable(action) for action in filled):
        return filled
    return lambda asked: [action(asked) if callable(action) else fresh(action) for action in filled]


def _action(action: Any, meta: dict[str, Any]) -> Any:
    text = action.get("content") if isinstance(action, dict) else None
    if not isinstance(text, str):
        return action
    content = _filled(text, meta)
    if callable(content):
        return lambda asked: {**fresh(action), "content": content(asked)}
    return {**action, "content": content}
