"""What a result says of itself: of which source, when, on what and how it was measured."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The benchmark is no part of what is installed; behind it, so that the application's own modules are the installed.
sys.path.append(str(ROOT))

from bench import measured, source  # noqa: E402 found only now

PARTS = ("bench", "cli", "models", "worker")


@pytest.fixture
def checkout(tmp_path):
    """A project with a module in each of its packages, a query, and what is no source."""
    for part in PARTS:
        (tmp_path / part / "inner").mkdir(parents=True)
        (tmp_path / part / "inner" / "module.py").write_text("x = 1\n")
    (tmp_path / "bench" / "query.sql").write_text("SELECT 1")
    (tmp_path / "README.md").write_text("about")
    return tmp_path


@pytest.mark.parametrize("name", [*(f"{part}/inner/module.py" for part in PARTS), "bench/query.sql", "worker/new.py"])
def test_another_source_has_another_digest(checkout, name):
    """A change to any Python or SQL file, a new one, and one that goes are seen; so is a renamed one."""
    digests = {source.digest(checkout)}
    (checkout / name).write_text("SELECT 2")
    digests.add(source.digest(checkout))
    (checkout / name).rename((checkout / name).with_stem("renamed"))
    digests.add(source.digest(checkout))
    (checkout / name).with_stem("renamed").unlink()
    digests.add(source.digest(checkout))
    assert len(digests) == (3 if name == "worker/new.py" else 4)


@pytest.mark.parametrize("name", ["README.md", "docs/page.md", "worker/notes.txt", "tests/test.py", "cli/x.pyc"])
def test_what_is_no_source_does_not_count(checkout, name):
    """Documents, tests and compiled files are no other source, nor is a file written anew."""
    digest = source.digest(checkout)
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("something else")
    (checkout / "cli" / "inner" / "module.py").write_text("x = 1\n")
    assert source.digest(checkout) == digest


def test_only_the_packages_asked_for_are_looked_at(checkout):
    """The installed program has no benchmark."""
    digest = source.digest(checkout, source.INSTALLED)
    (checkout / "bench" / "query.sql").write_text("SELECT 2")
    assert source.digest(checkout, source.INSTALLED) == digest
    (checkout / "cli" / "inner" / "module.py").write_text("x = 2\n")
    assert source.digest(checkout, source.INSTALLED) != digest


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no Git")
def test_the_commit_is_told_with_changes(checkout):
    """A checkout has its commit, and says so if something is not as committed; a plain directory has none."""

    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
        done = subprocess.run(["git", *who, *words], cwd=checkout, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert source.commit(checkout) is None
    git("init", "--quiet")
    assert source.commit(checkout) is None
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    commit = source.commit(checkout)
    assert len(commit) == 12
    assert git("rev-parse", "HEAD").startswith(commit)
    (checkout / "README.md").write_text("changed")
    assert source.commit(checkout) == f"{commit} + changes"
    assert source.commit(checkout / "worker") is None


def test_a_result_says_how_it_was_measured():
    """Time, machine, releases and options are there, and options are as JSON has them."""
    arguments = argparse.Namespace(name="day", json=True, keep=Path("x"), only=None, days=(1, 3), file=Path("f"))
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    found = measured.about(measured.options_of(arguments))
    assert before <= dt.datetime.fromisoformat(found["began"]) <= dt.datetime.now(dt.UTC)
    assert found["options"] == {"days": [1, 3], "file": "f"}
    assert (found["cpus"], found["wikiq"]) == (os.cpu_count(), version("wikiq"))
    assert found["packages"]["polars"] == version("polars")
    assert {"celery", "psycopg", "chdb", "mwsql"} <= set(found["packages"])
    assert found["source"] == source.digest(ROOT)
    assert found["cpu"]


def about(**changed):
    found = {"commit": "0123456789ab", "source": "a" * 64, "began": "2026-11-28T23:59:59+00:00", "wikiq": "0.1.0"}
    return {"measured": {**found, "cpu": "A CPU", "cpus": 2, "packages": {}, "options": {}, **changed}}


def test_results_of_one_source_have_one_line():
    """If all was measured alike, it is said once; the options of commands always differ."""
    assert measured.line({"hour": about(), "day": about(began="2026-11-28T01:00:00+00:00", options={"x": 1})}) == (
        "Measured on 2026-11-28 on 2 CPUs, A CPU, of wikiq 0.1.0, source aaaaaaaaaaaa (commit 0123456789ab)."
    )


def test_without_a_result_nothing_was_measured():
    """If every command failed, the line says no more than that."""
    assert measured.line({}) == "Measured: nothing."


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"source": "b" * 64}, "source bbbbbbbbbbbb (commit 0123456789ab)"),
        ({"commit": "ba9876543210 + changes"}, "source aaaaaaaaaaaa (commit ba9876543210 + changes)"),
        ({"commit": None}, "source aaaaaaaaaaaa"),
        ({"began": "2026-11-29T00:00:01+00:00"}, "on 2026-11-29 on 2 CPUs, A CPU"),
        ({"cpu": "Another CPU", "cpus": 8}, "on 8 CPUs, Another CPU"),
    ],
)
def test_results_of_several_are_told_by_command(changed, told):
    """What was measured of other code, on another day or elsewhere is named."""
    line = measured.line({"hour": about(), "week": about(**changed), "day": about()})
    assert line.startswith("Measured: hour, day on 2026-11-28 on 2 CPUs, A CPU, of wikiq 0.1.0, source aaaaaaaaaaaa (")
    [_, other] = line.split("; ")
    assert other.startswith("week on ")
    assert told in other
