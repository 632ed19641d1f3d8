"""What strangers write: cookies, hints, requests, parameter names, conditions (cases 59 to 65)."""

from __future__ import annotations

import json
import re
import resource
import time
from urllib.parse import quote, urlsplit

import pytest

from fixtures.faults import FaultServer, answer
from target_decisioning import ConfigError, RequestError, TargetClient
from tests.faults.parts import LOCAL, REMOTE, SHOP, execute, options

FAR_AWAY = 4_102_444_800  # the year 2100, epoch seconds


def session(value="s1"):
    return f"session#{value}#{FAR_AWAY}"


def device(tnt_id):
    return f"PC#{quote(tnt_id, safe='')}#{FAR_AWAY}"


@pytest.fixture
def trap():
    """Where a hostile host name would lead."""
    with FaultServer(answer(200, b"{}")) as server:
        yield server


@pytest.fixture
def proxy():
    """Sees each call with its whole URL, wherever that leads; answers like the Delivery API."""
    with FaultServer(answer(200, b'{"status": 200, "execute": {"mboxes": []}}')) as server:
        yield server


@pytest.fixture
def client(proxy):
    """Sends everything to its usual host, through the proxy."""
    asked = options(decisioning_method="server-side", proxies={"http": proxy.url}, artifact_payload=None)
    with TargetClient.create(asked) as client:
        yield client


def hosts(proxy):
    return [urlsplit(request.target).netloc for request in proxy.requests]


def hostile(trap):
    """Clusters that would lead elsewhere, or nowhere, if they were believed."""
    return [
        f"x@localhost:{trap.port}/",
        f"x@127.0.0.1:{trap.port}#",
        "28@evil.example/",
        "evil.example/",
        "28.evil.example",
        "[::1]",
        "2130706433",
        "0x7f",
        "\x00",
        "28\x00",
        "28\r\nHost: evil",
        " 28",
        "28 ",
        "28\n",
        "-1",
        "+28",
        "2_8",
        "9" * 300,
        "1234",
        "\u0662\u0668",
        "\uff12\uff18",
        "\u00b2",
        "..",
        "%32%38",
        "a",
        "",
    ]


def test_case_59_a_hostile_cookie_or_hint_steers_no_connection(client, proxy, trap):
    for cluster in hostile(trap):
        cookie = f"{session()}|{device(f'abc.{cluster}_0')}"
        answered = client.get_offers(request=execute(REMOTE), target_cookie=cookie)
        client.get_offers(request=execute(REMOTE), target_location_hint=cluster)
        assert answered.target_location_hint_cookie is None
        assert answered.target_cookie.value.startswith("session#s1#")
    assert set(hosts(proxy)) == {"acme.tt.omtrdc.net"}
    assert all("sessionId=s1" in request.target for request in proxy.requests[::2])
    assert (trap.connections, trap.requests) == (0, [])


def test_case_59_a_cluster_of_digits_is_believed(client, proxy):
    client.get_offers(request=execute(REMOTE), target_cookie=f"{session()}|{device('abc.28_0')}")
    client.get_offers(request=execute(REMOTE), target_location_hint="35")
    assert hosts(proxy) == ["mboxedge28.tt.omtrdc.net", "mboxedge35.tt.omtrdc.net"]


def test_case_59_a_hostile_answer_steers_no_later_call(proxy, trap):
    """E1 and E2: neither the answer's tntId nor its edgeHost, nor what the client remembers of them."""
    asked = options(decisioning_method="server-side", proxies={"http": proxy.url}, artifact_payload=None)
    with TargetClient.create(asked) as client:
        for cluster in hostile(trap):
            body = {"status": 200, "id": {"tntId": f"abc.{cluster}_0"}, "edgeHost": f"mboxedge{cluster}.tt.omtrdc.net"}
            proxy.then(answer(200, json.dumps(body).encode()))
            answered = client.get_offers(request=execute(REMOTE, tnt_id=None))
            hint = answered.target_location_hint_cookie
            assert hint is None, cluster
            client.get_offers(request=execute(REMOTE, tnt_id=None), target_cookie=answered.target_cookie.value)
    assert set(hosts(proxy)) == {"acme.tt.omtrdc.net"}
    assert trap.connections == 0


