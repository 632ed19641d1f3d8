"""One process of a host downloads; the others take what it left in the folder that they share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from fixtures.faults import FaultServer, answer, not_modified_or, silence
from target_decisioning.artifact.failure_note import FailureNote
from target_decisioning.artifact.retrieval import Failed
from target_decisioning.artifact.store import ArtifactStore
from target_decisioning.artifact.turn import Turn
from target_decisioning.errors import ArtifactInvalid, ArtifactUnavailable, ArtifactUnsupported, TransportError
from tests.artifact.keeping import Log, artifact, until

A, B = artifact("a"), artifact("b")
ROOT = Path(__file__).resolve().parents[2]


def tagged(body, etag):
    return answer(body=body, headers={"ETag": etag})


# --- the turn


@pytest.fixture
def turn(tmp_path):
    return lambda patience_seconds=30.0: Turn(tmp_path / "cache" / "lock", patience_seconds)


def test_one_has_the_turn_until_it_is_given_back(turn):
    first, second = turn(), turn()
    with first.taken() as is_firsts, second.taken() as is_seconds:
        assert (is_firsts, is_seconds) == (True, False)
    with second.taken() as is_seconds:
        assert is_seconds


def test_who_was_refused_for_too_long_goes_ahead(turn):
    first, second = turn(), turn(patience_seconds=0.05)
    with first.taken():
        with second.taken() as is_ours:
            assert not is_ours
        time.sleep(0.1)
        with second.taken() as is_ours:
            assert is_ours


def test_a_folder_that_cannot_be_written_is_shared_with_nobody(tmp_path):
    (tmp_path / "cache").symlink_to("/dev/full")
    first, second = (Turn(tmp_path / "cache" / "lock", 30.0) for _ in range(2))
    with first.taken() as is_firsts, second.taken() as is_seconds:
        assert is_firsts
        assert is_seconds


@pytest.mark.parametrize("locks", ["none", "not here"])
def test_without_locks_it_is_everybodys_turn(turn, monkeypatch, locks):
    def fail(*_):
        raise OSError(37, "No locks available")

    if locks == "none":
        monkeypatch.setattr("target_decisioning.artifact.turn.fcntl", None)
    else:
        monkeypatch.setattr("target_decisioning.artifact.turn.fcntl.flock", fail)
    first, second = turn(), turn()
    with first.taken() as is_firsts, second.taken() as is_seconds:
        assert is_firsts
        assert is_seconds


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path, turn):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "lock").symlink_to(tmp_path / "precious")
    with turn().taken() as is_ours:
        assert is_ours
    assert not (tmp_path / "precious").exists()


def test_a_dead_process_leaves_no_lock(tmp_path, turn):
    program = f"""
        import sys, time
        from pathlib import Path
        from target_decisioning.artifact.turn import Turn
        with Turn(Path({str(tmp_path)!r}) / "cache" / "lock", 30.0).taken() as is_ours:
            print(is_ours, flush=True)
            time.sleep(60)
    """
    holder = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout.readline() == b"True\n"
    with turn().taken() as is_ours:
        assert not is_ours
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=10)
    with turn().taken() as is_ours:
        assert is_ours


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_was_forked_off_meanwhile_neither_keeps_nor_ends_the_turn(turn):
    first, second = turn(), turn()
    go_read, go_write = os.pipe()
    with first.taken():
        child = os.fork()
        if child == 0:
            first.forget()
            os.read(go_read, 1)
            os._exit(0)
        time.sleep(0.05)
        with second.taken() as is_ours:
            assert not is_ours
    with second.taken() as is_ours:
        assert is_ours
    os.write(go_write, b"x")
    os.waitpid(child, 0)
    os.close(go_read)
    os.close(go_write)


# --- the note


@pytest.mark.parametrize(
    "failure",
    [
        Failed("connect", TransportError("connect", "no connection could be made", was_sent=False)),
        Failed("forbidden", ArtifactUnavailable("off"), 403),
        Failed("status", ArtifactUnavailable("status 503"), 503, 12.5),
        Failed("unsupported", ArtifactUnsupported("2.0.0")),
        Failed("invalid", ArtifactInvalid(("a", "b", "c"), ("d", "e", "f"))),
    ],
    ids=lambda failure: failure.reason,
)
def test_a_failure_is_read_as_it_was_written(tmp_path, failure):
    note = FailureNote(tmp_path / "note")
    assert note.read() is None
    note.write(failure)
    read = note.read()
    assert (read.reason, read.status, read.retry_after_seconds) == (
        failure.reason,
        failure.status,
        failure.retry_after_seconds,
    )
    assert type(read.error) is type(failure.error)
    assert str(read.error) == str(failure.error)
    note.clear()
    assert (note.read(), note.stamp()) == (None, None)


def test_an_error_of_somebody_else_is_told_by_its_name(tmp_path):
    note = FailureNote(tmp_path / "note")
    note.write(Failed("connect", KeyError("secret")))
    assert "KeyError" in str(note.read().error)
    assert "secret" not in str(note.read().error)


NONSENSE = [
    *("", "[]", "{}", "[" * 100_000, '["a", 1, 1, 1]', '["a", [], 1, 1]', '["a", ["SystemExit", 1], 1, 1]'),
    *('["a", ["ArtifactInvalid"], 1, 1]', '["a", ["ArtifactInvalid", 1], 1, 1]', '["a", ["TransportError"], 1, 1]'),
]


@pytest.mark.parametrize("text", NONSENSE)
def test_a_note_that_makes_no_sense_says_nothing(tmp_path, text):
    (tmp_path / "note").write_text(text)
    assert FailureNote(tmp_path / "note").read() is None


# --- keepers


def stored_in(folder):
    until(lambda: [path for path in folder.iterdir() if not path.suffix])
    return next(path for path in folder.iterdir() if not path.suffix)


def requests_in(server, seconds):
    before = len(server.requests)
    time.sleep(seconds)
    return len(server.requests) - before


def test_one_of_many_downloads_and_the_others_pick_it_up(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        kept = [keep(server.url, cache_dir=tmp_path, polling_interval_seconds=300) for _ in range(8)]
        until(lambda: all(one.name == "a" for one in kept))
        assert len(server.requests) == 1
        assert sorted(one.status["source"] for one in kept) == ["disk"] * 7 + ["network"]
        assert sum(len(one.downloads) for one in kept) == 1


def test_one_of_many_polls_and_the_others_pick_up_what_it_finds(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        kept = [keep(server.url, cache_dir=tmp_path, polling_interval_seconds=0.5) for _ in range(8)]
        until(lambda: all(one.name == "a" for one in kept))
        assert sum("if-none-match" not in request.headers for request in server.requests) == 1
        assert 3 <= requests_in(server, 2.2) <= 6
        assert all(one.status["age_seconds"] < 1.2 for one in kept)
        server.then(not_modified_or(B, '"b"'))
        until(lambda: all(one.name == "b" for one in kept))
        assert all(one.compiled == [A, B] for one in kept)
        until(lambda: all("artifact_download_succeeded" in one.names_of_events() for one in kept))


def test_why_there_is_nothing_is_shared_too(keep, tmp_path):
    with FaultServer(answer(503)) as server:
        kept = [keep(server.url, cache_dir=tmp_path, polling_interval_seconds=300) for _ in range(8)]
        until(lambda: all(one.status["failures_in_a_row"] >= 2 for one in kept))
        assert len(server.requests) <= 10  # all at the start, perhaps; then one for all
        assert all(one.status["last_error"]["status"] == 503 for one in kept)
        server.then(answer(body=A))
        until(lambda: all(one.name == "a" for one in kept), seconds=10)
        assert all(one.status["last_error"] is None for one in kept)


def test_a_revocation_reaches_all_and_removes_the_file(keep, tmp_path):
    with FaultServer(tagged(A, '"a"')) as server:
        options = {"cache_dir": tmp_path, "on_forbidden": "clear", "polling_interval_seconds": 0.1}
        kept = [keep(server.url, **options) for _ in range(4)]
        until(lambda: all(one.name == "a" for one in kept))
        server.then(answer(403))
        until(lambda: all(one.name is None for one in kept))
        assert not any(path.suffix == "" for path in tmp_path.iterdir())
        server.then(tagged(B, '"b"'))
        until(lambda: all(one.name == "b" for one in kept), seconds=10)


def test_what_another_left_is_no_older_than_the_last_look_whatever_the_wall_clock_says(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        first = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=0.3)
        second = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=0.3)
        until(lambda: first.name == second.name == "a")
        stored = stored_in(tmp_path)
        for _ in range(3):
            os.utime(stored, (1000, 1000 + len(server.requests)))
            asked = len(server.requests)
            until(lambda asked=asked: len(server.requests) > asked + 1)
            assert first.status["age_seconds"] < 5
            assert second.status["age_seconds"] < 5
            assert not first.keeper.is_stale()


def test_what_another_left_in_the_same_words_is_not_compiled_again(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        kept = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=0.2)
        stored = stored_in(tmp_path)
        asked = len(server.requests)
        for _ in range(20):
            copied = tmp_path / "copy.tmp"
            copied.write_bytes(stored.read_bytes())
            copied.replace(stored)
            time.sleep(0.05)
        assert len(server.requests) <= asked + 1
    assert kept.compiled == [A]
    assert kept.status["age_seconds"] < 1


def test_what_another_left_that_cannot_be_compiled_here_is_left_to_the_others(keep, tmp_path):
    with FaultServer(tagged(A, '"a"')) as server:
        kept = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=0.2)
        stored = stored_in(tmp_path)
        newer = ArtifactStore(tmp_path, server.url, Log())
        until(lambda: newer.save(artifact("c", "2.0.0"), '"c"') or kept.reasons)
        assert kept.reasons[0] == "unsupported"
        assert kept.name == "a"
        assert stored.exists()
        assert not stored.with_suffix(".aside").exists()


def test_an_error_that_nobody_thought_of_is_not_the_last_poll(keep, monkeypatch):
    with FaultServer(tagged(A, '"a"'), tagged(B, '"b"')) as server:
        kept = keep(server.url, polling_interval_seconds=0.1)
        with monkeypatch.context() as patched:
            patched.setattr(kept.keeper._sharing, "record", lambda _: [][0])
            until(lambda: "internal" in kept.reasons)
        asked = len(server.requests)
        until(lambda: len(server.requests) > asked + 2)
        assert kept.name == "b"
        assert kept.status["last_error"] is None


def test_a_damaged_file_is_news_to_nobody(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        kept = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=0.1)
        until(lambda: kept.name == "a")
        stored = stored_in(tmp_path)
        until(lambda: stored.write_bytes(b"damaged") and kept.status["set_aside"])
        asked = len(server.requests)
        until(lambda: len(server.requests) > asked + 1)
        assert kept.name == "a"
        assert kept.reasons == []


def test_a_process_that_hangs_with_the_turn_is_not_waited_for_for_ever(keep, tmp_path, monkeypatch):
    monkeypatch.setattr("target_decisioning.artifact.sharing.PATIENCE_SECONDS", 0.3)
    with FaultServer(silence, answer(body=A)) as server:
        keep(server.url, cache_dir=tmp_path, polling_interval_seconds=300)
        until(lambda: server.requests)
        second = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=300)
        assert second.keeper.wait_until_ready(5)


def test_a_fetch_that_never_returns_is_given_up_and_what_it_brings_late_is_not_taken(keep):
    release = threading.Event()

    class Hanging:
        def retrieve(self, current, total_seconds):
            release.wait(10)
            return retrieve(current, total_seconds)

    with FaultServer(tagged(A, '"a"'), tagged(B, '"b"')) as server:
        kept = keep(server.url, polling_interval_seconds=0.2)
        until(lambda: kept.name == "b")
        retrieve = kept.keeper._retrieval.retrieve
        working, kept.keeper._retrieval = kept.keeper._retrieval, Hanging()
        time.sleep(0.5)
        kept.keeper._retrieval = working
        asked = len(server.requests)
        kept.keeper._due, kept.keeper._next_look = time.monotonic() - 31, 0.0
        kept.keeper.refresh_if_due()
        until(lambda: len(server.requests) > asked + 1)
        assert kept.status["timer_restarts"] == 1
        release.set()
