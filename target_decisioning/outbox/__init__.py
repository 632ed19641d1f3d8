"""Impressions and telemetry on their way: a bounded queue, in memory or on disk, with senders behind it."""

from target_decisioning.outbox.dead_letter import DeadLetter
from target_decisioning.outbox.limits import OutboxLimits
from target_decisioning.outbox.outbox import Outbox
from target_decisioning.outbox.schedule import TELEMETRY
from target_decisioning.outbox.verdict import Verdict, verdict_on

__all__ = ["TELEMETRY", "DeadLetter", "Outbox", "OutboxLimits", "Verdict", "verdict_on"]
