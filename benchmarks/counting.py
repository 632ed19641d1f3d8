"""What a call costs in things that can be counted, so that they are the same on every machine and in every run.

Instructions of the interpreter are counted in the calling thread only; what C code does (hashing, pydantic's core)
is not in them. Counts differ between versions of Python: compare two calls of one run.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any


def instructions(call: Callable[[Any], Any], argument: Any) -> int:
    """Return how many bytecode instructions ``call(argument)`` executes."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
        elif event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(argument)
    finally:
        sys.settrace(before)
    return count


def peak_bytes(call: Callable[[Any], Any], argument: Any) -> int:
    """Return how many bytes more than before are in use at the height of ``call(argument)``."""
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    call(argument)
    _, peak = tracemalloc.get_traced_memory()
    if not was_tracing:
        tracemalloc.stop()
    return peak - before
