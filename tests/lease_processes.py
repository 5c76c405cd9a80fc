"""Processes that hold leases, or fetch by them, for the tests of leases."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import servers
from lease_samples import (
    age,
    process,
    wait_for,
)

from worker.lease import open_leases

HOLDER = """
import sys, time
from worker.lease import hold_lease, open_leases
from worker.lease_held import check_lease
from worker.patience import Interrupted
with hold_lease(open_leases(sys.argv[1]), "https://dumps.wikimedia.org", 1, expiry_seconds=float(sys.argv[2])):
    print("in", flush=True)
    try:
        while True:
            time.sleep(0.02)
            check_lease()
    except Interrupted:
        print("interrupted", flush=True)
"""
FETCHER = """
import os, sys, threading, time
from datetime import datetime
from functools import partial
from pathlib import Path

redis_url, directory, shift, *urls = sys.argv[1:]
for name in ("time", "time_ns"):
    unit = 1 if name == "time" else 10**9
    setattr(time, name, lambda real=getattr(time, name), unit=unit: real() + int(shift) * unit)

from worker.client import open_http
from worker.fetch import fetch
from worker.lease import hold_lease, open_leases

client = open_leases(redis_url)
client.ping()
child = os.fork()
failed = threading.excepthook
threading.excepthook = lambda args: (failed(args), os._exit(1))

def work(number):
    for url in urls:
        into = Path(directory, f"{os.getpid()}-{number}", url.rpartition("/")[2])
        into.parent.mkdir(exist_ok=True)
        fetch(open_http("tests@localhost", "0"), url, into, budget=partial(hold_lease, client, url, expiry_seconds=6))

threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


@pytest.fixture(name="old_redis_url")
def redis_of_some_age(client: redis.Redis, redis_url: str) -> str:
    """The URL of that Redis once it is old enough for leases of six seconds, too."""
    wait_for(lambda: age(client) > 6 / 3 + 1)
    return redis_url


@contextmanager
def holder(redis_url: str, expiry: float) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a source's only connection."""
    with process(HOLDER, redis_url, str(expiry)) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "in\n"
        yield started


@contextmanager
def passing_redis(directory: Path, port: int) -> Iterator[redis.Redis]:
    with servers.redis_server(directory, port) as url, open_leases(url) as client:
        yield client
