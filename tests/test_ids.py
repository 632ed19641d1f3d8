"""Ids: random UUIDs, each given out once."""

import os
import threading
import uuid

from target_decisioning.ids import new_id


def test_an_id_is_a_random_uuid():
    for made in (new_id() for _ in range(3000)):
        read = uuid.UUID(made)
        assert (read.hex, read.version, read.variant) == (made, 4, uuid.RFC_4122)


def test_threads_get_different_ids():
    made, lock = [], threading.Lock()

    def make():
        own = [new_id() for _ in range(5000)]
        with lock:
            made.extend(own)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(made) == 40_000


def test_a_forked_child_makes_its_own():
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, " ".join(new_id() for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = set(os.read(reading, 65_536).decode().split())
    assert len(theirs) == 50
    assert theirs.isdisjoint(new_id() for _ in range(2000))
