"""What holds for the project as a whole."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from built_statements import built_statements

from worker.store import stored_answers

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for folder in ("cli", "models", "worker") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("package", ["cli", "models", "worker"])
def test_package_names_are_ours_alone(package: str) -> None:
    """No other installed distribution provides one of the three plain package names."""
    assert set(importlib.metadata.packages_distributions().get(package, ())) <= {"wikiq"}


def test_only_settings_reads_the_environment() -> None:
    """``os.environ`` and ``os.getenv`` occur in worker/settings.py and nowhere else."""
    readers = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                readers.add(path.relative_to(ROOT).as_posix())
    assert readers == {"worker/settings.py"}


def test_nothing_is_unpickled_or_evaluated() -> None:
    """The product imports no module that runs what it reads, and evaluates no text."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names) if {name.name for name in names} & {"pickle", "marshal", "shelve"}:
                    found.append(path.name)
                case ast.Call(func=ast.Name(id="eval" | "exec")):
                    found.append(path.name)
    assert found == []


def test_no_statement_is_built_of_values() -> None:
    """What the database is asked is constant; values are handed over beside it."""
    # A constant of another module; SQLite's PRAGMA takes no parameters, and these are of a tuple of constants; the
    # statements of stored answers are handed on, and looked at below.
    allowed = ["VERSION_QUERY", "f'PRAGMA {pragma}'", "statement"]
    modules = sorted((ROOT / "worker" / "store").glob("*.py"))
    assert len(modules) > 10
    assert [found for path in modules for found in built_statements(path.read_text())] == allowed


def test_statements_that_are_handed_on_are_constant() -> None:
    """What stored answers are read with is written down once, and nothing is put into it."""
    tree = ast.parse((ROOT / "worker" / "store" / "stored_answers.py").read_text())
    constants = {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.targets[0], ast.Name)
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "_rows"]
    asked = {ast.unparse(call.args[1]) for call in calls}
    assert len(asked) == len(stored_answers.STATEMENTS)
    assert asked <= constants


@pytest.mark.parametrize(
    "statement",
    [
        'session.execute(text(f"DELETE FROM hour WHERE project = {name}"))',
        "session.execute(text(\"DELETE FROM hour WHERE project = '%s'\" % name))",
        'session.execute(text("DELETE FROM " + name))',
        'session.execute(text("DELETE FROM {}".format(name)))',
        "session.execute(text(name))",
        'connection.execute(f"PRAGMA {name}")',
        'asked = "PRAGMA " + name\nconnection.execute(asked)',
        'connection.exec_driver_sql("BEGIN" if name else f"BEGIN {name}")',
        "query.order_by(literal_column(name))",
    ],
)
def test_a_statement_that_is_built_is_found(statement: str) -> None:
    """Each way to put a value into a statement is seen."""
    assert len(built_statements(statement)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        'session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": name})',
        'LIMIT = 5000\nsession.execute(text(f"SET LOCAL statement_timeout = {LIMIT}"))',
        'connection.exec_driver_sql("BEGIN" if name else "BEGIN IMMEDIATE")',
        "session.execute(update(row).values(tries=row.tries + 1))",
    ],
)
def test_a_statement_of_constants_is_none(statement: str) -> None:
    """Constants and expressions of SQLAlchemy are let through."""
    assert built_statements(statement) == []


def test_readme_begins_with_the_two_commands() -> None:
    """The main job's and the tests' command stand in the README's first code block."""
    block = (ROOT / "README.md").read_text().split("```")[1]
    assert "pip install . && wikiq demo" in block
    assert "pip install '.[dev]' && pytest" in block


def test_every_dependency_has_its_reason() -> None:
    """Each runtime dependency in pyproject.toml is followed by a comment that says what it is for."""
    text = (ROOT / "pyproject.toml").read_text()
    for dependency in tomllib.loads(text)["project"]["dependencies"]:
        line = next(line for line in text.splitlines() if f'"{dependency}"' in line)
        assert re.search(r",\s+# \w+", line), dependency
