"""The words of an answer that more than one format prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from models.answer import Answer, LeastRequested, Period, Universe
from models.hour import HOURS_IN_DAY, Hour

CANONICAL = "canonical"
_LONG_RUN = 3


def counted(number: int, noun: str) -> str:
    """``1 view``, ``3,339 views``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def noun(answer: Answer) -> str:
    """What is ranked: an article or a title."""
    return "article" if answer.universe is Universe.ARTICLES else "title"


def dates(period: Period) -> str:
    """``2024-01-03``, or ``2024-01-01 to 2024-01-07``."""
    return str(period.first) if period.days == 1 else f"{period.first} to {period.last}"


def window(period: Period) -> str:
    """The UTC hours that the period covers, its end excluded."""
    if period.days == 1:
        return "00:00 to 24:00 UTC"
    return f"{period.first} 00:00 to {period.last + dt.timedelta(days=1)} 00:00 UTC"


def verdict(answer: Answer) -> str:
    """``complete``, or ``incomplete: 1 of 24 hours missing``."""
    if not answer.missing_hours:
        return str(answer.verdict)
    of_all = f"{len(answer.missing_hours)} of {answer.period.days * HOURS_IN_DAY}"
    return f"{answer.verdict}: {of_all} hours missing"


def missing_hours(answer: Answer) -> list[str]:
    """The missing hours by their starts; three or more in a row as ``05:00…09:00``, both named ones included."""
    return [_named(run, with_day=answer.period.days > 1) for run in _runs(sorted(answer.missing_hours))]


def sources(answer: Answer) -> list[str]:
    """What the ranking rests on: the universe, the category snapshot, the namespaces' names."""
    facts = [f"universe: {answer.universe}"]
    if answer.snapshot is not None and answer.days_off is not None:
        facts.append(f"snapshot of {answer.snapshot}, {distance(answer.days_off)}")
    if answer.namespaces == CANONICAL:
        facts += ["namespaces: MediaWiki's English names", "the wiki's own could not be had"]
    elif answer.snapshot is None:
        facts.append(f"namespaces of {answer.namespaces}")
    return facts


def distance(days: int) -> str:
    """How far a snapshot lies from what it is used for: ``the same day``, ``3 days later``."""
    if not days:
        return "the same day"
    return f"{counted(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"


def left_out(answer: Answer) -> str:
    """Which categories the reader did not want to see."""
    return f"without {', '.join(answer.left_out)}" if answer.left_out else ""


def totals(answer: Answer) -> dict[str, int]:
    """The period's sums under their names; malformed lines only where there are any."""
    named = {
        "project views": answer.project_views,
        f"{noun(answer)} views": answer.article_views,
        f"{noun(answer)}s requested": answer.articles_requested,
    }
    return named | ({"malformed lines": answer.malformed_lines} if answer.malformed_lines else {})


def least_facts(answer: Answer, least: LeastRequested, listed: int) -> list[str]:
    """How few views, how many tie there, how many had none at all, how many of the tie are listed."""
    tie = f"{counted(least.tied, noun(answer))} tie" if least.tied > 1 else f"1 {noun(answer)}, no tie"
    facts = [counted(least.views, "view"), tie]
    if least.unrequested is not None:
        facts.append(f"{least.unrequested:,} not requested at all")
    if 0 < listed < least.tied:
        facts.append(f"the first {listed:,}:")
    return facts


def no_categories(answer: Answer) -> str:
    """Why there are no top categories."""
    if answer.top_categories is not None:
        return "No category was requested."
    needed = "the page table" if answer.universe is Universe.LOGGED_TITLES else "a category snapshot"
    return f"Top categories need {needed}."


def made(answer: Answer) -> list[str]:
    """When, and by which version, the answer was computed."""
    return [f"computed {answer.computed_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC", f"wikiq {answer.wikiq}"]


def _runs(hours: Sequence[Hour]) -> list[list[Hour]]:
    runs: list[list[Hour]] = []
    for hour in hours:
        if runs and runs[-1][-1].end == hour.start and runs[-1][-1].day == hour.day:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return [part for run in runs for part in ([run] if len(run) >= _LONG_RUN else [[hour] for hour in run])]


def _named(run: Sequence[Hour], *, with_day: bool) -> str:
    first, last = (f"{hour.hour:02d}:00" for hour in (run[0], run[-1]))
    name = first if len(run) == 1 else f"{first}…{last}"
    return f"{run[0].day} {name}" if with_day else name
