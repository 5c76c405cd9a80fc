"""The engines of ``bench hour``: an hour file on disk -> views per title of en.wikipedia, written out.

wikiq commits its tally to a database, the others write a Parquet file. Only wikiq undoes the writer's quoting on the
way; for the others that is done, untimed, before the answers are compared.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engines import Answer, Engine, Task

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = ("code", "title", "views", "zero")
_CODES = ("en", "en.m")
_SUMS = (
    "sum(CASE WHEN code = 'en' THEN views ELSE 0 END) AS desktop, "
    "sum(CASE WHEN code = 'en.m' THEN views ELSE 0 END) AS mobile"
)


def _open(task: Task) -> Any:  # noqa: ANN401 the worker's context, whose import this process is to time
    from bench.wikiq_hours import open_directory

    return open_directory(task.scratch)


def _wikiq(task: Task, context: Any) -> Mapping[str, float]:  # noqa: ANN401 as above
    from bench.generate import FIRST_HOUR
    from bench.wikiq_hours import commit, count

    counted = count(task.source)
    began = time.perf_counter()
    commit(context, FIRST_HOUR, task.source, counted)
    return {"commit": time.perf_counter() - began}


def _committed(_task: Task, context: Any) -> Answer:  # noqa: ANN401 as above
    from bench.generate import FIRST_HOUR
    from bench.wikiq_hours import PROJECT
    from worker.store.database import reading
    from worker.store.days import hour_tallies

    with reading(context.engine) as session:
        [(_, tally)] = hour_tallies(session, PROJECT, [FIRST_HOUR])
    context.engine.dispose()
    return _told(tally)


def _clickhouse_session(_task: Task) -> Any:  # noqa: ANN401 a class of chdb's
    from chdb.session import Session

    return Session()


def _clickhouse(task: Task, session: Any) -> None:  # noqa: ANN401 as above
    session.query(
        f"INSERT INTO FUNCTION file('{_out(task)}', 'Parquet') SELECT title, {_SUMS} FROM ("  # noqa: S608 our own paths
        "SELECT f[1] AS code, f[2] AS title, toUInt64(f[3]) AS views FROM (SELECT splitByChar(' ', line) AS f "
        f"FROM file('{task.source}', 'LineAsString', 'line String', 'gzip') "
        "WHERE startsWith(line, 'en ') OR startsWith(line, 'en.m '))) "
        f"GROUP BY title SETTINGS max_threads = {task.threads}, engine_file_truncate_on_insert = 1, "
        # With one thread it is quicker not to hand blocks from one to another; titles need not be UTF-8.
        f"input_format_parallel_parsing = {int(task.threads > 1)}, "
        f"output_format_parallel_formatting = {int(task.threads > 1)}, "
        "output_format_parquet_compression_method = 'lz4', output_format_parquet_string_as_string = 0"
    )


def _clickhouse_written(task: Task, session: Any) -> Answer:  # noqa: ANN401 as above
    session.close()
    return _written(task, None)


def _duckdb_connection(task: Task) -> Any:  # noqa: ANN401 a class of DuckDB's
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {task.threads}")
    return connection


def _duckdb(task: Task, connection: Any) -> None:  # noqa: ANN401 as above
    connection.execute(
        f"COPY (SELECT title, desktop::UBIGINT AS desktop, mobile::UBIGINT AS mobile FROM (SELECT title, {_SUMS} "  # noqa: S608 our own paths
        f"FROM read_csv('{task.source}', delim = ' ', quote = '', escape = '', header = false, auto_detect = false, "
        "compression = 'gzip', columns = {'code': 'VARCHAR', 'title': 'VARCHAR', 'views': 'UBIGINT', "
        "'zero': 'VARCHAR'}) WHERE code IN ('en', 'en.m') GROUP BY title)) "
        f"TO '{_out(task)}' (FORMAT parquet, COMPRESSION lz4)"
    )


def _duckdb_written(task: Task, connection: Any) -> Answer:  # noqa: ANN401 as above
    connection.close()
    return _written(task, None)


def _polars(task: Task, _: None) -> None:
    import polars as pl

    columns = dict(zip(_COLUMNS, (pl.String, pl.String, pl.UInt64, pl.String), strict=True))
    desktop, views = pl.col("code") == "en", pl.col("views")
    sums = [views.filter(desktop).sum().alias("desktop"), views.filter(~desktop).sum().alias("mobile")]
    lines = pl.scan_csv(
        task.source, separator=" ", quote_char=None, has_header=False, schema=columns, empty_string_is_null=False
    )
    wanted = lines.filter(pl.col("code").is_in(_CODES)).group_by("title").agg(sums)
    wanted.collect(engine="streaming").write_parquet(_out(task), compression="lz4", statistics=False)


def _pandas(task: Task, _: None) -> None:
    import csv

    import pandas as pd
    from isal import igzip

    with igzip.open(task.source) as text:
        frame = pd.read_csv(
            text,
            sep=" ",
            quoting=csv.QUOTE_NONE,
            engine="c",
            header=None,
            names=_COLUMNS,
            usecols=_COLUMNS[:3],
            na_filter=False,
        )
    wanted = frame[frame["code"].isin(_CODES)]
    desktop = wanted["views"].where(wanted["code"] == "en", 0)
    views = pd.DataFrame({"title": wanted["title"], "desktop": desktop, "mobile": wanted["views"] - desktop})
    views.groupby("title", sort=False).sum().reset_index().to_parquet(_out(task), compression="lz4")


def _python_loop(task: Task, _: None) -> None:
    import polars as pl
    from isal import igzip

    desktop: dict[bytes, int] = defaultdict(int)
    mobile: dict[bytes, int] = defaultdict(int)
    with igzip.open(task.source) as text:
        for line in text:
            if line.startswith((b"en ", b"en.m ")):
                code, title, number, _zero = line.split(b" ")
                (desktop if code == b"en" else mobile)[title] += int(number)
    titles = list(desktop | mobile)
    columns = {
        "title": titles,
        "desktop": [desktop.get(title, 0) for title in titles],
        "mobile": [mobile.get(title, 0) for title in titles],
    }
    pl.DataFrame(columns).write_parquet(_out(task), compression="lz4", statistics=False)


def _gunzip(task: Task, _: None) -> None:
    """Unpacking alone, by libdeflate, or else by isal."""
    if find_spec("deflate"):
        import deflate

        deflate.gzip_decompress(task.source.read_bytes())
    else:
        _gunzip_by_isal(task, None)


def _gunzip_by_isal(task: Task, _: None) -> None:
    """Unpacking alone, as wikiq does it."""
    from isal import igzip

    igzip.decompress(task.source.read_bytes())


def _out(task: Task) -> Path:
    return task.scratch / "out.parquet"


def _written(task: Task, _: None) -> Answer:
    import polars as pl

    from worker.pageviews import unquote

    frame = pl.read_parquet(_out(task)).select(pl.col("title").cast(pl.Binary), "desktop", "mobile")
    plain = pl.Series([unquote(title) for title in frame["title"]], dtype=pl.Binary)
    return _told(frame.with_columns(plain.alias("title")))


def _told(tally: pl.DataFrame) -> Answer:
    """How many titles and views, and two checksums over all of them."""
    import polars as pl

    rows = tally.sort("title")
    views = [int(rows[name].sum()) for name in ("desktop", "mobile")]
    numbers = rows.select(pl.col("desktop", "mobile").cast(pl.UInt64)).to_numpy()
    digests = [_digest(b"\n".join(rows["title"])), _digest(numbers.tobytes())]
    return {"titles": len(rows), "desktop": views[0], "mobile": views[1], "digests": digests}


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _nothing(_task: Task, _: None) -> Answer:
    return {}


ENGINES: Mapping[str, Engine] = {
    "wikiq": Engine(_wikiq, _committed, prepare=_open),
    "clickhouse": Engine(_clickhouse, _clickhouse_written, prepare=_clickhouse_session),
    "duckdb": Engine(_duckdb, _duckdb_written, prepare=_duckdb_connection),
    "polars": Engine(_polars, _written),
    "pandas": Engine(_pandas, _written),
    "python loop": Engine(_python_loop, _written),
    "gunzip": Engine(_gunzip, _nothing),
    "gunzip by isal": Engine(_gunzip_by_isal, _nothing),
}
