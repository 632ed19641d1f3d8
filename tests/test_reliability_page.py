"""The reliability page names tests that exist, and leaves out neither a promise nor a fault case."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
REFERENCE = re.compile(r"`([\w/]+\.py)::(\w[\w*]*)`")
ROW = re.compile(r"^\| *([A-E]?\d+) *\|(.*)$", re.MULTILINE)
PROMISES = [f"{letter}{number}" for letter, last in (("A", 16), ("C", 6)) for number in range(1, last + 1)]
NOT_IN_THE_LIST = {5, 14, 21, 28, 33, 41, 42, 52, 57, 60, 64}
CASES = [str(number) for number in range(1, 31) if number not in NOT_IN_THE_LIST]
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
