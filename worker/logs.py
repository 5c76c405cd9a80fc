"""What a worker logs: lines for people, or a JSON object a line for a log store. Both say which task they belong to.

================ ==========================================================================
time             UTC, RFC 3339
level, logger    as Python's logging names them
message          a sentence; stack traces stand in ``exception``
task, task_id    while a task runs
project, hour …  what the task was given: also ``projects``, ``day``, ``run``, ``table``
================ ==========================================================================

Further fields are what a record brings along, like the bytes of a counted file.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from worker.settings import LogFormat

_CREDENTIALS = re.compile(r"(?<=://)[^\s\"'<>]*@")
_SUBJECTS = ("project", "projects", "hour", "day", "first_day", "run", "table")
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_doing: ContextVar[Mapping[str, Any]] = ContextVar("doing", default={})  # noqa: B039 - never written to


@contextmanager
def doing(task: str, task_id: str | None, arguments: Mapping[str, Any]) -> Iterator[None]:
    """Have every record of this thread say which task it belongs to, and what the task was given."""
    subjects = {name: arguments[name] for name in _SUBJECTS if name in arguments}
    token = _doing.set({"task": task, "task_id": task_id, **subjects})
    try:
        yield
    finally:
        _doing.reset(token)


def set_up_logging(form: LogFormat, level: str) -> None:
    """Write this process' records to stderr.

    Args:
        form: for people or for machines.
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_of(form))
    handler.addFilter(_say_which_task)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)


def formatter_of(form: LogFormat) -> logging.Formatter:
    """Makes one line of a record."""
    return _Json() if form is LogFormat.JSON else _Text()


def _say_which_task(record: logging.LogRecord) -> bool:
    fields = dict(_doing.get())
    # Celery tells of the tasks that it received and that succeeded in a field of its own.
    told = record.__dict__.pop("data", None)
    if isinstance(told, Mapping):
        fields = {"task": told.get("name"), "task_id": told.get("id"), **fields}
    record.__dict__.update({name: value for name, value in fields.items() if name not in record.__dict__})
    return True


def _masked(text: str) -> str:
    """Without what stands between ``://`` and the last ``@`` of a URL: a password may hold almost anything."""
    return _CREDENTIALS.sub("***@", text)


def _utc(record: logging.LogRecord) -> str:
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(JsonFormatter):
    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = _utc(record)
        super().add_fields(log_data, record, message_dict)

    def format(self, record: logging.LogRecord) -> str:
        return _masked(super().format(record))


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(subject)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        # One line: what a stranger wrote must not look like a record of its own, nor move the cursor.
        return super().formatMessage(record).translate(_VISIBLE)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        return _utc(record)

    def format(self, record: logging.LogRecord) -> str:
        found = (getattr(record, name, None) for name in ("task", *_SUBJECTS))
        words = [",".join(value) if isinstance(value, list | tuple) else str(value) for value in found if value]
        record.subject = f" [{' '.join(words)}]" if words else ""
        return _masked(super().format(record))
