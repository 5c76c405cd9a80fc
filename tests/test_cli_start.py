"""What commands that only look import: lists of modules are stable, where seconds are not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_process import environment, wikiq

from cli.commands import NAMES
from models.tables import RankedKind, SQLModel
from worker.store import stored_answers

ROOT = Path(__file__).parents[1]
LISTED = """
import json, sys
from cli.main import main
sys.argv = ["wikiq", *sys.argv[1:]]
try:
    main()
finally:
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""
WORK = {"alembic", "celery", "kombu", "numpy", "polars", "psycopg", "redis", "requests", "urllib3"}
"""What counting, ranking and migrating need, and talking to sources, brokers and servers."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A directory whose data are a week's complete answers."""
    directory = tmp_path_factory.mktemp("kept")
    command = [sys.executable, "-m", "bench.answered_week", str(directory / "data"), "--depth=10"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return directory


def imported(directory, *arguments):
    """The modules that a command leaves imported, and its exit code."""
    command = [sys.executable, "-c", LISTED, *arguments]
    done = subprocess.run(command, env=environment(directory), check=False, capture_output=True, text=True)
    return set(json.loads(done.stderr.splitlines()[-1])), done.returncode


@pytest.mark.parametrize("form", ["table", "json"])
def test_results_import_no_machinery(kept, form):
    """Answers are printed without what counts and ranks, and without SQLAlchemy and its models."""
    modules, code = imported(kept, "results", "2026-11-09", "--format", form)
    assert code == 0
    assert "sqlite3" in modules
    assert not modules & (WORK | {"asyncio", "sqlalchemy", "sqlmodel", "models.tables", "stamina"})


def test_a_category_is_counted_with_the_machinery(kept):
    """The list of modules tells something: a category's views are computed, which takes polars."""
    modules, _ = imported(kept, "results", "2026-11-09", "--category", "Physics")
    assert {"polars", "sqlmodel"} <= modules


def test_status_imports_nothing_that_works(kept):
    """Where things stand is told without what counts, ranks, fetches or sends."""
    modules, code = imported(kept, "status")
    assert code == 0
    assert not modules & WORK


def test_a_new_database_is_made_without_migrations(tmp_path):
    """The first look makes the tables, and needs no Alembic for that."""
    modules, _ = imported(tmp_path, "status")
    assert list(tmp_path.rglob("wikiq.sqlite"))
    assert "sqlmodel" in modules
    assert "alembic" not in modules


def test_work_without_a_broker_imports_no_client_of_redis():
    """What ``wikiq enqueue`` imports to work by itself."""
    work = "import json, sys, cli.run, cli.summary, worker.cut_off; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", work], cwd=ROOT, check=True, capture_output=True, text=True)
    modules = set(json.loads(done.stdout))
    assert {"celery", "requests"} <= modules
    assert not modules & {"alembic", "numpy", "polars", "psycopg", "redis", "rich.progress"}


def test_a_fleets_worker_imports_everything_before_it_forks():
    """What its tasks import when they first run, each child would have to import by itself, and have of its own."""
    sources = "".join((ROOT / f"worker/{name}.py").read_text("utf-8") for name in ("tasks", "counting"))
    late = re.findall(r"^ +from (worker[.\w]*) import (\w+)", sources, re.MULTILINE)
    named = {name for module, thing in late for name in (module, f"{module}.{thing}")}
    needed = {name for name in named if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()}
    assert {"worker.answering", "worker.pageviews", "worker.store.tallies"} <= needed
    work = "import json, sys, worker.fleet; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", work], cwd=ROOT, check=True, capture_output=True, text=True)
    assert needed <= set(json.loads(done.stdout))


def test_help_imports_no_database(tmp_path):
    """Help is written without any of it: no database, no terminal to draw on."""
    modules, code = imported(tmp_path, "--help")
    assert code == 0
    assert not modules & (WORK | {"sqlalchemy", "sqlmodel", "pydantic", "rich.console", "stamina"})


def test_a_command_imports_no_other(tmp_path):
    """What another command would be made of is not looked at."""
    modules, code = imported(tmp_path, "health", "--help")
    assert code == 0
    assert {f"cli.{name}" for name in NAMES} & modules == {"cli.health"}


def test_a_mistyped_command(tmp_path):
    """One that there is not is a usage error, and what is like it is named."""
    done = wikiq(environment(tmp_path), "resuts")
    assert (done.code, done.stdout) == (2, "")
    assert "'results'" in done.stderr


@pytest.mark.parametrize("statement", stored_answers.STATEMENTS)
def test_what_is_read_is_in_the_models(statement):
    """Every column that is read without the models is one of theirs."""
    selected = statement.partition("SELECT")[2].partition("FROM")
    table = SQLModel.metadata.tables[selected[2].split()[0]]
    assert {column.strip() for column in selected[0].split(",")} <= set(table.columns.keys())


def test_kinds_of_lists_are_the_models():
    """The lists of an answer have the names they are written under."""
    assert {stored_answers.MOST_REQUESTED, stored_answers.LEAST_REQUESTED} == set(RankedKind)
