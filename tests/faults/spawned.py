"""What a pool of spawned processes imports: the client is made by the pool's initializer, once in each process."""

from __future__ import annotations

from typing import Any

from target_decisioning import TargetClient
from tests.faults.parts import execute

client: TargetClient


def create_client(options: dict[str, Any]) -> TargetClient:
    """Make this process's client."""
    global client
    client = TargetClient.create(options)
    return client


def decide(given: TargetClient) -> None:
    """Use a client that came from elsewhere, which cannot happen."""
    given.get_offers(request=execute())


def decide_for(visitor: str) -> str:
    """Decide for *visitor* and send what is owed: a pool's processes end without ``atexit``."""
    answer = client.get_offers(request=execute(tnt_id=visitor))
    client.flush(10)
    return str(answer.response.execute.mboxes[0].name)
