"""Conditions of rules (JsonLogic): read at load, interpreted to explain, compiled to decide."""

from target_decisioning.decisioning.conditions.compiler import compile_conditions, compile_value
from target_decisioning.decisioning.conditions.condition import Condition, parse
from target_decisioning.decisioning.conditions.limits import ConditionError

__all__ = ["Condition", "ConditionError", "compile_conditions", "compile_value", "parse"]
