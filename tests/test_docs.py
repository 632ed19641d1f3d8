"""The pages say what is so: their examples run, their links lead somewhere, their tables miss nothing."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import target_decisioning
from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi
from target_decisioning import ClientOptions, TargetClient, TargetError
from target_decisioning.config import Config
from target_decisioning.events import EVENTS
from target_decisioning.preparation import CallKeywords

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("artifacts/*.md"), *ROOT.glob("fixtures/**/*.md")])
EXAMPLES = Sybil([PythonCodeBlockParser(), SkipParser()])
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_examples_of_a_page_run(page, on_loopback, monkeypatch):
    monkeypatch.chdir(ROOT)
    document = EXAMPLES.parse(page)
    document.namespace.update(on_loopback)
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md", "docs/testing.md"])
def test_a_page_runs_as_its_reader_runs_it_and_nothing_leaves_the_machine(page, no_way_out, monkeypatch, tmp_path):
    """Also nothing later: its clients are closed, and owe nothing that they could not send."""
    made, create = [], TargetClient.create

    def create_and_note(*options, **keywords):
        made.append(create(*options, **keywords))
        return made[-1]

    monkeypatch.setattr(TargetClient, "create", create_and_note)
    monkeypatch.chdir(ROOT)
    began = time.monotonic()
    document = EXAMPLES.parse(ROOT / page)
    document.namespace.update(tmp_path=tmp_path, monkeypatch=monkeypatch)
    for example in document.examples():
        example.evaluate()
    assert time.monotonic() - began < 20
    assert [client for client in made if "closed" not in repr(client)] == []
    assert [client.status()["outbox"]["dropped"] for client in made] == [0] * len(made)
    assert no_way_out == []


def test_the_quickstart_is_one_program_that_a_type_checker_accepts(tmp_path):
    program = tmp_path / "quickstart.py"
    page = (DOCS / "quickstart.md").read_text(encoding="utf-8")
    program.write_text("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    checking = [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", str(program)]
    for command in (checking, [sys.executable, str(program)]):
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_links_of_a_page_lead_somewhere(page):
    broken = [link for link in LINK.findall(_prose(page)) if not _leads_somewhere(page, link)]
    assert broken == []


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            waiting += [_target(page, link)[0] for link in LINK.findall(_prose(page)) if "://" not in link]
    assert {_name(page) for page in DOCS.rglob("*.md")} - {_name(page) for page in reached} == set()


def test_the_configuration_page_lists_every_option_of_a_client():
    listed = [row[0] for row in _rows(DOCS / "configuration.md", "## Client")]
    assert sorted(listed) == sorted(ClientOptions.__annotations__)


def test_the_configuration_page_has_the_defaults_right():
    for name, _, default, *_ in _rows(DOCS / "configuration.md", "## Client"):
        field = Config.model_fields.get(name)
        if field is not None and not field.is_required() and name not in ("events", "logger"):
            assert default == _as_written(field.default), name


@pytest.mark.parametrize("option", ["timeout", "polling_interval", "maximum_wait_ready", "geo_timeout"])
def test_a_default_in_milliseconds_is_the_one_in_seconds(option):
    by_name = {row[0]: row for row in _rows(DOCS / "configuration.md", "## Client")}
    assert float(by_name[option][2]) == Config.model_fields[f"{option}_seconds"].default * 1000


def test_the_configuration_page_lists_every_option_of_a_call():
    listed = [row[0] for row in _rows(DOCS / "configuration.md", "## Call")]
    assert sorted(listed) == sorted({*CallKeywords.__annotations__, "callback"})


def test_the_errors_page_lists_every_error():
    public = {name for name in target_decisioning.__all__ if _is_error(getattr(target_decisioning, name))}
    assert {row[0] for row in _rows(DOCS / "errors.md", "## When")} == public - {"TargetError", "ArtifactError"}
    assert public <= set(re.findall(r"\w+", _section(DOCS / "errors.md", "# Errors")))


def test_the_events_page_lists_every_event():
    assert {row[0] for row in _rows(DOCS / "events.md", "# Events")} == EVENTS


def test_how_it_works_names_files_that_exist_and_no_part_is_left_out():
    package = Path(target_decisioning.__file__).parent
    text = (DOCS / "how-it-works.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/]+(?:\.py|/))`", text))
    assert [name for name in sorted(named) if not (package / name).exists()] == []
    parts = {path.name + "/" for path in package.iterdir() if (path / "__init__.py").exists()}
    parts |= {path.name for path in package.glob("*.py") if not path.name.startswith("_")}
    assert parts - {name.partition("/")[0] + "/" if "/" in name else name for name in named} == set()


@pytest.fixture
def no_way_out(monkeypatch):
    """Let no connection leave this machine, nor a name be looked up for one; give who tried."""
    tried, connect, look_up = [], socket.socket.connect, socket.getaddrinfo

    def connect_here(connection, address):
        if not isinstance(address, str | bytes) and address[0] not in LOOPBACK:
            tried.append(address)
            raise OSError("an example may connect to this machine only")
        return connect(connection, address)

    def look_up_here(host, *args, **keywords):
        if host not in LOOPBACK and not keywords.get("flags"):
            tried.append(host)
            raise socket.gaierror("an example may look up this machine only")
        return look_up(host, *args, **keywords)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    return tried


@pytest.fixture
def on_loopback(no_way_out, monkeypatch, tmp_path):
    """Lead every client that an example makes to stand-ins."""
    with Cdn(ROOT / "artifacts") as cdn, DeliveryApi(edge_host=None) as api:
        here = {"server_domain": api.authority, "secure": False, "geo_lookup_url": cdn.geo_url}
        create = TargetClient.create

        def create_here(options=None, **keywords):
            given = {**here, **(options or {}), **keywords}
            if "artifact_payload" not in given:
                given.setdefault("artifact_location", cdn.location("shop.json"))
            return create(given)

        monkeypatch.setattr(TargetClient, "create", create_here)
        yield {"tmp_path": tmp_path, "monkeypatch": monkeypatch}
    assert no_way_out == []


def _prose(page):
    """The page's text without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def _leads_somewhere(page, link):
    if "://" in link:
        return True
    path, anchor = _target(page, link)
    return path.exists() and (not anchor or anchor in _anchors(path))


def _target(page, link):
    path, _, anchor = link.partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


def _anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _section(page, heading):
    """What stands under *heading*, up to the next one of its level."""
    text = page.read_text(encoding="utf-8")
    level = heading.partition(" ")[0]
    start = text.index(f"{heading}\n") if f"{heading}\n" in text else text.index(heading)
    end = text.find(f"\n{level} ", start + 1)
    return text[start : end if end > 0 else None]


def _rows(page, heading):
    """The cells of every table row under *heading* whose first cell is one name in code."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", _section(page, heading), re.MULTILINE)
    return [(name, *(cell.strip().strip("`") for cell in rest.split("|"))) for name, rest in rows]


def _as_written(default):
    if default is None:
        return "none"
    return {True: "true", False: "false"}.get(default, str(default)) if isinstance(default, bool) else str(default)


def _is_error(value):
    return isinstance(value, type) and issubclass(value, TargetError)
