"""A database of wikis and snapshots, as tests ask and change it."""

from __future__ import annotations

import pytest
from dump_site_samples import EARLY, FIGURES
from store_samples import EN, HOURS, NOW

from models.answer import Period, Universe
from models.dump_run import DumpFile, DumpState, DumpTable, RunFiles
from worker.store import requests, snapshots, wikis
from worker.store.database import reading, writing

ARTICLES = Universe.ARTICLES
DAY = Period(HOURS[0].day)
PAGE = DumpTable.PAGE
TROUBLES = (DumpState.MISSING, DumpState.REFUSED, DumpState.UNREACHABLE, DumpState.FAILED)


def files(run=EARLY, **changes):
    """The files of a run; ``changes`` are those of its page table."""
    tables = {
        table: DumpFile(f"enwiki-{run:%Y%m%d}-{table}.sql.gz", 100 + number, "a" * 40, "b" * 32)
        for number, table in enumerate(DumpTable)
    }
    tables[PAGE] = tables[PAGE]._replace(**changes)
    return RunFiles(run, tables, DumpFile("enwiki-x.json.gz", 7, None, None))


class Database:
    """Writes and looks, each in a transaction of its own."""

    def __init__(self, rows):
        self.engine = rows

    def do(self, function, *arguments, **more):
        with writing(self.engine) as session:
            return function(session, *arguments, **more)

    def look(self, function, *arguments, **more):
        with reading(self.engine) as session:
            return function(session, *arguments, **more)

    def register(self, run=EARLY, project=EN, **changes):
        self.do(snapshots.register_snapshot, project, files(run, **changes), "{}", "http://127.0.0.1")

    def read(self, *tables, run=EARLY):
        for table in tables or DumpTable:
            self.do(snapshots.record_table, EN, run, table, f"attempt at {table}", 3, now=NOW)

    def build(self, run=EARLY, attempt="one"):
        self.do(snapshots.record_built, EN, run, attempt, FIGURES, now=NOW, version="test")

    def trouble(self, state, run=EARLY):
        self.do(snapshots.note_snapshot_trouble, EN, run, state, "why")

    def ask(self, *periods, project=EN, universe=ARTICLES, snapshot=None, source=None):
        self.do(requests.request_answers, [project], periods or (DAY,), universe, source, snapshot)

    def chosen(self, run=EARLY, *periods, project=EN):
        self.do(wikis.decide, project, dict.fromkeys(periods or (DAY,), run))
        self.do(wikis.record_looked, project, DumpState.DONE, None, now=NOW)

    def looked(self, state, reason="why", project=EN):
        return self.do(wikis.record_looked, project, state, reason, now=NOW)

    def snapshot(self, run=EARLY):
        return self.look(snapshots.load_snapshot, EN, run)

    def table(self, table=PAGE):
        return next(found for found in self.snapshot().tables if found.table is table)

    def found(self, period=DAY, universe=ARTICLES, project=EN):
        return self.look(requests.find_request, project, period, universe)

    def wait(self, *which, **more):
        found = self.found(*which, **more)
        return self.look(requests.wait_for_snapshot, found)

    @property
    def wiki(self):
        return self.look(wikis.load_wiki, EN)


@pytest.fixture(name="database")
def snapshot_database(engine):
    return Database(engine)
