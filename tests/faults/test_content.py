"""Answers of the CDN whose content is wrong (cases 7 to 13, 15 and 16): what decided before decides on."""

from __future__ import annotations

import gzip
import json

import pytest

from fixtures.faults import FaultServer, answer, cut_after, endless, gzip_bomb, not_modified_or, reply
from target_decisioning.errors import ArtifactInvalid, ArtifactUnsupported
from tests.builders import a_rule, an_artifact
from tests.faults.memory import watched
from tests.faults.parts import until
from tests.faults.started import SHOP_BYTES, changed_shop

MiB = 1024 * 1024
GOOD = answer(body=SHOP_BYTES, headers={"ETag": '"good"'})
CHUNKED, GZIP = {"Transfer-Encoding": "chunked"}, {"Content-Encoding": "gzip"}


def bad(body, **headers):
    return answer(body=body, headers={"ETag": '"bad"', **headers})


def failed(start, step, **more):
    """Serve the shop's artifact, then *step* for ever; return the client after two failures, its answers unchanged."""
    with FaultServer(GOOD) as server:
        one = start(server.url, **more)
        before = one.answers()
        server.then(step)
        assert until(lambda: len(one.reasons) >= 2)
        assert one.answers() == before
        assert {request.headers.get("if-none-match") for request in server.requests[1:]} == {'"good"'}
        assert one.status["etag"] == '"good"'
        one.client.close()  # its polls would fail in another way once the server has ended
    return one


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{}", b"<!doctype html><p>Sorry", b"", b"\xff\xfe\x00"])
def test_case_07_what_is_no_artifact_is_invalid_and_its_etag_is_never_sent(start, body):
    one = failed(start, bad(body))
    assert set(one.reasons) == {"invalid"}
    assert isinstance(one.of("artifact_download_failed")[0].error, ArtifactInvalid)
    assert one.status["last_error"]["reason"] == "invalid"
    assert len(one.log.errors) == 1


def test_case_08_an_artifact_of_major_version_2_is_named_and_kept_out(start):
    one = failed(start, bad(changed_shop(version="2.0.0")))
    error = one.of("artifact_download_failed")[0].error
    assert isinstance(error, ArtifactUnsupported)
    assert (error.found, error.supported) == ("2.0.0", "1")
    assert one.reasons[0] == "unsupported"


def test_case_08_a_later_minor_version_with_keys_that_nobody_knows_is_taken(start):
    newer = json.loads(SHOP_BYTES) | {"version": "1.9.7", "novelty": {"deep": [1, {"er": None}]}}
    newer["rules"]["mboxes"]["home-hero"][0]["novelty"] = True
    with FaultServer(GOOD) as server:
        one = start(server.url)
        before = one.answers()
        server.then(answer(body=json.dumps(newer).encode()))
        assert until(lambda: one.status["version"] == "1.9.7")
        assert one.answers() == before
        assert one.reasons == []


def fifty(condition):
    mboxes = {f"mbox-{number}": [a_rule(f"offer-{number}")] for number in range(49)}
    return an_artifact(**mboxes, odd=[a_rule("odd", condition=condition)])


@pytest.mark.parametrize("method", ["hybrid", "on-device"])
def test_case_09_one_rule_of_fifty_that_cannot_be_compiled_leaves_the_rest(start, api, method):
    names = [f"mbox-{number}" for number in range(49)]
    with FaultServer(answer(body=json.dumps(fifty({"regex": [{"var": "page.url"}, "x"]})).encode())) as server:
        one = start(server.url, decisioning_method=method)
        answered = one.ask(*names, "odd")
        contents = {mbox.name: mbox.options[0].content for mbox in answered.response.prefetch.mboxes if mbox.options}
        assert [contents[name] for name in names] == [f"offer-{number}" for number in range(49)]
        assert answered.meta["remote_mboxes"] == ["odd"]
        assert ("odd" in contents) is (method == "hybrid")
        assert [[entry["name"] for entry in call.body["prefetch"]["mboxes"]] for call in api.decisions] == [
            ["odd"]
        ] * len(contents.keys() & {"odd"})
        assert "regex" in "".join(one.status["undecidable"]['rules.mboxes["odd"]'])


