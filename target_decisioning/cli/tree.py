"""An explanation as a tree for the terminal: a branch for each location, its rules, and what their conditions saw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from target_decisioning.cli.output import visible
from target_decisioning.decisioning.checks import Check, shortened
from target_decisioning.decisioning.explanation import Explanation, LocationExplanation, RuleExplanation, Verdict
from target_decisioning.decisioning.spelling import spell_value

HOLDS: Final = ("✔", "green")
FAILS: Final = ("✘", "red")
IDLE: Final = ("·", "dim")
NEEDS_SERVER: Final = ("!", "yellow")
MARKS: Final = {
    Verdict.WON: HOLDS,
    Verdict.LOST: FAILS,
    Verdict.WRONG_PROPERTY: FAILS,
    Verdict.FAILED: NEEDS_SERVER,
    Verdict.BROKEN: NEEDS_SERVER,
}
UNEVALUATED: Final = frozenset({Verdict.KEY_ANSWERED, Verdict.NOT_REACHED, Verdict.WRONG_PROPERTY})
GROUPS: Final = {
    "and": "all of",
    "or": "any of",
    "!": "not",
    "!!": "true is",
    "if": "if, then, else",
    "?:": "if, then, else",
}


NAMED_WINNERS: Final = 3
"""With more of them, the line above a location's rules only counts."""


def trees(explanation: Explanation) -> Iterator[Text | Tree]:
    """Yield what to print, in order: a line on who asked and when, then a tree for each location."""
    token = explanation.property_token
    yield Text(
        f"client {visible(explanation.client_code)}, visitor {visible(explanation.visitor_key)}, "
        f"{f'property {visible(token)}' if token else 'no property'}, {explanation.now:%A %Y-%m-%d %H:%M:%S} UTC",
        style="dim",
    )
    for location in explanation.locations:
        yield Text()
        yield _location(location)


def _location(location: LocationExplanation) -> Tree:
    kind = {"pageLoad": "page load"}.get(location.kind, location.kind)
    label = Text(f"{location.mode} {kind}", style="bold")
    if location.name is not None:
        label.append(f" {visible(str(location.name))}")
    if location.kind == "mbox":
        label.append(f", index {location.index}", style="not bold dim")
    label.append_text(_outcome(location))
    tree = Tree(label, guide_style="dim")
    if location.why_remote:
        tree.add(_marked(NEEDS_SERVER, f"needs the server: {location.why_remote}"))
    for rule in location.rules:
        _add_rule(tree, rule, _place(rule, location))
    return tree


def _outcome(location: LocationExplanation) -> Text:
    won = [_experience(rule.meta) for rule in location.winners]
    if len(won) > NAMED_WINNERS:
        return Text(f": {len(won)} of {len(location.rules)} rules answer", style="green")
    if won:
        return Text(f": {'; '.join(won)}", style="green")
    if not location.rules:
        return Text(": has no rules here", style="yellow")
    return Text(": no rule answers, so no offer", style="yellow")


def _place(rule: RuleExplanation, location: LocationExplanation) -> str:
    """The rule's index, after the view's name where all views were asked for."""
    whole = re.sub(r"^rules\.(?:mboxes|views)", "", rule.where)
    return whole[whole.rfind("[") :] if location.name is not None else whole


def _add_rule(tree: Tree, rule: RuleExplanation, place: str) -> None:
    label = _marked(MARKS.get(rule.verdict, IDLE), f"{place} {_experience(rule.meta)}", is_bold=True)
    label.append(f": {_verdict(rule)}", style="not bold green" if rule.verdict is Verdict.WON else "not bold dim")
    branch = tree.add(label)
    if rule.property_tokens:
        found = f"property is one of {', '.join(rule.property_tokens)}"
        branch.add(_marked(HOLDS if rule.meets_property else FAILS, found))
    whole = rule.check
    if whole is not None and rule.verdict not in UNEVALUATED:
        for part in whole.checks if whole.operator == "and" and whole.checks else (whole,):
            _add_check(branch, part)


def _add_check(branch: Tree, check: Check) -> None:
    mark = IDLE if not check.is_reached else NEEDS_SERVER if check.error else HOLDS if check.holds else FAILS
    if check.checks:
        inner = branch.add(_marked(mark, GROUPS.get(check.operator or "", "")))
        for part in check.checks:
            _add_check(inner, part)
        return
    label = _marked(mark, shortened(check.text))
    if check.operator is not None and not isinstance(check.value, bool) and not check.error:
        label.append(f" = {visible(shortened(spell_value(check.value)))}")
    details = [shortened(seen.text) for seen in check.seen] + [check.error or ""]
    label.append("".join(f"  ({visible(detail)})" for detail in details if detail), style="cyan")
    if not check.is_reached:
        label.append("  not evaluated")
        label.stylize("dim")
    branch.add(label)


def _verdict(rule: RuleExplanation) -> str:
    """Say what became of a rule; what its condition saw stands under it already."""
    verdict = rule.verdict.value.replace("-", " ")
    if rule.verdict in (Verdict.WON, Verdict.LOST):
        return verdict
    text = f"{verdict}: {visible(rule.reason.replace(rule.where[: rule.where.rfind('[')], ''))}"
    if rule.verdict in UNEVALUATED and rule.holds is not None:
        return f"{text}; its condition {'would hold' if rule.holds else 'would not hold'}"
    return text


def _experience(meta: dict[str, Any]) -> str:
    names = [_named(meta, part) for part in ("activity", "experience")]
    return " / ".join(name for name in names if name) or "a rule without names"


def _named(meta: dict[str, Any], part: str) -> str:
    name, number = meta.get(f"{part}.name"), meta.get(f"{part}.id")
    found = [text for text in (name, None if number is None else f"({number})") if text is not None]
    return visible(" ".join(map(str, found)))


def _marked(mark: tuple[str, str], text: str, *, is_bold: bool = False) -> Text:
    sign, style = mark
    label = Text(f"{sign} ", style=style)
    label.append(visible(text), style="dim" if mark is IDLE else "default bold" if is_bold else "default")
    return label
