"""Files and documents over HTTP, from a server that does everything wrong that a server can."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import json
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.demosite.faults import (
    ChangingETag,
    Cut,
    Fault,
    HtmlPage,
    Misbehaviour,
    OtherVersion,
    Redirect,
    Slow,
    Stall,
    Together,
    TooMany,
    WrongLength,
)
from cli.demosite.reply import Reply, Request
from cli.demosite.server import serve
from cli.demosite.site import Site
from models.errors import CorruptFile, FileNotThere, SourceError, SourceRefused, SourceUnreachable, UsageError
from worker.budget import hold_file
from worker.fetch import Downloaded, discard, fetch, fetch_small, open_http
from worker.patience import Retries

QUICK = Retries(
    attempts=3,
    wait_initial=0.01,
    wait_max=0.02,
    wait_jitter=0,
    connect_timeout=0.3,
    read_timeout=0.3,
    least_progress=1,
)
CONTENT = gzip.compress(random.Random(0).randbytes(10_000))
OTHER = gzip.compress(random.Random(1).randbytes(12_000))
NAME = "other/x.gz"
FREE = contextlib.nullcontext
USER, PASSWORD, TOKEN = (random.Random(seed).randbytes(8).hex() for seed in "upt")
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Answer(Misbehaviour):
    """Any status with any headers and an HTML page."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"<html></html>"

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return Reply(self.status, self.headers, self.body)


@dataclass(frozen=True, slots=True)
class OnlyForRanges(Misbehaviour):
    """Misbehaves only when a part is asked for."""

    kind: Misbehaviour

    def bend_reply(self, reply: Reply, request: Request, /) -> Reply:
        return self.kind.bend_reply(reply, request) if request.range else reply


@dataclass(frozen=True, slots=True)
class InPortions(Misbehaviour):
    """Answers a Range with no more than so many bytes, as RFC 9110 allows."""

    size: int
    total: str

    def bend_reply(self, reply: Reply, request: Request, /) -> Reply:
        if not request.range:
            return reply
        first = int(request.range.removeprefix("bytes=").removesuffix("-"))
        last = min(first + self.size, len(CONTENT)) - 1
        portion = ("Content-Range", f"bytes {first}-{last}/{self.total}")
        return Reply(206, (*reply.headers[:-1], portion), CONTENT[first : last + 1])


@dataclass(frozen=True, slots=True)
class WithSurplus(Misbehaviour):
    """Sends more bytes than belong to the part that was asked for."""

    def bend_reply(self, reply: Reply, request: Request, /) -> Reply:
        return replace(reply, body=bytes(reply.body) + b"surplus") if request.range else reply


@dataclass(frozen=True, slots=True)
class WithHeaders(Misbehaviour):
    """Sets headers; None takes one away."""

    headers: tuple[tuple[str, str | None], ...]

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        kept = tuple(pair for pair in reply.headers if pair[0] not in dict(self.headers))
        return replace(reply, headers=kept + tuple((name, value) for name, value in self.headers if value is not None))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A source with one file."""
    with serve(folder_with(tmp_path / "site", CONTENT)) as running:
        yield running


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "x.gz"


def folder_with(root: Path, content: bytes) -> Path:
    (root / NAME).parent.mkdir(parents=True, exist_ok=True)
    (root / NAME).write_bytes(content)
    return root


def get(site: Site, into: Path, retries: Retries = QUICK, name: str = NAME) -> Downloaded:
    return fetch(open_http(None, "0.1.0"), f"{site.url}/{name}", into, budget=FREE, retries=retries)


def get_url(url: str, into: Path) -> Downloaded:
    return fetch(open_http(None, "0.1.0"), url, into, budget=FREE, retries=QUICK)


def get_small(site: Site, name: str = NAME, limit: int = 1 << 20) -> bytes:
    return fetch_small(open_http(None, "0.1.0"), f"{site.url}/{name}", limit_bytes=limit, budget=FREE, retries=QUICK)


def ranges(site: Site) -> list[str | None]:
    return [entry.range for entry in site.log]


def leave_part(into: Path, url: str, content: bytes, etag: str | None = None) -> None:
    """What a killed process left behind."""
    into.parent.mkdir(exist_ok=True)
    Path(f"{into}.part").write_bytes(content)
    known = {"url": url, "etag": etag, "last_modified": None, "total": len(CONTENT)}
    Path(f"{into}.part.json").write_text(json.dumps(known))


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server below HTTP: each connection is given to ``answer`` and then closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def loop() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        answer(connection)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x.gz"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def with_secrets(url: str) -> str:
    return url.replace("http://", f"http://{USER}:{PASSWORD}@") + f"?token={TOKEN}"


def assert_tells_no_secrets(error: BaseException) -> None:
    told = "".join(traceback.format_exception(error))
    assert not [secret for secret in (USER, PASSWORD, TOKEN) if secret in told]


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "locks"}


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "agent"),
    [
        ("me@example.org", r"wikiq/0\.1\.0 \(me@example\.org\) python-requests/2\.\d+\.\d+"),
        (" https://example.org/me ", r"wikiq/0\.1\.0 \(https://example\.org/me\) python-requests/2\.\d+\.\d+"),
        (None, r"wikiq/0\.1\.0 python-requests/2\.\d+\.\d+"),
        ("", r"wikiq/0\.1\.0 python-requests/2\.\d+\.\d+"),
    ],
)
def test_agent_names_program_contact_and_library(site: Site, contact: str | None, agent: str) -> None:
    """The User-Agent that arrives has the form of Wikimedia's policy, without empty brackets."""
    fetch_small(open_http(contact, "0.1.0"), f"{site.url}/{NAME}", limit_bytes=1 << 20, budget=FREE, retries=QUICK)
    assert re.fullmatch(agent, site.log[0].agent)