def test_case_59_one_visitors_cluster_is_not_the_next_visitors(client, proxy):
    proxy.then(answer(200, b'{"status": 200, "edgeHost": "mboxedge28.tt.omtrdc.net", "id": {"tntId": "abc.28_0"}}'))
    first = client.get_offers(request=execute(REMOTE, tnt_id=None))
    assert first.target_location_hint_cookie.value == "28"
    client.get_offers(request=execute(REMOTE, tnt_id=None))
    assert hosts(proxy) == ["acme.tt.omtrdc.net"] * 2


@pytest.mark.parametrize("where", ["client", "server_domain"])
@pytest.mark.parametrize(
    "name", ["evil.example/", "a@evil", "a b", "a\r\nb", "a#", "a?x=", "a:80@evil", "\u2100", "[::1"]
)
def test_case_59_an_option_that_makes_another_host_is_refused(proxy, trap, where, name):
    asked = options(
        proxies={"http": proxy.url}, decisioning_method="server-side", artifact_payload=None, **{where: name}
    )

    def ask():
        with TargetClient.create(asked) as client:
            client.get_offers(request=execute(REMOTE))

    with pytest.raises(ConfigError):
        ask()
    assert proxy.requests == []
    assert trap.connections == 0


COOKIES = {
    "1 MB of bars": "|" * 1_000_000,
    "1 MB of hashes": "#" * 1_000_000,
    "1 MB of percents": session("%" * 1_000_000),
    "10,000 parts": "|".join(f"n{number}#v#{FAR_AWAY}" for number in range(10_000)),
    "expiry 1e5": "session#old#1e5",
    "a negative expiry": "session#old#-1",
    "an expiry of 5,000 digits": f"session#old#{'9' * 5000}",
    "an infinite expiry": "session#old#Infinity|session#old#1e999|session#old#-1e999",
    "no number": "session#old#NaN|session#old#12abc|session#old##|session#old#0x",
    "line ends": f"session#a%0D%0Ab#{FAR_AWAY}|session#a\r\nb#{FAR_AWAY}",
    "nul": f"session#a%00b#{FAR_AWAY}|session#a\x00b#{FAR_AWAY}",
    "broken escapes": f"session#%E0%A4%A#{FAR_AWAY}|session#%zz#{FAR_AWAY}|session#%ff#{FAR_AWAY}",
    "a lone surrogate": f"session#\ud800#{FAR_AWAY}",
    "unicode": f"session#\u202e\u0000#{FAR_AWAY}",
    "no text at all": "",
}


@pytest.fixture(scope="module")
def local():
    with TargetClient.create(options(server_domain="127.0.0.1:1")) as client:
        yield client
        client.close(timeout=0)


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_case_61_a_hostile_cookie_costs_nothing_and_its_bad_parts_are_ignored(local, cookie):
    costs = []
    for _ in range(5):
        began = time.thread_time()
        answered = local.get_offers(request=execute(LOCAL), target_cookie=cookie, session_id="given")
        costs.append(time.thread_time() - began)
    assert min(costs) < 5e-3
    assert answered.target_cookie.value.startswith("session#given#")
    assert re.fullmatch(r"[A-Za-z0-9\-_.!~*'()%#|]+", answered.target_cookie.value)


def test_case_61_good_parts_beside_bad_ones_are_kept(local):
    cookie = f"session#a%0D%0Ab#{FAR_AWAY}|{session('kept')}|PC#%zz#{FAR_AWAY}|check#true#{FAR_AWAY}|x"
    answered = local.get_offers(request=execute(LOCAL), target_cookie=cookie)
    assert answered.target_cookie.value.startswith("session#kept#")


