"""Whether this machine's worker lives and takes tasks, told by the times of two files.

==================== ======================================================================
health/NAME.alive    touched every ten seconds by the worker's main loop
health/NAME.ready    there while the worker takes tasks from the broker
==================== ======================================================================

Files, because a probe must be cheap and must not ask the broker: an outage of Redis would have every worker restarted.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path

from models.errors import DataDirectoryUnwritable, UsageError, WorkerNotAlive, WorkerNotReady

BEAT_SECONDS = 10.0
ALIVE_SECONDS = 600.0
"""For so long a worker's main loop may be busy or stopped before it counts as dead."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Health:
    """The two files of one worker."""

    alive: Path
    ready: Path

    def begin(self) -> None:
        """Forget what an earlier worker of this name left.

        Raises:
            DataDirectoryUnwritable: the files cannot be written.
        """
        try:
            self.alive.parent.mkdir(parents=True, exist_ok=True)
            self.ready.unlink(missing_ok=True)
            self.beat()
        except OSError as error:
            raise DataDirectoryUnwritable(f"{self.alive.parent} cannot be written: {error.strerror}.") from None

    def beat(self) -> None:
        self.alive.touch()

    def take_tasks(self) -> None:
        self.ready.touch()

    def take_no_tasks(self) -> None:
        self.ready.unlink(missing_ok=True)

    def end(self) -> None:
        self.take_no_tasks()
        self.alive.unlink(missing_ok=True)


def health_of(data_dir: Path, name: str | None = None) -> Health:
    """The files of the worker with this name, by default the machine's.

    Raises:
        UsageError: the name cannot be part of a file's name.
    """
    called = name or socket.gethostname()
    if not _NAME.fullmatch(called):
        raise UsageError("A worker's name is made of letters, digits, dots, dashes and underscores; set --name.")
    directory = data_dir / "health"
    return Health(directory / f"{called}.alive", directory / f"{called}.ready")


def check_alive(health: Health, now: float) -> None:
    """Return if the worker's main loop moved within the last ten minutes.

    Args:
        health: the worker's files.
        now: the time in seconds since 1970, as files' times are given.

    Raises:
        WorkerNotAlive: there is no such worker, or its main loop stands still.
    """
    try:
        age = now - health.alive.stat().st_mtime
    except OSError:
        raise WorkerNotAlive(f"There is no worker here: {health.alive} does not exist.") from None
    # A beat of the future tells nothing: after a clock was set back, it would count as one of now for as long.
    if abs(age) > ALIVE_SECONDS:
        raise WorkerNotAlive(f"The worker's main loop has stood still for {abs(age):.0f} s, or its clock was set.")


def check_ready(health: Health, now: float) -> None:
    """Return if the worker lives and takes tasks.

    Raises:
        WorkerNotAlive: as ``check_alive``.
        WorkerNotReady: it has not begun to, or waits for the broker.
    """
    check_alive(health, now)
    if not health.ready.exists():
        raise WorkerNotReady
