"""The demo site's server, as long as nothing is wrong with it."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from email.utils import parsedate_to_datetime

import pytest
import requests
from demosite_samples import (  # noqa: F401 fixtures
    AGENT,
    CONTENT,
    NAME,
    ask,
    connected,
    folder_of_one_file,
    one_server,
    untroubled_site,
)

from cli.demosite import faults
from cli.demosite.faults import Fault
from cli.demosite.server import serve


class TestHonestServer:
    def test_a_file_comes_whole_with_what_a_client_may_remember(self, site, folder):
        """A file's answer has its length, a strong ETag, its time, and the offer of ranges."""
        response, body = ask(site)
        assert (response.status, body) == (200, CONTENT)
        assert response.headers["Content-Length"] == str(len(CONTENT))
        assert re.fullmatch(r'"[0-9a-f-]+"', response.headers["ETag"])
        assert response.headers["Accept-Ranges"] == "bytes"
        modified = parsedate_to_datetime(response.headers["Last-Modified"])
        assert modified.timestamp() == int((folder / NAME).stat().st_mtime)
        assert response.headers["Content-Encoding"] is None

    def test_head_has_the_same_headers_and_no_body(self, site):
        """HEAD differs from GET only in the body it leaves out."""
        (head, nothing), (full, _) = ask(site, method="HEAD"), ask(site)
        assert nothing == b""
        assert {k: v for k, v in head.headers.items() if k != "Date"} == {
            k: v for k, v in full.headers.items() if k != "Date"
        }

    @pytest.mark.parametrize(
        ("wanted", "first", "last"),
        [("bytes=100-", 100, len(CONTENT) - 1), ("bytes=5-9", 5, 9), ("bytes=5-999999999", 5, len(CONTENT) - 1)],
    )
    def test_a_range_is_served(self, site, wanted, first, last):
        """A range gets 206, the bytes it names, and their place in the file."""
        response, body = ask(site, Range=wanted)
        assert (response.status, body) == (206, CONTENT[first : last + 1])
        assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"

    def test_a_range_past_the_end_is_416(self, site):
        """Who asks for bytes past the end learns the file's size."""
        response, _ = ask(site, Range=f"bytes={len(CONTENT)}-")
        assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")

    @pytest.mark.parametrize("wanted", ["bytes=9-5", "bytes=1-2,4-5", "lines=1-", "bytes=-"])
    def test_a_strange_range_is_ignored(self, site, wanted):
        """A range that is none, or several, gets the whole file."""
        response, body = ask(site, Range=wanted)
        assert (response.status, body) == (200, CONTENT)

    def test_if_range_guards_a_range(self, site):
        """The remembered ETag or date keeps the range; any other gets the whole file."""
        about = ask(site, method="HEAD")[0].headers
        for version in (about["ETag"], about["Last-Modified"]):
            assert ask(site, Range="bytes=7-", If_Range=version)[0].status == 206
        response, body = ask(site, Range="bytes=7-", If_Range='"another"')
        assert (response.status, body) == (200, CONTENT)

    def test_a_rewritten_file_has_another_etag(self, site, folder):
        """A file of the same size written anew is another version."""
        path = folder / "rewritten.txt"
        path.write_bytes(b"one")
        before = ask(site, "rewritten.txt")[0].headers["ETag"]
        path.write_bytes(b"two")
        assert ask(site, "rewritten.txt")[0].headers["ETag"] != before

    def test_a_folder_is_listed_as_nginx_does(self, site):
        """Entries are links, folders end with a slash and come first, files have their exact size."""
        response, body = ask(site, "folder/")
        text = body.decode()
        assert response.status == 200
        assert re.search(
            rf'<a href="file\.gz">file\.gz</a> +\d\d-[A-Z][a-z]{{2}}-\d{{4}} \d\d:\d\d +{len(CONTENT)}\r\n', text
        )
        assert '<a href="odd%20%22name%22%20%26%20more.txt">odd &quot;name&quot; &amp; more.txt</a>' in text
        assert re.findall('href="(.*?)"', text)[:3] == ["../", "zoo/", "file.gz"]
        assert '<a href="folder/">folder/</a>' in ask(site, "")[1].decode()

    def test_a_folder_without_its_slash_is_redirected(self, site):
        """As on nginx, a folder's own address ends with a slash."""
        response, _ = ask(site, "folder")
        assert (response.status, response.headers["Location"]) == (301, "/folder/")

    @pytest.mark.parametrize(
        "path",
        [
            "nothing.gz", "../secret.txt", "folder/../../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt",
            "link.txt", "/secret.txt", f"{NAME}/", "%00", "x" * 5000, "/etc/passwd", "//etc/passwd",
        ],
    )  # fmt: skip
    def test_nothing_outside_is_served(self, site, path):
        """What is not there, or lies outside the folder, is 404."""
        response, body = ask(site, path)
        assert response.status == 404
        assert b"secret" not in body

    @pytest.mark.parametrize("agent", ["", " ", "python-requests/2.32.0", "curl/8.5", "Wget/1.21", "curl"])
    def test_a_generic_agent_is_refused(self, site, agent):
        """An empty agent, or one that only names its library, gets 403."""
        assert ask(site, User_Agent=agent)[0].status == 403

    def test_a_missing_agent_is_refused_before_any_fault(self, site):
        """A client without an agent gets 403 and uses up no fault."""
        site.misbehave(Fault("*", faults.NotFound(), times=1))
        with closing(connected(site)) as connection:
            connection.request("GET", f"/{NAME}")
            response = connection.getresponse()
            response.read()
        assert response.status == 403
        assert ask(site)[0].status == 404

    def test_requests_is_let_in_with_a_name_of_its_own(self, site):
        """A named client may end its agent with the library's; the library's own name alone is refused."""
        url = f"{site.url}/{NAME}"
        agent = f"wikiq/1 (https://example.org) python-requests/{requests.__version__}"
        assert requests.get(url, headers={"User-Agent": agent}, timeout=5).content == CONTENT
        assert requests.get(url, timeout=5).status_code == 403

    def test_a_connection_is_kept(self, site):
        """Several requests go over one connection, after errors and listings too."""
        with closing(connected(site)) as connection:
            for path, status in ((NAME, 200), ("nothing", 404), ("folder/", 200), (NAME, 200)):
                connection.request("GET", f"/{path}", headers={"User-Agent": AGENT})
                held = connection.sock
                response = connection.getresponse()
                response.read()
                assert (response.status, connection.sock) == (status, held)

    def test_the_log_tells_what_was_asked(self, site):
        """Each request is logged with its method, path, status, range and agent, and counted by path."""
        ask(site, method="HEAD")
        ask(site, Range="bytes=3-")
        ask(site, "nothing?query")
        assert [(entry.method, entry.path, entry.status, entry.range) for entry in site.log] == [
            ("HEAD", NAME, 200, None),
            ("GET", NAME, 206, "bytes=3-"),
            ("GET", "nothing", 404, None),
        ]
        assert {entry.agent for entry in site.log} == {AGENT}
        assert (site.requests[NAME], site.requests["nothing"], site.requests["never"]) == (2, 1, 0)
        site.forget()
        assert (site.log, site.most_at_once) == ((), 0)

    def test_a_closed_server_frees_its_port_and_its_threads(self, folder):
        """After the block no thread is left, whether a client idles, reads or waits for a stalled answer."""
        before = set(threading.enumerate())
        with serve(folder, [Fault("folder/", faults.Stall(60)), Fault(NAME, faults.Slow(10))]) as site:
            idle, waiting, reading = (connected(site) for _ in range(3))
            idle.connect()
            waiting.request("GET", "/folder/", headers={"User-Agent": AGENT})
            reading.request("GET", f"/{NAME}", headers={"User-Agent": AGENT})
            begun = reading.getresponse()
            begun.read(1)
            assert len(set(threading.enumerate()) - before) == 4
        for thread in set(threading.enumerate()) - before:
            thread.join(timeout=5)
        assert set(threading.enumerate()) <= before
        for left in (idle, waiting, reading, begun):
            left.close()
        with serve(folder, port=int(site.url.rpartition(":")[2])) as again:
            assert ask(again)[0].status == 200
