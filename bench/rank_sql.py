"""DuckDB and ClickHouse on a day's tallies in Parquet files (bench/rank_world.py): the queries of rank.sql.

What more than one query needs is kept in memory. Titles without an article are not looked for: what no join finds is
what is left over.
"""

from __future__ import annotations

from bench.engines import Answer, Engine, Task
from bench.rank_answer import rank_answer
from bench.sql import Database, clickhouse_database, duckdb_database

_FILES = {
    "tallies": "tallies/*.parquet",
    "titles": "titles.parquet",
    "memberships": "memberships.parquet",
    "categories": "categories.parquet",
}


def _duckdb(task: Task, database: Database) -> None:
    database.run("rank.sql", **{name: f"read_parquet('{task.source / file}')" for name, file in _FILES.items()})


def _clickhouse(task: Task, database: Database) -> None:
    database.run("rank.sql", **{name: f"file('{task.source / file}', 'Parquet')" for name, file in _FILES.items()})


def _answer(_task: Task, database: Database) -> Answer:
    database.close()
    rows = database.rows
    [(known_views, known_titles)] = rows["known"]
    sums = {rule: (int(views), int(titles)) for rule, views, titles in rows["sums"]}
    views, titles = sums.pop("", (0, 0))
    sums["no-such-article"] = (views - int(known_views), titles - int(known_titles))
    [(requested, every)] = rows["counts"]
    return rank_answer(
        article_views=int(known_views),
        excluded=sums,
        counts=(int(requested), int(every)),
        most=rows["most"],
        hourly=rows["hourly"],
        least=rows["least"][0],
        least_titles=[title for (title,) in rows["least_titles"]],
        categories=rows["categories"],
    )


ENGINES = {
    "duckdb": Engine(_duckdb, _answer, duckdb_database),
    "clickhouse": Engine(_clickhouse, _answer, clickhouse_database),
}
