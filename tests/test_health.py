"""Whether a worker lives, as its files tell it and as ``wikiq health`` says it."""

from __future__ import annotations

import os
import socket
import time

import pytest
from cli_process import environment, wikiq

from models.errors import DataDirectoryUnwritable, UsageError, WorkerNotAlive, WorkerNotReady
from worker.health import ALIVE_SECONDS, check_alive, check_ready, health_of

NOW = 1_700_000_000.0


@pytest.fixture
def health(tmp_path):
    return health_of(tmp_path, "one")


def beat_at(health, moment):
    os.utime(health.alive, (moment, moment))


def test_nobody(health):
    """Where no worker ever was, none is alive."""
    with pytest.raises(WorkerNotAlive, match="no worker"):
        check_alive(health, NOW)


def test_an_age(health):
    """A worker is alive until ten minutes have passed since its last beat."""
    health.begin()
    beat_at(health, NOW)
    check_alive(health, NOW + ALIVE_SECONDS)
    with pytest.raises(WorkerNotAlive, match="601 s"):
        check_alive(health, NOW + ALIVE_SECONDS + 1)


def test_a_clock_that_was_set_back(health):
    """A beat of the future counts like one of the past: what left it may have stood still since."""
    health.begin()
    beat_at(health, NOW)
    check_alive(health, NOW - ALIVE_SECONDS)
    with pytest.raises(WorkerNotAlive, match="601 s"):
        check_alive(health, NOW - ALIVE_SECONDS - 1)


def test_ready(health):
    """A worker is ready while it takes tasks, and only as long as it is alive."""
    health.begin()
    beat_at(health, NOW)
    with pytest.raises(WorkerNotReady):
        check_ready(health, NOW)
    health.take_tasks()
    check_ready(health, NOW)
    with pytest.raises(WorkerNotAlive):
        check_ready(health, NOW + ALIVE_SECONDS + 1)
    health.take_no_tasks()
    with pytest.raises(WorkerNotReady):
        check_ready(health, NOW)


def test_what_a_killed_worker_left(health):
    """A worker that begins is not ready because one of the same name had been when it was killed."""
    health.begin()
    health.take_tasks()
    health.begin()
    with pytest.raises(WorkerNotReady):
        check_ready(health, time.time())


def test_the_end(health):
    """A worker that has ended leaves nothing; ending twice does no harm."""
    health.begin()
    health.take_tasks()
    health.end()
    health.end()
    assert list(health.alive.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a b", "x" * 300, "é", "a\n"])
def test_names_that_would_choose_a_path(tmp_path, name):
    """A name that is more than a plain word is refused."""
    with pytest.raises(UsageError, match="--name"):
        health_of(tmp_path, name)


def test_a_directory_that_cannot_be_written(tmp_path):
    """Where the files cannot be written, the error names the place."""
    (tmp_path / "health").write_text("in the way")
    with pytest.raises(DataDirectoryUnwritable, match="health"):
        health_of(tmp_path).begin()


def test_the_command(tmp_path):
    """``wikiq health`` ends with 0 for a worker of this machine that lives, with 1 and a reason otherwise."""
    surroundings = environment(tmp_path, WIKIQ_BROKER_URL="redis://127.0.0.1:9/0")
    none = wikiq(surroundings, "health")
    assert (none.code, none.stdout) == (1, "")
    assert "no worker" in none.stderr
    health_of(tmp_path / "data", socket.gethostname()).begin()
    assert wikiq(surroundings, "health").code == 0
    waiting = wikiq(surroundings, "health", "--ready")
    assert (waiting.code, "takes no tasks" in waiting.stderr) == (1, True)
    assert wikiq(surroundings, "health", "--name", "another").code == 1
