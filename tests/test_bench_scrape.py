"""The benchmark of a scrape, at a size small enough for every run of the tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_it_measures_what_it_says():
    """Of eight days of three projects there are as many hours, days and weeks, and a time for each way."""
    command = [sys.executable, "-m", "bench.scrape", "--days", "8", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    first, scrape, exact = done.stdout.splitlines()
    assert first.startswith(f"sqlite: {3 * 8 * 24} hours, {3 * (8 + 1)} answers, ")
    assert re.search(r"median [\d.]+ s, [\d.]+ s of CPU$", scrape)
    assert re.search(r": [\d.]+ s$", exact)
