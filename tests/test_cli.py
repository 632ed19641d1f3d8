"""The command line, mostly in this process; as a process of its own where that matters."""

import json
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fixtures.cdn import Cdn
from fixtures.loopback import Answer
from target_decisioning import __version__
from target_decisioning.cli.app import app
from target_decisioning.cli.inputs import moment_ms
from target_decisioning.cli.output import visible
from tests.matching import differences

ROOT = Path(__file__).parent.parent
SHOP = ROOT / "artifacts/shop.json"
REQUESTS = {path.stem: path for path in sorted((ROOT / "fixtures/requests").glob("*.json"))}
DECIDED_WITHOUT_A_LOOK_UP = [name for name, path in REQUESTS.items() if '"geo": {"x-geo' not in path.read_text("utf-8")]
ORGANIZATION = "1234567890@AdobeOrg"


def run(*arguments, stdin=None):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def decided(*arguments, artifact=SHOP, stdin=None):
    result = run("decide", "--artifact", artifact, *arguments, stdin=stdin)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def explained(request, *arguments, artifact=SHOP):
    result = run("explain", "--artifact", artifact, "--request", "-", *arguments, stdin=json.dumps(request))
    assert result.exit_code == 0, result.stderr
    return result


def refusal(*arguments, stdin=None):
    """What is told of input that cannot be used: one message, nothing on stdout."""
    result = run(*arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    return result.stderr.removeprefix("error: ").rstrip("\n")


def an_mbox(name="home-hero", visitor="anna", **mbox):
    return {"id": {"tntId": visitor}, "execute": {"mboxes": [{"name": name, "index": 0, **mbox}]}}


@pytest.fixture
def file_of(tmp_path):
    def write(content, name="file.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


# -- decide ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DECIDED_WITHOUT_A_LOOK_UP)
def test_the_answer_is_the_clients_own(name):
    case = json.loads(REQUESTS[name].read_text("utf-8"))
    options = case.get("options", {})
    arguments = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
    if "now" in case:
        arguments += ["--now", case["now"]]
    answer = decided("--request", REQUESTS[name], *arguments)
    assert list(differences(case["response"], answer["response"])) == []
    assert answer["meta"] == case["meta"]


def test_a_request_may_come_from_standard_input_and_inside_an_answer():
    answer = decided("--request", "-", "--session-id", "s", stdin=json.dumps(an_mbox()))
    again = decided("--request", "-", "--session-id", "s", stdin=json.dumps(answer))
    assert again["response"] == answer["response"]


def test_the_client_code_decides_the_allocation_and_is_the_artifacts_own_if_not_given(file_of):
    shares = {
        client: explained(an_mbox(), "--json", *arguments).stdout.partition('"allocation": ')[2].partition(",")[0]
        for client, arguments in {"own": [], "acme": ["--client", "acme"], "other": ["--client", "other"]}.items()
    }
    assert shares["own"] == shares["acme"] == "70.1"
    assert shares["other"] != "70.1"
    nameless = json.loads(SHOP.read_text("utf-8")) | {"meta": {}}
    result = run("decide", "-a", file_of(nameless), "-r", REQUESTS["hero-coast"])
    assert result.exit_code == 2
    assert "--client" in result.stderr


def test_the_moment_is_what_conditions_and_cookie_see():
    lunch = ["--request", REQUESTS["lunch-monday-noon"]]
    noon = decided(*lunch, "--now", "2024-03-04T12:30:00Z", "--session-id", "s")
    assert noon["targetCookie"]["value"].startswith("session#s#1709557260|")
    assert noon["response"] == decided(*lunch, "--now", "1709555400000")["response"]
    assert noon["response"] != decided(*lunch, "--now", "2024-03-04T22:30:00Z")["response"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", 0),
        ("1709555400000", 1709555400000),
        ("2024-03-04", 1709510400000),
        ("2024-03-04T12:30", 1709555400000),
        ("2024-03-04T14:30:00.001+02:00", 1709555400001),
        ("2024-03-04 12:30:00.9999Z", 1709555400999),
    ],
)
def test_a_moment_is_iso_8601_or_epoch_milliseconds_in_utc(text, moment):
    assert moment_ms(text) == moment


@pytest.mark.parametrize("now", ["", "noon", "-1", "1969-12-31", "999999999999999", "0001-01-01T00:00+14:00", "\uff11"])
def test_another_moment_is_a_usage_error(now):
    result = run("decide", "-a", SHOP, "-r", "-", "--now", now, stdin="{}")
    assert result.exit_code == 2
    assert "--now" in result.stderr


def test_a_property_token_stands_for_that_of_a_request_without_one():
    request = json.dumps(an_mbox("newsletter"))
    without, with_token = (
        decided("--request", "-", *arguments, stdin=request)["response"]["execute"]["mboxes"][0]
        for arguments in ([], ["--property-token", "shop-web"])
    )
    assert without != with_token


def test_traces_come_as_the_request_asks_unless_an_option_says_otherwise():
    plain, traced = json.dumps(an_mbox()), json.dumps(an_mbox() | {"trace": {"authorizationToken": "t"}})
    arguments = ("--request", "-")
    assert "trace" not in decided(*arguments, stdin=plain)
    assert "trace" in decided(*arguments, stdin=traced)
    assert "trace" in decided(*arguments, "--trace", stdin=plain)
    assert "trace" not in decided(*arguments, "--no-trace", stdin=traced)


def test_compact_is_one_line_of_the_same_json():
    arguments = ["decide", "-a", SHOP, "-r", REQUESTS["hero-coast"], "--now", "0", "--session-id", "s"]
    pretty, compact = run(*arguments), run(*arguments, "--compact")
    assert compact.stdout.count("\n") == 1 < pretty.stdout.count("\n")
    assert json.loads(compact.stdout) == json.loads(pretty.stdout)


def test_the_output_is_utf_8_and_holds_no_character_that_steers_a_terminal(file_of):
    shop = json.loads(SHOP.read_text("utf-8"))
    content = "caf\u00e9 \x1b[2J \x9b2J \u2028 \ud83d"
    shop["rules"]["mboxes"]["home-hero"] = [
        {"condition": True, "consequence": {"name": "home-hero", "options": [{"type": "json", "content": content}]}}
    ]
    result = run("decide", "-a", file_of(shop), "-r", "-", stdin=json.dumps(an_mbox()))
    text = result.stdout_bytes.decode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]", text)
    assert "caf\u00e9" in text
    assert json.loads(text)["response"]["execute"]["mboxes"][0]["options"][0]["content"] == content


