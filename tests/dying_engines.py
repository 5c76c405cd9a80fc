"""Engines for bench/turns.py of which one is killed while another has its turn, as by a system without memory."""

from __future__ import annotations

import os
import signal
import time

from bench.engines import Engine


def _tell_who(task):
    (task.scratch.parent / "victim").write_text(str(os.getpid()))


def _kill(task, _):
    (task.scratch.parent / "wikiq.process").write_text(str(os.getpid()))
    victim = task.scratch.parent / "victim"
    if victim.exists():
        os.kill(int(victim.read_text()), signal.SIGKILL)
        victim.unlink()
        time.sleep(0.2)


def _kill_oneself(task, _):
    if (task.scratch.parent / "victim").exists():
        os.kill(os.getpid(), signal.SIGKILL)


def _nothing(_task, _):
    return None


def _answer(_task, _):
    return {"views": 3}


def _kill_wikiq(task, _):
    os.kill(int((task.scratch.parent / "wikiq.process").read_text()), signal.SIGKILL)
    time.sleep(0.2)


ENGINES = {
    "wikiq": Engine(_kill, _answer),
    "duckdb": Engine(_nothing, _answer, _tell_who),
    "clickhouse": Engine(_kill_wikiq, _answer),
    "polars": Engine(_nothing, _answer),
    "pandas": Engine(_kill_oneself, _answer),
}
