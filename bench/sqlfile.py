"""Rows written by polars -> a dump file as mysqldump and gzip leave it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import polars as pl
from isal import igzip

from cli.demosite.sqltext import STATEMENT_BYTES, Style, Table, dump_parts

COMPLETED = dt.datetime(2026, 11, 2, 3, 4, 5)  # noqa: DTZ001 mysqldump writes the server's local time
RAW = 0xE000
"""``chr(RAW + n)`` in a row's text becomes the single byte 0x80 + n, for n up to 63: bytes that are no UTF-8."""
RAW_BYTES = 0x80
_RAW_PREFIX = b"\xee\x80"


def write_dump(path: Path, table: Table, rows: Iterable[pl.Series]) -> int:
    """Write a table's dump; ``rows`` are texts like ``1,'A',NULL``, some at a time. Gives the unpacked bytes."""
    *head, foot = dump_parts(
        Table(table.name, table.definitions, (), table.options),
        style=Style.ROW_PER_LINE,
        database="enwiki",
        completed=COMPLETED,
    )
    with path.open("wb") as raw, igzip.IGzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as file:
        size: int = file.write(b"".join(head))
        for some in rows:
            size += sum(file.write(statement) for statement in _statements(table.name.encode(), some))
        return size + int(file.write(foot))


def quoted(text: pl.Expr) -> pl.Expr:
    """A string as mysqldump writes it; it holds no control characters."""
    for special in "\\'\"":
        text = text.str.replace_all(special, f"\\{special}", literal=True)
    return pl.concat_str(pl.lit("'"), text, pl.lit("'"))


def _statements(table: bytes, rows: pl.Series) -> Iterable[bytes]:
    """INSERTs of about the size at which mysqldump ends one."""
    if rows.is_empty():
        return
    texts = rows.to_frame("row").select(pl.concat_str(pl.lit("("), "row", pl.lit(")")).alias("row"))
    mean = int(texts["row"].str.len_bytes().sum()) // len(texts) + len(",\n")
    for some in texts.iter_slices(max(1, STATEMENT_BYTES // mean)):
        text = some["row"].str.join(",\n").item().encode()
        yield b"INSERT INTO `%b` VALUES\n%b;\n" % (table, text.replace(_RAW_PREFIX, b""))
