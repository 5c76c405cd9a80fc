"""Rows of the five dump tables -> the columns that an index is built from.

==============  ====================================================================================================
page            ``id`` UInt32, ``namespace`` Int32, ``title`` Binary (null beyond articles and categories),
                ``redirect`` Boolean
redirect        ``id`` UInt32 (the redirect page's), ``namespace`` Int32, ``title`` Binary, ``interwiki`` Boolean
linktarget      ``target`` Int64, ``title`` Binary; those of namespace 14
categorylinks   ``id`` UInt32 (the member's), ``title`` Binary and ``target`` Int64, of which one may be null; those
                of type ``page``
page_props      ``id`` UInt32 of the pages that are hidden categories
==============  ====================================================================================================

Columns are found by their names in the dump's CREATE TABLE: ``categorylinks`` had three schemas by 2025
(https://www.mediawiki.org/wiki/Manual:Categorylinks_table), ``page`` has lost columns over the years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import polars as pl

from models.dump_run import DumpTable
from models.errors import UnreadableDump
from worker.sqldump import read_rows
from worker.sqlfields import Rows
from worker.sqlmarks import Mask, Positions

ARTICLE_NAMESPACE = 0
CATEGORY_NAMESPACE = 14
CHUNK_ROWS = 1_000_000
_NAMED = (ARTICLE_NAMESPACE, CATEGORY_NAMESPACE)
_NAMESPACES = range(-(1 << 31), 1 << 31)
_PAGE_IDS = range(1 << 32)
_TARGETS = range(1 << 62)
_TRUTHS = range(1 << 8)


def table_columns(table: DumpTable, blocks: Iterable[bytes], *, chunk_rows: int = CHUNK_ROWS) -> Iterator[pl.DataFrame]:
    """The wanted columns and rows of a dump, in frames of about ``chunk_rows``; at least one, be it empty.

    Raises:
        UnreadableDump: the text is no dump of this table, or lacks a column that is needed.
    """
    keep = _KEEP[table]
    pending: list[pl.DataFrame] = [_SCHEMAS[table].to_frame()]
    rows = 0
    for batch in read_rows(blocks, table.value):
        frame = keep(batch)
        pending.append(frame)
        rows += len(frame)
        if rows >= chunk_rows:
            yield pl.concat(pending)
            pending, rows = [], 0
    if pending:
        yield pl.concat(pending)


def _pages(rows: Rows) -> pl.DataFrame:
    namespace = _numbers(rows, "page_namespace", _NAMESPACES)
    return pl.DataFrame(
        {
            "id": _numbers(rows, "page_id", _PAGE_IDS).astype(np.uint32),
            "namespace": namespace.astype(np.int32),
            "redirect": _numbers(rows, "page_is_redirect", _TRUTHS) != 0,
            "title": _titles(rows, "page_title", np.isin(namespace, _NAMED)),
        }
    )


def _redirects(rows: Rows) -> pl.DataFrame:
    interwiki = rows.strings("rd_interwiki")
    return pl.DataFrame(
        {
            "id": _numbers(rows, "rd_from", _PAGE_IDS).astype(np.uint32),
            "namespace": _numbers(rows, "rd_namespace", _NAMESPACES).astype(np.int32),
            "title": _titles(rows, "rd_title"),
            "interwiki": interwiki.bin.size().fill_null(0) > 0,
        }
    )


def _link_targets(rows: Rows) -> pl.DataFrame:
    categories = rows.where(_numbers(rows, "lt_namespace", _NAMESPACES) == CATEGORY_NAMESPACE)
    return pl.DataFrame({"target": _numbers(categories, "lt_id", _TARGETS), "title": _titles(categories, "lt_title")})


def _category_links(rows: Rows) -> pl.DataFrame:
    members = rows.where(rows.equals("cl_type", b"page"))
    if not {"cl_to", "cl_target_id"} & set(rows.columns):
        raise UnreadableDump("The table categorylinks has neither cl_to nor cl_target_id.")
    return pl.DataFrame(
        {
            "id": _numbers(members, "cl_from", _PAGE_IDS).astype(np.uint32),
            "title": _filled(members.strings("cl_to")) if "cl_to" in rows.columns else _nulls(members, pl.Binary()),
            "target": members.integers("cl_target_id")
            if "cl_target_id" in rows.columns
            else _nulls(members, pl.Int64()),
        }
    )


def _hidden_categories(rows: Rows) -> pl.DataFrame:
    hidden = rows.where(rows.equals("pp_propname", b"hiddencat"))
    return pl.DataFrame({"id": _numbers(hidden, "pp_page", _PAGE_IDS).astype(np.uint32)})


def _filled(titles: pl.Series) -> pl.Series:
    """An empty title says as little as NULL does."""
    return titles.to_frame("title").select(pl.when(pl.col("title") != b"").then("title")).to_series()


def _nulls(rows: Rows, kind: pl.DataType) -> pl.Series:
    return pl.repeat(None, len(rows), dtype=kind, eager=True)


def _numbers(rows: Rows, column: str, allowed: range) -> Positions:
    """A column of numbers that never are NULL and lie within known bounds."""
    numbers, known = rows.values(column)
    if not known.all() or (len(numbers) and not allowed[0] <= numbers.min() <= numbers.max() <= allowed[-1]):
        raise UnreadableDump(f"The column {column} holds NULL or a number beyond {allowed[0]} to {allowed[-1]}.")
    return numbers


def _titles(rows: Rows, column: str, wanted: Mask | None = None) -> pl.Series:
    """A column of titles that never are NULL, but for those of rows that are not wanted."""
    titles = rows.strings(column, wanted)
    if titles.null_count() > (0 if wanted is None else len(rows) - np.count_nonzero(wanted)):
        raise UnreadableDump(f"The column {column} holds NULL, which is no title.")
    return titles


_KEEP: Mapping[DumpTable, Callable[[Rows], pl.DataFrame]] = {
    DumpTable.PAGE: _pages,
    DumpTable.REDIRECT: _redirects,
    DumpTable.LINKTARGET: _link_targets,
    DumpTable.CATEGORYLINKS: _category_links,
    DumpTable.PAGE_PROPS: _hidden_categories,
}
_SCHEMAS: Mapping[DumpTable, pl.Schema] = {
    DumpTable.PAGE: pl.Schema(
        {"id": pl.UInt32(), "namespace": pl.Int32(), "redirect": pl.Boolean(), "title": pl.Binary()}
    ),
    DumpTable.REDIRECT: pl.Schema(
        {"id": pl.UInt32(), "namespace": pl.Int32(), "title": pl.Binary(), "interwiki": pl.Boolean()}
    ),
    DumpTable.LINKTARGET: pl.Schema({"target": pl.Int64(), "title": pl.Binary()}),
    DumpTable.CATEGORYLINKS: pl.Schema({"id": pl.UInt32(), "title": pl.Binary(), "target": pl.Int64()}),
    DumpTable.PAGE_PROPS: pl.Schema({"id": pl.UInt32()}),
}
