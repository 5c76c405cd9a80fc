"""Connections, files held, and patience."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import CorruptFile, SourceUnreachable, UsageError
from worker.budget import hold_connection, hold_file
from worker.patience import Interrupted, Retries, persist

SOURCE = "https://dumps.wikimedia.org"
QUICK = Retries(attempts=3, wait_initial=0.001, wait_max=0.002, wait_jitter=0, least_progress=10)
HOLDER = """
import sys, time
from pathlib import Path
from worker.budget import hold_connection
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with hold_connection(Path(sys.argv[1]), "https://dumps.wikimedia.org", limit=int(sys.argv[3])):
        print("+", time.monotonic(), flush=True)
        time.sleep(float(sys.argv[4]))
        print("-", time.monotonic(), flush=True)
"""


class Crowd:
    """Counts who is inside, and the most that ever were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        yield
        with self._lock:
            self._inside -= 1


def start_holder(directory: Path, *, rounds: int, limit: int, seconds: float) -> subprocess.Popen[str]:
    """A process that is ready to hold a connection once it is sent a line."""
    command = [sys.executable, "-c", HOLDER, str(directory), str(rounds), str(limit), str(seconds)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n"
    return holder


def most_at_once(logs: list[str]) -> int:
    moments = sorted((float(moment), sign) for log in logs for sign, moment in re.findall(r"([+-]) (\S+)", log))
    inside, most = 0, 0
    for _, sign in moments:
        inside += 1 if sign == "+" else -1
        most = max(most, inside)
    return most


def is_free(directory: Path, source: str, limit: int, seconds: float = 0.5) -> bool:
    """Whether another thread gets a connection within this time; it waits on if not, and ends when it does."""
    entered = threading.Event()

    def enter() -> None:
        with hold_connection(directory, source, limit):
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    return entered.wait(seconds)


def test_threads_share_three_connections(tmp_path: Path) -> None:
    """Of ten threads of one process, three are inside at a time, and never a fourth."""
    crowd = Crowd()

    def work() -> None:
        with hold_connection(tmp_path, SOURCE), crowd.counted():
            time.sleep(0.05)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crowd.most == 3


def test_processes_share_three_connections(tmp_path: Path) -> None:
    """Of six processes that each come twice, three are inside at a time, and never a fourth."""
    holders = [start_holder(tmp_path, rounds=2, limit=3, seconds=0.15) for _ in range(6)]
    for holder in holders:
        assert holder.stdin is not None
        print(file=holder.stdin, flush=True)
    logs = [holder.communicate(timeout=60)[0] for holder in holders]
    assert [log.count("+") for log in logs] == [2] * 6
    assert most_at_once(logs) == 3


def test_kill_frees_the_connection(tmp_path: Path) -> None:
    """A holder that dies by SIGKILL holds nothing any more."""
    holder = start_holder(tmp_path, rounds=1, limit=1, seconds=60)
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder:
        print(file=holder.stdin, flush=True)
        assert holder.stdout.read(1) == "+"
        assert not is_free(tmp_path, SOURCE, limit=1, seconds=0.3)
        holder.send_signal(signal.SIGKILL)
    assert is_free(tmp_path, SOURCE, limit=1, seconds=5)


def test_failure_inside_frees_the_connection(tmp_path: Path) -> None:
    """An error in the block gives the connection back."""
    with pytest.raises(ZeroDivisionError), hold_connection(tmp_path, SOURCE, limit=1):
        _ = 1 / 0
    assert is_free(tmp_path, SOURCE, limit=1)


def test_another_thread_may_give_it_back(tmp_path: Path) -> None:
    """A connection that one thread took is free when another thread ends the hold."""
    hold = hold_connection(tmp_path, SOURCE, limit=1)
    taker = threading.Thread(target=hold.__enter__)
    taker.start()
    taker.join()
    assert not is_free(tmp_path, SOURCE, limit=1, seconds=0.3)
    hold.__exit__(None, None, None)
    assert is_free(tmp_path, SOURCE, limit=1)


@pytest.mark.parametrize(
    "other", ["http://dumps.wikimedia.org", "https://dumps.wikimedia.org:8443", "https://dumps.wikimedia.your.org"]
)
def test_sources_have_budgets_of_their_own(tmp_path: Path, other: str) -> None:
    """Another scheme, port or host is another source."""
    with hold_connection(tmp_path, SOURCE, limit=1):
        assert is_free(tmp_path, other, limit=1)


@pytest.mark.parametrize(
    "same",
    ["HTTPS://Dumps.Wikimedia.ORG/", "https://dumps.wikimedia.org:443/mirror", "https://me:secret@dumps.wikimedia.org"],
)
def test_one_source_has_one_budget_however_it_is_written(tmp_path: Path, same: str) -> None:
    """Case, default port, path and credentials make no other source."""
    with hold_connection(tmp_path, SOURCE, limit=1):
        assert not is_free(tmp_path, same, limit=1, seconds=0.3)


@given(
    st.one_of(st.text(), st.text().map(lambda text: f"https://{text}"), st.text("./\\%a@:[]").map("http://{}".format))
)
def test_source_chooses_no_path(tmp_path_factory: pytest.TempPathFactory, source: str) -> None:
    """Any text is either no source, or its lock file lies in the directory under a name of hexadecimal digits."""
    directory = tmp_path_factory.mktemp("slots")
    try:
        with hold_connection(directory, source):
            assert [re.fullmatch(r"[0-9a-f]{16}\.0\.lock", path.name) is not None for path in directory.iterdir()] == [
                True
            ]
    except UsageError:
        assert not list(directory.iterdir())


def test_limit_below_one_is_refused(tmp_path: Path) -> None:
    """A source without any connection is an error, not an endless wait."""
    with pytest.raises(UsageError, match="at least one"), hold_connection(tmp_path, SOURCE, limit=0):
        pass


def test_file_is_held_by_one_thread_which_may_hold_it_twice(tmp_path: Path) -> None:
    """A thread enters again what it holds; another one waits until the outermost hold ends."""
    into, entered = tmp_path / "new" / "file.gz", threading.Event()

    def enter() -> None:
        with hold_file(into):
            entered.set()

    with hold_file(into):
        with hold_file(into):
            threading.Thread(target=enter, daemon=True).start()
        assert not entered.wait(0.3)
    assert entered.wait(5)


def test_patience_counts_attempts_in_a_row() -> None:
    """Three attempts without progress end in SourceUnreachable with the last reason."""
    tries = []

    def attempt(_seconds: float) -> None:
        tries.append(1)
        raise Interrupted(f"failure {len(tries)}")

    crowd = Crowd()
    with pytest.raises(SourceUnreachable, match=r"^https://dumps\.wikimedia\.org/x cannot be had: failure 3\.$"):
        persist("https://me:secret@dumps.wikimedia.org/x?key=1", attempt, crowd.counted, QUICK)
    assert len(tries) == 3


def test_progress_restores_patience() -> None:
    """An attempt that brings least_progress bytes more than ever before starts the count anew; fewer do not."""
    sizes = iter([0, 0, 0, 10, 10, 20, 25, 29])
    #             ^ before the first attempt; then: 2 fruitless, progress, fruitless, progress, 2 that bring too little

    def attempt(_seconds: float) -> None:
        raise Interrupted("cut")

    with pytest.raises(SourceUnreachable):
        persist("http://localhost/x", attempt, Crowd().counted, QUICK, lambda: next(sizes))
    assert next(sizes, None) is None


def test_early_end_becomes_corrupt_file() -> None:
    """When the last failure was an answer that is shorter than announced, the file is to blame, not the network."""

    def attempt(_seconds: float) -> None:
        raise Interrupted("short", ended_early=True)

    with pytest.raises(CorruptFile, match="short"):
        persist("http://localhost/x", attempt, Crowd().counted, QUICK)


def test_other_errors_are_not_tried_again() -> None:
    """Whatever is no interruption passes at once: a full disk is not a matter of patience."""
    tries = []

    def attempt(_seconds: float) -> None:
        tries.append(1)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        persist("http://localhost/x", attempt, Crowd().counted, QUICK)
    assert len(tries) == 1


def test_who_cannot_wait_long_gives_up_instead() -> None:
    """A wait that would be too long is not begun: neither is the source asked too early, nor anybody kept waiting."""
    tries, began = [], time.monotonic()

    def attempt(_seconds: float) -> None:
        tries.append(1)
        raise Interrupted("busy", retry_after=600 if len(tries) == 2 else 0)

    with pytest.raises(SourceUnreachable, match="busy"):
        persist("http://localhost/x", attempt, Crowd().counted, replace(QUICK, attempts=9, longest_wait=0.5))
    assert len(tries) == 2
    assert time.monotonic() - began < 5


def test_waits_lie_outside_the_budget(tmp_path: Path) -> None:
    """While one waits for its next attempt, its connection is free for another."""
    patient = Retries(attempts=2, wait_initial=1, wait_jitter=0)
    failed = threading.Event()

    def attempt(_seconds: float) -> None:
        failed.set()
        raise Interrupted("busy")

    def work() -> None:
        with pytest.raises(SourceUnreachable):
            persist(SOURCE, attempt, lambda: hold_connection(tmp_path, SOURCE, limit=1), patient)

    worker = threading.Thread(target=work)
    worker.start()
    failed.wait(5)
    assert is_free(tmp_path, SOURCE, limit=1, seconds=0.7)
    worker.join()
