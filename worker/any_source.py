"""An hour's file from whichever of its sources has it: the origin, or a mirror. See docs/decisions/0014.

A source that refused, or did not answer however often it was asked, is in trouble: for some minutes it is not asked at
all. One that did not answer at once while there were others is doubtful: for as long it is asked last, and patiently.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from models.errors import SourceError, SourceRefused, SourceUnreachable
from models.hour import Hour
from worker.budget import Budget
from worker.context import Context
from worker.dumps_site import hour_url
from worker.fetch import ask
from worker.patience import HASTY_PATIENCE, Retries
from worker.phases import Stopwatch
from worker.source import without_credentials
from worker.store.database import reading, writing
from worker.store.sources import is_doubtful, note_source_trouble, source_trouble

SOURCE_TROUBLE_LASTS = dt.timedelta(minutes=5)
"""For so long after a source has refused, or not answered, it is not asked for the next hour."""

PROBES = 3
AT_ONCE_SECONDS = 0.05
"""Who had to wait no longer for a connection knows enough about its source."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


def from_any(
    context: Context, sources: Sequence[str], stopwatch: Stopwatch, attempt: Callable[[str, Budget, Retries], T]
) -> T:
    """Attempt it with the source that has a connection free first, and with another one if that fails.

    Raises:
        SourceError: no source has it; the error is the first source's, for a mirror may lag behind.
        OSError: as ``attempt``; no other source would help.
    """
    choice, ends = _Choice(context, sources), time.monotonic() + context.retries.patience
    while candidates := choice.candidates():
        asked = time.monotonic()
        if asked >= ends and choice.reasons:
            break
        with _putting_off(choice, candidates), context.connection(candidates, stopwatch) as (source, budget):
            # While this one waited for a connection, another may have found the source in trouble.
            if time.monotonic() > asked + AT_ONCE_SECONDS and source not in choice.candidates():
                continue
            hasty = choice.has_others(source)
            # A long wait for a connection is not the source's fault: it gets what another one would.
            left = max(ends - time.monotonic(), HASTY_PATIENCE)
            try:
                return attempt(source, budget, (context.retries.hasty() if hasty else context.retries).within(left))
            except SourceError as error:
                choice.note(source, error, hasty=hasty)
    raise choice.reasons.get(sources[0]) or next(iter(choice.reasons.values()))


@contextmanager
def _putting_off(choice: _Choice, candidates: Sequence[str]) -> Iterator[None]:
    """Note of all candidates that none of them wants to be asked."""
    try:
        yield
    except SourceUnreachable as error:
        for source in candidates:
            choice.note(source, error, hasty=False)


class _Choice:
    """Which sources may still be asked. ``failed`` are the others, and ``reasons`` is why any of them did not serve."""

    def __init__(self, context: Context, sources: Sequence[str]) -> None:
        self._context = context
        self._sources = sources
        self._doubtful: set[str] = set()
        self.failed: dict[str, SourceError] = {}
        self.reasons: dict[str, SourceError] = {}

    def candidates(self) -> Sequence[str]:
        """The sources to ask next."""
        since = self._context.now() - SOURCE_TROUBLE_LASTS
        with reading(self._context.engine) as session:
            for source in self._left():
                if trouble := source_trouble(session, without_credentials(source), since=since):
                    self.failed[source] = self.reasons[source] = trouble
                elif len(self._sources) > 1 and is_doubtful(session, without_credentials(source), since=since):
                    self._doubtful.add(source)
        return [source for source in self._left() if source not in self._doubtful] or self._left()

    def has_others(self, source: str) -> bool:
        """Whether another source can be asked soon; patience is for the last ones."""
        return source not in self._doubtful and len(self._left()) > 1

    def note(self, source: str, error: SourceError, *, hasty: bool) -> None:
        """Note why a source did not serve, for other hours too if it concerns them."""
        self.reasons[source] = error
        doubtful = hasty and isinstance(error, SourceUnreachable)
        if doubtful:
            self._doubtful.add(source)
        else:
            self.failed[source] = error
        if isinstance(error, SourceRefused | SourceUnreachable):
            note_trouble(self._context, source, error, doubtful=doubtful)
            if self._left():
                _log.warning("%s Other sources are asked meanwhile.", error)

    def _left(self) -> list[str]:
        return [source for source in self._sources if source not in self.failed]


def patience_with(context: Context, source: str) -> Retries:
    """How patient to be with a source that alone has something: less if it did not answer a moment ago."""
    name, since = without_credentials(source), context.now() - SOURCE_TROUBLE_LASTS
    with reading(context.engine) as session:
        silent = source_trouble(session, name, since=since) or is_doubtful(session, name, since=since)
    return context.retries.hasty() if silent else context.retries


def note_trouble(context: Context, source: str, error: SourceRefused | SourceUnreachable, *, doubtful: bool) -> None:
    """Have the next hours spare the source, or ask it last."""
    with writing(context.engine) as session:
        note_source_trouble(session, without_credentials(source), error, now=context.now(), doubtful=doubtful)


def ask_source(context: Context, hour: Hour, source: str) -> None:
    """Find out, before any work, whether the source answers.

    Raises:
        SourceRefused: it refuses this client.
        SourceUnreachable: it does not answer within a few seconds.
    """
    hasty = replace(context.retries, attempts=min(context.retries.attempts, PROBES))
    # Somebody waits for this: a source that wants time is not asked, and said not to answer.
    budget = replace(context, retries=context.retries.hasty()).budget(source)
    ask(context.open_http(), hour_url(source, hour), budget=budget, retries=hasty)


def ask_sources(context: Context, hour: Hour, sources: Sequence[str]) -> Mapping[str, SourceError]:
    """Find out, before any work, which sources do not answer, and why; the next hours spare them.

    Raises:
        SourceRefused, SourceUnreachable: none does; the error is the first source's.
    """
    hasty = replace(context, retries=context.retries.hasty()) if len(sources) > 1 else context
    silent: dict[str, SourceRefused | SourceUnreachable] = {}
    for source in sources:
        try:
            ask_source(hasty, hour, source)
        except (SourceRefused, SourceUnreachable) as error:
            silent[source] = error
    if len(silent) == len(sources):
        raise silent[sources[0]]
    for source, why in silent.items():
        note_trouble(context, source, why, doubtful=isinstance(why, SourceUnreachable))
    return silent
