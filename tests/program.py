"""The ``wikiq`` program as a process that need not import anything: forked from one that has.

Importing takes nearly half of the processor's time of commands that work on small files (docs/decisions/0020), and the
tests run hundreds.
It is a process like any other: with its own session, environment, standard descriptors and exit code.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Self

SERVER = Path(__file__).with_name("program_server.py")
_PLAIN = ("PATH", "HOME")
"""What the server itself is given: of other variables a library may think at its import."""


def can_be_forked(environment: Mapping[str, str]) -> bool:
    """Whether nothing in the environment could change what importing does."""
    return all(name in _PLAIN or name.startswith("WIKIQ_") for name in environment)


class Forked:
    """A running program: as much of ``subprocess.Popen`` as is used. Its output goes to a log, or is kept."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: BinaryIO | None) -> None:
        self.args, self.returncode = list(arguments), None
        self._open = ExitStack()
        self._kept = [] if log else [self._file(), self._file()]
        stdout, stderr = self._kept or (log, log)
        self._status, told = os.pipe()
        self._open.callback(os.close, self._status)
        with Path(os.devnull).open("rb") as nothing:
            descriptors = [nothing.fileno(), stdout.fileno(), stderr.fileno(), told]
            self.pid = _server(environment["PATH"]).fork(arguments, environment, descriptors)
        os.close(told)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        self._open.close()

    def _file(self) -> IO[bytes]:
        return self._open.enter_context(TemporaryFile())

    def poll(self) -> int | None:
        return self._end(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._end(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What it has written once it has ended."""
        self.wait(timeout)
        return tuple(os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0) for file in self._kept)

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _end(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            poll = select.poll()
            poll.register(self._status, select.POLLIN)
            if poll.poll(None if seconds is None else seconds * 1000):
                self.returncode = os.waitstatus_to_exitcode(int(os.read(self._status, 32)))
        return self.returncode


class _Server:
    """The process that forks; one per process that runs tests, and it ends with it."""

    def __init__(self, path: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, SERVER, str(theirs.fileno())],
                env={"PATH": path, "HOME": os.devnull},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._stop)

    def fork(self, arguments: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]) -> int:
        message = {"command": arguments, "environment": dict(environment), "directory": str(Path.cwd())}
        with self._turn:
            socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)
            return int(self._control.recv(32))

    def _stop(self) -> None:
        self._control.close()
        self._process.wait()


@cache
def _server(path: str) -> _Server:
    return _Server(path)
