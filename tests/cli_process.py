"""The real ``wikiq`` program as a user runs it: a process of its own, with an environment that holds what it is given.

done = wikiq(environment(tmp_path, WIKIQ_SOURCE=site.url), "enqueue", "2023-12-28")
done.code, done.stdout, done.stderr
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from program import Forked, can_be_forked

SCRIPTS = sysconfig.get_path("scripts")
PROGRAM = shutil.which("wikiq", path=SCRIPTS) or "wikiq"
PATIENCE = 60.0
"""Seconds that any one command may take here; on the demo site's small files each takes a few."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


def environment(directory: Path, **more: str) -> dict[str, str]:
    """A user's environment whose home and data lie in this directory; nothing of the tests' own gets through."""
    home = directory / "home"
    home.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join((SCRIPTS, os.defpath))
    data = {"WIKIQ_DATA_DIR": str(directory / "data"), "WIKIQ_CONTACT": "tests@localhost"}
    return {"PATH": path, "HOME": str(home), **data, **more}


def wikiq(environment: Mapping[str, str], *arguments: str, timeout: float = PATIENCE) -> Done:
    """Run the program to its end."""
    with started(environment, *arguments) as process:
        stdout, stderr = process.communicate(timeout=timeout)
    return Done(process.returncode, stdout.decode(), stderr.decode())


@contextmanager
def started(
    environment: Mapping[str, str], *arguments: str, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes] | Forked]:
    """The program as a running process, killed with all its children when the block ends.

    Its output is kept for ``communicate``, or goes into a file. Where the environment holds more than a home and
    settings of wikiq, the process begins as a user's does; else it is forked from one that has imported all it needs.
    """
    with (log or Path(os.devnull)).open("ab") as file:
        process = _begun([PROGRAM, *arguments], environment, file if log else None)
    with process:
        try:
            yield process
        finally:
            kill(process)


def _begun(
    command: list[str], environment: Mapping[str, str], log: BinaryIO | None
) -> subprocess.Popen[bytes] | Forked:
    if can_be_forked(environment):
        return Forked(command, environment, log)
    output = log or subprocess.PIPE
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes] | Forked) -> None:
    """SIGKILL to the process and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_until(holds: Callable[[], object], *, seconds: float = PATIENCE, every: float = 0.02) -> None:
    """Come back as soon as something holds.

    Raises:
        TimeoutError: it did not hold for so long.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{holds} did not hold within {seconds:g} s")
        time.sleep(every)


def left_behind(data_dir: Path) -> list[str]:
    """Files of unfinished work: whatever lies among the downloads and is no lock."""
    downloads = data_dir / "downloads"
    return sorted(path.name for path in downloads.rglob("*") if path.is_file() and path.suffix != ".lock")
