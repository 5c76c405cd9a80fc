"""A run in a process of its own that is killed, and what can be seen of it from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from cli_process import environment, started


class KilledRun:
    """One ``wikiq enqueue DAY`` without a broker."""

    def __init__(self, directory, site, day):
        self.site, self.day = site, day
        self.data = directory / "data"
        self.environment = environment(directory, WIKIQ_SOURCE=site.url)

    def begin(self):
        return started(self.environment, "enqueue", str(self.day))

    def look(self, query):
        """Rows of the database, which may not be there yet."""
        try:
            with closing(self.open("ro")) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    def open(self, mode):
        return sqlite3.connect(f"file:{self.data}/wikiq.sqlite?mode={mode}", uri=True, isolation_level=None)
