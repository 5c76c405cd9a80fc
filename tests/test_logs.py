"""What is logged: one line a record, or one JSON object; with its task, and without passwords."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW

from worker.logs import doing, formatter_of, set_up_logging
from worker.settings import LogFormat

GIVEN = {"hour": "2024-01-03T05:00Z", "projects": ["en.wikipedia", "de.wikipedia"], "source": "https://me:pw@x.org"}


@pytest.fixture
def root():
    """The root logger, as it was afterwards."""
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = root.handlers[:]
    yield root
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def written(root, capsys):
    """What is written by a process whose logging is set up."""

    def log(form, say):
        set_up_logging(form, "info")
        say(root.getChild("worker.sample"))
        return capsys.readouterr().err

    return log


def test_a_json_line(written):
    """A record is one JSON object with time, level, logger and message, and whatever else it brings along."""
    line = written(LogFormat.JSON, lambda log: log.info("%s is counted", "05", extra={"bytes": 7}))
    found = json.loads(line)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert found.pop("time").endswith("Z")
    assert found == {"level": "INFO", "logger": "worker.sample", "message": "05 is counted", "bytes": 7}


def test_the_task(written):
    """While a task runs, its records name it, its hour and projects, but not its source; later ones do not."""

    def say(log):
        with doing("wikiq.count_hour", "an-id", GIVEN):
            log.info("during")
        log.info("after")

    during, after = map(json.loads, written(LogFormat.JSON, say).splitlines())
    assert (during["task"], during["task_id"]) == ("wikiq.count_hour", "an-id")
    assert (during["hour"], during["projects"]) == (GIVEN["hour"], GIVEN["projects"])
    assert "source" not in during
    assert "task" not in after


def test_what_celery_tells(written):
    """Of what Celery says of a task, its name and id are kept, not its arguments."""
    data = {"id": "an-id", "name": "wikiq.rank_day", "args": "(secret)"}
    found = json.loads(written(LogFormat.JSON, lambda log: log.info("received", extra={"data": data})))
    assert (found["task"], found["task_id"]) == ("wikiq.rank_day", "an-id")
    assert "secret" not in str(found)


def test_a_stack_trace(written):
    """A stack trace is a field of the same JSON object."""

    def say(log):
        log.error("failed", exc_info=ValueError("odd"))

    found = json.loads(written(LogFormat.JSON, say))
    assert found["message"] == "failed"
    assert found["exception"].splitlines()[-1] == "ValueError: odd"


@pytest.mark.parametrize("form", list(LogFormat))
def test_passwords(written, form):
    """What stands before the host in a URL is masked, in messages and in stack traces."""

    def say(log):
        error = OSError("postgresql://me:hu/sh@db.example.org/wikiq")
        log.error("cannot reach %s", "redis://:hush@broker.example.org:6379/0", exc_info=error)

    line = written(form, say)
    assert "hush" not in line
    assert "redis://***@broker.example.org:6379/0" in line
    assert "db.example.org" in line


def test_a_text_line(written):
    """A line for people has time, level, logger, the task with its subject, and the message."""

    def say(log):
        with doing("wikiq.count_hour", "an-id", GIVEN):
            log.warning("slow")

    time, rest = written(LogFormat.TEXT, say).split(" ", 1)
    assert time.endswith("Z")
    subject = "[wikiq.count_hour en.wikipedia,de.wikipedia 2024-01-03T05:00Z]"
    assert rest == f"WARNING worker.sample {subject}: slow\n"


def test_a_title_that_looks_like_a_record(written):
    """A stranger's line break does not begin a new line, and no control character gets through."""
    line = written(LogFormat.TEXT, lambda log: log.info("%s", "Main\n2024 ERROR forged\x1b[2J\x9b"))
    assert line.endswith("Main\\x0a2024 ERROR forged\\x1b[2J\\x9b\n")


@LAW
@given(message=st.text())
def test_json_is_one_line_whatever_is_said(message):
    """Any text makes one line that reads back as the same text, but for a password."""
    record = logging.LogRecord("sample", logging.INFO, "", 1, "%s", (message,), None)
    line = formatter_of(LogFormat.JSON).format(record)
    assert "\n" not in line
    told = json.loads(line)["message"]
    assert told == message or ("://" in message and "***@" in told)
