"""The engine: artifact + request + time + ids -> decision. Pure: no I/O, clock, randomness, threads or log."""

from target_decisioning.decisioning.decide import Decision, decide
from target_decisioning.decisioning.dependency import is_local, remote_needs
from target_decisioning.decisioning.impressions import notifications
from target_decisioning.decisioning.program import DecisionProgram, load_program
from target_decisioning.decisioning.trace import TraceSetting

__all__ = [
    "Decision",
    "DecisionProgram",
    "TraceSetting",
    "decide",
    "is_local",
    "load_program",
    "notifications",
    "remote_needs",
]
