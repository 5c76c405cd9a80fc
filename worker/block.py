"""Frames as blocks of bytes, for the bulk that rows would be too slow for: Parquet, which other tools open too.

https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Executor

import polars as pl

from worker.ahead import ahead

FRAME_ROWS = 1 << 16
"""How many rows of a block can be read without the others."""
_LEVEL = 1
"""Of zstd: 3 takes a third longer for titles and 7 % less room."""


def to_block(frame: pl.DataFrame, *, frame_rows: int | None = None) -> bytes:
    """The frame as one compressed Parquet block.

    Args:
        frame: any.
        frame_rows: how many rows are to be readable by themselves; None leaves it to the writer.
    """
    block = io.BytesIO()
    frame.write_parquet(
        block, compression="zstd", compression_level=_LEVEL, statistics=False, row_group_size=frame_rows
    )
    return block.getvalue()


def from_block(block: bytes) -> pl.DataFrame:
    """The frame that ``to_block`` stored."""
    return pl.read_parquet(io.BytesIO(block))


def frames_in(block: bytes, threads: Executor, frame_rows: int = FRAME_ROWS) -> Iterator[pl.DataFrame]:
    """The same frame in pieces of so many rows, of which two at a time are in memory: one is used, one is unpacked."""
    rows = pl.scan_parquet(io.BytesIO(block))
    begins = range(0, int(rows.select(pl.len()).collect().item()), frame_rows)
    return ahead(lambda begin: rows.slice(begin, frame_rows).collect(), begins, threads, 1)


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The same; what is filtered out of a column of titles is otherwise kept in memory along with the rest."""
    return from_block(to_block(frame))
