"""The demo site's server when it misbehaves as it is told to."""

from __future__ import annotations

import gzip
import http.client
import socket
import time
import zlib
from contextlib import closing

import pytest
from demosite_samples import (  # noqa: F401 fixtures
    AGENT,
    CONTENT,
    NAME,
    ask,
    connected,
    folder_of_one_file,
    one_server,
    untroubled_site,
    written_site,
)

from cli.demosite import faults
from cli.demosite.faults import Fault
from cli.demosite.server import serve


class TestMisbehaviour:
    @pytest.mark.parametrize(
        ("kind", "status", "retry_after"),
        [
            (faults.NotFound(), 404, None),
            (faults.Refused(), 403, None),
            (faults.TooMany(), 429, None),
            (faults.TooMany(retry_after=7), 429, "7"),
            (faults.Unavailable(), 503, None),
            (faults.Unavailable(retry_after="Fri, 31 Dec 2027 23:59:59 GMT"), 503, "Fri, 31 Dec 2027 23:59:59 GMT"),
        ],
    )
    def test_errors(self, site, kind, status, retry_after):
        """An error has its status, a short HTML page under the file's name, and Retry-After where asked."""
        site.misbehave(Fault("*.gz", kind))
        response, body = ask(site)
        assert (response.status, response.headers["Retry-After"]) == (status, retry_after)
        assert response.headers["Content-Type"] == "text/html"
        assert body.startswith(b"<html>")
        assert len(body) < 500

    def test_redirect(self, site):
        """A redirect is 302 and names the given URL."""
        site.misbehave(Fault("*", faults.Redirect("http://127.0.0.1:9/elsewhere")))
        response, _ = ask(site)
        assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")

    def test_html_page(self, site):
        """A page under the .gz name comes with status 200 and a right length."""
        site.misbehave(Fault("*", faults.HtmlPage()))
        response, body = ask(site)
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(body)))
        assert body.startswith(b"<html>")

    def test_cut(self, site):
        """The connection closes early though the whole length was promised; a range resumes where it broke."""
        site.misbehave(Fault("*", faults.Cut(after=1000), times=1))
        with closing(connected(site)) as connection:
            connection.request("GET", f"/{NAME}", headers={"User-Agent": AGENT})
            response = connection.getresponse()
            assert response.headers["Content-Length"] == str(len(CONTENT))
            with pytest.raises(http.client.IncompleteRead) as broken:
                response.read()
        assert broken.value.partial == CONTENT[:1000]
        assert ask(site, Range="bytes=1000-")[1] == CONTENT[1000:]

    def test_wrong_length(self, site):
        """More bytes are promised than come before the connection closes."""
        site.misbehave(Fault("*", faults.WrongLength(extra=5)))
        with pytest.raises(http.client.IncompleteRead) as broken:
            ask(site)
        assert (broken.value.partial, broken.value.expected) == (CONTENT, 5)

    def test_corrupt(self, site):
        """One byte in the middle differs; the length and the ETag are those of the true file."""
        true = ask(site, method="HEAD")[0].headers
        site.misbehave(Fault("*", faults.Corrupt()))
        response, body = ask(site)
        assert [n for n, (a, b) in enumerate(zip(body, CONTENT, strict=True)) if a != b] == [len(CONTENT) // 2]
        assert (response.headers["Content-Length"], response.headers["ETag"]) == (true["Content-Length"], true["ETag"])

    def test_corrupt_and_truncated_hour_files_do_not_unpack(self, written):
        """The own check of gzip finds a flipped byte and a missing end in a file of the demo site."""
        demo, root = written
        path = demo.burst_hour.path
        with serve(root, [Fault("*", faults.Corrupt(), 1), Fault("*", faults.Truncated(), 1)]) as site:
            for _ in range(2):
                with pytest.raises((zlib.error, gzip.BadGzipFile, EOFError)):
                    gzip.decompress(ask(site, path)[1])
            assert gzip.decompress(ask(site, path)[1]).startswith(b'"" ')

    def test_truncated(self, site):
        """The shorter file has its own right length and another ETag."""
        true = ask(site, method="HEAD")[0].headers["ETag"]
        site.misbehave(Fault("*", faults.Truncated(share=0.25)))
        response, body = ask(site)
        assert body == CONTENT[: len(CONTENT) // 4]
        assert response.headers["Content-Length"] == str(len(body))
        assert response.headers["ETag"] != true

    def test_changing_etag(self, site):
        """Each request meets another version, so that neither ETag nor date resumes."""
        site.misbehave(Fault("*", faults.ChangingETag()))
        first = ask(site)[0].headers
        for version in (first["ETag"], first["Last-Modified"]):
            response, body = ask(site, Range="bytes=50-", If_Range=version)
            assert (response.status, body) == (200, CONTENT)
            assert response.headers["ETag"] != first["ETag"]

    @pytest.mark.parametrize("other", [None, b"another version of the file"])
    def test_other_version(self, site, other):
        """A guarded range is answered with another version's bytes all the same, under its own ETag."""
        true = ask(site, method="HEAD")[0].headers["ETag"]
        site.misbehave(Fault("*", faults.OtherVersion(other)))
        response, body = ask(site, Range="bytes=10-", If_Range=true)
        assert (response.status, body) == (206, (other or bytes(255 - byte for byte in CONTENT))[10:])
        assert response.headers["ETag"] != true

    def test_slow(self, site):
        """A slow body takes as long as its rate says, and comes whole."""
        site.misbehave(Fault("*", faults.Slow(len(CONTENT) / 0.3)))
        began = time.monotonic()
        assert ask(site)[1] == CONTENT
        assert 0.25 < time.monotonic() - began < 3

    def test_stall(self, site):
        """Nothing comes, not even a status line, until the stall is over."""
        site.misbehave(Fault("*", faults.Stall(0.3)))
        with closing(connected(site)) as connection:
            connection.request("GET", f"/{NAME}", headers={"User-Agent": AGENT})
            connection.sock.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.sock.recv(1, socket.MSG_PEEK)
            connection.sock.settimeout(5)
            assert connection.getresponse().read() == CONTENT

    def test_head_meets_faults_too(self, site):
        """A status fault strikes HEAD, and a body fault changes only what HEAD announces."""
        site.misbehave(
            Fault("*", faults.Unavailable(), 1), Fault("*", faults.Truncated(0.5), 1), Fault("*", faults.Cut(1))
        )
        answers = [ask(site, method="HEAD") for _ in range(3)]
        lengths = [int(response.headers["Content-Length"]) for response, _ in answers]
        assert [response.status for response, _ in answers] == [503, 200, 200]
        assert lengths[1:] == [len(CONTENT) // 2, len(CONTENT)]
        assert {body for _, body in answers} == {b""}

    def test_faults_strike_each_path_so_often_and_in_turn(self, site):
        """Each matching path meets the first fault its number of times, then the next, then honesty."""
        site.misbehave(Fault("folder/*", faults.TooMany(), times=2), Fault("/*.gz", faults.Unavailable(), times=1))
        assert [ask(site)[0].status for _ in range(4)] == [429, 429, 503, 200]
        assert ask(site, "folder/")[0].status == 429
        assert ask(site, "")[0].status == 200

    def test_a_fault_may_concern_one_method(self, site):
        """A fault for GET leaves HEAD alone and is not used up by it."""
        site.misbehave(Fault("*", faults.NotFound(), times=1, method="GET"))
        assert [ask(site, method=method)[0].status for method in ("HEAD", "GET", "GET")] == [200, 404, 200]

    def test_misbehaviour_is_replaced_and_ended(self, site):
        """New faults take the place of the old ones and start afresh; honesty ends them all."""
        fault = Fault("*", faults.NotFound(), times=1)
        statuses = []
        for change in (lambda: site.misbehave(fault), lambda: site.misbehave(fault), site.behave):
            change()
            statuses.append(ask(site)[0].status)
        assert statuses == [404, 404, 200]

    def test_faults_at_the_start(self, folder):
        """A server may misbehave from its first request on."""
        with serve(folder, [Fault("*", faults.Refused())]) as site:
            assert ask(site)[0].status == 403

    def test_together(self, site):
        """Several misbehaviours bend one answer: half a file, announced too long, without its end."""
        both = faults.Together((faults.Truncated(0.5), faults.WrongLength(10), faults.Cut(100)))
        site.misbehave(Fault("*", both))
        with pytest.raises(http.client.IncompleteRead) as broken:
            ask(site)
        assert broken.value.partial == CONTENT[:100]
        assert broken.value.expected == len(CONTENT) // 2 + 10 - 100

    def test_flaky_refuses_a_third_by_lot(self, site):
        """About a third of all requests fail, some with 429 and some with 503, and the same ones each time."""

        def statuses(seed: int) -> list[int]:
            site.misbehave(Fault("*", faults.Flaky(seed=seed, retry_after=0)))
            return [ask(site, method="HEAD")[0].status for _ in range(90)]

        first = statuses(1)
        assert first == statuses(1)
        assert first != statuses(2)
        assert set(first) == {200, 429, 503}
        assert 15 <= sum(status != 200 for status in first) <= 45
