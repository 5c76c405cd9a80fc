"""``wikiq demo`` as a newcomer runs it, who has set nothing."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_process import SCRIPTS, Done, started, wait_until
from demo_truth import told, truth

from cli.demo import demo
from models.errors import DataDirectoryUnwritable

FIRST_DAY = dt.date(2024, 1, 1)


def clean(directory):
    """An environment with an empty home, an empty directory for temporary files, and not one WIKIQ variable."""
    for name in ("home", "tmp"):
        (directory / name).mkdir()
    path = os.pathsep.join((SCRIPTS, os.defpath))
    return {"PATH": path, "HOME": str(directory / "home"), "TMPDIR": str(directory / "tmp")}


def untouched(directory):
    return list((directory / "home").iterdir()) == [] == list((directory / "tmp").iterdir())


class Demo(NamedTuple):
    """A demo that has ended, and the directory in which its home lies."""

    directory: Path
    environment: dict[str, str]
    done: Done


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """A plain demo, and one that is kept in a directory with a blank in its name; both at once, which saves time."""
    plain, kept = (tmp_path_factory.mktemp(name) for name in ("plain", "kept"))
    surroundings = [clean(plain), clean(kept)]
    # What else is set must not matter.
    settings = {"WIKIQ_BROKER_URL": "nonsense", "WIKIQ_SOURCE": "nonsense"}
    keep = ("--quiet", "--keep", str(kept / "my demo"))
    with started(surroundings[0], "demo") as one, started(surroundings[1] | settings, "demo", *keep) as other:
        said = [process.communicate(timeout=60) for process in (one, other)]
    codes = (one.returncode, other.returncode)
    ended = [Done(code, out.decode(), err.decode()) for code, (out, err) in zip(codes, said, strict=True)]
    return [Demo(*found) for found in zip((plain, kept), surroundings, ended, strict=True)]


def test_in_a_clean_environment(demos):
    """It counts a week in under a minute, prints its first day and the week, and leaves nothing anywhere."""
    directory, _, done = demos[0]
    assert done.code == 0, done.stderr
    assert untouched(directory)
    assert "168 hour files" in done.stderr
    expected = truth(FIRST_DAY)
    for document in (expected.day(FIRST_DAY, universe="articles"), expected.week(universe="articles")):
        for row in document["most_requested"]:
            assert re.search(rf"\s{re.escape(row['title'])}\s.*\s{row['views']:,}\s", done.stdout)
        for row in document["top_categories"]:
            assert re.search(rf"\s{re.escape(row['category'])}\s+{row['views']:,}\s+{row['articles']:,}\n", done.stdout)
    assert "2024-01-01" in done.stdout
    assert "2024-01-07" in done.stdout


def test_keep(demos):
    """With ``--keep`` site and answers stay, and the command that it ends with works."""
    directory, surroundings, done = demos[1]
    assert done.code == 0, done.stderr
    assert untouched(directory)
    assert len(list((directory / "my demo").rglob("pageviews-*.gz"))) == 168
    [line] = done.stderr.splitlines()
    command = line.partition("Try: ")[2]
    assert "wikiq results" in command
    shown = subprocess.run(
        ["sh", "-c", f"{command} --format json"], env=surroundings, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, f"{command}: {shown.stderr}"
    assert told(shown.stdout) == truth(FIRST_DAY).day(FIRST_DAY, top=20, universe="articles")


def counted(directory):
    """How many hours a demo that works somewhere below has counted."""
    try:
        [database] = directory.rglob("wikiq.sqlite")
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM hour WHERE state = 'counted'").fetchone()[0]
    except (ValueError, sqlite3.OperationalError):
        return 0


def test_an_interrupt(tmp_path):
    """Ctrl-C ends it with 130, cleans up, and does not speak of resuming what is gone."""
    with started(clean(tmp_path), "demo") as process:
        wait_until(lambda: counted(tmp_path / "tmp") > 20)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"wikiq resume" not in stderr
    assert untouched(tmp_path)


def test_nowhere_for_temporary_files(monkeypatch):
    """Where no temporary directory can be written, the error says what to do instead."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])
    with pytest.raises(DataDirectoryUnwritable, match="--keep DIR"):
        demo()
