"""How much the outbox holds, and how hard it tries. The values are documented defaults."""

from typing import NamedTuple

_MIB = 1024 * 1024


class OutboxLimits(NamedTuple):
    """Bounds and paces of an outbox. Source: faults.md D1 to D8, B6."""

    items: int = 10_000
    """Items that wait in memory."""
    bytes: int = 16 * _MIB
    """Bytes that wait in memory, packed (somewhat more than JSON has); counted a moment after an item was taken."""
    disk_items: int = 100_000
    """Items that wait on disk."""
    disk_bytes: int = 64 * _MIB
    """JSON bytes that wait on disk."""
    dead_letters: int = 1_000
    """Undeliverable items that are remembered, the latest ones."""
    senders: int = 8
    """Items that are sent at the same time."""
    first_delay_seconds: float = 1.0
    """Longest pause after the first failure; it doubles with each further one."""
    longest_delay_seconds: float = 300.0
    """Longest pause of all."""
    drain_per_second: float = 50.0
    """Items a second that had to wait for an outage to end; new ones do not queue behind them."""
    expiry_seconds: float = 72 * 3600.0
    """Age at which an item is given up."""
    exit_seconds: float = 2.0
    """Time that the end of the interpreter is held up for what still waits."""
