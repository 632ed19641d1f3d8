"""What stays private: personal data and secrets in the log, credentials of the machine on the wire (cases 66, 67).

``tests/client/test_privacy.py`` has a canary in every field of a request, and every kind of answer to it; the fixture
of ``tests/conftest.py`` searches what any test of the suite logs.
"""

from __future__ import annotations

import json
import logging
import os

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi, json_answer
from fixtures.faults import FaultServer, answer, silence
from target_decisioning import TargetClient, TargetError
from tests.faults.parts import LOCAL, REMOTE, ROOT, SHOP, execute, options, run, until

CANARY = "canary-66"


def personal(*names):
    """A request that tells everything about a visitor."""
    return execute(
        *names,
        tnt_id=f"{CANARY}.28_0",
        context={
            "channel": "web",
            "userAgent": CANARY,
            "address": {"url": f"https://shop.example/{CANARY}?q={CANARY}"},
            "geo": {"ipAddress": "93.184.216.34"},
        },
    )


DELIVERY = {
    "success": None,
    "500": json_answer({"message": CANARY}, status=500),
    "400": json_answer({"message": CANARY}, status=400),
    "no JSON": answer(200, CANARY.encode()),
    "never": silence,
}
ARTIFACTS = {
    "good": SHOP.read_bytes(),
    "no JSON": f"<html>{CANARY}".encode(),
    "wrong types": json.dumps({"version": "1.0.0", "meta": CANARY, "rules": CANARY}).encode(),
    "unknown operators": SHOP.read_bytes().replace(b'"and"', b'"surely"').replace(b"Forest", CANARY.encode()),
    "another version": json.dumps({"version": "9.0.0", "meta": {"clientCode": CANARY}}).encode(),
}


@pytest.fixture
def records(caplog):
    caplog.set_level(logging.INFO)
    return caplog


@pytest.mark.parametrize("background", [True, False], ids=["threads", "no threads"])
@pytest.mark.parametrize("artifact", ARTIFACTS)
@pytest.mark.parametrize("delivery", DELIVERY)
def test_case_66_no_canary_leaves_the_call_whatever_goes_wrong(records, tmp_path, delivery, artifact, background):
    told, reply = [], DELIVERY[delivery]
    with Cdn() as cdn, DeliveryApi() as api, FaultServer(reply if callable(reply) else silence) as server:
        cdn.swap("shop.json", ARTIFACTS[artifact])
        api.always(None if callable(reply) else reply)
        asked = options(api, cdn, decisioning_method="hybrid", timeout=100, background=background)
        asked |= {"cache_dir": str(tmp_path), "outbox_path": str(tmp_path / "outbox"), "maximum_wait_ready": 200}
        asked |= {"server_domain": f"127.0.0.1:{server.port}"} if callable(reply) else {}
        asked |= {"geo_lookup_url": f"http://127.0.0.1:{server.port}/{CANARY}", "geo_timeout": 50}
        with TargetClient.create(asked) as client:
            for names in ((LOCAL,), (REMOTE,), (LOCAL, REMOTE)):
                try:
                    told.append(repr(client.get_offers(request=personal(*names), session_id=CANARY)))
                except TargetError as error:
                    told += [str(error), repr(error)]
            client.flush(0.2)
            told += [repr(client), json.dumps(client.status()["outbox"]), json.dumps(client.status()["telemetry"])]
            client.close(timeout=0)
    told += [record.getMessage() for record in records.records if record.levelno >= logging.INFO]
    assert not [text for text in told if CANARY in text or "93.184" in text]


CREDENTIALS = """
import json, sys
from tests.faults.parts import create, execute
with create() as client:
    client.get_offers(request=execute(context={"channel": "web", "geo": {"ipAddress": "93.184.216.34"}}))
    assert client.flush(10)
"""


