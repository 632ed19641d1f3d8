"""A logger that keeps what it is told."""

from __future__ import annotations


class Log:
    """Errors and warnings apart, in the order told; debug lines are let go."""

    def __init__(self):
        self.errors, self.warnings = [], []

    def debug(self, message, *_):
        pass

    def error(self, message, *_):
        self.errors.append(message)

    def warning(self, message, *_):
        self.warnings.append(message)