def test_request_wants_the_bytes_as_they_are(into: Path) -> None:
    """Nothing is to be packed on the way, and the connection is to end with the transfer, as the budget assumes."""
    heads = []

    def answer(connection: socket.socket) -> None:
        heads.append(connection.recv(65536).decode().splitlines())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(CONTENT) + CONTENT)

    with raw_server(answer) as url:
        get_url(url, into)
    assert {"Accept-Encoding: identity", "Connection: close"} <= set(heads[0])
    assert not [line for line in heads[0] if line.startswith(("Range", "If-Range"))]


def test_environment_is_not_read(site: Site, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment does not get between: what is asked is the source that was set."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
    get(site, into)
    assert into.read_bytes() == CONTENT


@pytest.mark.parametrize("contact", ["a@b\n", "a\r\nX-Evil: 1", "a\x00", "a\tb", "\u2028", "jörg@example.org"])
def test_contact_must_fit_a_header(contact: str) -> None:
    """Line breaks, control characters and non-ASCII text are refused before they reach a header."""
    with pytest.raises(UsageError, match="WIKIQ_CONTACT"):
        open_http(contact, "0.1.0")


@pytest.mark.parametrize("host", ["dumps.wikimedia.org", "EN.wikipedia.org", "wikidata.org."])
def test_wikimedia_is_not_asked_without_a_contact(into: Path, host: str) -> None:
    """Without a contact nothing is sent to Wikimedia; sockets are off in this test, so sending would show."""
    http, url = open_http(None, "0.1.0"), f"https://{host}/x.gz"
    with pytest.raises(SourceRefused, match="set WIKIQ_CONTACT to an e-mail address"):
        fetch(http, url, into, budget=FREE, retries=QUICK)
    with pytest.raises(SourceRefused, match="set WIKIQ_CONTACT to an e-mail address"):
        fetch_small(http, url, limit_bytes=1, budget=FREE, retries=QUICK)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_unknown_certificate_is_refused(tmp_path: Path, into: Path) -> None:
    """A server with a certificate of its own making is not believed, and not asked again."""
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *options, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    calls = []

    def answer(connection: socket.socket) -> None:
        calls.append(1)
        with contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True)

    with raw_server(answer) as url, pytest.raises(SourceRefused, match="certificate"):
        get_url(url.replace("http:", "https:"), into)
    assert len(calls) == 1


# --- one file ---------------------------------------------------------------------------------------------------------


def test_file_arrives_whole(site: Site, into: Path) -> None:
    """The file lies where it was wanted, byte for byte, with its facts, and nothing else but a lock lies beside it."""
    done = get(site, into)
    assert into.read_bytes() == CONTENT
    assert (done.path, done.url, done.size) == (into, f"{site.url}/{NAME}", len(CONTENT))
    assert done.sha256 == hashlib.sha256(CONTENT).hexdigest()
    answer = requests.head(done.url, headers={"User-Agent": "test"}, timeout=5)
    assert (done.etag, done.last_modified) == (answer.headers["ETag"], answer.headers["Last-Modified"])
    assert left_in(into.parent) == {"x.gz"}