def test_nothing_is_sent_anywhere(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    request = an_mbox("store-finder") | {"context": {"geo": {"ipAddress": "192.0.2.7"}}}
    result = run("decide", "-a", SHOP, "-r", "-", stdin=json.dumps(request))
    assert result.exit_code == 0
    assert "ipAddress is not looked up" in result.stderr


@pytest.mark.parametrize(
    ("request_", "note"),
    [
        ({"id": {"tntId": "anna"}}, "asks for nothing"),
        ({"execute": {"mboxes": [{"name": "home-hero"}]}}, "names no visitor"),
        (
            {"id": {"tntId": "a"}, "execute": {"mboxes": [{"name": ""}, {"name": "b"}]}},
            "execute.mboxes[0] has no valid name and",
        ),
        (an_mbox() | {"qaMode": {"token": "t"}}, "qaMode"),
    ],
)
def test_what_might_surprise_is_noted_on_stderr(request_, note):
    result = explained(request_)
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("note: ")
    assert note in result.stderr


def test_a_broken_location_is_noted_and_decided_as_the_client_does(file_of):
    shop = json.loads(SHOP.read_text("utf-8"))
    shop["rules"]["mboxes"]["home-hero"][0]["condition"] = {"regex": ["a", "b"]}
    result = run("decide", "-a", file_of(shop), "-r", REQUESTS["hero-coast"])
    assert 'rules.mboxes["home-hero"] is left to the server' in result.stderr
    assert json.loads(result.stdout)["meta"]["remoteMboxes"] == ["home-hero"]


# -- where artifacts come from -----------------------------------------------------------------------------------------


def test_an_artifact_may_come_from_a_url():
    with Cdn(SHOP.parent) as cdn:
        answer = decided("--request", REQUESTS["hero-coast"], artifact=cdn.location("shop.json"))
    assert answer["response"]["execute"]["mboxes"][0]["options"]


def test_an_artifact_may_come_from_a_file_url():
    assert decided("--request", REQUESTS["hero-coast"], artifact=SHOP.as_uri())["response"]["client"] == "acme"


def test_a_binary_artifact_is_read_with_its_organization(file_of):
    binary = file_of(_masked(SHOP.read_bytes(), ORGANIZATION), "rules.bin")
    arguments = ["--artifact", binary, "--request", REQUESTS["hero-coast"]]
    answer = run("decide", *arguments, "--organization", ORGANIZATION)
    assert json.loads(answer.stdout)["response"]["client"] == "acme"
    assert "Unable to read artifact JSON" in refusal("decide", *arguments, "--organization", "another@AdobeOrg")
    without = run("decide", *arguments)
    assert without.exit_code == 2
    assert "--organization" in without.stderr


def _masked(text, organization):
    key = b"0123456789abcdef0123456789abcdef"
    mask = organization.encode() + key
    return b"ATOD:001" + key + bytes(byte ^ mask[at % len(mask)] for at, byte in enumerate(text))


def test_a_url_that_does_not_answer_is_one_message():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    url = f"http://{host}/rules.json"
    message = refusal("decide", "-a", url, "-r", "-", stdin="{}")
    assert message == f"artifact {url}: no connection to {host}: connection refused"


@pytest.mark.parametrize(("status", "words"), [(404, "status 404"), (403, "not authorized"), (204, "status 204")])
def test_a_url_without_an_artifact_is_one_message(status, words):
    with Cdn(SHOP.parent) as cdn:
        cdn.script(Answer(status=status))
        assert words in refusal("decide", "-a", cdn.location("shop.json"), "-r", "-", stdin="{}")


# -- input that cannot be used -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("nowhere.json", "No such file"),
        (ROOT, "directory"),
        ("a\0b", "null"),
        ("ftp://example.com/rules.json", "scheme"),
        ("http://", "URL"),
        ("http://[", "URL"),
    ],
)
def test_an_artifact_that_cannot_be_read_is_one_message(location, words):
    message = refusal("decide", "-a", location, "-r", "-", stdin="{}")
    assert words in message
    assert "\n" not in message


