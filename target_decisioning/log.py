"""What this package says to an operator, through the caller's logger or the standard one.

Nothing at INFO or above holds an id, an address, a cookie, a parameter or a token.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable
from typing import Any, Protocol


class Logger(Protocol):
    """What the option ``logger`` must offer; a ``logging.Logger`` does."""

    def debug(self, message: str, /, *args: Any) -> Any:
        """Take a message that only helps while hunting a fault."""

    def error(self, message: str, /, *args: Any) -> Any:
        """Take a message that somebody should act on."""


STANDARD: Logger = logging.getLogger("target_decisioning")


class GuardedLogger:
    """A caller's logger whose own failures end here: no request pays for them."""

    def __init__(self, logger: Logger) -> None:
        self._debug, self._error = logger.debug, logger.error
        self._info: Callable[..., Any] = getattr(logger, "info", logger.debug)
        self._warning: Callable[..., Any] = getattr(logger, "warning", logger.error)

    def debug(self, message: str, /, *args: Any) -> None:
        """Pass on what only helps while hunting a fault."""
        _say(self._debug, message, args)

    def info(self, message: str, /, *args: Any) -> None:
        """Pass on what is good to know, as a debug message where the caller's logger knows nothing between."""
        _say(self._info, message, args)

    def warning(self, message: str, /, *args: Any) -> None:
        """Pass on a warning, as an error where the caller's logger knows no warnings."""
        _say(self._warning, message, args)

    def error(self, message: str, /, *args: Any) -> None:
        """Pass on what somebody should act on."""
        _say(self._error, message, args)


def inform(logger: Logger, message: str) -> None:
    """Log what is good to know, as a debug message where the caller's logger knows nothing between."""
    getattr(logger, "info", logger.debug)(message)


def warn(logger: Logger, message: str) -> None:
    """Log a warning, as an error where the caller's logger knows no warnings."""
    getattr(logger, "warning", logger.error)(message)


def fault_of(error: BaseException) -> str:
    """Return the class of *error* and where it was raised, ``ValueError at shop/pages.py:12``; never its text."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return type(error).__name__
    frame, line = frames[-1]
    return f"{type(error).__name__} at {frame.f_code.co_filename}:{line}"


def _say(log: Callable[..., Any], message: str, args: tuple[Any, ...]) -> None:
    with contextlib.suppress(Exception):  # there is nobody left to tell
        log(message, *args)
