"""The same table for a terminal and for a page."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

WIDE = 150
"""Columns where nobody looks at a terminal."""


@dataclass(frozen=True)
class Sheet:
    """A table of texts; the first *words* columns hold words, the others numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def show(self) -> None:
        """Print it."""
        table = Table(title=self.title, title_justify="left")
        for at, name in enumerate(self.head):
            table.add_column(name, justify="left" if at < self.words else "right")
        for row in self.rows:
            table.add_row(*row)
        terminal = Console()
        width = None if terminal.is_terminal else max(WIDE, shutil.get_terminal_size().columns)
        Console(width=width).print(table)

    def markdown(self) -> str:
        """Return it as a page has it, without the title."""
        rule = tuple("---" if at < self.words else "--:" for at in range(len(self.head)))
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (self.head, rule, *self.rows))
