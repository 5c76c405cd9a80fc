"""Where the seconds of an hour file go: waiting for a connection, downloading, counting, storing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds that one hour file took, over every try and every source.

    ``waited`` is for a connection, ``downloading`` while holding one, ``storing`` up to the commit. The waits between
    two tries belong to none.
    """

    waited: float
    downloading: float
    counting: float
    storing: float

    def __str__(self) -> str:
        return ", ".join(f"{phase} {getattr(self, phase):.1f} s" for phase in PHASES)


PHASES = tuple(field.name for field in fields(Phases))


class Stopwatch:
    """Adds up the phases of one hour file."""

    def __init__(self) -> None:
        self._waited = self._downloading = self._counting = 0.0

    @contextmanager
    def holding(self, hold: AbstractContextManager[T]) -> Iterator[T]:
        """A hold on a connection: until it is had one waits, and then one downloads."""
        asked = time.monotonic()
        with hold as held:
            began = time.monotonic()
            self._waited += began - asked
            try:
                yield held
            finally:
                self._downloading += time.monotonic() - began

    @contextmanager
    def while_counting(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._counting += time.monotonic() - began

    def phases(self, storing: float) -> Phases:
        """What was added up so far, and the seconds since storing began."""
        return Phases(self._waited, self._downloading, self._counting, storing)
