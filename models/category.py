"""The answer about one category: its views on a day or in a week, and its most requested articles."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from models.answer import Period, RankedArticle, Verdict
from models.hour import Hour


@dataclass(frozen=True, slots=True)
class CategoryAnswer:
    """What wikiq answers for one category.

    ``views`` are those of its direct member articles, of which there are ``members``; ``requested`` of them had any.
    ``hidden`` says that the wiki keeps the category out of its readers' sight, so it is never among the top ones.
    """

    project: str
    period: Period
    category: str
    hidden: bool
    missing_hours: tuple[Hour, ...]
    snapshot: dt.date
    views: int
    members: int
    requested: int
    most_requested: tuple[RankedArticle, ...]

    @property
    def verdict(self) -> Verdict:
        return Verdict.INCOMPLETE if self.missing_hours else Verdict.COMPLETE
