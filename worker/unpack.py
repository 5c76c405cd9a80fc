"""A gzip file on disk -> its unpacked bytes, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import IO

from isal import igzip, igzip_lib

from models.errors import CorruptFile

BLOCK_BYTES = 2 << 20
_BROKEN: tuple[type[Exception], ...] = (EOFError, igzip.BadGzipFile, igzip_lib.IsalError)  # type: ignore[assignment]  # isal types its error as an instance


def unpack(path: Path, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Unpack a gzip file into blocks of at most the given size, cut anywhere.

    gzip's own length and checksum are verified when the last block is read, so nothing of the file may be committed
    before the iterator is exhausted.

    Raises:
        CorruptFile: the file is empty, is no gzip, is cut, or fails its checksum.
    """
    if not path.stat().st_size:
        raise CorruptFile(f"{path.name} is empty.")
    with path.open("rb") as file:
        yield from unpack_from(file, path.name, block_bytes=block_bytes)


def unpack_from(file: IO[bytes] | RawIOBase, name: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The same of a file that is open, from where it stands; errors call it by the name."""
    try:
        with igzip.open(file, "rb") as text:  # type: ignore[no-untyped-call]  # isal types its arguments loosely
            while block := text.read(block_bytes):
                yield block
    except _BROKEN as error:
        raise CorruptFile(f"{name} cannot be unpacked: {error}") from error