def test_older_file_is_replaced(site: Site, into: Path) -> None:
    """An older file of that name stays until the new one is complete."""
    into.parent.mkdir()
    into.write_bytes(b"older")
    site.misbehave(Fault("*", Answer(404)))
    with pytest.raises(FileNotThere):
        get(site, into)
    assert into.read_bytes() == b"older"
    site.behave()
    get(site, into)
    assert into.read_bytes() == CONTENT


def test_gzip_is_not_unpacked_by_http(site: Site, into: Path) -> None:
    """A Content-Encoding that calls the file's own gzip a transfer's does not change its bytes."""
    site.misbehave(Fault("*", WithHeaders((("Content-Encoding", "gzip"),))))
    get(site, into)
    assert into.read_bytes() == CONTENT
    assert get_small(site) == CONTENT


def test_empty_file_that_is_no_gzip_is_had(site: Site, into: Path) -> None:
    """A text file may be empty, and needs no gzip magic."""
    (site.root / "empty.txt").write_bytes(b"")
    assert get(site, into, name="empty.txt").size == 0
    assert get_small(site, "empty.txt") == b""


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(site: Site, into: Path, status: int) -> None:
    """An overloaded or broken source is asked again, and two failures are forgotten when the third attempt works."""
    site.misbehave(Fault("*", Answer(status), times=2))
    get(site, into)
    assert [entry.status for entry in site.log] == [status, status, 200]
    site.misbehave(Fault("*", Answer(status), times=2))
    assert get_small(site) == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_patience_ends(site: Site, into: Path, status: int) -> None:
    """After every retry the source counts as unreachable, with its last answer as the reason."""
    site.misbehave(Fault("*", Answer(status)))
    with pytest.raises(SourceUnreachable, match=rf"/other/x\.gz cannot be had: the source answers {status}\."):
        get(site, into)
    assert len(site.log) == 3
    assert left_in(into.parent) == set()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, FileNotThere, "404"),
        (410, FileNotThere, "410"),
        (401, SourceRefused, "User-Agent policy asks to set WIKIQ_CONTACT"),
        (403, SourceRefused, "User-Agent policy asks to set WIKIQ_CONTACT"),
        (451, SourceRefused, "User-Agent policy asks to set WIKIQ_CONTACT"),
        (400, SourceRefused, "status 400"),
        (418, SourceRefused, "status 418"),
        (416, SourceRefused, "status 416"),
        (206, SourceRefused, "status 206"),
        (204, SourceRefused, "status 204"),
        (304, SourceRefused, "status 304"),
    ],
)
def test_final_answers_are_not_asked_twice(
    site: Site, into: Path, status: int, error: type[SourceError], words: str
) -> None:
    """What will not pass is an error at once: the file is not there, or this client is not wanted."""
    site.misbehave(Fault("*", Answer(status, body=b"")))
    with pytest.raises(error, match=words):
        get(site, into)
    with pytest.raises(error, match=words):
        get_small(site)
    assert len(site.log) == 2


def test_retry_after_is_honoured(site: Site, into: Path) -> None:
    """Who asks for a second gets a second, though the backoff alone would be shorter."""
    site.misbehave(Fault("*", TooMany(retry_after=1), times=1))
    get(site, into)
    first, second = site.log
    assert second.at - first.at >= 1


@pytest.mark.parametrize("retry_after", [86_400, "Fri, 31 Dec 2100 23:59:59 GMT", "soon"])
def test_retry_after_is_bounded(site: Site, into: Path, retry_after: int | str) -> None:
    """A day, a century or nonsense does not keep the fetch waiting longer than its own limit."""
    site.misbehave(Fault("*", TooMany(retry_after=retry_after), times=1))
    began = time.monotonic()
    get(site, into, replace(QUICK, retry_after_max=0.1))
    assert time.monotonic() - began < 5


