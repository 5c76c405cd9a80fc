"""What a site may answer, and what tests of fetching look at."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.demosite.faults import (
    Cut,
    Fault,
    Misbehaviour,
)
from cli.demosite.reply import Reply, Request
from cli.demosite.server import serve
from cli.demosite.site import Site
from models.errors import SourceError
from worker.client import open_http
from worker.fetch import Downloaded, fetch, fetch_small
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


def leave_first_thousand(site: Site, into: Path) -> None:
    site.misbehave(Fault("*", Cut(1000)))
    with pytest.raises(SourceError):
        get(site, into, replace(QUICK, attempts=1))
    site.forget()


@pytest.fixture(name="site")
def site_of_one_file(tmp_path: Path) -> Iterator[Site]:
    """A source with one file."""
    with serve(folder_with(tmp_path / "site", CONTENT)) as running:
        yield running


@pytest.fixture(name="into")
def downloaded_file(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "x.gz"
