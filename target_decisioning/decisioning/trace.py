"""Why a request was decided as it was, in the wire's ``trace`` objects.

One tracer follows one mode (``execute`` or ``prefetch``) and counts on over its entries; each entry's trace is a copy
of what had been counted when that entry was done. Source: semantics.md 4.11.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from target_decisioning.decisioning.context import PARTS, WHOLE, Facts
from target_decisioning.decisioning.fresh import fresh
from target_decisioning.decisioning.program import CompiledRule


class TraceSetting(NamedTuple):
    """What a trace says of its surroundings."""

    client_code: str
    session_id: str
    artifact: dict[str, Any]
    """``artifactLocation``, ``pollingInterval``, ..., then the keys of the artifact's ``meta``."""


class Tracer:
    """Follows the decision of one mode."""

    def __init__(self, setting: TraceSetting, request: dict[str, Any], facts: Facts, mode: str) -> None:
        page = facts.values_for(WHOLE, {})["page"]
        self._mode = mode
        self._campaigns: dict[Any, dict[str, Any]] = {}
        self._targets: dict[Any, dict[str, Any]] = {}
        self._trace: dict[str, Any] = {
            "clientCode": setting.client_code,
            "artifact": setting.artifact,
            "profile": {"visitorId": _visitor(request.get("id", {}))},
        }
        self._request = {"sessionId": setting.session_id, "pageURL": page["url"], "host": page["domain"]}
        self._asked: dict[str, Any] = {}

    def ask(self, kind: str, asked: dict[str, Any]) -> None:
        """Go on to the next entry; *kind* is ``mbox`` or ``view``."""
        self._asked = {kind: {**asked, "type": self._mode}}

    def evaluated(self, rule: CompiledRule, values: dict[str, Any], holds: bool) -> None:
        """Note that a rule was evaluated, and how."""
        target = self._targets.get(rule.activity)
        if target is None:
            target = self._targets[rule.activity] = _target(rule, values)
        matched = "matched" if holds else "unmatched"
        if rule.source.condition is not None:
            target[f"{matched}RuleConditions"].append(rule.source.condition)
        segments = target[f"{matched}SegmentIds"]
        for audience in rule.source.meta.get("audience.ids") or ():
            if audience not in segments:
                segments.append(audience)

    def answered(self, rule: CompiledRule, owed: list[dict[str, Any]]) -> None:
        """Note that a rule that holds has answered, and the notification that it owes, if any."""
        campaign = self._campaigns.get(rule.activity)
        if campaign is None:
            campaign = self._campaigns[rule.activity] = self._campaign(rule.source.meta)
        if owed:
            campaign["notifications"] += owed

    def snapshot(self) -> dict[str, Any]:
        """Return the trace of the current entry, as of now."""
        trace: dict[str, Any] = fresh(
            {
                **self._trace,
                "request": {**self._request, **self._asked},
                "campaigns": list(self._campaigns.values()),
                "evaluatedCampaignTargets": list(self._targets.values()),
            }
        )
        return trace

    def _campaign(self, meta: dict[str, Any]) -> dict[str, Any]:
        artifact = self._trace["artifact"]
        return {
            **_told(meta, id="activity.id", campaignType="activity.type", branchId="experience.id"),
            "offers": [meta["offer.id"]] if "offer.id" in meta else [],
            **_told(artifact, environment="environment"),
            **({"notifications": []} if self._mode == "execute" else {}),
        }


def _target(rule: CompiledRule, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "context": fresh({key: values[key] for key in (*PARTS, "mbox", "allocation")}),
        **_told(rule.source.meta, campaignId="activity.id", campaignType="activity.type"),
        "matchedSegmentIds": [],
        "unmatchedSegmentIds": [],
        "matchedRuleConditions": [],
        "unmatchedRuleConditions": [],
    }


def _told(meta: dict[str, Any], **names: str) -> dict[str, Any]:
    """Return what *meta* says under other names; what it does not say is left out."""
    return {name: meta[key] for name, key in names.items() if key in meta}


def _visitor(ids: dict[str, Any]) -> dict[str, Any]:
    visitor = dict(ids)
    tnt_id, dot, rest = str(ids.get("tntId", "")).partition(".")
    if "tntId" in ids:
        visitor["tntId"] = tnt_id
    if dot:
        visitor["profileLocation"] = rest.partition(".")[0]
    return visitor
