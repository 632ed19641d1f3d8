"""The last good artifact on disk: whole or not at all, and never a reason not to start."""

from __future__ import annotations

import os
import stat
import time

import pytest

from target_decisioning.artifact.store import ArtifactStore, Stored
from tests.artifact.keeping import Log

LOCATION = "https://cdn.example/rules.json"
BODY = bytes(range(256)) * 20


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def store(tmp_path, log):
    return ArtifactStore(tmp_path / "cache", LOCATION, log)


def set_aside(store):
    return [path.name for path in store.path.parent.iterdir() if path.suffix == ".aside"]


def test_what_was_saved_is_loaded_with_its_etag_and_age(store):
    assert store.load() is None
    began_ms = int(time.time() * 1000) - 20  # a file system's clock ticks more coarsely
    store.save(BODY, '"1"')
    stored = store.load()
    assert (stored.body, stored.etag) == (BODY, '"1"')
    assert began_ms <= stored.confirmed_ms <= time.time() * 1000


def test_a_confirmation_makes_it_young_again(store):
    store.save(BODY, None)
    text = store.path.read_bytes()
    os.utime(store.path, (1000, 1000))
    store.confirm()
    assert store.path.read_bytes() == text
    assert time.time() - store.path.stat().st_mtime < 5


def test_a_time_in_the_future_counts_as_now(store):
    store.save(BODY, None)
    os.utime(store.path, (9e9, 9e9))
    assert store.load().confirmed_ms <= time.time() * 1000


def test_only_its_owner_may_read_it(store):
    store.save(BODY, None)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_a_file_cut_anywhere_is_moved_aside(store):
    store.save(BODY, '"1"')
    whole = store.path.read_bytes()
    for length in [*range(0, len(whole), 256), len(whole) - 1]:
        store.path.write_bytes(whole[:length])
        assert store.load() is None
        assert not store.path.exists()
        assert set_aside(store) == [store.path.with_suffix(".aside").name]
        assert store.path.with_suffix(".aside").stat().st_size == length
    assert store.load() is None  # and now there is nothing


@pytest.mark.parametrize("position", range(0, 200, 7))
def test_a_byte_that_changed_anywhere_is_noticed(store, position):
    store.save(BODY, '"1"')
    data = bytearray(store.path.read_bytes())
    data[position] ^= 1
    store.path.write_bytes(data)
    assert store.load() is None
    assert store.set_aside_count == 1


def test_an_artifact_of_another_location_or_a_newer_schema_is_not_used(store, log):
    store.save(BODY, None)
    other = ArtifactStore(store.path.parent, "https://other.example/", log)
    other.path.write_bytes(store.path.read_bytes())
    assert other.load() is None
    store.path.write_bytes(store.path.read_bytes().replace(b"artifact 1 ", b"artifact 2 "))
    assert store.load() is None
    assert len(set_aside(store)) == 2


def test_locations_share_a_folder(store, log):
    other = ArtifactStore(store.path.parent, "https://other.example/", log)
    store.save(b"one", None)
    other.save(b"two", None)
    assert (store.load().body, other.load().body) == (b"one", b"two")


def test_a_folder_that_cannot_be_written_is_warned_of_once(tmp_path, log):
    (tmp_path / "cache").symlink_to("/dev/full")
    store = ArtifactStore(tmp_path / "cache", LOCATION, log)
    for _ in range(3):
        assert store.load() is None
        store.save(BODY, None)
        store.confirm()
    assert len(log.said) == 1


def test_a_file_that_is_a_device_is_neither_read_nor_written_through(store):
    store.path.parent.mkdir()
    store.path.symlink_to("/dev/full")
    assert store.load() is None
    store.save(BODY, None)
    assert store.load().body == BODY
    assert not store.path.is_symlink()


def test_a_full_disk_leaves_what_was_there(store, log, monkeypatch):
    store.save(BODY, '"1"')

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        store.save(b"new", '"2"')
    assert store.load() == Stored(BODY, '"1"', store.load().confirmed_ms)
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]
    assert log.said == ["The artifact cannot be stored: No space left on device"]


def test_what_a_killed_writer_left_is_removed_in_time(store):
    store.save(BODY, None)
    old, young = store.path.with_name(f"{store.path.name}.a.tmp"), store.path.with_name(f"{store.path.name}.b.tmp")
    old.touch()
    young.touch()
    os.utime(old, (1000, 1000))
    store.save(BODY, None)
    assert (old.exists(), young.exists()) == (False, True)
