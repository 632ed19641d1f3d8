"""What a process pays for that only decides from a file: no library that it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

import target_decisioning
from benchmarks.start import DECIDE
from benchmarks.workloads import ARTIFACTS

NOT_NEEDED = {
    "apscheduler",
    "asyncio",
    "email",
    "http.client",
    "importlib.metadata",
    "multiprocessing",
    "publicsuffixlist",
    "requests",
    "sqlite3",
    "ssl",
    "subprocess",
    "target_decisioning.delivery.request",
    "urllib3",
}


def imported(program: str, *arguments: str) -> set[str]:
    """Return the modules that a process has imported when it has run *program*."""
    command = [sys.executable, "-c", f"{program}\nprint(*sys.modules)", *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_a_decision_from_a_file_imports_nothing_that_it_does_not_need():
    assert imported(DECIDE, str(ARTIFACTS / "shop.json")) & NOT_NEEDED == set()


@pytest.mark.parametrize("package", ["target_decisioning", "target_decisioning.delivery"])
@pytest.mark.parametrize(
    "use", ["from {} import DeliveryRequest", "from {} import *", "import {0}; {0}.DeliveryRequest"]
)
def test_a_request_type_is_imported_at_its_first_use(package, use):
    assert "target_decisioning.delivery.request" not in imported(f"import sys, {package}")
    assert "target_decisioning.delivery.request" in imported(f"import sys; {use.format(package)}")


def test_the_request_of_an_answer_is_typed_at_its_first_reading():
    program = DECIDE.replace(".response.prefetch.mboxes[0].options[0].content", ".request.prefetch.mboxes[0].name")
    assert program != DECIDE
    assert "target_decisioning.delivery.request" in imported(program, str(ARTIFACTS / "shop.json"))


@pytest.mark.parametrize("package", [target_decisioning, target_decisioning.delivery], ids=lambda each: each.__name__)
def test_every_public_name_is_there_and_listed(package):
    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match=rf"^module '{package.__name__}' has no attribute 'Requests'$"):
        package.Requests  # noqa: B018