def test_broken_json_is_told_with_line_and_column(file_of):
    broken = file_of(b'{\n  "version": "1.0.0",\n  "meta" {}\n}')
    assert "line 3 column 10" in refusal("decide", "-a", broken, "-r", "-", stdin="{}")
    assert "line 3 column 10" in refusal("decide", "-a", SHOP, "-r", broken)
    assert "standard input" in refusal("decide", "-a", SHOP, "-r", "-", stdin="{")


def test_every_fault_of_an_artifact_is_told_with_its_path(file_of):
    faulty = {"version": "1.0.0", "globalMbox": 5, "localMboxes": [1], "responseTokens": "x", "rules": {"mboxes": []}}
    lines = refusal("decide", "-a", file_of(faulty), "-r", "-", stdin="{}").split("\n")
    assert "has 4 faults" in lines[0]
    for place in ("globalMbox", "localMboxes[0]", "responseTokens", "rules.mboxes"):
        assert sum(line.startswith(f"  {place}: found ") for line in lines) == 1


def test_an_artifact_of_another_version_is_one_message(file_of):
    assert "2.0.0" in refusal("decide", "-a", file_of({"version": "2.0.0"}), "-r", "-", stdin="{}")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("[]", "no JSON object"),
        ("{}", "required"),
        ('{"execute": {"mboxes": [{"name": "a", "parameters": []}]}}', "request.execute.mboxes[0].parameters"),
        ('{"execute": {"mboxes": []}}', "required in execute"),
        ('{"id": {"tntId": "a\\nb"}}', "request.id.tntId"),
        ('{"context": {"x": NaN}}', "NaN"),
        ('{"context": {"x": 1e999}}', "1e999"),
        ('{"context": ' + "[" * 500 + "]" * 500 + "}", "nesting"),
        ("[" * 100_000, "nesting"),
        ('{"context": {"timeOffsetInMinutes": ' + "1" * 5_000 + "}}", "digits"),
    ],
)
def test_a_request_that_cannot_be_used_is_one_message(request_, words):
    message = refusal("decide", "-a", SHOP, "-r", "-", stdin=request_)
    assert words in message
    assert "\n" not in message


def test_a_message_shows_hostile_text_only_as_escapes(file_of):
    hostile = file_of({"version": "1.0.0", "rules": {"mboxes": {"\x1b[2J\n\u202e": 5}}})
    message = refusal("decide", "-a", hostile, "-r", "-", stdin="{}")
    assert message.isprintable()