def test_case_61_what_a_cookie_is_made_of_cannot_end_a_header(local):
    """Control characters in the tntId are refused; anything else is escaped."""
    odd = 't;,="\\ \u00e9\u202e\U0001f600'
    answered = local.get_offers(request=execute(LOCAL, tnt_id=odd), session_id="s\u00e9;,")
    assert re.fullmatch(r"[A-Za-z0-9\-_.!~*'()%#|]+", answered.target_cookie.value)


def mbox(**fields):
    return {"context": {"channel": "web"}, "execute": {"mboxes": [{"name": LOCAL, "index": 0, **fields}]}}


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE_REQUESTS = {
    "an address with a line end": (
        execute(context={"channel": "web", "geo": {"ipAddress": "1.2.3.4\r\nX: y"}}),
        {},
        "request.context.geo.ipAddress",
    ),
    "a session with a line end": (execute(), {"session_id": "a\r\nb"}, "session_id"),
    "a tntId with a line end": (execute(tnt_id="a\r\nb"), {}, "request.id.tntId"),
    "a customer id with a nul": (
        {**execute(), "id": {"customerIds": [{"id": "a\x00", "integrationCode": "c"}]}},
        {},
        "request.id.customerIds[0].id",
    ),
    "a property with a line end": ({**execute(), "property": {"token": "a\nb"}}, {}, "request.property.token"),
    "a name of 1 MiB": (mbox(name="x" * 1024 * 1024), {}, "request.execute.mboxes[0].name"),
    "half a character": (mbox(parameters={"a": "\ud800"}), {}, 'request.execute.mboxes[0].parameters["a"]'),
    "100,000 parameters": (
        mbox(parameters={f"k{number}": "v" for number in range(100_000)}),
        {},
        "request.execute.mboxes[0].parameters",
    ),
    "100,000 mboxes": (
        {"context": {"channel": "web"}, "execute": {"mboxes": [{"name": "x"}] * 100_000}},
        {},
        "request.execute.mboxes",
    ),
    "a parameter 100,000 levels deep": (mbox(parameters={"a": nested(100_000)}), {}, 'parameters["a"]'),
    "no number": (mbox(parameters={"a": float("nan")}), {}, 'parameters["a"]'),
    "an infinite number": (mbox(order={"total": float("inf")}), {}, "request.execute.mboxes[0].order.total"),
    "a number of 5,000 digits": (mbox(parameters={"a": 10**5000}), {}, 'parameters["a"]'),
    "an index of 5,000 digits": (mbox(index=10**5000), {}, "request.execute.mboxes[0].index"),
    "a set": (mbox(parameters={"a": {1, 2}}), {}, 'parameters["a"]'),
    "bytes": (mbox(parameters={"a": b"x"}), {}, 'parameters["a"]'),
    "an object": (mbox(parameters={"a": object()}), {}, 'parameters["a"]'),
    "a key that is no text": (mbox(parameters={1: "a"}), {}, "request.execute.mboxes[0].parameters"),
    "a list for an object": ({**execute(), "context": []}, {}, "request.context"),
    "text for a list": ({"execute": {"mboxes": "home"}}, {}, "request.execute.mboxes"),
}


@pytest.mark.parametrize("method", ["on-device", "server-side", "hybrid"])
@pytest.mark.parametrize(("request_", "more", "where"), HOSTILE_REQUESTS.values(), ids=HOSTILE_REQUESTS)
def test_case_62_what_cannot_be_asked_is_refused_with_its_place(trap, request_, more, where, method):
    asked = options(server_domain=f"127.0.0.1:{trap.port}", decisioning_method=method)
    with TargetClient.create(asked) as client, pytest.raises(RequestError) as caught:
        client.get_offers(request=request_, **more)
    assert where in caught.value.where
    assert len(str(caught.value)) < 500
    assert trap.connections == 0


@pytest.mark.parametrize("big", [2**53 + 1, -(2**63), 10**20, 1e308])
def test_case_62_big_numbers_are_numbers(local, big):
    """E11: a whole number beyond 2^53 counts as JavaScript's numbers do."""
    answered = local.get_offers(request=mbox(parameters={"a": big}))
    assert answered.response.execute.mboxes[0].options


