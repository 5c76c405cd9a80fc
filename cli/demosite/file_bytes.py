"""A file's bytes, read as they are sent: the first byte of tens of megabytes should not wait for the last."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileBytes:
    """Some bytes of an open file that follow each other; its slices are such, too, and ``bytes`` reads them.

    Of a file that was truncated meanwhile fewer are read.
    """

    begin: int
    end: int
    file: _OpenFile = field(repr=False)

    def __len__(self) -> int:
        return self.end - self.begin

    def __getitem__(self, part: slice) -> FileBytes:
        begin, end, step = part.indices(len(self))
        if step != 1:
            raise ValueError("only bytes that follow each other can be taken")
        return FileBytes(self.begin + begin, self.begin + max(begin, end), self.file)

    def __bytes__(self) -> bytes:
        return os.pread(self.file.descriptor, len(self), self.begin)


class _OpenFile:
    """Open for as long as any of its bytes may still be sent."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


def file_bytes(path: Path) -> FileBytes:
    """All bytes of a file, as long as it is now.

    Raises:
        OSError: it cannot be read.
    """
    file = _OpenFile(os.open(path, os.O_RDONLY))
    return FileBytes(0, os.fstat(file.descriptor).st_size, file)