@pytest.mark.parametrize("arguments", [["decide"], ["explain", "-a", SHOP], ["decied"], ["decide", "--nope"]])
def test_a_command_that_is_written_wrong_is_a_usage_error(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
ANY_REQUEST = st.fixed_dictionaries(
    {},
    optional={
        key: JSON | st.fixed_dictionaries({}, optional={"mboxes": JSON, "views": JSON, "pageLoad": JSON, "geo": JSON})
        for key in ("id", "context", "property", "execute", "prefetch", "trace", "notifications", "request")
    },
)
ANY_RULE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("ruleKey", "condition", "consequence", "meta", "propertyTokens"), JSON)
)
ANY_ARTIFACT = st.fixed_dictionaries(
    {"version": st.just("1.0.0") | JSON, "rules": st.fixed_dictionaries({"mboxes": st.just({}) | JSON})},
    optional={"meta": JSON, "globalMbox": JSON, "localMboxes": JSON, "views": JSON},
) | st.builds(
    lambda rules: {"version": "1.0.0", "meta": {"clientCode": "acme"}, "rules": {"mboxes": {"home-hero": rules}}},
    st.lists(ANY_RULE | JSON, max_size=3),
)
LOOKING = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_bytes(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@LOOKING
@given(artifact=st.binary(max_size=200) | JSON | ANY_ARTIFACT, command=st.sampled_from(["decide", "explain"]))
def test_no_artifact_brings_a_traceback(file_of, artifact, command):
    result = run(command, "-a", file_of(as_bytes(artifact)), "-r", REQUESTS["hero-coast"])
    assert result.exit_code in (0, 1, 2)


@LOOKING
@given(body=st.binary(max_size=200))
def test_no_binary_artifact_brings_a_traceback(file_of, body):
    binary = file_of(b"ATOD:001" + body, "rules.bin")
    assert run("decide", "-a", binary, "-r", "-", "--organization", "o", stdin="{}").exit_code == 1


@LOOKING
@given(request_=st.binary(max_size=200) | JSON | ANY_REQUEST, command=st.sampled_from(["decide", "explain"]))
def test_no_request_brings_a_traceback(file_of, request_, command):
    result = run(command, "-a", SHOP, "-r", file_of(as_bytes(request_)))
    assert result.exit_code in (0, 1)
    assert (result.exit_code == 0) == bool(result.stdout)


@given(text=st.text())
def test_visible_text_can_be_printed_anywhere_and_loses_nothing_that_could_be_seen(text):
    assert visible(text).isprintable()
    assert visible(text) == text or not text.isprintable()


# -- explain -----------------------------------------------------------------------------------------------------------


def test_explain_shows_the_rules_of_each_location_and_what_their_conditions_saw():
    assert explained(an_mbox(), "--now", "2024-03-04").stdout.splitlines() == [
        "client acme, visitor anna, no property, Monday 2024-03-04 00:00:00 UTC",
        "",
        "execute mbox home-hero, index 0: Home hero, autumn (700001) / Coast (1)",
        "├── ✘ [0] Home hero, autumn (700001) / Forest (0): lost",
        "│   ├── ✔ 0 <= allocation  (allocation = 70.1)",
        "│   └── ✘ 50 >= allocation  (allocation = 70.1)",
        "└── ✔ [1] Home hero, autumn (700001) / Coast (1): won",
        "    ├── ✔ 50 < allocation  (allocation = 70.1)",
        "    └── ✔ 100 >= allocation  (allocation = 70.1)",
    ]


def test_a_rule_that_was_not_evaluated_is_one_line():
    lines = explained(an_mbox(visitor="hugo")).stdout.splitlines()
    assert lines[-1] == (
        "└── · [1] Home hero, autumn (700001) / Coast (1): "
        "not reached: the mbox has its answer from [0]; its condition would not hold"
    )


def test_a_rule_of_other_properties_shows_which():
    lines = explained(an_mbox("newsletter"), "--property-token", "shop-web").stdout.splitlines()
    assert any(
        line.endswith("wrong property: the request is of another property; its condition would hold") for line in lines
    )
    assert "│   └── ✘ property is one of shop-app" in lines
    assert "    ├── ✔ property is one of shop-web, shop-web-test" in lines


def test_what_needs_the_server_and_what_is_unknown_here_says_so():
    text = explained(an_mbox("recommendations")).stdout
    assert text.splitlines()[2:] == [
        "execute mbox recommendations, index 0: has no rules here",
        "└── ! needs the server: it is in remoteMboxes",
    ]


def test_with_many_winners_only_their_number_stands_above():
    request = json.loads(REQUESTS["page-load"].read_text("utf-8"))["request"]
    text = explained(request, artifact=ROOT / "artifacts/large.json").stdout
    assert re.search(r"^execute page load target-global-mbox: \d+ of \d+ rules answer$", text, re.MULTILINE)


def test_groups_of_conditions_nest_and_parts_out_of_reach_say_so():
    request = {"id": {"tntId": "ben"}, "prefetch": {"views": [{"name": "home", "parameters": {"member": "no"}}]}}
    text = explained(request).stdout
    assert "✘ all of" in text
    assert '· "yes" == mbox.member  (mbox.member = "no")  not evaluated' in text


def test_explain_as_json_holds_the_same_and_compact_makes_it_one_line():
    wire = json.loads(explained(an_mbox(), "--json").stdout)
    (location,) = wire["locations"]
    assert location["answeredBy"] == ['rules.mboxes["home-hero"][1]']
    assert location["rules"][0]["condition"]["checks"][1] == {
        "operator": ">=",
        "text": "50 >= allocation",
        "arguments": [50, {"var": "allocation"}],
        "saw": [{"expression": {"var": "allocation"}, "value": 70.1}],
        "value": False,
        "holds": False,
        "evaluated": True,
    }
    compact = explained(an_mbox(), "--compact").stdout
    assert compact.count("\n") == 1
    assert json.loads(compact)["locations"] == wire["locations"]


def test_a_tree_shows_hostile_names_and_values_only_as_escapes(file_of):
    shop = json.loads(SHOP.read_text("utf-8"))
    rule = shop["rules"]["mboxes"]["home-hero"][0]
    rule["meta"]["activity.name"] = "[red]\x1b[2J\nname"
    rule["condition"] = {"==": [{"var": "mbox.a"}, "\x9b2J"]}
    text = explained(an_mbox(parameters={"a": "\u202ex"}), artifact=file_of(shop)).stdout
    assert text.replace("\n", "").isprintable()
    assert "[red]\\x1b[2J\\nname" in text


# -- as a process ------------------------------------------------------------------------------------------------------


def process(*arguments, **keywords):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60, check=False, **keywords)