def test_budget_is_held_for_each_attempt_alone(site: Site, into: Path) -> None:
    """Each attempt takes a connection before its request and gives it back before the next wait."""
    held: list[tuple[str, int]] = []

    @contextmanager
    def budget() -> Iterator[None]:
        held.append(("take", len(site.log)))
        try:
            yield
        finally:
            held.append(("give", len(site.log)))

    site.misbehave(Fault("*", Answer(503), times=2))
    fetch(open_http(None, "0"), f"{site.url}/{NAME}", into, budget=budget, retries=QUICK)
    assert held == [("take", 0), ("give", 1), ("take", 1), ("give", 2), ("take", 2), ("give", 3)]


# --- connections that fail --------------------------------------------------------------------------------------------


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


# --- files that go wrong ----------------------------------------------------------------------------------------------


def test_cut_file_is_resumed(site: Site, into: Path) -> None:
    """After a cut only the rest is asked for."""
    site.misbehave(Fault("*", Cut(1000), times=1))
    done = get(site, into)
    assert ranges(site) == [None, "bytes=1000-"]
    assert done.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("total", [str(len(CONTENT)), "*"])
def test_portions_are_put_together(site: Site, into: Path, total: str) -> None:
    """A server that answers a Range with a portion of it is asked for the next, also if it hides the total."""
    leave_first_thousand(site, into)
    site.misbehave(Fault("*", InPortions(4000, total)))
    get(site, into)
    assert ranges(site) == ["bytes=1000-", "bytes=5000-", "bytes=9000-"]
    assert into.read_bytes() == CONTENT


def test_surplus_starts_over(site: Site, into: Path) -> None:
    """A part with more bytes than the file has makes what came before doubtful: the file is fetched anew."""
    leave_first_thousand(site, into)
    site.misbehave(Fault("*", WithSurplus()))
    get(site, into)
    assert ranges(site) == ["bytes=1000-", None]
    assert into.read_bytes() == CONTENT


