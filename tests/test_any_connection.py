"""A connection to any of several sources as a fetch uses it: of a machine's lock files, and of a fleet's leases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

import worker.budget
from models.errors import UsageError
from worker.budget import CONNECTIONS, hold_any_connection, source_key
from worker.context import Context
from worker.lease_held import current_lease
from worker.phases import Stopwatch

pytest_plugins = ["lease_fixtures"]

ONE, TWO = "https://origin.example.org", "https://mirror.example.org"


@pytest.fixture(params=["machine", "fleet"])
def shared(request: pytest.FixtureRequest, context: Context) -> Context:
    """A context whose connections are lock files, or leases."""
    if request.param == "machine":
        return context
    return replace(context, leases=request.getfixturevalue("client"))


def is_locked(path: Path) -> bool:
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def in_use(context: Context, *sources: str) -> list[int]:
    """How many connections of each source are in use."""
    names = map(source_key, sources)
    if context.leases is not None:
        return [context.leases.zcard(f"wikiq:lease:{name}:held") for name in names]
    directory = context.settings.data_dir / "connections"
    return [sum(map(is_locked, directory.glob(f"{name}.*.lock"))) for name in names]


@contextmanager
def busy(context: Context, source: str) -> Iterator[None]:
    """All connections of this source are in use."""
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(context.budget(source)())
        yield


def test_the_free_one_is_taken(shared: Context) -> None:
    """While all connections of the first source are in use, the second one's is had at once."""
    with busy(shared, ONE):
        began = time.monotonic()
        with shared.connection((ONE, TWO), Stopwatch()) as (source, _):
            assert source == TWO
            assert in_use(shared, ONE, TWO) == [CONNECTIONS, 1]
            assert time.monotonic() - began < 2
    assert in_use(shared, ONE, TWO) == [0, 0]


@pytest.mark.parametrize("freed", [ONE, TWO])
def test_whichever_is_free_first(shared: Context, freed: str) -> None:
    """Who waits for both gets the one that comes free, and holds nothing of the other."""
    got, done = [], threading.Event()

    def wait() -> None:
        with shared.connection((ONE, TWO), Stopwatch()) as (source, _):
            got.append(source)
            done.wait(10)

    kept = TWO if freed == ONE else ONE
    waiter = threading.Thread(target=wait)
    with busy(shared, kept):
        with busy(shared, freed):
            waiter.start()
            time.sleep(0.3)
            assert got == []
        deadline = time.monotonic() + 5
        while not got and time.monotonic() < deadline:
            time.sleep(0.01)
        assert got == [freed]
        assert in_use(shared, kept, freed) == [CONNECTIONS, 1]
        done.set()
        waiter.join()


def test_a_waiting_thread_is_told(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a connection of this process has it as soon as one is given back, and does not look again first."""
    monkeypatch.setattr(worker.budget, "_POLL_SECONDS", (60, 60))
    got, tried = threading.Event(), threading.Event()
    free_slot = worker.budget._free_slot

    def note_try(*arguments: Any) -> Any:
        found = free_slot(*arguments)
        if found is None:
            tried.set()
        return found

    monkeypatch.setattr(worker.budget, "_free_slot", note_try)

    def wait() -> None:
        with context.connection((ONE,), Stopwatch()):
            got.set()

    waiter = threading.Thread(target=wait)
    with busy(context, ONE):
        waiter.start()
        assert tried.wait(5)
        assert not got.wait(0.1)
    assert got.wait(5)
    waiter.join()


def test_a_budgets_first_use_is_the_connection_that_is_held(shared: Context) -> None:
    """It is given back when that use ends; the next use takes another of the same source, though the first is free."""
    with ExitStack() as stack:
        with busy(shared, ONE):
            source, budget = stack.enter_context(shared.connection((ONE, TWO), Stopwatch()))
            with budget():
                assert in_use(shared, ONE, TWO) == [CONNECTIONS, 1]
            assert in_use(shared, ONE, TWO) == [CONNECTIONS, 0]
        for _ in range(2):
            with budget():
                assert in_use(shared, ONE, TWO) == [0, 1]
                assert (current_lease.get() is not None) == (shared.leases is not None)
            assert current_lease.get() is None
    assert source == TWO
    assert in_use(shared, ONE, TWO) == [0, 0]


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_a_connection_that_is_not_used_is_given_back(shared: Context, error: type[Exception] | None) -> None:
    """Whoever does not come to use the budget gives the connection back when the block ends, by an error or not."""
    with ExitStack() as stack:
        if error:
            stack.enter_context(pytest.raises(error))
        with shared.connection((ONE, TWO), Stopwatch()):
            assert in_use(shared, ONE, TWO) == [1, 0]
            if error:
                raise error
    assert in_use(shared, ONE, TWO) == [0, 0]
    assert current_lease.get() is None


def test_an_error_of_the_first_use_gives_it_back(shared: Context) -> None:
    """A transfer that fails gives its connection back before the next attempt."""
    with shared.connection((ONE,), Stopwatch()) as (_, budget):
        with pytest.raises(ZeroDivisionError), budget():
            _ = 1 / 0
        assert in_use(shared, ONE) == [0]


def test_the_stopwatch_knows_waits_from_transfers(context: Context) -> None:
    """Before a connection is had one waits, while it is held one downloads, and what passes in between is neither."""
    stopwatch, full, asked, freed = Stopwatch(), threading.Event(), threading.Event(), []

    def hold() -> None:
        with busy(context, ONE):
            full.set()
            asked.wait(5)
            time.sleep(0.2)
            freed.append(time.monotonic())

    holder = threading.Thread(target=hold)
    holder.start()
    full.wait(5)
    began = time.monotonic()
    asked.set()
    with context.connection((ONE,), stopwatch) as (_, budget):
        entered = time.monotonic()
        with budget():
            time.sleep(0.1)
        time.sleep(0.3)
        with budget():
            time.sleep(0.1)
    ended = time.monotonic()
    holder.join()
    found = stopwatch.phases(7.0)
    assert freed[0] - began <= found.waited
    assert 0.2 <= found.downloading <= ended - entered - 0.3
    assert found.waited + found.downloading <= ended - began - 0.3
    assert (found.counting, found.storing) == (0, 7.0)


def test_two_paths_of_one_host_share_their_connections(tmp_path: Path) -> None:
    """Of sources with one scheme, host and port, the first stands for all; without any source there is an error."""
    with hold_any_connection(tmp_path, (f"{ONE}/a", f"{ONE}/b", TWO), 1) as first:
        assert first == f"{ONE}/a"
        with hold_any_connection(tmp_path, (f"{ONE}/b", f"{ONE}/a", TWO), 1) as second:
            assert second == TWO
    with pytest.raises(UsageError), hold_any_connection(tmp_path, ()):
        pytest.fail("entered")
