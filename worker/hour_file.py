"""One hour file on disk -> its unpacked text, in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from isal import igzip, igzip_lib

from models.errors import CorruptFile, UncountableFile

_BROKEN: tuple[type[Exception], ...] = (EOFError, igzip.BadGzipFile, igzip_lib.IsalError)  # type: ignore[assignment]  # isal types its error as an instance

BLOCK_BYTES = 2 << 20
MAX_TEXT_BYTES = 4 << 30
MAX_LINE_BYTES = 1 << 20
"""The longest title in the field has 512 bytes; a line this long means that the text is no hour file."""


def read_blocks(path: Path, *, block_bytes: int = BLOCK_BYTES, max_text_bytes: int = MAX_TEXT_BYTES) -> Iterator[bytes]:
    """Unpack a gzip file into blocks that each end with a line break.

    The memory in use is bounded by the block, not by the file. gzip's own length and checksum are verified when the
    last block is read, so nothing of the file may be committed before the iterator is exhausted.

    Raises:
        CorruptFile: the file is no gzip, is cut, or fails its checksum.
        UncountableFile: it unpacks to more than ``max_text_bytes``, or has a line of more than 1 MiB.
    """
    try:
        if not path.stat().st_size:
            raise CorruptFile(f"{path.name} is empty.")
        with igzip.open(path, "rb") as text:  # type: ignore[no-untyped-call]  # isal types its arguments loosely
            yield from _whole_lines(text, block_bytes, max_text_bytes)
    except _BROKEN as error:
        raise CorruptFile(f"{path.name} cannot be unpacked: {error}") from error


def _whole_lines(text: IO[bytes], block_bytes: int, max_text_bytes: int) -> Iterator[bytes]:
    rest = b""
    total = 0
    while block := text.read(block_bytes):
        total += len(block)
        if total > max_text_bytes:
            raise UncountableFile(f"The file unpacks to more than {max_text_bytes / 2**30:g} GiB; it was not counted.")
        end = block.rfind(b"\n") + 1
        if end:
            whole, rest = rest + block[:end], block[end:]
            _check_lines(whole)
            yield whole
        else:
            rest += block
        _check_lines(rest)
    if rest:
        yield rest + b"\n"


def _check_lines(text: bytes) -> None:
    """Leap from the last line break within reach to the next, so that a block costs a handful of searches."""
    begin = 0
    while len(text) - begin > MAX_LINE_BYTES:
        begin = text.rfind(b"\n", begin, begin + MAX_LINE_BYTES + 1) + 1
        if not begin:
            raise UncountableFile("The file has a line of more than 1 MiB; it is no hour file.")
