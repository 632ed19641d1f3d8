"""What a fuzzer calls: each takes any bytes, and raises only if a promise is broken.

artifact     only documented errors; what loads decides, as JSON, and the same each time
condition    compiled it answers as the interpreter does
cookie       never an exception, nothing that could end a header, and what is given back can be read
request      RequestError, or a request and an answer that are JSON
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from target_decisioning.artifact.binary import decode_binary
from target_decisioning.config import read_config
from target_decisioning.decisioning import DecisionProgram, decide, load_program, remote_needs
from target_decisioning.decisioning.conditions import ConditionError, compile_conditions, compile_value, parse
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported, RequestError
from target_decisioning.preparation import check_offers_asked, prepare, read_call
from target_decisioning.preparation.cookie import DEVICE_ID, SESSION, parse_cookie, target_cookie
from target_decisioning.preparation.location import choose_cluster
from target_decisioning.remote import build_call
from tests.fuzz.choices import Choices

SHOP = Path(__file__).resolve().parents[2] / "artifacts/shop.json"
NOW_MS = 1_700_000_000_000
ORGANIZATION = "1234567890@AdobeOrg"
CONFIG = read_config({"client": "acme", "organization_id": ORGANIZATION, "telemetry_enabled": False}, {})
ARTIFACT_KEYS = (
    "version", "meta", "globalMbox", "geoTargetingEnabled", "responseTokens", "localMboxes", "remoteMboxes",
    "localViews", "remoteViews", "rules", "mboxes", "views", "ruleKey", "activityId", "propertyTokens", "condition",
    "consequence", "name", "options", "metrics", "type", "content", "eventToken", "selector", "activity.id",
    "experience.id", "audience.ids", "home-hero", "var", "and", "==", "allocation",
)  # fmt: skip
REQUEST_KEYS = (
    "id", "tntId", "thirdPartyId", "marketingCloudVisitorId", "customerIds", "integrationCode", "context", "channel",
    "address", "url", "referringUrl", "geo", "ipAddress", "latitude", "userAgent", "clientHints", "platform",
    "experienceCloud", "analytics", "audienceManager", "locationHint", "property", "token", "execute", "prefetch",
    "pageLoad", "mboxes", "views", "name", "index", "parameters", "profileParameters", "order", "total", "product",
    "notifications", "timestamp", "type", "tokens", "trace", "qaMode", "preview", "telemetry", "entries", "requestId",
    "environmentId",
)  # fmt: skip
OPERATORS = (
    "==", "!=", "===", "!==", "<", "<=", ">", ">=", "!", "!!", "in", "cat", "substr", "+", "*", "-", "/", "%", "min",
    "max", "merge", "log", "and", "or", "if", "?:", "var", "missing", "missing_some", "map", "filter", "reduce", "all",
    "some", "none",
)  # fmt: skip
PATHS = ("allocation", "page.domain", "user.browserType", "mbox.a", "mbox.a.b", "mbox.a.0", "geo.country", "geo", "",
         "accumulator", "current", "current_time", "mbox.__class__", "mbox..", "0")  # fmt: skip
EXPIRIES = ("1800000000", "1", "-1", "1e99", "1e999", "0x7fffffff", " 1800000000 ", "", "9" * 40)
HEADER_SAFE = re.compile(r"[A-Za-z0-9\-_.!~*'()%#|]*").fullmatch


def artifact(data: bytes) -> None:
    """Load bytes as an artifact: as they are, as a binary one, or as the shop with a few changes."""
    choices = Choices(data)
    kind = choices.number(4)
    if kind == 0:
        source: Any = choices.rest()
    elif kind == 1:
        try:
            source = decode_binary(choices.rest(), ORGANIZATION)
        except ArtifactInvalid:
            return
    else:
        source = _changed_shop(choices)
    try:
        program = load_program(source, "acme")
    except (ArtifactInvalid, ArtifactUnsupported) as error:
        assert str(error)
        return
    _decide_everything(program)


def condition(data: bytes) -> None:
    """Hold a compiled condition against the interpreter, on data that are chosen too."""
    choices = Choices(data)
    asked = {
        "mbox": {key: choices.json(("a", "b", "0")) for key in ("a", "b", *choices.some(choices.text))},
        "page": {"domain": choices.text()},
        "user": {"browserType": "chrome", "browserVersion": choices.number(200)},
        "geo": {"country": choices.text()},
        "referring": {},
        "allocation": choices.number(100) + 0.5,
        "current_time": "1200",
        "current_day": 1,
        "current_timestamp": NOW_MS,
    }
    try:
        parsed = parse(_condition(choices), "condition")
    except ArtifactInvalid as error:
        assert error.where.startswith("condition")
        return
    if parsed.unknown_operators:
        return
    before = copy.deepcopy(asked)
    expected = _outcome(lambda: parsed.evaluate(asked))
    assert _outcome(lambda: compile_value(parsed)(asked)) == expected
    (holds,) = compile_conditions([parsed])
    assert _outcome(lambda: holds(asked)) == _outcome(lambda: parsed.holds(asked))
    assert repr(asked) == repr(before)


def cookie(data: bytes) -> None:
    """Read any text as the cookie, and read again what would be given back."""
    choices = Choices(data)
    text = _cookie(choices) if choices.number(2) else choices.rest().decode("utf-8", "surrogateescape")
    entries = parse_cookie(text, NOW_MS)
    for value in itertools.chain(entries, entries.values()):
        assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", value)
    cluster = choose_cluster(entries.get(DEVICE_ID, ""), choices.text(), choices.text())
    assert cluster is None or re.fullmatch("[0-9]{1,3}", cluster)
    given = target_cookie(entries.get(SESSION) or "s", entries.get(DEVICE_ID, ""), NOW_MS)
    assert HEADER_SAFE(given["value"])
    again = parse_cookie(given["value"], NOW_MS)
    if len(given["value"]) <= 8192:
        assert again.get(SESSION) == (entries.get(SESSION) or "s")
        assert again.get(DEVICE_ID, "") == entries.get(DEVICE_ID, "")


def request(data: bytes) -> None:
    """Prepare, decide and build the call of any request; the caller's own stays as it was."""
    choices = Choices(data)
    asked = _request(choices)
    options = {"target_cookie": _cookie(choices), "target_location_hint": choices.text()}
    if choices.chance(4):
        options["session_id"] = choices.text()
    before = repr(asked)
    try:
        call = read_call({"request": asked, **options}, {})
        check_offers_asked(call.request)
        prepared = prepare(call, CONFIG, None, NOW_MS, _new_ids())
    except RequestError as error:
        assert error.where
        assert len(str(error)) < 1000
        return
    assert repr(asked) == before
    sent = build_call(CONFIG, prepared.request, prepared.session_id, prepared.cluster, "id")
    assert json.loads(sent.body or b"")
    assert not re.search("[\x00-\x20\x7f]", sent.url)
    prepared.identify(_new_ids())
    decided = _as_json(decide(_shop(), prepared.request, now_ms=NOW_MS, new_id=_new_ids()))
    assert decided == _as_json(decide(_shop(), prepared.request, now_ms=NOW_MS, new_id=_new_ids()))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "artifact": artifact,
    "condition": condition,
    "cookie": cookie,
    "request": request,
}


