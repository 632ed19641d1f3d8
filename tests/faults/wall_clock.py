"""Move the wall clock of a child process, and nothing else: its ``clock_gettime`` adds what stands in a shared file.

The monotonic clock goes on as before, as it does when an administrator or a time server sets the real one.
"""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *moved_seconds;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("MOVED_CLOCK"), O_RDONLY);
    moved_seconds = mmap(0, sizeof *moved_seconds, PROT_READ, MAP_SHARED, file, 0);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *moved_seconds;
    return failed;
}

time_t time(time_t *now) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now) *now = read.tv_sec;
    return read.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec read;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &read);
    now->tv_sec = read.tv_sec;
    now->tv_usec = read.tv_nsec / 1000;
    return 0;
}
"""
YEAR_SECONDS = 365 * 86_400


class WallClock:
    """The wall clock of whichever process is started with ``environment``."""

    def __init__(self, folder):
        compiler, library, self._moved = shutil.which("cc"), folder / "clock.so", folder / "moved"
        if compiler is None:
            pytest.skip("needs a C compiler to move a process's clock")
        (folder / "clock.c").write_text(_SOURCE)
        self.move(0)
        command = [compiler, "-shared", "-fPIC", "-O", "-o", library, folder / "clock.c"]
        subprocess.run(command, check=True, capture_output=True)
        self.environment = {"LD_PRELOAD": str(library), "MOVED_CLOCK": str(self._moved)}

    def move(self, seconds):
        """Set the clock so far ahead of the real one."""
        with self._moved.open("r+b" if self._moved.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))