def test_progress_outlasts_patience(site: Site, into: Path) -> None:
    """A connection that is always cut after 1,000 bytes still brings a file of 10,000, with three attempts at most."""
    site.misbehave(Fault("*", Cut(1000)))
    get(site, into)
    assert len(site.log) == -(-len(CONTENT) // 1000) > 3
    assert into.read_bytes() == CONTENT


def test_shorter_than_announced_is_corrupt(site: Site, into: Path) -> None:
    """A file that ends in good order before its announced length, whenever it is asked for, is CorruptFile."""
    site.misbehave(Fault("*", WrongLength()))
    with pytest.raises(CorruptFile, match=r"other/x\.gz"):
        get(site, into)
    assert not into.exists()
    with pytest.raises(CorruptFile, match="before its announced length"):
        get_small(site)


@pytest.mark.parametrize(
    ("body", "look"),
    [
        (b"\n<!DOCTYPE HTML><p>", "HTML"),
        (b"<html>", "HTML"),
        (b"<?xml ?>", "XML"),
        (b'{"error": 1}', "JSON"),
        (b"BZh9", "bzip2"),
        (b"PK\3\4", "a zip file"),
        (b"", "an empty file"),
        (b"\x1f", "unknown bytes"),
    ],
)
def test_what_is_no_gzip_is_named(site: Site, into: Path, body: bytes, look: str) -> None:
    """Under a name that ends in .gz only gzip is taken; the error names what came, and none of it stays."""
    site.misbehave(Fault("*", Answer(200, body=body)))
    with pytest.raises(CorruptFile, match=f"looks like {look}"):
        get(site, into)
    with pytest.raises(CorruptFile, match=f"looks like {look}"):
        get_small(site)
    assert len(site.log) == 2
    assert left_in(into.parent) == set()


def test_small_document_is_bounded(site: Site) -> None:
    """A document of exactly the limit is had; one byte more is CorruptFile."""
    assert get_small(site, limit=len(CONTENT)) == CONTENT
    with pytest.raises(CorruptFile, match=f"longer than {len(CONTENT) - 1} bytes"):
        get_small(site, limit=len(CONTENT) - 1)


# --- never two versions in one file -----------------------------------------------------------------------------------


def test_new_version_starts_over(site: Site, into: Path) -> None:
    """When the file changes after a cut, an honest server sends the new one whole, and that is what is kept."""
    site.misbehave(Fault("*", Cut(1000)))
    with pytest.raises(SourceError):
        get(site, into, replace(QUICK, attempts=1))
    folder_with(site.root, OTHER)
    site.behave()
    get(site, into)
    assert ranges(site) == [None, "bytes=1000-"]
    assert into.read_bytes() == OTHER


@pytest.mark.parametrize(
    "fault",
    [
        OtherVersion(OTHER),
        Together((OtherVersion(OTHER), WithHeaders((("ETag", None),)))),
        OnlyForRanges(WithHeaders((("ETag", '"another"'),))),
        OnlyForRanges(WithHeaders((("Last-Modified", "Mon, 01 Jan 2001 00:00:00 GMT"),))),
        OnlyForRanges(WithHeaders((("Content-Range", f"bytes 999-{len(CONTENT) - 1}/{len(CONTENT)}"),))),
        OnlyForRanges(WithHeaders((("Content-Range", f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT) + 1}"),))),
        OnlyForRanges(WithHeaders((("Content-Range", None),))),
        OnlyForRanges(WithHeaders((("Content-Range", "bytes */5"),))),
    ],
)
def test_contradicting_part_starts_over(site: Site, into: Path, fault: Misbehaviour) -> None:
    """A part whose ETag, date, start or total is not the expected one is not appended: the file is fetched anew."""
    leave_first_thousand(site, into)
    site.misbehave(Fault("*", fault))
    get(site, into)
    assert ranges(site) == ["bytes=1000-", None]
    assert into.read_bytes() == (OTHER if "OtherVersion" in repr(fault) else CONTENT)


def leave_first_thousand(site: Site, into: Path) -> None:
    site.misbehave(Fault("*", Cut(1000)))
    with pytest.raises(SourceError):
        get(site, into, replace(QUICK, attempts=1))
    site.forget()


def test_server_without_ranges_starts_over(site: Site, into: Path) -> None:
    """A server that answers a Range with the whole file gives the whole file."""
    leave_first_thousand(site, into)
    site.misbehave(Fault("*", OnlyForRanges(Answer(200, body=CONTENT))))
    get(site, into)
    assert ranges(site) == ["bytes=1000-"]
    assert into.read_bytes() == CONTENT


def test_refused_range_starts_over_once(site: Site, into: Path) -> None:
    """After 416 the file is fetched anew; a second 416 means that it is shorter than it says."""
    leave_first_thousand(site, into)
    site.misbehave(Fault("*", OnlyForRanges(Answer(416))))
    get(site, into)
    assert ranges(site) == ["bytes=1000-", None]
    assert into.read_bytes() == CONTENT
    leave_first_thousand(site, into)
    site.misbehave(Fault("*", Together((Cut(2000), OnlyForRanges(Answer(416))))))
    with pytest.raises(CorruptFile, match="fewer bytes than it announces"):
        get(site, into)
    assert ranges(site) == ["bytes=1000-", None, "bytes=2000-"]


def test_ever_changing_file_is_given_up(site: Site, into: Path) -> None:
    """A file that is another one at each request never gets further, so that patience ends."""
    site.misbehave(Fault("*", Together((ChangingETag(), Cut(1000)))))
    with pytest.raises(SourceError):
        get(site, into)
    assert len(site.log) == 3


def test_without_validators_nothing_is_resumed(site: Site, into: Path) -> None:
    """Where neither ETag nor date tells versions apart, a cut file is fetched anew."""
    nothing = WithHeaders((("ETag", None), ("Last-Modified", None)))
    site.misbehave(Fault("*", Together((nothing, Cut(1000))), times=1))
    get(site, into)
    assert ranges(site) == [None, None]
    assert into.read_bytes() == CONTENT


def test_weak_etag_is_no_validator(site: Site, into: Path) -> None:
    """With a weak ETag the date is what If-Range names, as RFC 9110 demands."""
    weak, asked = WithHeaders((("ETag", 'W/"1"'),)), []

    class Noting(Misbehaviour):
        def bend_reply(self, reply: Reply, request: Request, /) -> Reply:
            asked.append(request.if_range)
            return weak.bend_reply(reply, request)

    site.misbehave(Fault("*", Together((Noting(), Cut(1000))), times=1), Fault("*", Noting()))
    done = get(site, into)
    assert asked == [None, done.last_modified]
    assert ranges(site) == [None, "bytes=1000-"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(CONTENT)), st.booleans()), max_size=6))
