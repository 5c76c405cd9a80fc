"""A question that is asked at most once at a time, and waited for no longer than the asker can wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

_Answer = TypeVar("_Answer")


class SingleFlight(Generic[_Answer]):
    """Whoever asks while the question is under way shares its answer, so that questions that hang do not pile up.

    The question runs in a daemon thread: one that hangs for ever does not keep the process from ending.
    """

    def __init__(self, question: Callable[[], _Answer]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._flight: Future[_Answer] | None = None

    def ask(self) -> Future[_Answer]:
        """The answer to come. Its ``result`` raises what the question raised, or TimeoutError."""
        with self._lock:
            if self._flight is None or self._flight.done():
                self._flight = Future()
                threading.Thread(target=self._fly, args=(self._flight,), daemon=True).start()
            return self._flight

    def _fly(self, flight: Future[_Answer]) -> None:
        try:
            flight.set_result(self._question())
        except BaseException as error:  # noqa: BLE001 whoever waits for the answer gets it
            flight.set_exception(error)
