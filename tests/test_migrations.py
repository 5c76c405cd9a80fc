"""The schema: how a database comes to it, from nothing and from every older version, and what stops it."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel
from store_samples import DAY, EN, HOURS, ask, contents, count, hour_row, opened, own_tables, process
from strategies import plain

import models.migrations
from models.errors import DatabaseTooNew
from models.tables import AnswerRow, HourRow
from worker.context import Context
from worker.store import database, days
from worker.store.database import connect, open_database, reading, writing
from worker.together import put_together

MIGRATIONS = Path(models.migrations.__file__).parent
VERSIONS = sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
OPENER = """
import sys
from worker.store.database import open_database
print("ready", flush=True)
sys.stdin.readline()
open_database(sys.argv[1]).dispose()
print("opened")
"""
BROKEN_MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0999", {newest!r}, None, None

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer()))
    op.execute("DELETE FROM hour")
    op.execute("this is no SQL")
"""


def migrate(engine, step, version):
    """Go to a version with Alembic's own command, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        step(config, version)


@pytest.fixture
def made(monkeypatch):
    """The engines that opening makes, also where it fails; they are closed at the end."""
    engines = []

    def connect_and_tell(url):
        engines.append(connect(url))
        return engines[-1]

    monkeypatch.setattr(database, "connect", connect_and_tell)
    yield engines
    for engine in engines:
        engine.dispose()


def checks(inspector, table):
    return {constraint["name"] for constraint in inspector.get_check_constraints(table)}


def schema(engine):
    """Everything that the database knows of its tables, but for the order of constraints and indexes."""
    found = inspect(engine)
    lists = (found.get_foreign_keys, found.get_unique_constraints, found.get_check_constraints, found.get_indexes)
    return {
        name: (
            [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
            found.get_pk_constraint(name),
            *(sorted(each(name), key=repr) for each in lists),
        )
        for name in found.get_table_names()
    }


def test_an_empty_database_gets_the_schema(database_url):
    """After opening there are exactly the tables of the models, and Alembic's own."""
    with opened(database_url) as engine:
        assert set(inspect(engine).get_table_names()) == own_tables() | {"alembic_version"}


def test_the_migrations_make_what_the_models_say(database_url):
    """Autogenerate finds nothing to do, and the check constraints, which it does not see, are the same too."""
    with opened(database_url) as engine, engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)
        assert found == []
        for name, table in SQLModel.metadata.tables.items():
            wanted = {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
            assert checks(inspect(connection), name) == wanted


@pytest.mark.parametrize("wrong", [HourRow(project="x", day=DAY, hour=24), HourRow(project="x", day=DAY, hour=-1)])
def test_an_hour_of_the_day_is_checked(database_url, wrong):
    """The database itself refuses an hour that no day has."""
    row = HourRow(**wrong.model_dump())
    with opened(database_url) as engine, pytest.raises(IntegrityError), writing(engine) as session:
        session.add(row)


def test_one_answer_per_period_and_universe_is_checked(database_url):
    """The database itself refuses a second row for the same answer, and a period of two days."""
    same = {"project": EN.name, "first_day": DAY, "universe": "logged titles"}
    with opened(database_url) as engine:
        for days in ([1, 1], [2]):
            with pytest.raises(IntegrityError), writing(engine) as session:
                session.add_all(AnswerRow(**same, days=number) for number in days)


def test_opening_again_changes_nothing(database_url):
    """A database that is up to date is left as it is."""
    with opened(database_url) as engine:
        count(engine, HOURS[0], {b"A": (1, 2)})
        before = contents(engine)
        with opened(database_url) as again:
            assert contents(again) == before


def test_made_in_one_step_it_is_the_same(database_url):
    """A database that is made anew, without migrations, is like one that went through all of them, to the last word."""
    with opened(database_url) as engine:
        at_once, rows = schema(engine), contents(engine)
        migrate(engine, command.downgrade, "base")
        migrate(engine, command.upgrade, "head")
        assert schema(engine) == at_once
        assert contents(engine) == rows


@pytest.mark.parametrize("version", VERSIONS)
def test_every_older_version_is_upgraded(database_url, version):
    """A database left behind at any version gets the same schema as a new one."""
    with opened(database_url) as engine:
        newest = contents(engine)
        migrate(engine, command.downgrade, "base")
        migrate(engine, command.upgrade, version)
        with opened(database_url) as again:
            assert contents(again) == newest


def test_hours_counted_by_an_older_version_are_kept(database_url):
    """Hours that were counted before anybody measured their phases stay counted, with nothing said of the phases."""
    with opened(database_url) as engine:
        count(engine, HOURS[0], {b"A": (1, 2)})
        migrate(engine, command.downgrade, "0002")
        assert "waited" not in {column["name"] for column in inspect(engine).get_columns("hour")}
        with opened(database_url) as again:
            row = hour_row(again, HOURS[0])
    assert (row.state, row.views) == ("counted", 3)
    assert (row.waited, row.downloading, row.counting, row.storing) == (None,) * 4


def test_days_kept_by_an_older_version_are_made_again(database_url):
    """Sums of days that an older version kept go; the hours that they were made of stay, and are ranked from."""
    with opened(database_url) as engine:
        count(engine, HOURS[0], {b"A": (1, 2)})
        migrate(engine, command.downgrade, "0003")
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO day_tally (project, day, fingerprint, block) VALUES (:project, :day, 'f', :block)"),
                {"project": EN.name, "day": DAY.isoformat(), "block": b"old"},
            )
        with opened(database_url) as again, reading(again) as session:
            assert [plain(views().total()) for views in days.day_slices(session, EN, DAY)] == [{b"A": (1, 2)}]