def test_no_sequence_of_cuts_and_changes_mixes_versions(site: Site, into: Path, cuts: list[tuple[int, bool]]) -> None:
    """However often the connection is cut and the file replaced, the result is one version, whole: the last one."""
    contents = [CONTENT]
    for after, change in cuts:
        if change:
            contents.append(OTHER if contents[-1] is CONTENT else CONTENT)
        folder_with(site.root, contents[-1])
        site.misbehave(Fault("*", Cut(after)))
        with contextlib.suppress(SourceError):
            get(site, into, replace(QUICK, attempts=1, least_progress=1 << 20))
    site.behave()
    get(site, into)
    assert into.read_bytes() == contents[-1]
    assert left_in(into.parent) == {"x.gz"}


# --- what was left behind ---------------------------------------------------------------------------------------------


def test_killed_download_is_resumed(site: Site, into: Path) -> None:
    """After SIGKILL in mid-transfer another process asks for the rest alone, and the file is whole."""
    big = gzip.compress(random.Random(2).randbytes(2_000_000))
    folder_with(site.root, big)
    site.misbehave(Fault("*", Slow(1_000_000), times=1))
    program = f"""
from contextlib import nullcontext
from pathlib import Path
from worker.fetch import fetch, open_http
fetch(open_http(None, "0"), {site.url + "/" + NAME!r}, Path({str(into)!r}), budget=nullcontext)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as process:
        part = Path(f"{into}.part")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > 300_000):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    had = part.stat().st_size
    assert 300_000 < had < len(big)
    get(site, into)
    assert ranges(site) == [None, f"bytes={had}-"]
    assert into.read_bytes() == big


def test_complete_part_is_checked_and_named(site: Site, into: Path) -> None:
    """A process killed between the last byte and the final name costs one byte more, not the whole file."""
    version = get(site, into)
    leave_part(into, version.url, CONTENT, etag=version.etag)
    site.forget()
    get(site, into)
    assert ranges(site) == [f"bytes={len(CONTENT) - 1}-"]
    assert into.read_bytes() == CONTENT


def test_part_that_is_too_long_is_cut_back(site: Site, into: Path) -> None:
    """Bytes beyond the announced length do not get into the file."""
    version = get(site, into)
    leave_part(into, version.url, CONTENT + b"more", etag=version.etag)
    get(site, into)
    assert into.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "sidecar",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        b'{"url": "URL", "etag": null, "last_modified": null, "total": 5}',
        b'{"url": "URL", "etag": 5, "last_modified": null, "total": 5}',
        b'{"url": "URL", "etag": "\\"a\\"", "last_modified": null, "total": "5"}',
        b'{"url": "URL", "etag": "a\\nb", "last_modified": null, "total": 5}',
        b'{"url": "URL", "etag": "\\"a\\"", "last_modified": null, "total": 5, "more": 1}',
        b'{"url": "http://127.0.0.1/other.gz", "etag": "\\"a\\"", "last_modified": null, "total": 5}',
    ],
)
def test_part_of_unknown_origin_is_discarded(site: Site, into: Path, sidecar: bytes | None) -> None:
    """A part whose version cannot be told, or that is of another URL, is not gone on with."""
    leave_part(into, "", b"\x1f\x8bold")
    beside = Path(f"{into}.part.json")
    beside.unlink()
    if sidecar is not None:
        beside.write_bytes(sidecar.replace(b"URL", f"{site.url}/{NAME}".encode()))
    get(site, into)
    assert ranges(site) == [None]
    assert into.read_bytes() == CONTENT


def test_discard_leaves_nothing(site: Site, into: Path) -> None:
    """File, part and sidecar go; discarding what is not there is no error."""
    get(site, into)
    leave_part(into, "http://127.0.0.1/x", b"part")
    discard(into)
    discard(into)
    assert left_in(into.parent) == set()


def test_full_disk_leaves_what_is_complete(site: Site, into: Path) -> None:
    """When no more can be written, OSError comes, the older file stays, and the next attempt goes on."""
    into.parent.mkdir()
    into.write_bytes(b"older")
    program = f"""
import resource
from contextlib import nullcontext
from pathlib import Path
from worker.fetch import fetch, open_http
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    fetch(open_http(None, "0"), {site.url + "/" + NAME!r}, Path({str(into)!r}), budget=nullcontext)
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "File too large\n"
    assert len(site.log) == 1
    assert into.read_bytes() == b"older"
    get(site, into)
    assert ranges(site) == [None, "bytes=5000-"]
    assert into.read_bytes() == CONTENT