def test_the_package_runs_as_a_module():
    request = REQUESTS["hero-coast"]
    done = process("-W", "error", "-m", "target_decisioning", "decide", "--artifact", SHOP, "--request", request)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (
        list(differences(json.loads(request.read_text("utf-8"))["response"], json.loads(done.stdout)["response"])) == []
    )


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("target-decisioning")
    done = subprocess.run([command, "--version"], capture_output=True, timeout=60, check=False)
    assert done.stdout.decode() == f"target-decisioning {__version__}\n"


def test_where_the_extra_is_missing_one_line_says_how_to_install_it():
    code = "import sys; sys.modules['typer'] = None; from target_decisioning.cli import main; main()"
    done = process("-c", code)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "target-decisioning: typer is not installed; pip install 'target-decisioning[cli]' brings it"
    ]


def test_the_library_itself_needs_nothing_of_the_command_line():
    code = (
        "import sys, target_decisioning; print({'typer', 'click', 'rich', 'target_decisioning.cli'} & set(sys.modules))"
    )
    assert process("-c", code).stdout.decode().strip() == "set()"


def test_a_reader_that_goes_away_is_no_traceback():
    command = [sys.executable, "-m", "target_decisioning", "explain", "-a", "artifacts/large.json", "-r"]
    request = "fixtures/requests/page-load.json"
    with subprocess.Popen([*command, request], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        running.stdout.readline()
        running.stdout.close()
        assert b"Traceback" not in running.stderr.read()


def test_a_terminal_of_another_encoding_is_no_traceback():
    arguments = ["-m", "target_decisioning", "explain", "-a", SHOP, "-r", REQUESTS["hero-coast"]]
    done = process(*arguments, env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    assert b"lost" in done.stdout


# -- its page ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "output"),
    re.findall(
        r"```console\n\$ target-decisioning (.*)\n([^`]*)```", (ROOT / "docs/command-line.md").read_text("utf-8")
    ),
)
def test_the_page_shows_what_the_command_prints(command, output, monkeypatch):
    monkeypatch.chdir(ROOT)
    printed = run(*shlex.split(command)).stdout
    shown, dots, _ = output.partition("...\n")
    assert printed[: len(shown)] == shown if dots else printed == output


@pytest.mark.parametrize("command", ["decide", "explain"])
def test_the_page_names_every_option(command):
    page = (ROOT / "docs/command-line.md").read_text("utf-8")
    offered = set(re.findall(r"--[a-z-]+", re.sub(r"\x1b\[[0-9;]*m", "", run(command, "--help").stdout)))
    assert {option for option in offered - {"--help"} if f"`{option}`" not in page} == set()


@pytest.mark.parametrize("command", ["decide", "explain"])
def test_the_help_shows_no_type_for_a_switch(command):
    """But for ``--help`` itself, which is not ours."""
    lines = [line for line in run(command, "--help").stdout.splitlines() if "<" in line]
    assert all("--help" in line for line in lines)
