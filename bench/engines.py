"""One hour file on disk -> a Parquet file of views per title of one project, by wikiq and by what else could do it.

Every engine writes the same columns, ``title, desktop, mobile`` of ``en.wikipedia``; only wikiq undoes the writer's
quoting on the way. ``answer_of`` reads what was written, undoes it for the others, and makes them comparable.
"""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
from isal import igzip

from models.project import parse_project
from worker.block import to_block
from worker.hour_file import read_blocks
from worker.pageviews import count_views, unquote
from worker.tally import SCHEMA, tally_of

Answer = tuple[int, int, int, int]
Engine = Callable[[Path, Path], None]
_PROJECT = parse_project("en.wikipedia")
_SUMS = (
    "sum(CASE WHEN code = 'en' THEN views ELSE 0 END) AS desktop, "
    "sum(CASE WHEN code = 'en.m' THEN views ELSE 0 END) AS mobile"
)


def engines() -> Mapping[str, Engine]:
    """Those engines that are installed, by name."""
    known = {
        "wikiq": wikiq,
        "polars": polars_csv,
        "duckdb": duckdb_csv,
        "clickhouse": clickhouse,
        "python loop": python_loop,
    }
    needed = {"duckdb": "duckdb", "clickhouse": "chdb"}
    return {name: run for name, run in known.items() if importlib.util.find_spec(needed.get(name, "polars"))}


def gunzip(file: Path, _out: Path) -> None:
    """Unpacking alone, the floor for everyone."""
    for _ in read_blocks(file):
        pass


def wikiq(file: Path, out: Path) -> None:
    out.write_bytes(to_block(count_views(read_blocks(file), [_PROJECT]).tallies[_PROJECT]))


def polars_csv(file: Path, out: Path) -> None:
    columns = {"code": pl.String, "title": pl.String, "views": pl.UInt64, "zero": pl.String}
    with igzip.open(file) as text:
        frame = pl.read_csv(
            text.read(), separator=" ", quote_char=None, has_header=False, schema=columns, empty_string_is_null=False
        )
    desktop = pl.col("code") == "en"
    views = pl.col("views")
    sums = [views.filter(desktop).sum().alias("desktop"), views.filter(~desktop).sum().alias("mobile")]
    frame.filter(pl.col("code").is_in(["en", "en.m"])).group_by("title").agg(sums).write_parquet(out)


def duckdb_csv(file: Path, out: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute(
            f"COPY (SELECT title, {_SUMS} FROM read_csv('{file}', delim = ' ', quote = '', escape = '', "  # noqa: S608 our own paths
            "header = false, auto_detect = false, columns = {'code': 'VARCHAR', 'title': 'VARCHAR', "
            "'views': 'UBIGINT', 'zero': 'VARCHAR'}) WHERE code IN ('en', 'en.m') GROUP BY title) "
            f"TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
        )


def clickhouse(file: Path, out: Path) -> None:
    from chdb.session import Session

    session = Session()
    try:
        session.query(
            f"INSERT INTO FUNCTION file('{out}', 'Parquet') SELECT title, {_SUMS} FROM ("  # noqa: S608 our own paths
            "SELECT f[1] AS code, f[2] AS title, toUInt64(f[3]) AS views FROM (SELECT splitByChar(' ', line) AS f "
            f"FROM file('{file}', 'LineAsString') WHERE startsWith(line, 'en ') OR startsWith(line, 'en.m '))) "
            "GROUP BY title SETTINGS max_threads = 1, engine_file_truncate_on_insert = 1"
        )
    finally:
        session.close()


def python_loop(file: Path, out: Path) -> None:
    views: dict[bytes, list[int]] = defaultdict(lambda: [0, 0])
    place = {b"en": 0, b"en.m": 1}
    with gzip.open(file) as text:
        for line in text:
            code, title, number, _ = line.split(b" ")
            if code in place:
                views[title][place[code]] += int(number)
    rows = [(title, desktop, mobile) for title, (desktop, mobile) in views.items()]
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(out)


def answer_of(out: Path) -> Answer:
    """What an engine wrote, as (titles, desktop views, mobile views, a checksum over all rows)."""
    frame = pl.read_parquet(out).select(pl.col("title").cast(pl.Binary), pl.col("desktop", "mobile").cast(pl.UInt64))
    plain = pl.Series([unquote(title) for title in frame["title"]], dtype=pl.Binary)
    tally = tally_of(frame.with_columns(plain.alias("title")))
    checksum = zlib.crc32(tally["desktop"].to_numpy().tobytes(), zlib.crc32(b"\n".join(tally["title"])))
    return len(tally), int(tally["desktop"].sum()), int(tally["mobile"].sum()), checksum
