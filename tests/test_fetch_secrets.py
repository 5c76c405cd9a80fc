"""Redirects, and secrets in URLs."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fetch_samples import (  # noqa: F401 fixtures
    CONTENT,
    FREE,
    NAME,
    QUICK,
    Answer,
    assert_tells_no_secrets,
    downloaded_file,
    folder_with,
    get,
    get_url,
    raw_server,
    site_of_one_file,
    with_secrets,
)

from cli.demosite.faults import (
    Cut,
    Fault,
    HtmlPage,
    Misbehaviour,
    Redirect,
    Stall,
    WrongLength,
)
from cli.demosite.server import serve
from cli.demosite.site import Site
from models.errors import SourceError, SourceRefused, SourceUnreachable
from worker.client import open_http
from worker.fetch import fetch, fetch_small


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