def test_an_older_version_counts_again_what_it_cannot_read(database_url):
    """Going back, hours that are kept with their day wait to be counted; one that has a block of its own stays."""
    with opened(database_url) as engine:
        context = Context(settings=None, engine=engine, retries=None)
        count(engine, HOURS[0], {b"A": (1, 2)})
        put_together(context, EN, DAY)
        count(engine, HOURS[1], {b"A": (1, 2)})
        migrate(engine, command.downgrade, "0003")
        migrate(engine, command.upgrade, "head")
        assert [hour_row(engine, hour).state for hour in HOURS[:2]] == ["waiting", "counted"]


def test_downgrading_removes_everything(database_url):
    """Downgrading to nothing leaves no table but Alembic's own, and no index or constraint stands in its way."""
    with opened(database_url) as engine:
        ask(engine, *HOURS)
        migrate(engine, command.downgrade, "base")
        assert inspect(engine).get_table_names() == ["alembic_version"]


def test_a_newer_database_is_left_alone(database_url, made):
    """A version that this wikiq does not know is an error of one sentence, and nothing is changed."""
    with opened(database_url) as engine:
        count(engine, HOURS[0], {b"A": (1, 2)})
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        before = contents(engine)
        with pytest.raises(DatabaseTooNew) as caught:
            open_database(database_url)
        assert contents(engine) == before
    assert "9999" in str(caught.value)
    assert str(caught.value).count(".") == 1
    assert "\n" not in str(caught.value)


def test_a_database_that_cannot_be_opened_is_let_go(database_url, made):
    """After an error no connection stays open that nobody could close any more."""
    with opened(database_url) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew):
        open_database(database_url)
    assert made[-1].pool.checkedin() == 0


def test_a_migration_that_fails_leaves_nothing(database_url, tmp_path, made, monkeypatch):
    """If a migration breaks off in the middle, the database is as it was, and its version too."""
    copied = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "versions" / "0999.py").write_text(BROKEN_MIGRATION.format(newest=VERSIONS[-1]))
    with opened(database_url) as engine:
        ask(engine, *HOURS)
        before = contents(engine)
        monkeypatch.setattr(database, "migrations", lambda: copied)
        monkeypatch.setattr(database, "revisions", lambda: (*VERSIONS, "0999"))
        with pytest.raises(Exception, match=r"no SQL|syntax error"):
            open_database(database_url)
        assert contents(engine) == before


def test_processes_that_open_an_empty_database_at_once(database_url):
    """Each of two real processes finds the schema made, whoever of them made it."""
    with ExitStack() as stack:
        openers = [stack.enter_context(process(OPENER, database_url)) for _ in range(2)]
        for opener in openers:
            opener.stdin.write("\n")
            opener.stdin.flush()
        assert [opener.stdout.read() for opener in openers] == ["opened\n"] * 2
    with opened(database_url) as engine:
        assert set(inspect(engine).get_table_names()) == own_tables() | {"alembic_version"}


def test_the_versions_are_one_line():
    """Each migration is named by its version, and each follows the one before it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    line = [revision.revision for revision in script.walk_revisions()]
    assert line[::-1] == VERSIONS
    assert script.get_heads() == [VERSIONS[-1]]


def test_connect_looks_at_no_version(database_url):
    """An engine alone makes no table."""
    engine = connect(database_url)
    try:
        assert inspect(engine).get_table_names() == []
    finally:
        engine.dispose()
