"""Look a host name up within a time limit.

The system's resolver takes as long as it likes, so it runs on a thread of its own that the caller stops waiting for.
Callers who ask for the same name meanwhile share that thread: a resolver that hangs costs one thread per name. Where no
thread may be started, or none can be because the interpreter ends, the caller looks the name up itself.
"""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import Future
from typing import Any

from target_decisioning.forks import ProcessLock

Address = tuple[int, int, int, str, Any]
"""``(family, type, protocol, canonical name, socket address)``, as ``socket.getaddrinfo`` has it."""

_Question = tuple[str, int, int]

_lock = ProcessLock()
_asked: dict[_Question, Future[list[Address]]] = {}


def resolve(host: str, port: int, family: int, timeout_seconds: float | None) -> list[Address]:
    """Return the addresses of *host*, at least one; without *timeout_seconds* no thread is started.

    Raises:
        OSError: the name is unknown (``socket.gaierror``), or no text that a name could be.
        TimeoutError: nothing came within *timeout_seconds*.
    """
    try:
        return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    except socket.gaierror:
        if timeout_seconds is None:
            return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        return _ask((host, port, family)).result(timeout_seconds)


def _ask(question: _Question) -> Future[list[Address]]:
    with _lock:
        answer = _asked.get(question)
        is_new = answer is None
        if answer is None:
            answer = _asked[question] = Future()
    if is_new:
        _start(question, answer)
    return answer


def _start(question: _Question, answer: Future[list[Address]]) -> None:
    try:
        threading.Thread(target=_look_up, args=(question, answer), name="target-dns", daemon=True).start()
    except RuntimeError:
        _look_up(question, answer)


def _look_up(question: _Question, answer: Future[list[Address]]) -> None:
    host, port, family = question
    try:
        found: list[Address] = list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        answer.set_result(found)
    except OSError as error:
        answer.set_exception(error)
    finally:
        _asked.pop(question, None)


def _forget_the_parents_questions() -> None:
    global _lock  # a lock held by a thread that did not survive the fork stays held for ever
    _lock = ProcessLock()
    _asked.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_questions)