@functools.cache
def _shop() -> DecisionProgram:
    return load_program(SHOP.read_bytes(), "acme")


@functools.cache
def _shop_text() -> str:
    return SHOP.read_text(encoding="utf-8")


def _changed_shop(choices: Choices) -> Any:
    """Change up to five places of the shop, each to something that stands elsewhere in an artifact, or to anything."""
    changed = json.loads(_shop_text())
    for _ in range(1 + choices.number(5)):
        _change(changed, choices)
    return changed if choices.number(2) else json.dumps(changed)


def _change(container: Any, choices: Choices) -> None:
    while True:
        places = list(container) if isinstance(container, dict) else list(range(len(container)))
        if not places:
            return
        place = choices.one_of(places)
        inner = container[place]
        if not isinstance(inner, dict | list) or not inner or choices.chance(5):
            break
        container = inner
    how = choices.number(4)
    if how == 0:
        del container[place]
    elif how == 1 and isinstance(container, dict):
        container[choices.key(ARTIFACT_KEYS)] = inner
    elif how == 2:
        container[place] = _condition(choices)
    else:
        container[place] = choices.json(ARTIFACT_KEYS)


def _condition(choices: Choices, depth: int = 5) -> Any:
    if not depth or choices.number(4) == 0:
        return choices.scalar() if choices.number(2) else {"var": choices.one_of(PATHS)}
    name = choices.text() if choices.chance(12) else choices.one_of(OPERATORS)
    inner = [_condition(choices, depth - 1) for _ in range(choices.number(4))]
    return {name: inner[0] if len(inner) == 1 and choices.number(2) else inner}


