"""ClickHouse in this process (chdb), timed. Each thread has a connection of its own."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import chdb


class Engine:
    """A connection to the database in a folder. Several of one folder may work at once, in one process."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._connection = chdb.connect(str(folder))
        self.run(f"SET max_threads = {threads}, session_timezone = 'UTC'")

    def run(self, sql: str) -> float:
        """Seconds that a statement took; a query's rows are produced and dropped."""
        begin = time.perf_counter()
        self._connection.query(sql)
        return time.perf_counter() - begin

    def rows(self, sql: str) -> list[list[Any]]:
        text = str(self._connection.query(sql, "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    def value(self, sql: str) -> int:
        return int(self.rows(sql)[0][0])

    def close(self) -> None:
        self._connection.close()


def forget(engine: Engine, folder: Path) -> None:
    """Make the next query a cold one: neither the engine nor the system remembers what its files hold."""
    for cache in ("MARK CACHE", "UNCOMPRESSED CACHE", "QUERY CONDITION CACHE", "PRIMARY INDEX CACHE"):
        engine.run(f"SYSTEM DROP {cache}")
    for parent, _, names in os.walk(folder):  # which passes over folders that are merged away meanwhile
        for name in names:
            _forget_file(Path(parent, name))


def _forget_file(file: Path) -> None:
    try:
        handle = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
