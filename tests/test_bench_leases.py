"""The benchmark of leases, short enough for every run of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import servers

ROOT = Path(__file__).parents[1]


def test_more_sources_take_less_time():
    """With one, two and three sources nothing is quicker than its ideal, and two are quicker than one."""
    servers.program("redis-server")
    command = [sys.executable, "-m", "bench", "leases", "--downloads", "12", "--seconds", "0.3", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    one, two, three = json.loads(done.stdout)["results"]
    assert [found["ideal"] for found in (one, two, three)] == [1.2, 0.6, 0.6]
    assert all(found["seconds"] >= found["ideal"] for found in (one, two, three))
    assert two["seconds"] < one["seconds"]
