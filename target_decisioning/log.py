"""What this package says to an operator, through the caller's logger or the standard one.

Nothing at INFO or above holds an id, an address, a cookie, a parameter or a token.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol


class Logger(Protocol):
    """What the option ``logger`` must offer; a ``logging.Logger`` does."""

    def debug(self, message: str, /, *args: Any) -> Any:
        """Take a message that only helps while hunting a fault."""

    def error(self, message: str, /, *args: Any) -> Any:
        """Take a message that somebody should act on."""


STANDARD: Logger = logging.getLogger("target_decisioning")


def warn(logger: Logger, message: str) -> None:
    """Log a warning, as an error where the caller's logger knows no warnings."""
    getattr(logger, "warning", logger.error)(message)
