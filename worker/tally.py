"""Views added up per title: the value every count becomes and every ranking starts from.

A tally is a polars frame, sorted by the title's bytes, one row per title::

    title    Binary   the literal logged title, unquoted, as bytes: it need not be UTF-8
    desktop  UInt64   views
    mobile   UInt64   views

Merging is associative and order-free, so an hour, a day and a week are the same kind of value. A large tally may come
as a stream: several tallies, of which each has greater titles than the one before (``Counted.totals``).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

MERGE_ROWS = 5_000_000
"""How many rows are gathered before they are added up: a few hours of the largest wiki."""
SCHEMA = pl.Schema({"title": pl.Binary(), "desktop": pl.UInt64(), "mobile": pl.UInt64()})


def tally_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort rows of the tally's schema by title and add up those of one title; titles without views are left out."""
    # A stable sort is quick where the rows are sorted stretches one after the other, as they mostly are.
    ordered = rows.filter(pl.col("desktop") + pl.col("mobile") > 0).sort("title", maintain_order=True)
    if ordered.is_empty():
        return ordered
    titles = ordered["title"]
    firsts = np.flatnonzero(np.append(True, (titles[1:] != titles[:-1]).to_numpy()))
    if len(firsts) == len(titles):
        return ordered
    return pl.DataFrame(
        {
            "title": titles.gather(firsts),
            "desktop": np.add.reduceat(ordered["desktop"].to_numpy(), firsts),
            "mobile": np.add.reduceat(ordered["mobile"].to_numpy(), firsts),
        },
        schema=SCHEMA,
    )


def empty_tally() -> pl.DataFrame:
    return SCHEMA.to_frame()


def merge(tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The tally of everything that the given tallies count.

    They are added up in batches, each at least as large as what was added up before: so memory is bounded by about
    three times the result, and no row is sorted more than a few times.
    """
    total, pending, rows = empty_tally(), [], 0
    for tally in tallies:
        pending.append(tally)
        rows += len(tally)
        if rows >= max(MERGE_ROWS, len(total)):
            total, pending, rows = tally_of(pl.concat([total, *pending])), [], 0
    return tally_of(pl.concat([total, *pending])) if pending else total


def views_of(tally: pl.DataFrame) -> int:
    """All views of the tally, desktop and mobile."""
    return int(tally["desktop"].sum()) + int(tally["mobile"].sum())
