"""The running system as its users have it: ``wikiq`` processes, a Redis, a directory, and what they took."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.needs import program

YOUNG_SECONDS = 13
"""A Redis that has run for less than twice a lease's time between renewals gives no leases (docs/decisions/0012)."""
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took: seconds on the clock and on the CPUs, memory. ``ended`` is in seconds since 1970."""

    seconds: float
    cpu: float
    ended: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Home:
    """A directory for one run of the system, and the environment of its processes."""

    directory: Path
    environment: Mapping[str, str]

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def run(self, *arguments: str) -> Ran:
        """A ``wikiq`` command to its end.

        Raises:
            RuntimeError: it ended badly.
        """
        began = time.time()
        with (self.directory / "command.log").open("wb") as log:
            process = self._begin(log, *arguments)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        ended = time.time()
        if process.returncode:
            said = (self.directory / "command.log").read_text(errors="replace")
            raise RuntimeError(f"wikiq {' '.join(arguments)} ended with {process.returncode}: {said}")
        # Linux tells kilobytes.
        return Ran(ended - began, used.ru_utime + used.ru_stime, ended, used.ru_maxrss * 1024 / _MEGABYTE)

    def _begin(self, log: IO[bytes], *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([program("wikiq") or "wikiq", *arguments], env=self.environment, stdout=log, stderr=log)  # noqa: S603 our own program

    def answers(self, *arguments: str) -> Any:  # noqa: ANN401 JSON
        """What ``wikiq results`` says, without when it was computed."""
        command = [program("wikiq") or "wikiq", "results", *arguments, "--format", "json"]
        done = subprocess.run(command, env=dict(self.environment), check=True, capture_output=True)  # noqa: S603 our own program
        return json.loads(done.stdout, object_hook=_timeless)

    def counted(self) -> tuple[int, float]:
        """How many hours are counted, and when the last of them was, in seconds since 1970."""
        seconds = "strftime('%s', counted_at) + strftime('%f', counted_at) - strftime('%S', counted_at)"
        with closing(sqlite3.connect(self.data / "wikiq.sqlite")) as database:
            query = f"SELECT count(*), max({seconds}) FROM hour WHERE state = 'counted'"  # noqa: S608 nothing from outside
            number, last = database.execute(query).fetchone()
        return int(number), float(last or 0)

    @contextmanager
    def workers(
        self, number: int, concurrency: int, peaks: dict[str, float], *, one_cpu_each: bool = False
    ) -> Iterator[None]:
        """Workers that are ready: so many that count, of so many processes each, and one that ranks.

        Those that count may be held to one CPU each; where there are more workers than CPUs, they share them.
        When the block ends ``peaks`` has, of each kind, the most memory in megabytes that a process had.
        """
        kinds = [("count", concurrency)] * number + [("rank", 1)]
        with ExitStack() as stack:
            running = []
            for place, (kind, processes) in enumerate(kinds):
                with _held_to(place if one_cpu_each and kind == "count" else None):
                    worker = stack.enter_context(self._worker(f"bench-{place}", kind, processes))
                running.append((kind, worker))
            wait_until(lambda: len(list(self.data.glob("health/*.ready"))) == len(kinds))
            yield
            for kind, worker in running:
                peaks[kind] = max(peaks.get(kind, 0), *map(_peak_mb, _children(worker.pid)))

    @contextmanager
    def _worker(self, name: str, queue: str, processes: int) -> Iterator[subprocess.Popen[bytes]]:
        options = ("--name", name, "--queues", queue, "--concurrency", str(processes), "--grace", "1")
        with (self.directory / "workers.log").open("ab") as log:
            process = self._begin(log, "worker", *options)
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait()


@contextmanager
def _held_to(number: int | None) -> Iterator[None]:
    """Processes that are started meanwhile, and their children, use one CPU only; None lets them use all."""
    cpus = os.sched_getaffinity(0)
    if number is not None:
        os.sched_setaffinity(0, {sorted(cpus)[number % len(cpus)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


@contextmanager
def home(source: str, broker_url: str | None = None, **variables: str) -> Iterator[Home]:
    """A place for one run, which is removed at its end."""
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-", ignore_cleanup_errors=True) as name:
        found = {
            key: os.environ[key] for key in ("PATH", "LANG", "PYTHONPATH", "POLARS_MAX_THREADS") if key in os.environ
        }
        mine = {
            "HOME": name,
            "WIKIQ_DATA_DIR": f"{name}/data",
            "WIKIQ_SOURCE": source,
            "WIKIQ_CONTACT": "bench@localhost",
        }
        broker = {"WIKIQ_BROKER_URL": broker_url} if broker_url else {}
        yield Home(Path(name), {**found, **mine, **broker, **variables})


@contextmanager
def redis(url: str | None = None, *, age: int = YOUNG_SECONDS) -> Iterator[str]:
    """A Redis that gives leases: the one at the URL, which should hold nothing, or one that ends with the block.

    Args:
        url: of one that runs.
        age: for how many seconds another one has to run first.

    Raises:
        FileNotFoundError: there is no redis-server.
        RuntimeError: it has ended at once.
    """
    if url:
        yield url
        return
    server = program("redis-server")
    if server is None:
        raise FileNotFoundError("redis-server is not installed")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 its arguments are made here
        try:
            own = f"redis://127.0.0.1:{port}/0"
            _wait_for_age(process, own, age)
            yield own
        finally:
            process.terminate()
            process.wait()


def _wait_for_age(process: subprocess.Popen[bytes], url: str, age: int) -> None:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as NotYet
    from redis.retry import Retry

    with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
        while process.poll() is None:
            with suppress(NotYet):
                if int(client.info("server")["uptime_in_seconds"]) >= age:
                    return
            time.sleep(0.1)
    raise RuntimeError(f"redis-server ended with {process.returncode}")


def wait_until(holds: Any, seconds: float = 60) -> None:  # noqa: ANN401
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "computed_at"}


def _children(pid: int) -> Sequence[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / _MEGABYTE
