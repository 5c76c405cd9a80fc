"""How often a source is asked again, and what its failures mean."""

from __future__ import annotations

import datetime as dt
import http.client
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import stamina

from models.errors import CorruptFile, FileNotThere, SourceRefused, SourceUnreachable
from worker.source import without_credentials

if TYPE_CHECKING:
    from worker.budget import Budget

T = TypeVar("T")

SET_CONTACT = "set WIKIQ_CONTACT to an e-mail address or to the address of a page about you"
PATIENCE = 1080.0
"""Seconds that one fetch may take in all; a task has not many more."""
HASTY_PATIENCE, HASTY_TRANSFER, HASTY_SECONDS, HASTY_ATTEMPTS = 240.0, 180.0, 20.0, 2
_FORBIDDEN, _GONE, _TOO_MANY_REQUESTS, _SERVER_ERROR = (401, 403, 451), (404, 410), 429, 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a fetch is; times in seconds.

    ``attempts`` counts attempts in a row that brought less than ``least_progress`` bytes beyond what was had before.
    Rather than wait longer than ``longest_wait`` for the next attempt, it gives up; and after ``patience`` altogether,
    whatever came by then. What a source asks for beyond ``retry_after_max`` it does not get.
    """

    attempts: int = 8
    wait_initial: float = 1.0
    wait_max: float = 60.0
    wait_jitter: float = 1.0
    retry_after_max: float = 3600.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    transfer_timeout: float = 900.0
    least_progress: int = 1 << 16
    longest_wait: float = 600.0
    patience: float = PATIENCE

    def wait(self, fruitless: int, retry_after: float) -> float:
        """Seconds until the next attempt: exponential with jitter, and not less than the source asked for."""
        backoff = min(self.wait_max, self.wait_initial * 2.0 ** (fruitless - 1))
        jitter = random.uniform(0, self.wait_jitter)  # noqa: S311 - spreads the retries, hides nothing
        return max(backoff, min(retry_after, self.retry_after_max)) + jitter

    def hasty(self) -> Retries:
        """As patient as it is worth while somebody else can be asked: one more attempt, unless that is far off."""
        return replace(
            self,
            attempts=min(self.attempts, HASTY_ATTEMPTS),
            read_timeout=min(self.read_timeout, HASTY_SECONDS),
            longest_wait=min(self.longest_wait, HASTY_SECONDS),
            transfer_timeout=min(self.transfer_timeout, HASTY_TRANSFER),
            patience=min(self.patience, HASTY_PATIENCE),
        )

    def within(self, seconds: float) -> Retries:
        """The same, but not for longer than so many seconds altogether."""
        return replace(self, patience=min(self.patience, seconds))


PATIENT = Retries()


class Interrupted(Exception):
    """A failure that may pass; ``persist`` turns it into an error of the source when patience ends.

    ``retry_after`` are the seconds for which the source asked not to be asked: by nobody, so whoever holds the
    connection tells the others. ``ended_early`` marks an answer that ended in good order, but before its announced
    length.
    """

    def __init__(self, reason: str, *, retry_after: float = 0.0, ended_early: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.ended_early = ended_early


def persist(
    url: str, attempt: Callable[[float], T], budget: Budget, retries: Retries, reached: Callable[[], int] = lambda: 0
) -> T:
    """Attempt, within the budget, until it works or patience ends; the waits lie outside the budget.

    ``attempt`` is told how many seconds it may take; ``reached`` tells how many bytes are had by now.

    Raises:
        UsageError: the URL is none.
        SourceUnreachable: every attempt was interrupted.
        CorruptFile: so was the last one, by an early end.
    """
    shown = without_credentials(url)
    patience = _Patience(shown, retries, reached)

    def within_budget() -> T:
        with budget():
            return attempt(min(retries.transfer_timeout, patience.left()))

    try:
        return stamina.RetryingCaller(attempts=None, timeout=None)(patience, within_budget)
    except Interrupted as last:
        if last.ended_early:
            raise CorruptFile(f"{shown} is not the file that was announced: {last}.") from None
        raise SourceUnreachable(f"{shown} cannot be had: {last}.") from None


class _Patience:
    """Tells stamina how long to wait. stamina itself counts every attempt, also those that brought the file further."""

    def __init__(self, shown: str, retries: Retries, reached: Callable[[], int]) -> None:
        self._shown = shown
        self._retries = retries
        self._reached = reached
        self._furthest = reached()
        self._fruitless = 0
        self._ends: float | None = None

    def left(self) -> float:
        """Seconds until patience ends; it begins with the first attempt, not with the wait for a connection."""
        if self._ends is None:
            self._ends = time.monotonic() + self._retries.patience
        return max(0.0, self._ends - time.monotonic())

    def __call__(self, error: Exception) -> bool | float:
        if not isinstance(error, Interrupted):
            return False
        if (reached := self._reached()) >= self._furthest + self._retries.least_progress:
            self._furthest, self._fruitless = reached, 0
        self._fruitless += 1
        if self._fruitless >= self._retries.attempts:
            return False
        seconds = self._retries.wait(self._fruitless, error.retry_after)
        if seconds > self._retries.longest_wait or seconds >= self.left():
            return False
        _log.info("%s: %s; asking again in %.1f s", self._shown, error, seconds)
        return seconds


def seconds_to_wait(retry_after: str, date: str, now: dt.datetime) -> float:
    """Read a Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3); 0 if it is malformed or past.

    A date is the source's, and so is the time it is compared with: its Date header, and ``now`` only where that lacks.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    moment = _moment(text)
    return max(0.0, (moment - (_moment(date) or now)).total_seconds()) if moment else 0.0


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def is_forbidden(status: int) -> bool:
    """Whether a status speaks of who is asking, not of what is asked for."""
    return status in _FORBIDDEN


def put_off(shown: str, seconds: float) -> SourceUnreachable:
    """What to raise where a source wants not to be asked for longer than one can wait."""
    return SourceUnreachable(f"{shown} wants not to be asked for another {seconds:.0f} s.")


def refusal(url: str, status: int, retry_after: float) -> Exception:
    """What to raise for an answer that has not what was asked for: an ``Interrupted``, or an error of the source."""
    shown = without_credentials(url)
    if status in _GONE:
        return FileNotThere(f"{shown} is not there ({status}).")
    if is_forbidden(status):
        return SourceRefused(f"{shown} is refused ({status}); Wikimedia's User-Agent policy asks to {SET_CONTACT}.")
    if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR:
        return Interrupted(f"the source answers {status}", retry_after=retry_after)
    return SourceRefused(f"{shown} is refused with status {status}.")


def causes(error: BaseException) -> list[BaseException]:
    """The error, what caused it, what caused that, and so on."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    return chain


def interrupted_by(error: BaseException) -> Interrupted:
    """Why a connection failed, in the words of its cause."""
    chain = causes(error)
    if any(isinstance(cause, http.client.IncompleteRead) for cause in chain):
        return Interrupted("it ends before its announced length", ended_early=True)
    if any(isinstance(cause, TimeoutError) for cause in chain):
        return Interrupted("the connection timed out")
    said = [cause.strerror for cause in chain if isinstance(cause, OSError) and cause.strerror]
    return Interrupted(said[0] if said else "the connection was closed")
