"""Real servers for tests: found on this machine, started on free ports of loopback, stopped afterwards.

Where a program is not installed the test is skipped by name; with WIKIQ_TEST_SERVERS=required, as CI sets it, it fails.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

START_SECONDS = 30


def program(name: str) -> str:
    """The program's path; without it the test is skipped, or fails where servers are required."""
    found = shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
    if found:
        return found
    if os.environ.get("WIKIQ_TEST_SERVERS") == "required":
        pytest.fail(f"{name} is not installed, and WIKIQ_TEST_SERVERS says that it must be")
    pytest.skip(f"{name} is not installed")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def redis_server(directory: Path, port: int | None = None) -> Iterator[str]:
    """A redis-server without persistence; gives its URL."""
    server, port = program("redis-server"), port or free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    url = f"redis://127.0.0.1:{port}/0"
    with running(command, lambda: redis.Redis.from_url(url).ping()):
        yield url


@contextmanager
def postgresql_server(directory: Path) -> Iterator[str]:
    """A PostgreSQL cluster of its own; gives the URL of its maintenance database."""
    initdb, postgres, port = program("initdb"), program("postgres"), free_port()
    cluster = directory / "cluster"
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(directory, "postgres")
    made = [
        *as_user,
        initdb,
        "-D",
        str(cluster),
        "-U",
        "wikiq",
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run(made, check=True, capture_output=True, cwd="/")
    options = ["-D", str(cluster), "-p", str(port), "-k", str(directory), "-h", "127.0.0.1", "-c", "fsync=off"]
    url = f"postgresql://wikiq@127.0.0.1:{port}/postgres"
    with running([*as_user, postgres, *options], lambda: psycopg.connect(url).close()):
        yield url


@contextmanager
def fresh_database(maintenance_url: str, name: str) -> Iterator[str]:
    """An empty database on a running PostgreSQL; gives its URL and drops it afterwards."""
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield maintenance_url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(maintenance_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def running(command: list[str], answers: Callable[[], object]) -> Iterator[None]:
    """A server that has begun to answer, and is stopped when the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        _wait_for(answers)
        yield
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_for(answers: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            answers()
        except (redis.RedisError, psycopg.Error):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