@pytest.mark.parametrize("session", ["own", "of the caller"])
@pytest.mark.parametrize("where", ["127.0.0.1", "localhost"])
def test_case_67_credentials_of_the_machine_are_not_sent(tmp_path, where, session):
    for name in (".netrc", "_netrc"):
        netrc = tmp_path / name
        netrc.write_text(
            "".join(f"machine {host} login {CANARY} password {CANARY}\n" for host in ("127.0.0.1", "localhost"))
        )
        netrc.chmod(0o600)
    program = CREDENTIALS
    if session != "own":
        program = "import requests\nfrom target_decisioning import TargetClient\n" + program.replace(
            "create() as", "TargetClient.create(json.loads(sys.argv[1]), session=requests.Session()) as"
        )
    with Cdn(ROOT / "artifacts") as cdn, DeliveryApi() as api:
        asked = options(api, cdn, server_domain=f"{where}:{api.port}", geo_lookup_url=cdn.geo_url, secure=False)
        asked["artifact_location"] = cdn.location("shop.json").replace("127.0.0.1", where)
        environment = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}
        code, _, complained, _ = run(program, asked, env=environment)
        seen = [*cdn.received, *(call.received for call in api.calls)]
    assert (code, complained) == (0, "")
    assert {one.path for one in cdn.received} >= {"/shop.json", "/v1/geo"}
    assert api.impressions
    assert not [one for one in seen if "authorization" in one.headers or CANARY in repr(one)]


@pytest.mark.parametrize(
    ("environment", "more", "goes_through"),
    [
        ({}, {}, None),
        ({"HTTP_PROXY": "first"}, {}, "first"),
        ({"HTTP_PROXY": "first", "REQUEST_METHOD": "GET"}, {}, None),  # of a CGI program: a stranger's header
        ({"http_proxy": "first"}, {}, "first"),
        ({"ALL_PROXY": "first"}, {}, "first"),
        ({"http_proxy": "first", "no_proxy": "tt.omtrdc.net"}, {}, None),
        ({"http_proxy": "first", "NO_PROXY": "acme.tt.omtrdc.net"}, {}, None),
        ({"http_proxy": "first"}, {"proxies": {"http": "second"}}, "second"),
        ({"https_proxy": "first"}, {}, None),
    ],
)
def test_case_67_a_proxy_is_used_only_as_documented(environment, more, goes_through):
    program = """
import json, os, socket, sys
from target_decisioning import TargetClient, TargetError
from tests.faults.parts import execute

real = socket.getaddrinfo
def nowhere(host, *arguments, **keywords):
    if host.endswith("omtrdc.net"):
        raise socket.gaierror(socket.EAI_NONAME, "no network here")
    return real(host, *arguments, **keywords)
socket.getaddrinfo = nowhere

try:
    TargetClient.create(json.loads(sys.argv[1])).get_offers(request=execute())
except TargetError as error:
    assert error.reason == "connect", error
"""
    usual = answer(200, b'{"status": 200, "execute": {"mboxes": []}}')
    with FaultServer(usual) as first, FaultServer(usual) as second:
        ports = {"first": first.url, "second": second.url}
        env = {name: None for name in os.environ if name.lower().endswith("_proxy")} | {
            name: ports.get(value, value) for name, value in environment.items()
        }
        proxies = {"proxies": {"http": ports[more["proxies"]["http"]]}} if more else {}
        asked = options(decisioning_method="server-side", artifact_payload=None, **proxies)
        code, _, complained, _ = run(program, asked, env=env)
        used = [name for name, server in (("first", first), ("second", second)) if server.requests]
        hosts = {request.headers["host"] for server in (first, second) for request in server.requests}
    assert code == 0, complained
    assert used == ([goes_through] if goes_through else [])
    assert hosts <= {"acme.tt.omtrdc.net"}


def test_e6_plain_http_to_another_machine_is_told_once(records):
    usual = answer(200, b'{"status": 200, "execute": {"mboxes": []}}')
    with FaultServer(usual) as proxy:
        asked = options(decisioning_method="server-side", artifact_payload=None, proxies={"http": proxy.url})
        with TargetClient.create(asked) as client:
            for _ in range(3):
                client.get_offers(request=execute(REMOTE))
    assert until(lambda: records.records)
    warnings = [record.getMessage() for record in records.records]
    assert warnings == ["Requests to acme.tt.omtrdc.net leave unencrypted (http)"]
