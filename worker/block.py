"""Frames as blocks of bytes, for the bulk that rows would be too slow for: Parquet, which other tools open too.

https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import io

import polars as pl


def to_block(frame: pl.DataFrame) -> bytes:
    """The frame as one compressed Parquet block."""
    block = io.BytesIO()
    frame.write_parquet(block, compression="zstd", compression_level=1, statistics=False)
    return block.getvalue()


def from_block(block: bytes) -> pl.DataFrame:
    """The frame that ``to_block`` stored."""
    return pl.read_parquet(io.BytesIO(block))
