"""The command line: ``target-decisioning decide`` and ``explain``. Needs the extra ``cli``."""

from target_decisioning.cli.entry import main

__all__ = ["main"]
