"""Where the command starts: here it shows whether what it needs is installed."""

from __future__ import annotations

import io
import sys

EXTRA = frozenset({"typer", "rich"})
"""What the extra ``cli`` installs."""


def main() -> None:
    """Run the command that the process was started with, and end the process."""
    try:
        from target_decisioning.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        sys.exit(f"target-decisioning: {error.name} is not installed; pip install 'target-decisioning[cli]' brings it")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # where the locale knows no such character
    app(prog_name="target-decisioning")
