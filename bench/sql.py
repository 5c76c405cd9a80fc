"""DuckDB and ClickHouse in this process: statements from a file of this folder, in the words of either."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from bench.day_answer import DEPTH, MAIN_PAGE, UNKNOWN, prefixes
from bench.engines import Task

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Database:
    """An open database in memory, and the rows that each named statement gave."""

    query: Callable[[str], Rows]
    close: Callable[[], None]
    words: Mapping[str, str]
    rows: dict[str, Rows] = field(default_factory=dict)

    def run(self, file: str, **more: object) -> None:
        """Run a file's statements, each below a line ``-- name``, with ``$words`` in them."""
        words = {**self.words, "depth": DEPTH, **more}
        for name, statement in re.findall(r"^-- (\w+)\n(.*?)(?=^-- |\Z)", _text(file), re.DOTALL | re.MULTILINE):
            self.rows[name] = self.query(Template(statement).substitute(words))


def duckdb_database(task: Task) -> Database:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {task.threads}")
    unquoted = r"""regexp_replace(written[2:-2], '\\(["\\])', '\1', 'g')"""
    words = {
        "keep": "CREATE TEMP TABLE",
        "as": "AS",
        "unquoted": f"""CASE WHEN written LIKE '"%"' THEN {unquoted} ELSE written END""",
        "rule": _rule("split_part(title, ':', 1)"),
    }
    return Database(lambda sql: connection.execute(sql).fetchall(), connection.close, words)


def clickhouse_database(task: Task) -> Database:
    from chdb.session import Session

    session = Session()
    session.query(f"SET max_threads = {task.threads}, max_insert_threads = {task.threads}")

    def query(sql: str) -> Rows:
        return [json.loads(line) for line in session.query(sql, "JSONCompactEachRow").bytes().splitlines()]

    inside = "substring(written, 2, length(written) - 2)"
    unquoted = rf"""replaceRegexpAll({inside}, '\\\\(["\\\\])', '\\1')"""
    words = {
        "keep": "CREATE TABLE",
        "as": "ENGINE = Memory AS",
        "unquoted": f"""CASE WHEN written LIKE '"%"' THEN {unquoted} ELSE written END""",
        "rule": _rule("substringIndex(title, ':', 1)"),
    }
    return Database(query, session.close, words)


def _rule(prefix: str) -> str:
    listed = ", ".join(f"'{name}'" for name in prefixes())
    return (
        f"CASE WHEN title IN ('{UNKNOWN[0]}', '{UNKNOWN[1]}') THEN 'unknown-title' "
        f"WHEN title LIKE '%:%' AND lower({prefix}) IN ({listed}) THEN 'other-namespace' "
        f"WHEN title = '{MAIN_PAGE}' THEN 'main-page' ELSE '' END"
    )


def _text(file: str) -> str:
    return Path(__file__).with_name(file).read_text(encoding="utf-8")