def test_case_09_an_artifact_of_which_no_rule_compiles_is_turned_down(start):
    hopeless = an_artifact(odd=[a_rule("odd") | {"consequence": "a text"}, "no rule"])
    assert set(failed(start, bad(json.dumps(hopeless).encode())).reasons) == {"invalid"}


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(cut_after(reply(body=SHOP_BYTES[:-10], length=len(SHOP_BYTES))), id="length"),
        pytest.param(bad(gzip.compress(SHOP_BYTES)[:-8], **GZIP), id="gzip-trailer"),
        pytest.param(
            cut_after(reply(body=b"%x\r\n%b\r\n" % (len(SHOP_BYTES), SHOP_BYTES), headers=CHUNKED, length=-1)),
            id="last-chunk",
        ),
    ],
)
def test_case_10_an_artifact_that_ends_early_is_truncated(start, step):
    assert set(failed(start, step).reasons) == {"truncated"}


@pytest.mark.parametrize(
    ("encoding", "reason"), [("gzip", "too_large"), ("gzip, gzip", "encoding"), ("br", "encoding")]
)
def test_case_11_a_bomb_is_given_up_at_the_cap(encoding, reason):
    bomb = gzip_bomb(200)
    assert len(bomb) < 250 * 1024
    body = gzip.compress(bomb) if encoding == "gzip, gzip" else bomb
    with FaultServer(answer(body=body, headers={"Content-Encoding": encoding})) as server:
        found, grown_mib, seconds = watched(server.url)
    assert found == reason
    assert grown_mib < 3 * 64
    assert seconds < 2


def test_case_12_what_is_too_large_is_not_read_to_its_end(start):
    piece = b"[" + b"1," * (MiB // 2)
    body = endless(reply(headers={"Content-Type": "application/json"}, length=-1), (piece for _ in range(80)))
    with FaultServer(body) as server:
        one = start(server.url, maximum_wait_ready=0, polling_interval_seconds=0)
        assert until(lambda: one.reasons)
        assert one.reasons[0] == "too_large"
        in_flight = 12 * MiB  # what the buffers of both sockets may hold
        assert server.bytes_sent <= 32 * MiB + 64 * 1024 + in_flight


def test_case_12_what_says_that_it_is_too_large_is_not_read_at_all(start):
    with FaultServer(endless(reply(length=80 * MiB), (b"x" * MiB for _ in range(80)))) as server:
        one = start(server.url, maximum_wait_ready=0, polling_interval_seconds=0)
        assert until(lambda: one.reasons)
        assert one.reasons[0] == "too_large"
        assert server.bytes_sent <= 12 * MiB


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param(b'{"version": "1.0.0", "rules": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "rules", id="deep"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "the document", id="deeper"),
        pytest.param(b"[" * 100_000, "the document", id="deeper-and-cut"),
        pytest.param(
            changed_shop(globalMbox=7).replace(b'"globalMbox": 7', b'"globalMbox": ' + b"9" * 5000),
            "globalMbox",
            id="digits",
        ),
        pytest.param(
            changed_shop(globalMbox=7).replace(b'"globalMbox": 7', b'"globalMbox": NaN'), "globalMbox", id="NaN"
        ),
        pytest.param(SHOP_BYTES.rstrip()[:-1] + b', "rules": {}}', "the document", id="twice"),
    ],
)
def test_case_13_hostile_json_is_invalid_at_a_place(start, text, where):
    one = failed(start, bad(text))
    error = one.of("artifact_download_failed")[0].error
    assert type(error) is ArtifactInvalid
    assert where in error.where
    assert "Recursion" not in str(error)


def test_case_15_a_304_that_nobody_asked_for_is_no_artifact(start):
    with FaultServer(answer(304, headers={"ETag": '"1"'}, length=-1)) as server:
        one = start(server.url, maximum_wait_ready=0)
        assert until(lambda: len(one.reasons) >= 2)
        assert set(one.reasons) == {"unexpected_304"}
        assert not one.status["ready"]
        assert not any("if-none-match" in request.headers for request in server.requests)
        server.then(GOOD)
        assert one.client.wait_until_ready(5)


def test_case_16_a_server_that_stops_sending_etags_is_asked_without_conditions(start):
    changed = changed_shop(version="1.0.9")
    with FaultServer(not_modified_or(SHOP_BYTES, '"a"')) as server:
        one = start(server.url)
        assert until(lambda: len(server.requests) >= 3)
        server.then(answer(body=changed))
        assert until(lambda: one.status["version"] == "1.0.9")
        asked = len(server.requests)
        assert until(lambda: len(server.requests) >= asked + 3)
        assert not any("if-none-match" in request.headers for request in server.requests[asked:])
        assert one.status["etag"] is None
