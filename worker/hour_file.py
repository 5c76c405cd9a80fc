"""One hour file on disk -> its unpacked text, in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import IO

from models.errors import UncountableFile
from worker.unpack import BLOCK_BYTES, unpack, unpack_from

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
    return _whole_lines(unpack(path, block_bytes=block_bytes), max_text_bytes)


def blocks_of(file: IO[bytes] | RawIOBase, name: str) -> Iterator[bytes]:
    """The same of a file that is open; errors call it by the name."""
    return _whole_lines(unpack_from(file, name), MAX_TEXT_BYTES)


def _whole_lines(text: Iterable[bytes], max_text_bytes: int) -> Iterator[bytes]:
    rest = b""
    total = 0
    for block in text:
        total += len(block)
        if total > max_text_bytes:
            raise UncountableFile(f"The file unpacks to more than {max_text_bytes / 2**30:g} GiB; it was not counted.")
        end = block.rfind(b"\n") + 1
        if end:
            whole, rest = b"".join((rest, memoryview(block)[:end])), block[end:]  # one copy, not two
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
