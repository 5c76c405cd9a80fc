"""Connections that fail, in all the ways in which they do."""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from fetch_samples import CONTENT, QUICK, downloaded_file, get, get_url, ranges, raw_server, site_of_one_file  # noqa: F401 fixtures

from cli.demosite.faults import (
    Fault,
    Slow,
    Stall,
)
from cli.demosite.site import Site
from models.errors import CorruptFile, SourceUnreachable, UsageError


def test_refused_connection_is_unreachable(into: Path) -> None:
    """Where nobody listens, the error says so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="Connection refused"):
        get_url(f"http://127.0.0.1:{port}/x.gz", into)


def test_unknown_name_is_unreachable(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that DNS does not know is asked for again, then given up with the resolver's words."""
    asked = []

    def resolve(*_: object, **__: object) -> None:
        asked.append(1)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(SourceUnreachable, match="Name or service not known"):
        get_url("http://mirror.example/x.gz", into)
    assert len(asked) == 3


def test_impossible_name_is_a_usage_error(into: Path) -> None:
    """A host name that cannot exist is no matter for patience."""
    with pytest.raises(UsageError, match="no host"):
        get_url(f"http://{'a' * 70}.example/x.gz", into)


def test_connection_that_is_never_accepted_times_out(into: Path) -> None:
    """A server whose queue is full does not keep the fetch waiting."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as others:
        for _ in range(3):
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
        with pytest.raises(SourceUnreachable, match="timed out"):
            get_url(f"http://127.0.0.1:{listener.getsockname()[1]}/x.gz", into)


def test_silent_server_times_out(site: Site, into: Path) -> None:
    """An answer that does not begin in time is given up and asked for again."""
    site.misbehave(Fault("*", Stall(1), times=1))
    get(site, into)
    assert len(site.log) == 2
    site.misbehave(Fault("*", Stall(1)))
    with pytest.raises(SourceUnreachable, match="timed out"):
        get(site, into)


def test_transfer_that_stalls_is_resumed(site: Site, into: Path) -> None:
    """When a body stops coming, the next attempt goes on behind the bytes that came."""
    site.misbehave(Fault("*", Slow(1), times=1))
    get(site, into)
    assert ranges(site) == [None, "bytes=1-"]
    assert into.read_bytes() == CONTENT


def test_crawling_transfer_is_ended_and_resumed(site: Site, into: Path) -> None:
    """A body that trickles on without end does not keep a connection longer than the limit."""
    site.misbehave(Fault("*", Slow(2000), times=1))
    get(site, into, replace(QUICK, transfer_timeout=0.2))
    assert [entry.status for entry in site.log] == [200, 206]
    assert into.read_bytes() == CONTENT


@pytest.mark.parametrize("speech", [b"", b"SSH-2.0-OpenSSH\r\n"], ids=["nothing", "another protocol"])
def test_what_is_no_answer_is_tried_again(into: Path, speech: bytes) -> None:
    """A connection that closes without an answer, or speaks no HTTP, is an interruption."""
    calls = []

    def answer(connection: socket.socket) -> None:
        calls.append(connection.recv(65536))
        connection.sendall(speech)

    with raw_server(answer) as url, pytest.raises(SourceUnreachable):
        get_url(url, into)
    assert len(calls) == 3


def test_answer_cut_in_its_head_is_no_file(into: Path) -> None:
    """A head that breaks off before it tells the length does not pass for an empty file."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-")

    with raw_server(answer) as url, pytest.raises(CorruptFile, match="an empty file"):
        get_url(url, into)


def test_reset_connection_is_unreachable(into: Path) -> None:
    """A connection that breaks, again and again, is the network's fault, not the file's."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with raw_server(answer) as url, pytest.raises(SourceUnreachable, match="reset"):
        get_url(url, into)


def test_body_without_a_length_is_had(into: Path) -> None:
    """A chunked body has no announced length; its own end mark tells that it is whole."""
    half = len(CONTENT) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (CONTENT[:half], CONTENT[half:]))
    endings = iter([b"", b"0\r\n\r\n"])

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + next(endings))

    with raw_server(answer) as url:
        done = get_url(url, into)
    assert into.read_bytes() == CONTENT
    assert (done.etag, done.last_modified) == (None, None)
