"""Print pip constraints that hold each dependency at the lowest version that pyproject.toml allows.

A floor is only worth its name if somebody tries it: ``make test-lowest`` installs these and runs the tests.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

FLOOR = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?>=(?P<version>[0-9A-Za-z.]+)")
EXTRAS = ("cli", "geo")


def floors(project: dict[str, Any]) -> list[str]:
    """Return ``name==version`` for what the package and its extras need."""
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *(line for extra in EXTRAS for line in extras[extra])]
    found = [FLOOR.match(line) for line in needed]
    return [f"{floor['name']}=={floor['version']}" for floor in found if floor]


if __name__ == "__main__":
    pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
    sys.stdout.write("\n".join(floors(tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"])) + "\n")