def doubling(operator, start):
    """Repeat *operator* on its own result 40 times: 2^40 characters or entries, if nobody stopped it."""
    return {"reduce": [list(range(40)), {operator: [{"var": "accumulator"}, {"var": "accumulator"}]}, start]}


def negated(times):
    condition = True
    for _ in range(times):
        condition = {"!": [condition]}
    return condition


THOUSAND = list(range(1000))
BOMBS = {
    "cat doubles": doubling("cat", "x"),
    "merge doubles": doubling("merge", [1]),
    "a map in a map": {"map": [THOUSAND, {"map": [THOUSAND, {"+": [{"var": ""}, 1]}]}]},
    "5,000 levels": negated(5000),
}


def with_condition(condition):
    """The shop, with *condition* on a rule that every request for ``newsletter`` reaches."""
    artifact = json.loads(SHOP.read_text(encoding="utf-8"))
    rule = artifact["rules"]["mboxes"]["newsletter"][0]
    rule["condition"], rule["propertyTokens"] = condition, []
    return TargetClient.create(options(artifact_payload=artifact, server_domain="127.0.0.1:1"))


@pytest.mark.parametrize("condition", BOMBS.values(), ids=BOMBS)
def test_case_63_a_condition_that_explodes_costs_little_and_only_its_own_place(condition):
    with with_condition(condition) as client:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        costs = []
        for _ in range(5):
            began = time.thread_time()  # what other programs take is not the condition's
            answered = client.get_offers(request=execute("newsletter", LOCAL))
            costs.append(time.thread_time() - began)
        status = client.status()
        client.close(timeout=0)
    assert min(costs) < 0.05
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
    assert [one.name for one in answered.response.execute.mboxes] == ["newsletter", LOCAL]
    assert answered.response.execute.mboxes[1].options
    assert status["failed_rules"] or status["undecidable"]


def test_case_63_text_times_a_number_is_no_number():
    """As in JavaScript: NaN, and no text of ten million letters."""
    with with_condition({"==": [{"*": ["aaaaaaaaaa", 10_000_000]}, {"*": ["aaaaaaaaaa", 10_000_000]}]}) as client:
        answered = client.get_offers(request=execute("newsletter"))
        client.close(timeout=0)
    assert not answered.response.execute.mboxes[0].options


ODD = {
    "__class__": "c",
    "__proto__": "p",
    "constructor": "k",
    "a": "text",
    "a.b": "nested",
    ".a": "dot first",
    "a.": "dot last",
    "a..b": "two dots",
    "": "empty",
    "x" * 10_240: "long",
    "mbox.__class__.__mro__": "path",
    ".".join("abcdefghijklmnopqrstuvwxyz"): "deep",
    "a" + ".b" * 5000: "deeper",
    "\u0000": "nul",
    "\U0001f600.\u00e9": "unicode",
}
KEYS = [*ODD, "__init__", "__dict__", "keys", "items.__globals__", "a.__class__", "a.b.__len__", "0", "a.0"]


@pytest.mark.parametrize("first", [True, False], ids=["a first", "a.b first"])
def test_case_65_odd_parameter_names_are_plain_data(local, first):
    parameters = dict(ODD) if first else dict(reversed(ODD.items()))
    answered = local.get_offers(request=mbox(parameters=parameters))
    assert answered.response.execute.mboxes[0].options


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:20] or "empty")
def test_case_65_a_condition_reaches_values_never_what_python_hangs_on_them(key):
    """Of a request without parameters no key has a value: no method, class or module is one."""
    with with_condition({"!=": [{"var": f"mbox.{key}"}, None]}) as client:
        answered = client.get_offers(request=execute("newsletter"))
        failed = client.status()["failed_rules"]
        client.close(timeout=0)
    assert not answered.response.execute.mboxes[0].options
    assert failed == {}