def _cookie(choices: Choices) -> str:
    def part() -> str:
        value = choices.text() + choices.one_of(("", ".28_0", "%2F", "%0d"))
        return f"{choices.one_of(('session', 'PC', 'check', ''))}#{value}#{choices.one_of(EXPIRIES)}"

    return "|".join(choices.some(part, 19))


def _request(choices: Choices) -> Any:
    if choices.chance(8):
        return choices.json(REQUEST_KEYS)
    odd = {choices.one_of(REQUEST_KEYS): choices.json(REQUEST_KEYS)} if choices.chance(3) else {}
    return {"id": {"tntId": "anna"}, "context": _context(choices), "execute": _asked(choices), **odd}


def _asked(choices: Choices) -> dict[str, Any]:
    names = ("home-hero", "lunch-deal", "target-global-mbox", "checkout-offer", "home", "")
    return {
        "pageLoad": _details(choices),
        "mboxes": choices.some(lambda: {**_details(choices), "name": choices.one_of(names), "index": choices.scalar()}),
    }


def _details(choices: Choices) -> dict[str, Any]:
    parameters = {choices.text(): choices.json(depth=2) for _ in range(choices.number(4))}
    url = f"http://{choices.text()}/{choices.text()}?{choices.text()}#{choices.text()}"
    odd = {choices.one_of(REQUEST_KEYS): choices.json(REQUEST_KEYS)} if choices.chance(12) else {}
    return {"parameters": parameters, "address": {"url": url}, **odd}


def _context(choices: Choices) -> dict[str, Any]:
    geo = {key: choices.scalar(finite=not choices.chance(9)) for key in ("latitude", "city") if choices.chance(2)}
    agent = f"Mozilla/5.0 ({choices.text()}) Chrome/{choices.number(200)} {choices.text()}"
    return {"channel": choices.text(), "userAgent": agent, "geo": geo, **_details(choices)}


def _decide_everything(program: DecisionProgram) -> None:
    entries = [{"name": name, "index": 0, "parameters": {"a": "1"}} for name in program.mboxes][:40]
    views = [{"name": name} for name in program.views][:40]
    asked = {"pageLoad": {}, "mboxes": entries, "views": [*views, {}]}
    prepared = {"id": {"tntId": "anna"}, "context": {"channel": "web", "address": {"url": "http://x.example/"}}}
    both = {**prepared, "execute": {"pageLoad": {}, "mboxes": entries}, "prefetch": asked}
    remote_needs(program, both)
    first = _as_json(decide(program, both, now_ms=NOW_MS, new_id=_new_ids()))
    assert first == _as_json(decide(program, both, now_ms=NOW_MS, new_id=_new_ids()))


def _as_json(decision: Any) -> str:
    return json.dumps([decision.execute, decision.prefetch, decision.impressions, decision.errors], allow_nan=False)


def _outcome(work: Callable[[], Any]) -> str:
    try:
        return repr(work())
    except ConditionError:
        return "ConditionError"


def _new_ids() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"id-{next(numbers)}"
