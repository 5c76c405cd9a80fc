"""``wikiq demo`` as a newcomer runs it, who has set nothing."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from cli_process import SCRIPTS, started, wait_until, wikiq
from demo_truth import told, truth

FIRST_DAY = dt.date(2024, 1, 1)


@pytest.fixture
def clean(tmp_path):
    """An environment with an empty home, an empty directory for temporary files, and not one WIKIQ variable."""
    for name in ("home", "tmp", "here"):
        (tmp_path / name).mkdir()
    path = os.pathsep.join((SCRIPTS, os.defpath))
    return {"PATH": path, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}


def untouched(tmp_path):
    return list((tmp_path / "home").iterdir()) == [] == list((tmp_path / "tmp").iterdir())


def counted(directory):
    """How many hours a demo that works somewhere below has counted."""
    try:
        [database] = directory.rglob("wikiq.sqlite")
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM hour_tally").fetchone()[0]
    except (ValueError, sqlite3.OperationalError):
        return 0


def test_in_a_clean_environment(clean, tmp_path):
    """It counts a week in under a minute, prints its first day and the week, and leaves nothing anywhere."""
    began = time.monotonic()
    done = wikiq(clean, "demo", timeout=60)
    assert time.monotonic() - began < 60
    assert done.code == 0, done.stderr
    assert untouched(tmp_path)
    assert "168 hour files" in done.stderr
    expected = truth(FIRST_DAY)
    for document in (expected.day(FIRST_DAY), expected.week()):
        for row in document["most_requested"]:
            assert re.search(rf"\s{re.escape(row['title'])}\s.*\s{row['views']:,}\s", done.stdout)
    assert "2024-01-01" in done.stdout
    assert "2024-01-07" in done.stdout


def test_keep(clean, tmp_path):
    """With ``--keep`` site and answers stay, and the command it ends with works; what else is set does not matter."""
    here, kept = tmp_path / "here", "my demo"
    settings = {"WIKIQ_BROKER_URL": "nonsense", "WIKIQ_SOURCE": "nonsense"}
    done = subprocess.run(
        ["wikiq", "demo", "--quiet", "--keep", kept],
        env=clean | settings,
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert untouched(tmp_path)
    assert len(list((here / kept).rglob("pageviews-*.gz"))) == 168
    [line] = done.stderr.splitlines()
    command = line.partition("Try: ")[2]
    assert "wikiq results" in command
    shown = subprocess.run(
        ["sh", "-c", f"{command} --format json"], env=clean, cwd=here, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, f"{command}: {shown.stderr}"
    assert told(shown.stdout) == truth(FIRST_DAY).day(FIRST_DAY, top=20)


def test_an_interrupt(clean, tmp_path):
    """Ctrl-C ends it with 130, cleans up, and does not speak of resuming what is gone."""
    with started(clean, "demo") as process:
        wait_until(lambda: counted(tmp_path / "tmp") > 20)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"wikiq resume" not in stderr
    assert untouched(tmp_path)
