"""Watch a replica follow its source: how long each change takes to be seen, what a kill costs, whether both agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from change_log import visible
from figures import spread
from monolith import connect, monolith
from writer import Writer

COLUMNS = "score_id, district_id, class_id, student_id, points, seq"
LOOK_EVERY = 0.02  # seconds
ASKED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """``rows`` at the beginning, ``rate`` and ``rush`` in changed rows a second, ``seconds`` of the ordinary rate."""

    rows: int
    rate: int
    rush: int
    seconds: float
    kills: int
    seed: int


class Replica:
    """The reader's process, started anew whenever it was killed."""

    def __init__(self, port: int, folder: Path) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name("replica.py")), str(port), str(folder)]
        self._lock = threading.Lock()
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603

    def ask(self, sql: str) -> Any:  # noqa: ANN401 rows, or the state
        """The rows of a query, or what the process says of itself.

        Raises:
            ConnectionError: The process is gone.
        """
        with self._lock:
            try:
                self._process.stdin.write(sql + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except BrokenPipeError:
                answer = ""
        if not answer:
            raise ConnectionError(f"The replica has ended: {self._process.poll()}")
        return json.loads(answer)

    def kill(self) -> None:
        """SIGKILL, and a new one."""
        self._process.kill()
        with self._lock:
            self._process.wait()
            self._process = self._start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def measure(plan: Plan, folder: Path) -> dict[str, Any]:
    folder.chmod(0o755)  # the server's user must reach its own folder in it
    with monolith(folder / "source") as port:
        writer = Writer(port, plan.rows, plan.seed)
        writer.fill()
        (folder / "replica").mkdir()
        replica = Replica(port, folder / "replica")
        try:
            return follow(plan, writer, replica)
        finally:
            replica.close()


def follow(plan: Plan, writer: Writer, replica: Replica) -> dict[str, Any]:
    """Write, watch, kill, compare."""
    seen: dict[str, list[float]] = defaultdict(list)
    done = threading.Event()
    writer.rate, writer.phase = plan.rate, "snapshot"
    pool = ThreadPoolExecutor(2)
    writing, watching = pool.submit(writer.work), pool.submit(watch, writer, replica, seen, done)
    try:
        caught_up(writer)
        reached = {
            "ordinary": timed(writer, "ordinary", plan.rate, plan.seconds),
            "rush": timed(writer, "rush", plan.rush, plan.seconds / 3),
        }
        caught_up(writer)
        writer.rate, writer.phase = plan.rate, "killed"
        kills = [kill(writer, replica, after=1 + 0.37 * number) for number in range(plan.kills)]
        writer.stop.set()
        writing.result()
        caught_up(writer)
    finally:
        writer.stop.set()
        done.set()
        pool.shutdown()
    watching.result()
    return compared(writer, replica) | {
        "rate": plan.rate,
        "rush_rate": plan.rush,
        "reached": reached,
        "delay": {phase: spread(delays) for phase, delays in seen.items()},
        "changes": writer.counts,
        "kills": plan.kills,
        "recovery": spread([took for took, _ in kills]),
        "read_again": sum(again for _, again in kills),
        "cores": os.cpu_count(),
    }


def kill(writer: Writer, replica: Replica, after: float) -> tuple[float, int]:
    """Kill the reader in a while: seconds until all that was committed before is seen, rows that were written again."""
    time.sleep(after)
    began = time.monotonic()
    replica.kill()
    caught_up(writer, began)
    return time.monotonic() - began, int(replica.ask("state")["again"])


def timed(writer: Writer, phase: str, rate: float, duration: float) -> int:
    """Let it write for a while; changed rows a second that it reached, which a busy machine keeps below the rate."""
    before, began = writer.seq, time.monotonic()
    writer.rate, writer.phase = rate, phase
    time.sleep(duration)
    return round((writer.seq - before) / (time.monotonic() - began))


def caught_up(writer: Writer, since: float | None = None, limit: float = 120) -> None:
    """Wait until every change from before ``since`` (default: now) has been seen.

    Raises:
        TimeoutError: Not within ``limit`` seconds.
    """
    since = time.monotonic() if since is None else since
    deadline = time.monotonic() + limit
    while True:
        with writer.lock:
            if all(change.at > since for change in writer.waiting.values()):
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not caught up after {limit} seconds.")
        time.sleep(0.05)


def watch(writer: Writer, replica: Replica, seen: dict[str, list[float]], done: threading.Event) -> None:
    """Ask for what was not seen yet; note the delay of what is there now."""
    while not done.wait(LOOK_EVERY):
        with writer.lock:
            asked = list(writer.waiting.values())[:ASKED_AT_ONCE]
        if not asked:
            continue
        ids = ",".join(str(change.score_id) for change in asked)
        try:
            rows = replica.ask(f"SELECT score_id, seq FROM school.scores FINAL WHERE score_id IN ({ids})")
        except ConnectionError:
            continue  # killed; the next one answers
        now = time.monotonic()
        shown = dict(rows)
        with writer.lock:
            for change in asked:
                if visible(change.seq, shown.get(change.score_id), writer.deleted.get(change.score_id)):
                    seen[change.phase].append(now - change.at)
                    del writer.waiting[change.seq]


def compared(writer: Writer, replica: Replica) -> dict[str, Any]:
    with connect(writer.port) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM scores ORDER BY score_id")
        source = [list(row) for row in cursor.fetchall()]
    rows = replica.ask(f"SELECT {COLUMNS} FROM school.scores FINAL ORDER BY score_id")
    return {"rows": len(source), "total_changes": writer.seq, "holds": source == rows}
