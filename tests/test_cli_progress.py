"""Progress on stderr: a bar on a terminal, now and then a line elsewhere, nothing when quiet."""

from __future__ import annotations

import itertools
import os
import pty
import re
import subprocess
from contextlib import suppress

import pytest
from cli_process import PROGRAM, environment

import cli.progress
from cli.demosite.faults import Fault, Slow
from cli.progress import reporting
from models.tables import HourState
from worker.progress import Progress

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def standings(number):
    """As many looks at a day whose hours are counted one after another."""
    for n in range(number):
        counted = 24 * n // number
        hours = {HourState.COUNTED: counted, HourState.WAITING: 23 - counted, HourState.MISSING: 1}
        yield Progress(hours, counted * 1_000_000, 1)


def told(monkeypatch, capsys, looks, *, seconds, quiet=False):
    """What is said when the work is looked at so often, at this distance."""
    clock = itertools.count(step=seconds)
    monkeypatch.setattr(cli.progress.time, "monotonic", lambda: next(clock))
    with reporting(quiet=quiet) as report:
        for standing in standings(looks):
            report(standing)
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_a_line_now_and_then(monkeypatch, capsys):
    """Without a terminal there is a plain line every ten seconds at most, without any control character."""
    said = told(monkeypatch, capsys, 1_000, seconds=0.1)
    lines = said.splitlines()
    # Each look takes two looks at the clock, one for the speed and one for the line.
    assert 10 <= len(lines) <= 20
    assert not CONTROL.search(said)
    assert all(re.fullmatch(r"hours \d+/24: \d+\.\d MB, \d+\.\d MB/s, 1 missing(, ranking)?", line) for line in lines)


def test_a_short_run_says_nothing(monkeypatch, capsys):
    """A run that is over within ten seconds has no line of progress."""
    assert told(monkeypatch, capsys, 10, seconds=0.2) == ""


def test_after_a_pause_lines_do_not_pile_up(monkeypatch, capsys):
    """A long silence, as of a machine that slept, is followed by one line per ten seconds, not by many at once."""
    clock = iter([*([0.0] * 4), *(3600 + n / 10 for n in range(1_000))])
    monkeypatch.setattr(cli.progress.time, "monotonic", lambda: next(clock))
    with reporting(quiet=False) as report:
        for standing in standings(40):
            report(standing)
    assert len(capsys.readouterr().err.splitlines()) <= 2


def test_quiet_is_quiet(monkeypatch, capsys):
    """With ``--quiet`` there is no progress at all."""
    assert told(monkeypatch, capsys, 1_000, seconds=1, quiet=True) == ""


def on_a_terminal(surroundings, *arguments):
    """Run the program with stderr on a terminal: its exit code, what stdout got, and what the terminal got."""
    here, there = pty.openpty()
    process = subprocess.Popen([PROGRAM, *arguments], env=surroundings, stdout=subprocess.PIPE, stderr=there)
    os.close(there)
    shown = bytearray()
    # Linux answers EIO when the last process that had the terminal open is gone.
    with suppress(OSError):
        while piece := os.read(here, 4096):
            shown += piece
    os.close(here)
    with process:
        stdout = process.communicate(timeout=10)[0]
    return process.returncode, stdout.decode(), shown.decode()


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_on_a_terminal(tmp_path, site, demo, term):
    """A terminal gets a bar that reaches 24/24; one that is dumb gets none, and no control characters."""
    site.misbehave(Fault("*.gz", Slow(200_000)))
    surroundings = environment(tmp_path, WIKIQ_SOURCE=site.url, TERM=term)
    code, stdout, shown = on_a_terminal(surroundings, "enqueue", str(demo.first_day))
    assert (code, stdout) == (0, "")
    assert ("\x1b[" in shown) is (term == "xterm")
    assert "24/24" in shown or term == "dumb"
    assert "1 of 1 days are complete" in shown
    if term == "dumb":
        assert not CONTROL.search(shown.replace("\r\n", "\n"))
