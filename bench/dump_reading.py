"""``python -m bench.dump_reading ENGINE TABLE FILE``: a dump's text read into columns, in a process of its own.

The columns and rows are those that an index is built from (worker/wiki/tables.py). The second reading is timed, as a
worker reads more than one table; of mwsql, which is so slow that it makes no difference, the first. The JSON object
that is printed has the seconds, the most MB that were resident until then, and a digest of each column.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from bench.turn import peak_mb
from models.dump_run import DumpTable
from worker.unpack import unpack
from worker.wiki.tables import table_columns

_Row = list[str]
_SCHEMAS = {
    "page": {"id": pl.UInt32, "namespace": pl.Int32, "redirect": pl.Boolean, "title": pl.Binary},
    "redirect": {"id": pl.UInt32, "namespace": pl.Int32, "title": pl.Binary, "interwiki": pl.Boolean},
    "linktarget": {"target": pl.Int64, "title": pl.Binary},
    "categorylinks": {"id": pl.UInt32, "title": pl.Binary, "target": pl.Int64},
}
TABLES = tuple(_SCHEMAS)


def _gunzip(_table: str, path: Path) -> None:
    for _block in unpack(path):
        pass


def _wikiq(table: str, path: Path) -> pl.DataFrame:
    return pl.concat(list(table_columns(DumpTable(table), unpack(path))))


def _mwsql(table: str, path: Path) -> pl.DataFrame:
    """As its guide shows it: rows in a loop; Latin-1 keeps every byte, since sort keys are no UTF-8."""
    from mwsql import Dump

    dump = Dump.from_file(path, encoding="latin-1")
    places = {name: place for place, name in enumerate(dump.col_names)}
    rows = _LOOPS[table](dump.rows(), places)
    return pl.DataFrame(rows, schema=_SCHEMAS[table], orient="row")


def _pages(rows: Iterable[_Row], at: Mapping[str, int]) -> Iterable[tuple[Any, ...]]:
    number, namespace, redirect = at["page_id"], at["page_namespace"], at["page_is_redirect"]
    title = at["page_title"]
    for row in rows:
        kept = row[title].encode("latin-1") if row[namespace] in ("0", "14") else None
        yield int(row[number]), int(row[namespace]), row[redirect] != "0", kept


def _redirects(rows: Iterable[_Row], at: Mapping[str, int]) -> Iterable[tuple[Any, ...]]:
    number, namespace, title, wiki = at["rd_from"], at["rd_namespace"], at["rd_title"], at["rd_interwiki"]
    for row in rows:
        yield int(row[number]), int(row[namespace]), row[title].encode("latin-1"), row[wiki] != ""


def _link_targets(rows: Iterable[_Row], at: Mapping[str, int]) -> Iterable[tuple[Any, ...]]:
    number, namespace, title = at["lt_id"], at["lt_namespace"], at["lt_title"]
    for row in rows:
        if row[namespace] == "14":
            yield int(row[number]), row[title].encode("latin-1")


def _category_links(rows: Iterable[_Row], at: Mapping[str, int]) -> Iterable[tuple[Any, ...]]:
    number, kind, target = at["cl_from"], at["cl_type"], at["cl_target_id"]
    for row in rows:
        if row[kind] == "page":
            yield int(row[number]), None, int(row[target])


_LOOPS: Mapping[str, Callable[[Iterable[_Row], Mapping[str, int]], Iterable[tuple[Any, ...]]]] = {
    "page": _pages,
    "redirect": _redirects,
    "linktarget": _link_targets,
    "categorylinks": _category_links,
}
ENGINES: Mapping[str, Callable[[str, Path], pl.DataFrame | None]] = {
    "wikiq": _wikiq,
    "mwsql": _mwsql,
    "gunzip": _gunzip,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dump_reading")
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if arguments.engine == "mwsql":
        import mwsql  # noqa: F401 so that its import is not timed
    else:
        ENGINES[arguments.engine](arguments.table, arguments.file)
    began, used = time.perf_counter(), time.process_time()
    columns = ENGINES[arguments.engine](arguments.table, arguments.file)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    told = {"seconds": seconds, "processor": used, "peak_mb": peak_mb()}
    sys.stdout.write(json.dumps({**told, "columns": None if columns is None else _digests(columns)}) + "\n")


def _digests(columns: pl.DataFrame) -> dict[str, str]:
    """Of each column; its rows' lengths are told apart from what they hold."""
    found = {"rows": str(len(columns))}
    for column in columns:
        plain = column.bin.encode("hex") if column.dtype == pl.Binary else column.cast(pl.String)
        text = plain.fill_null("NULL").str.join("\n").item() if len(plain) else ""
        found[column.name] = hashlib.sha256(text.encode()).hexdigest()
    return found


if __name__ == "__main__":
    main()
