"""Engines read the same dumps in turns, each time in a process of its own; this one stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

TABLES = ("page", "categorylinks", "linktarget", "redirect")
ONCE = "mwsql"
"""So slow that it has one round."""


def measure(directory: Path, scale: float, seed: int, rounds: int) -> dict[str, Any]:
    sizes = _told("bench.dump_files", str(directory), f"--scale={scale}", f"--seed={seed}")
    packages = _installed()
    tables = {}
    for table in TABLES:
        sys.stderr.write(f"{table} …\n")
        file = directory / f"{table}.sql.gz"
        tables[table] = {"unpacked": sizes[table], "packed": file.stat().st_size} | _compare(table, file, rounds)
    return {
        "scale": scale,
        "rounds": rounds,
        "versions": packages,
        "tables": tables,
        "answers_equal": equal_in_all(found["equal"] for found in tables.values()),
    }


def _compare(table: str, file: Path, rounds: int) -> dict[str, Any]:
    engines = ["gunzip", "wikiq", *([ONCE] if ONCE in _installed() else [])]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in engines}
    for number in range(rounds):
        for name in engines:
            if number == 0 or name != ONCE:
                runs[name].append(_told("bench.dump_reading", name, table, str(file)))
    columns = {name: [run["columns"] for run in found] for name, found in runs.items() if name != "gunzip"}
    return {
        "engines": {name: best(found) for name, found in runs.items()},
        "rows": int(columns["wikiq"][0]["rows"]),
        "equal": equal(columns),
    }


def best(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The least time of all rounds, and the most memory."""
    times = {key: min(run[key] for run in rounds) for key in ("seconds", "processor")}
    return {**times, "peak_mb": max(run["peak_mb"] for run in rounds)}


def equal(columns: Mapping[str, Sequence[Mapping[str, str]]]) -> bool | None:
    """Whether all engines read the same columns each time; None if there is one engine alone."""
    [first, *others] = (told for found in columns.values() for told in found)
    if any(told != first for told in others):
        return False
    return True if len(columns) > 1 else None


def equal_in_all(tables: Iterable[bool | None]) -> bool | None:
    """The same of several tables: False if any differs, else None if any was not compared."""
    found = set(tables)
    return next((verdict for verdict in (False, None) if verdict in found), True)


def _installed() -> dict[str, str]:
    try:
        return {ONCE: version(ONCE)}
    except PackageNotFoundError:
        return {}


def _told(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ | {"POLARS_MAX_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)  # noqa: S603 our own module
    told: dict[str, Any] = json.loads(done.stdout)
    return told
