"""The page shows what was measured."""

import importlib.util
import re

import pytest

from benchmarks import profile
from benchmarks.page import BLOCKS, PAGE, filled


def test_every_block_of_the_page_is_made_by_something():
    named = re.findall(r"<!-- measured: ([a-z-]+) -->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert {name for name, _ in named} == BLOCKS.keys()
    assert all(text.strip() for _, text in named)


def test_only_what_stands_between_markers_is_written_anew():
    page = "# A\n\n<!-- measured: peer-versions -->\nold\n<!-- end -->\n\nnew\n"
    kept = {"versions": {"ours": {"python": "3.11"}, "Node.js": {"node": "v20", "sdk": "2"}}}
    written = filled(page, lambda _kind: kept)
    expected = "- ours: python 3.11\n- Node.js: node v20; sdk 2"
    assert written == f"# A\n\n<!-- measured: peer-versions -->\n\n{expected}\n\n<!-- end -->\n\nnew\n"
    assert filled(written, lambda _kind: kept) == written


def test_each_part_of_the_profile_names_modules_that_there_are():
    for part, modules in profile.PARTS:
        for module in modules:
            assert importlib.util.find_spec(f"target_decisioning.{module}"), part


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("preparation.options", "read the options of the call"),
        ("preparation.call", "prepare it: defaults, visitor, cookie"),
        ("decisioning.decide", "walk rules, lay out the answer"),
        ("decisioning.conditions.compile", "evaluate conditions"),
        ("outbox.dispatcher", "hand over impressions and telemetry"),
        ("identity", profile.REST),
    ],
)
def test_a_module_belongs_to_the_part_that_names_it_most_closely(module, part):
    assert profile.part_of(module) == part
