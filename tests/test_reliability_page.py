"""The reliability page names tests that exist, and leaves out neither a promise nor a fault case."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
REFERENCE = re.compile(r"`([\w/]+\.py)::(\w[\w*]*)`")
ROW = re.compile(r"^\| *([A-E]?\d+) *\|(.*)$", re.MULTILINE)
LAST = {"A": 16, "B": 9, "C": 6, "D": 8, "E": 13}
NOT_YET = {"E12"}  # of a server of our own
PROMISES = sorted({f"{letter}{number}" for letter in LAST for number in range(1, LAST[letter] + 1)} - NOT_YET)
NOT_IN_THE_LIST = {5, 14, 21, 28, 33, 41, 42, 52, 57, 60, 64}
CASES = [str(number) for number in range(1, 68) if number not in NOT_IN_THE_LIST]
ROWS = dict(ROW.findall(PAGE))


def functions_of(name):
    path = TESTS / name
    return re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE) if path.exists() else []


@pytest.mark.parametrize("reference", sorted(set(REFERENCE.findall(PAGE))), ids="::".join)
def test_a_test_that_the_page_names_exists(reference):
    name, pattern = reference
    assert [test for test in functions_of(name) if fnmatchcase(test, pattern)]


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_names_the_tests_that_show_it(promise):
    assert REFERENCE.findall(ROWS[promise])


@pytest.mark.parametrize("case", CASES)
def test_a_fault_case_names_tests_that_bear_its_number(case):
    numbered = f"test_case_{int(case):02d}_"
    assert [pattern for _, pattern in REFERENCE.findall(ROWS[case]) if pattern.startswith(numbered)]


def test_a_row_stands_on_the_page_once():
    numbers = [number for number, _ in ROW.findall(PAGE)]
    assert sorted(numbers) == sorted(set(numbers))


def test_what_is_not_supported_is_said_where_it_is_deployed():
    page = (TESTS.parent / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert "gevent" in page
    assert "no asynchronous client yet" in page


def test_each_dependency_has_a_floor():
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in ("cli", "geo") for line in extras[extra])]
    assert [line for line in lines if ">=" not in line] == []
