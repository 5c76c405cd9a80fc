"""Engines read the same dumps in turns, each time in a process of its own; this one stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
        "answers_equal": all(found["equal"] for found in tables.values()),
    }


def _compare(table: str, file: Path, rounds: int) -> dict[str, Any]:
    engines = ["gunzip", "wikiq", *([ONCE] if ONCE in _installed() else [])]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in engines}
    for number in range(rounds):
        for name in engines:
            if number == 0 or name != ONCE:
                runs[name].append(_told("bench.dump_reading", name, table, str(file)))
    columns = [run["columns"] for name, found in runs.items() for run in found if name != "gunzip"]
    return {
        "engines": {
            name: {key: min(run[key] for run in found) for key in ("seconds", "processor", "peak_mb")}
            for name, found in runs.items()
        },
        "rows": int(columns[0]["rows"]),
        "equal": all(found == columns[0] for found in columns),
    }


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
