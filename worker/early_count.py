"""An hour file counted while it is still being fetched, so that little is left to do once its last byte is there.

What is counted early counts only if its bytes turn out to be the file's. So nothing of a transfer has to be known here:
if it was begun anew with another version of the file, or ended early, the early count is none.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from worker.hour_file import blocks_of
from worker.partial_file import PartialFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    # Slow to import; the first download need not wait for it.
    from worker.pageviews import HourCount

HEAD_START = 1.0
"""Seconds: a file that is there by then is counted as quickly afterwards, and its transfer had the processor alone."""
_POLL_SECONDS = 0.1

_log = logging.getLogger(__name__)


class _Abandoned(Exception):
    """Nobody wants the count any more."""


class _Growing(io.RawIOBase):
    """A file that somebody else is writing: a read waits for bytes that are not there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None
        self._over = threading.Event()
        self._abandoned = False
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def sha256(self) -> str:
        """Of what was read."""
        return self._digest.hexdigest()

    def is_growing_after(self, seconds: float) -> bool:
        """Whether it is still being written after so many seconds."""
        return not self._over.wait(seconds)

    def end(self) -> None:
        """It is complete."""
        self._over.set()

    def abandon(self) -> None:
        """Have whoever reads it stop."""
        self._abandoned = True
        self._over.set()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while True:
            over = self._over.is_set()  # looked at before the bytes: none may come in between
            if self._abandoned:
                raise _Abandoned
            size = self._read(memoryview(buffer))
            self._size += size
            if over and not self._size:
                raise EOFError("nothing came")
            if size or over:
                return size
            self._over.wait(_POLL_SECONDS)

    def _read(self, buffer: memoryview) -> int:
        if self._file is None:
            try:
                self._file = self._path.open("rb", buffering=0)
            except FileNotFoundError:
                return 0
        size = self._file.readinto(buffer) or 0
        self._digest.update(buffer[:size])
        return size

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


class EarlyCount:
    """The count of a file that is under way, in a thread of its own."""

    def __init__(self, into: Path, count: Callable[[Iterable[bytes]], HourCount], cores: threading.Semaphore) -> None:
        self._growing = _Growing(PartialFile(into).path)
        self._count = count
        self._cores = cores
        self._found: HourCount | None = None
        # A process that is told to end at once need not wait for it.
        self._thread = threading.Thread(target=self._run, name=f"early {into.name}", daemon=True)

    def of(self, sha256: str) -> HourCount | None:
        """The count of the file that is complete now and has this checksum; None if not its bytes were counted."""
        self._growing.end()
        self._thread.join()
        return self._found if self._growing.sha256 == sha256 else None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._growing.abandon()
        self._thread.join()
        self._growing.close()

    def _run(self) -> None:
        if not self._growing.is_growing_after(HEAD_START):
            return
        try:
            with closing(self._holding(blocks_of(self._growing, self._thread.name))) as blocks:
                self._found = self._count(blocks)
        except _Abandoned:
            pass
        except Exception as error:  # noqa: BLE001 whatever it is, the whole file tells it again
            _log.debug("an early count failed: %s", error)

    def _holding(self, blocks: Iterable[bytes]) -> Generator[bytes, None, None]:
        for block in blocks:
            # Not while waiting for the next one: three files that trickle in would keep whole ones from being counted.
            with self._cores:
                yield block


@contextmanager
def early_count(
    into: Path, count: Callable[[Iterable[bytes]], HourCount], cores: threading.Semaphore
) -> Iterator[EarlyCount]:
    """Count, while the block lasts, what is being fetched ``into`` a file, unless that takes no time.

    Args:
        into: where the file will be when it is complete.
        count: takes blocks of whole lines.
        cores: held for each block while it is counted.
    """
    early = EarlyCount(into, count, cores)
    early.start()
    try:
        yield early
    finally:
        early.stop()
