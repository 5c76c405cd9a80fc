"""A process that has imported everything and becomes ``wikiq`` in a fork: ``python program_server.py DESCRIPTOR``.

To each message on the socket, a JSON object with ``command``, ``environment`` and ``directory`` and four descriptors
(the three standard ones and a pipe), it answers with the process' number; when that process ends, its wait status goes
into the pipe.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
from typing import Any, NoReturn

_MESSAGE_BYTES = 1 << 17
_DESCRIPTORS = 4
_OF_OTHERS = (
    "celery.apps.worker",
    "celery.backends.redis",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "kombu.transport.memory",
    "kombu.transport.redis",
    "psycopg",
    "rich.progress",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)
"""What commands import late."""


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    gc.disable()
    _import_everything()
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    running: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(running)
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, _DESCRIPTORS)
            if not message:
                return
            begun, begin = os.pipe()
            process = os.fork()
            if not process:
                os.setsid()
                for other in (begun, begin, woken, wake, control.detach(), descriptors[3], *running.values()):
                    os.close(other)
                _become(json.loads(message), descriptors[:3])
            running[process] = descriptors[3]
            for descriptor in (begin, *descriptors[:3]):
                os.close(descriptor)
            # Ends when the process has closed its end: from then on it can be killed with its whole session.
            os.read(begun, 1)
            os.close(begun)
            control.send(str(process).encode())


def _import_everything() -> None:
    # Asked for at its import by what only workers use.
    importlib.import_module("worker.settings").remap_sigterm()
    for package in map(importlib.import_module, ("models", "worker", "cli")):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith("models.migrations."):
                importlib.import_module(module.name)
    for name in _OF_OTHERS:
        importlib.import_module(name)


def _bury(running: dict[int, int]) -> None:
    while running:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        told = running.pop(process)
        os.write(told, str(status).encode())
        os.close(told)


def _become(command: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """The console script."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(command["directory"])
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = command["command"]
    from cli.main import main as wikiq

    wikiq()
    sys.exit()


if __name__ == "__main__":
    main()
