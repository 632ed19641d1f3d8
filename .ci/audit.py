"""Ask the advisory data about what is installed here; where it cannot be reached, say so in one line.

Fails for a weakness in what the package needs, directly or not; one in a tool is told. pip-audit counts a package that
it could not look up as harmless, so its word counts only if it looked some up.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

PACKAGE = "target-decisioning"
SECONDS = 120


def main() -> int:
    """Return 1 if a weakness is known of what the package needs, else 0."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json", "--skip-editable"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        looked_up = [one for one in json.loads(ended.stdout)["dependencies"] if "vulns" in one]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        looked_up = []
    if not looked_up:
        sys.stdout.write("pip-audit: skipped, its data cannot be reached from here\n")
        return 0
    return int(_tell(looked_up))


def _tell(looked_up: list[dict[str, Any]]) -> bool:
    """Print each weakness; return whether the package needs what has one."""
    needed = _needed(PACKAGE, set())
    has_failed = False
    for one in looked_up:
        for weakness in one["vulns"]:
            has_failed |= _canonical(one["name"]) in needed
            sys.stdout.write(
                f"{one['name']} {one['version']}: {weakness['id']}, mended in {weakness['fix_versions']}\n"
            )
    sys.stdout.write(f"pip-audit: {len(looked_up)} packages looked up\n")
    return has_failed


def _needed(package: str, known: set[str]) -> set[str]:
    """Add what *package* needs, without extras, to *known*."""
    try:
        lines = requires(package) or []
    except PackageNotFoundError:
        return known
    for line in lines:
        name = _canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0])
        if "extra ==" not in line and name not in known:
            known.add(name)
            _needed(name, known)
    return known


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
