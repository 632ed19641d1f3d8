"""For every test: what must stay private is in no log record at INFO or above, and in the text of no error.

Tests write the word ``canary`` into what nobody may read in a log: ids, addresses, cookies, parameters, tokens. Here
all records and all errors of the package are searched for it, in whatever test they come up.
"""

from __future__ import annotations

import logging
import threading

import pytest

from target_decisioning import ConfigError, TargetError

MARK = "canary"


class Witness(logging.Handler):
    """Sees every log record at INFO or above, and every error that the package makes."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.errors = []
        self.said = []

    def emit(self, record):
        self.said.append(f"{record.levelname} {self.format(record)}")

    def make(self, kind, *_, **__):
        """Stand for ``TargetError.__new__``. A ``ConfigError`` names what its programmer wrote, so it may."""
        error = Exception.__new__(kind)
        if not issubclass(kind, ConfigError):
            self.errors.append(error)
        return error

    def take_leaks(self):
        """Return what has been said with the mark in it, and forget everything."""
        texts = [*self.said, *(f"{error} {error!r}" for error in self.errors if vars(error))]
        self.said, self.errors = [], []
        return [text for text in texts if MARK in text.lower()]


@pytest.fixture
def begun():
    """Give the names of the threads that began since the test did, of those that begin with one of *prefixes*.

    What earlier tests left running, on a busy machine for a while, is none of them.
    """
    before = set(threading.enumerate())

    def names(*prefixes):
        threads = set(threading.enumerate()) - before
        return [thread.name for thread in threads if thread.name.startswith(prefixes or "")]

    return names


@pytest.fixture(scope="session")
def witness():
    witness = Witness()
    logging.getLogger().addHandler(witness)
    TargetError.__new__ = witness.make
    yield witness
    del TargetError.__new__
    logging.getLogger().removeHandler(witness)


@pytest.fixture(autouse=True)
def _nothing_private_is_told(witness):
    witness.take_leaks()
    yield
    leaks = witness.take_leaks()
    assert leaks == [], f"told although it is private: {leaks}"
