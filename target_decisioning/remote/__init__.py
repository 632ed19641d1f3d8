"""The wire to the server-side Delivery API: the call as data, its answer as data, and the thin part that sends."""

from target_decisioning.remote.call import build_call, read_answer
from target_decisioning.remote.delivery import DeliveryApi
from target_decisioning.remote.steps import Attempt, Pause, delivery_steps, drive

__all__ = ["Attempt", "DeliveryApi", "Pause", "build_call", "delivery_steps", "drive", "read_answer"]
