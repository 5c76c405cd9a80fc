"""The engines of ``bench hour``: an hour file on disk -> views per title of en.wikipedia, written out.

wikiq commits its tally to a database, the others write a Parquet file. Only wikiq undoes the writer's quoting on the
way; for the others that is done, untimed, before the answers are compared.
"""

from __future__ import annotations

import gzip
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


def _clickhouse(task: Task, _: None) -> None:
    from chdb.session import Session

    session = Session()
    try:
        session.query(
            f"INSERT INTO FUNCTION file('{_out(task)}', 'Parquet') SELECT title, {_SUMS} FROM ("  # noqa: S608 our own paths
            "SELECT f[1] AS code, f[2] AS title, toUInt64(f[3]) AS views FROM (SELECT splitByChar(' ', line) AS f "
            f"FROM file('{task.source}', 'LineAsString', 'line String', 'gzip') "
            "WHERE startsWith(line, 'en ') OR startsWith(line, 'en.m '))) "
            f"GROUP BY title SETTINGS max_threads = {task.threads}, engine_file_truncate_on_insert = 1"
        )
    finally:
        session.close()


def _duckdb(task: Task, _: None) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {task.threads}")
        connection.execute(
            f"COPY (SELECT title, {_SUMS} FROM read_csv('{task.source}', delim = ' ', quote = '', escape = '', "  # noqa: S608 our own paths
            "header = false, auto_detect = false, compression = 'gzip', columns = {'code': 'VARCHAR', "
            "'title': 'VARCHAR', 'views': 'UBIGINT', 'zero': 'VARCHAR'}) WHERE code IN ('en', 'en.m') GROUP BY title) "
            f"TO '{_out(task)}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _polars(task: Task, _: None) -> None:
    import polars as pl
    from isal import igzip

    columns = dict(zip(_COLUMNS, (pl.String, pl.String, pl.UInt64, pl.String), strict=True))
    with igzip.open(task.source) as text:
        frame = pl.read_csv(
            text.read(), separator=" ", quote_char=None, has_header=False, schema=columns, empty_string_is_null=False
        )
    desktop, views = pl.col("code") == "en", pl.col("views")
    sums = [views.filter(desktop).sum().alias("desktop"), views.filter(~desktop).sum().alias("mobile")]
    frame.filter(pl.col("code").is_in(_CODES)).group_by("title").agg(sums).write_parquet(_out(task))


def _pandas(task: Task, _: None) -> None:
    import csv

    import pandas as pd

    frame = pd.read_csv(
        task.source,
        sep=" ",
        quoting=csv.QUOTE_NONE,
        engine="c",
        header=None,
        names=_COLUMNS,
        usecols=_COLUMNS[:3],
        na_filter=False,
        compression="gzip",
    )
    wanted = frame[frame["code"].isin(_CODES)]
    desktop = wanted["views"].where(wanted["code"] == "en", 0)
    views = pd.DataFrame({"title": wanted["title"], "desktop": desktop, "mobile": wanted["views"] - desktop})
    views.groupby("title", sort=False).sum().reset_index().to_parquet(_out(task), compression="zstd")


def _python_loop(task: Task, _: None) -> None:
    import polars as pl

    views: dict[bytes, list[int]] = defaultdict(lambda: [0, 0])
    place = {b"en": 0, b"en.m": 1}
    with gzip.open(task.source) as text:
        for line in text:
            code, title, number, _zero = line.split(b" ")
            if code in place:
                views[title][place[code]] += int(number)
    rows = [(title, desktop, mobile) for title, (desktop, mobile) in views.items()]
    pl.DataFrame(rows, schema=["title", "desktop", "mobile"], orient="row").write_parquet(_out(task))


def _gunzip(task: Task, _: None) -> None:
    """Unpacking alone, the floor for everyone: by libdeflate, or else by isal."""
    packed = task.source.read_bytes()
    if find_spec("deflate"):
        import deflate

        deflate.gzip_decompress(packed)
    else:
        from isal import igzip

        igzip.decompress(packed)


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
    "clickhouse": Engine(_clickhouse, _written),
    "duckdb": Engine(_duckdb, _written),
    "polars": Engine(_polars, _written),
    "pandas": Engine(_pandas, _written),
    "python loop": Engine(_python_loop, _written),
    "gunzip": Engine(_gunzip, _nothing),
}
