"""Servers that never come to an end, wherever in an answer: their time is limited as a whole."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fetch_samples import CONTENT, FREE, QUICK, downloaded_file, get_url, left_in, raw_server  # noqa: F401 fixtures

from models.errors import SourceUnreachable, UncountableFile
from worker import watch
from worker.client import open_http
from worker.fetch import ask, fetch, fetch_small
from worker.patience import Interrupted

HURRIED = replace(QUICK, attempts=2, transfer_timeout=0.4, read_timeout=2)
OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "a status line": (b"HTTP/1.1 200 ", b"O"),
    "a header": (OK + b"X: ", b"a"),
    "headers": (OK, b"X-a: b\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"a: b\r\n"),
    "a chunk's length": (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "a body": (OK + b"\r\n", b"a"),
    "a redirect's header": (b"HTTP/1.1 302 Found\r\nLocation: /y\r\nX: ", b"a"),
}


def dripping(start: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Sends a drop each 20 ms until the client has gone, or ten seconds have passed."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        ends = time.monotonic() + 10
        with contextlib.suppress(OSError):
            connection.sendall(start)
            while time.monotonic() < ends:
                connection.sendall(drop)
                time.sleep(0.02)

    return answer


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_that_does_not_end_is_ended(into: Path, what: str) -> None:
    """Each attempt ends at its limit, and none of what came passes for an answer."""
    http = open_http(None, "0.1.0")
    with raw_server(dripping(*ENDLESS[what])) as url:
        for get in (
            lambda: fetch(http, url, into, budget=FREE, retries=HURRIED),
            lambda: fetch_small(http, url, limit_bytes=1 << 20, budget=FREE, retries=HURRIED),
        ):
            began = time.monotonic()
            with pytest.raises(SourceUnreachable, match="took more than"):
                get()
            assert time.monotonic() - began < 6
    assert not into.exists()


def test_asking_ends_too(into: Path) -> None:
    """Who only asks for a head does not wait for one without end."""
    with raw_server(dripping(*ENDLESS["a header"])) as url, pytest.raises(SourceUnreachable, match="took more than"):
        ask(open_http(None, "0.1.0"), url, budget=FREE, retries=HURRIED)


def test_a_head_that_is_cut_off_costs_no_byte(into: Path) -> None:
    """A head that had to be ended is not believed: the part that is there stays, and is gone on with."""
    calls = []

    def answer(connection: socket.socket) -> None:
        calls.append(connection.recv(65536))
        if len(calls) == 1:
            connection.sendall(OK + b'ETag: "a"\r\nContent-Length: %d\r\n\r\n' % len(CONTENT) + CONTENT[:1000])
        elif len(calls) == 2:
            dripping(OK + b"X: ", b"a")(connection)
        else:
            had = b'ETag: "a"\r\nContent-Range: bytes 1000-%d/%d\r\n\r\n' % (len(CONTENT) - 1, len(CONTENT))
            connection.sendall(b"HTTP/1.1 206 Partial Content\r\n" + had + CONTENT[1000:])

    def answer_once(connection: socket.socket) -> None:
        if len(calls) == 1:
            connection.settimeout(0.1)
        with contextlib.suppress(OSError):
            answer(connection)

    with raw_server(answer_once) as url:
        fetch(open_http(None, "0.1.0"), url, into, budget=FREE, retries=replace(HURRIED, attempts=4))
    assert into.read_bytes() == CONTENT
    assert b"bytes=1000-" in calls[2]


@contextlib.contextmanager
def lost_after(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the lease were lost for a moment then; it counts in every thread."""
    began = time.monotonic()

    def check() -> None:
        if seconds < time.monotonic() - began < seconds + 1:
            raise Interrupted("the lease on a connection was lost")

    monkeypatch.setattr(watch, "check_lease", check)
    yield


def test_a_lost_lease_ends_the_wait_for_bytes(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who lost the lease closes the connection at once, not when the source's next bytes come."""
    ended = []

    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: 100\r\n\r\nx")
        connection.settimeout(10)
        began = time.monotonic()
        connection.recv(65536)
        ended.append(time.monotonic() - began)

    patient = replace(QUICK, attempts=1, read_timeout=8)
    lost = pytest.raises(SourceUnreachable, match="lease")
    with lost_after(0.3, monkeypatch), raw_server(silent) as url, lost:
        fetch(open_http(None, "0.1.0"), url, into, budget=FREE, retries=patient)
    assert ended[0] < 4


def test_nobody_is_asked_after_a_lease_was_lost(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect that comes when the lease is lost is not followed."""
    calls = []

    def answer(connection: socket.socket) -> None:
        calls.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")

    def check() -> None:
        if calls:
            raise Interrupted("the lease on a connection was lost")

    monkeypatch.setattr(watch, "check_lease", check)
    with raw_server(answer) as url, pytest.raises(SourceUnreachable, match="lease"):
        fetch(open_http(None, "0.1.0"), url, into, budget=FREE, retries=replace(QUICK, attempts=1))
    assert len(calls) == 1


def test_watching_leaves_nothing_behind(into: Path) -> None:
    """After a fetch its thread is gone and its connection is closed."""
    closed = []

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(CONTENT) + CONTENT)
        connection.settimeout(5)
        closed.append(connection.recv(1))

    with raw_server(answer) as url:
        get_url(url, into)
    assert closed == [b""]
    assert not [thread for thread in threading.enumerate() if thread.name == "wikiq-watch"]


@pytest.mark.parametrize("announced", [b"", b"Content-Length: 9000000000\r\n"], ids=["silently", "announced"])
def test_a_body_beyond_the_limit_is_no_file(into: Path, announced: bytes) -> None:
    """A body is given up as soon as it, or what is announced of it, passes the limit; nothing of it stays."""
    sent = []

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        with contextlib.suppress(OSError):
            connection.sendall(OK + announced + b"\r\n")
            sent.extend(connection.send(bytes(100_000)) for _ in range(500))

    with raw_server(answer) as url, pytest.raises(UncountableFile, match=r"x\.gz is longer than 100000 bytes"):
        fetch(open_http(None, "0.1.0"), url, into, budget=FREE, retries=QUICK, limit_bytes=100_000)
    assert sum(sent) < 40_000_000
    assert left_in(into.parent) == set()


def test_a_body_of_just_the_limit_is_a_file(into: Path) -> None:
    """What is as long as it may be is had."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(CONTENT) + CONTENT)

    with raw_server(answer) as url:
        fetch(open_http(None, "0.1.0"), url, into, budget=FREE, retries=QUICK, limit_bytes=len(CONTENT))
    assert into.read_bytes() == CONTENT
