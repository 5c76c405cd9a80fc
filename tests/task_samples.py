"""The tasks as plain calls: ids in, a small receipt out, everything else in the database."""

from __future__ import annotations

import datetime as dt
import os

from demo_truth import told
from sqlmodel import Session

from cli.render.document import render_json
from models.answer import Period, Universe
from models.hour import hours_of
from models.project import parse_project
from models.tables import HourRow, HourState, HourTallyRow
from worker.app import make_app
from worker.block import from_block
from worker.store import ledger
from worker.store.database import reading, writing
from worker.store.requests import request_answers
from worker.store.stored_answers import load_answer

EN, DE = parse_project("en.wikipedia"), parse_project("de.wikipedia")
LOGGED = Universe.LOGGED_TITLES
NOW = dt.datetime(2024, 1, 9, tzinfo=dt.UTC)


class Tasks:
    """An application whose tasks are called here, not sent."""

    def __init__(self, settings, context):
        self.app = make_app(settings)
        self.app._opened = (os.getpid(), context)
        self.context = context

    def __call__(self, name, *arguments, **more):
        return self.app.tasks[f"wikiq.{name}"](*arguments, **more)

    def request(self, *days, projects=(EN,), week=False, recount=False):
        """Put days (and the week from the first of them on) into the database, as ``wikiq enqueue`` does."""
        periods = [*map(Period, days), *([Period(days[0], 7)] if week else [])]
        with writing(self.context.engine) as session:
            request_answers(session, projects, periods, LOGGED)
            for day in days:
                ledger.request_hours(session, projects, hours_of(day), recount=recount)

    def count(self, *hours, projects=(EN,), **more):
        return [self("count_hour", str(hour), [project.name for project in projects], **more) for hour in hours]

    def miss(self, *days, project=EN):
        """Note of every hour of these days that it is not there."""
        with writing(self.context.engine) as session:
            for hour in (hour for day in days for hour in hours_of(day)):
                ledger.record_trouble(session, project, hour, HourState.MISSING, "404", url="http://x/", now=NOW)

    def rank(self, day, project=EN):
        self("rank_day", None, day.isoformat(), [project.name], LOGGED.value)

    def row(self, hour, project=EN):
        with Session(self.context.engine) as session:
            return session.get(HourRow, (project.name, hour.day, hour.hour))

    def tally(self, hour, project=EN):
        with Session(self.context.engine) as session:
            row = session.get(HourTallyRow, (project.name, hour.day, hour.hour))
        return row and {title: views for title, *views in from_block(row.block).iter_rows()}

    def answer(self, first, days=1, project=EN):
        with reading(self.context.engine) as session:
            return load_answer(session, project, Period(first, days), LOGGED)

    def document(self, day, project=EN):
        return told(render_json([self.answer(day, project=project)], 5))
