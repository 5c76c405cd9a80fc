"""DuckDB and ClickHouse on a day of hour files: the lines that are wanted into a table, then the queries of day.sql."""

from __future__ import annotations

from collections import defaultdict

from bench.day_answer import day_answer
from bench.engines import Answer, Engine, Task
from bench.sql import Database, clickhouse_database, duckdb_database


def _duckdb(task: Task, database: Database) -> None:
    database.run("day_duckdb.sql", files=task.source / "pageviews-*.gz")
    database.run("day.sql")


def _clickhouse(task: Task, database: Database) -> None:
    database.run("day_clickhouse.sql", files=task.source / "pageviews-*.gz")
    database.run("day.sql")


def _answer(_task: Task, database: Database) -> Answer:
    database.close()
    rows = database.rows
    hourly: dict[str, dict[int, int]] = defaultdict(dict)
    for title, hour, views in rows["hourly"]:
        hourly[title][int(hour)] = int(views)
    [(views, tied)] = rows["least"]
    return day_answer(
        [(rule or None, int(of_rule), int(titles)) for rule, of_rule, titles in rows["sums"]],
        [(title, int(desktop), int(mobile)) for title, desktop, mobile in rows["most"]],
        hourly,
        (int(views), int(tied)),
        [title for (title,) in rows["least_titles"]],
    )


ENGINES = {
    "duckdb": Engine(_duckdb, _answer, duckdb_database),
    "clickhouse": Engine(_clickhouse, _answer, clickhouse_database),
}