def test_two_fetches_of_one_file_take_turns(site: Site, into: Path) -> None:
    """Two threads that want the same file at the same place transfer one after the other, and both have it."""
    site.misbehave(Fault("*", Slow(50_000)))
    done: list[Downloaded] = []
    threads = [threading.Thread(target=lambda: done.append(get(site, into))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.sha256 for one in done] == [hashlib.sha256(CONTENT).hexdigest()] * 2
    assert (len(site.log), site.most_at_once) == (2, 1)


def test_holder_may_fetch_and_discard(site: Site, into: Path) -> None:
    """Who holds the file fetches, reads and discards it without waiting for itself."""
    with hold_file(into):
        get(site, into)
        discard(into)
    assert left_in(into.parent) == set()


# --- redirects and secrets --------------------------------------------------------------------------------------------


def test_redirect_on_the_same_host_is_followed(site: Site, into: Path) -> None:
    """A file that moved within its host is had, under the URL that was asked for."""
    site.misbehave(Fault("old.gz", Redirect(f"/{NAME}")))
    done = get(site, into, name="old.gz")
    assert into.read_bytes() == CONTENT
    assert done.url == f"{site.url}/old.gz"


def test_redirect_elsewhere_is_not_followed(site: Site, into: Path, tmp_path: Path) -> None:
    """Another server is not asked, and the error names it."""
    with serve(folder_with(tmp_path / "elsewhere", CONTENT)) as elsewhere:
        site.misbehave(Fault("*", Redirect(f"{elsewhere.url}/{NAME}")))
        with pytest.raises(SourceRefused, match=f"another place, {elsewhere.url}"):
            get(site, into)
        assert elsewhere.log == ()


@pytest.mark.parametrize(("steps", "works"), [(3, True), (4, False)])
def test_redirects_are_counted(site: Site, into: Path, steps: int, works: bool) -> None:
    """Three redirects are followed, a fourth is not."""
    chain = [f"{step}.gz" for step in range(steps)] + [NAME]
    site.misbehave(*(Fault(here, Redirect(f"/{there}")) for here, there in itertools.pairwise(chain)))
    with contextlib.nullcontext() if works else pytest.raises(SourceRefused, match="more than 3"):
        get(site, into, name="0.gz")
    assert len(site.log) == 4


def test_redirect_without_end_is_not_read(site: Site) -> None:
    """The body of a redirect is not read, however long it is said to be."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {site.url}\r\nContent-Length: 999\r\n\r\nno end".encode())
        time.sleep(1)

    with raw_server(answer) as url, pytest.raises(SourceRefused, match="another place"):
        fetch_small(open_http(None, "0"), url, limit_bytes=10, budget=FREE, retries=QUICK)


@pytest.mark.parametrize(
    "fault",
    [
        Answer(404),
        Answer(403),
        Answer(400),
        Answer(503),
        HtmlPage(),
        WrongLength(),
        Stall(0.5),
        Redirect("//a.example/"),
    ],
)
def test_errors_tell_no_secrets(site: Site, into: Path, fault: Misbehaviour) -> None:
    """Neither message nor traceback shows user, password or query; the message is one sentence with the URL."""
    site.misbehave(Fault("*", fault))
    with pytest.raises(SourceError, match=re.escape(f"{site.url}/{NAME}")) as caught:
        get_url(with_secrets(f"{site.url}/{NAME}"), into)
    assert_tells_no_secrets(caught.value)
    assert re.fullmatch(r"http://[^\n]*[^.]\.", str(caught.value))


def test_refused_connection_tells_no_secrets(into: Path) -> None:
    """Nor do the words of the libraries below, which name the query."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnreachable) as caught:
        get_url(with_secrets(f"http://127.0.0.1:{port}/x.gz"), into)
    assert_tells_no_secrets(caught.value)


def test_records_keep_no_secrets(site: Site, into: Path) -> None:
    """What is kept about a file, and what lies beside its part, has the URL without credentials."""
    secret = with_secrets(f"{site.url}/{NAME}")
    site.misbehave(Fault("*", Cut(1000), times=1))
    with pytest.raises(SourceError):
        fetch(open_http(None, "0"), secret, into, budget=FREE, retries=replace(QUICK, attempts=1))
    assert json.loads(Path(f"{into}.part.json").read_text())["url"] == f"{site.url}/{NAME}"
    assert get_url(secret, into).url == f"{site.url}/{NAME}"
