"""Servers of a test's own that go down and come back on the same port, with what they knew."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis
import servers
from cli_process import wait_until


class OwnRedis:
    """A redis-server that writes down everything, so that its data outlives it."""

    def __init__(self, stack, directory):
        self._stack, self._directory = stack, directory
        self.port = servers.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self._directory.mkdir(exist_ok=True)
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes")
        command = [servers.program("redis-server"), *options, "--dir", str(self._directory)]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = self._stack.enter_context(subprocess.Popen(command, **silent))
        self._stack.callback(self._process.kill)
        wait_until(self._answers)

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _answers(self):
        with redis.Redis.from_url(self.url) as client:
            try:
                return client.ping()
            except redis.RedisError:
                return False


class OwnPostgreSQL:
    """A PostgreSQL cluster; ``mode`` is how pg_ctl stops it: fast, or immediate, which is a crash."""

    def __init__(self, directory, url):
        self.url, self._directory = url, directory
        # PostgreSQL refuses to run as root.
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._control = [*as_user, servers.program("pg_ctl"), "-D", str(directory / "cluster"), "-w"]

    def stop(self, mode):
        self._run("stop", "-m", mode)

    def start(self):
        options = f"-p {urlsplit(self.url).port} -k {self._directory} -h 127.0.0.1 -c fsync=off"
        self._run("start", "-o", options, "-l", str(self._directory / "log"))

    def _run(self, *arguments):
        subprocess.run([*self._control, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def own_postgresql():
    """A cluster that runs."""
    with (
        # Not below pytest's directory, which every session closes to other users, among them the server's.
        tempfile.TemporaryDirectory(prefix="wikiq-postgresql-", ignore_cleanup_errors=True) as directory,
        servers.postgresql_server(Path(directory)) as url,
    ):
        server = OwnPostgreSQL(Path(directory), url)
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):
                server.stop("immediate")
