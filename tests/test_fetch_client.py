"""Who asks for a file: the client that names itself, and whom it believes."""

from __future__ import annotations

import contextlib
import gc
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from fetch_samples import CONTENT, FREE, NAME, QUICK, downloaded_file, get, get_url, raw_server, site_of_one_file  # noqa: F401 fixtures

from cli.demosite.site import Site
from models.errors import SourceRefused, UsageError
from worker.client import open_http
from worker.fetch import fetch, fetch_small


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


def descriptors() -> list[Path]:
    return list(Path("/proc/self/fd").iterdir())


def test_no_descriptor_outlives_its_transfer(site: Site, into: Path) -> None:
    """A worker that fetches one file after the other has no more open at the end, whether or not garbage is collected.

    Descriptors above 1,023 are out of reach of select(2), which libraries use.
    """
    gc.disable()
    try:
        before = len(descriptors())
        for _ in range(5):
            fetch(open_http(None, "0.1.0"), f"{site.url}/{NAME}", into, budget=FREE, retries=QUICK)
        after = len(descriptors())
    finally:
        gc.enable()
    assert after == before
    assert len(site.log) == 5


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
