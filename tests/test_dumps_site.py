"""Addresses of sources, and what is read below them."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.demosite.faults import Fault, HtmlPage, NotFound, Unavailable
from cli.demosite.server import serve
from cli.demosite.site import Site
from models.dump_run import DumpFile
from models.errors import CorruptFile, SourceRefused, SourceUnreachable, UsageError
from models.hour import Hour
from worker import dumps_site
from worker.dumps_site import fetch_siteinfo, finished_file, hour_url, listed_runs
from worker.fetch import open_http
from worker.patience import Retries
from worker.source import is_wikimedia, origin, parse_source, redirected, without_credentials

QUICK = Retries(attempts=2, wait_initial=0.01, wait_jitter=0)
SITEINFO = json.dumps({"query": {"general": {"mainpage": "Main Page"}, "namespaces": {}}}).encode()
NAME = "enwiki-20240101-siteinfo-namespaces.json.gz"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("https://dumps.wikimedia.org", "https://dumps.wikimedia.org"),
        (" HTTPS://Dumps.Wikimedia.ORG./ ", "https://dumps.wikimedia.org"),
        ("https://dumps.wikimedia.org:443/", "https://dumps.wikimedia.org"),
        ("http://127.0.0.1:8099/", "http://127.0.0.1:8099"),
        ("http://[::1]:8099", "http://[::1]:8099"),
        ("https://mirror.accum.se/mirror/Wikimedia.org/", "https://mirror.accum.se/mirror/Wikimedia.org"),
        ("https://me:secret@mirror.example", "https://me:secret@mirror.example"),
    ],
)
def test_source_is_normalised(text: str, source: str) -> None:
    """Scheme and host become lower case; default port and trailing slash go; a mirror's path stays as it is."""
    assert parse_source(text) == source


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dumps.wikimedia.org",
        "ftp://dumps.wikimedia.org",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://host:port",
        "https://host:70000",
        "http://[::1",
        "https://host/?key=1",
        "https://host/#top",
        "https://ho st/",
        "https://host\n.example/",
        "https://host\\@other/",
        "https://höst/",
        "http://dumps.wikimedia.org",
        "http://user@en.wikipedia.org:8080/",
    ],
)
def test_what_is_no_source_is_refused(text: str) -> None:
    """No host, another scheme, a query, an ambiguous URL, or Wikimedia without https is a UsageError."""
    with pytest.raises(UsageError):
        parse_source(text)


@given(st.one_of(st.text(), st.text("abA.:/@[]%?#\\ 019é").map("https://{}".format)))
def test_parsing_a_source_is_final(text: str) -> None:
    """Any text is a UsageError, or a source that parses to itself and names the same place as before."""
    with contextlib.suppress(UsageError):
        source = parse_source(text)
        assert parse_source(source) == source
        assert origin(source) == origin(text.strip())
        assert not source.endswith("/")


@pytest.mark.parametrize("host", ["dumps.wikimedia.org", "en.m.wikipedia.org", "www.wikidata.org", "wikimedia.org."])
def test_wikimedia_hosts_are_known(host: str) -> None:
    """Wikimedia's domains and whatever lies below them are Wikimedia's."""
    assert is_wikimedia(f"https://{host}/x")


@pytest.mark.parametrize("host", ["dumps.wikimedia.your.org", "mywikimedia.org", "wikimedia.org.example", "localhost"])
def test_mirrors_are_not_wikimedia(host: str) -> None:
    """A name that only looks similar is somebody else's."""
    assert not is_wikimedia(f"https://{host}/wikimedia.org")


def test_credentials_are_not_shown() -> None:
    """User, password, query and fragment do not reach messages; port and path do."""
    assert without_credentials("https://me:s@cret@host:8443/a/b.gz?token=1#top") == "https://host:8443/a/b.gz"


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("/other/x.gz", "http://host:8099/other/x.gz"),
        ("y.gz", "http://host:8099/a/y.gz"),
        ("http://HOST:8099/b", "http://HOST:8099/b"),
        ("https://host/a/x.gz", "https://host/a/x.gz"),
    ],
)
def test_redirect_within_the_host_is_followed(location: str, place: str) -> None:
    """A path, the same host, and https on the same host may be gone to."""
    assert redirected("http://host:8099/a/x.gz", location) == place


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("http://other.example/x", "http://other.example:80"),
        ("//other.example/x", "http://other.example:80"),
        ("http://host:22/x", "http://host:22"),
        ("https://host.evil.example/x", "https://host.evil.example:443"),
        ("http://evil.example\\@host:8099/x", "no http address"),
        ("file:///etc/passwd", "no http address"),
        ("http://[", "no http address"),
    ],
)
def test_redirect_elsewhere_is_refused(location: str, named: str) -> None:
    """Another host, port or scheme is refused, and the message names it."""
    with pytest.raises(SourceRefused, match=re.escape(named)):
        redirected("http://host:8099/a/x.gz", location)


def test_redirect_never_leads_back_to_http() -> None:
    """From https there is no way to http, not even on the same host."""
    with pytest.raises(SourceRefused, match="http://host:80"):
        redirected("https://host/x", "http://host/x")


@pytest.mark.parametrize("source", ["https://dumps.wikimedia.org", "https://dumps.wikimedia.org/"])
def test_hour_lies_under_the_end_of_its_hour(source: str) -> None:
    """The last hour of a year lies in next year's January folder."""
    url = "https://dumps.wikimedia.org/other/pageviews/2024/2024-01/pageviews-20240101-000000.gz"
    assert hour_url(source, Hour(dt.date(2023, 12, 31), 23)) == url


NGINX = b"""<html><head><title>Index of /enwiki/</title></head><body><h1>Index of /enwiki/</h1><hr><pre>
<a href="../">../</a>
<a href="20240101/">20240101/</a>       03-Jan-2024 10:00       -
<a href="20240201/">20240201/</a>       03-Feb-2024 10:00       -
<a href="latest/">latest/</a>           03-Feb-2024 10:00       -
</pre></body></html>"""
APACHE = b"""<table><tr><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><A HREF='/mirror/enwiki/20231220/'>20231220/</A></td></tr><tr><td><a href="./20240101/">20240101/</a></td>
<tr><td><a href="20231220/">again</a></td></tr></table>"""


@pytest.mark.parametrize(
    ("listing", "runs"),
    [
        (NGINX, ("20240201", "20240101")),
        (APACHE, ("20240101", "20231220")),
        (b'<a href="20240230/">', ()),
        (b'<a href="00000101/">', ()),
        (b'<a href="202401011/"> <a href="2024010/"> <a href="20240101"> <a href="x20240101/">', ()),
        (b'<a href="20240101/../../secret/"> 20240101/ <a name="20240101/">', ()),
        ('<a href="٢٠٢٤٠١٠١/">'.encode(), ()),
        (b"", ()),
    ],
)
def test_runs_are_read_from_listings(listing: bytes, runs: tuple[str, ...]) -> None:
    """Only links to folders of eight digits that are a real date count, each once, the newest first."""
    assert listed_runs(listing) == runs


@given(st.lists(st.dates(), unique=True), st.binary())
def test_every_run_is_found(dates: list[dt.date], noise: bytes) -> None:
    """Whatever else a listing holds, the runs linked in it are found in descending order."""
    links = b"".join(b'<a href="%s/">' % date.isoformat().replace("-", "").encode() for date in dates)
    found = listed_runs(noise.replace(b"href", b"") + b'">' + links)
    assert list(found) == [date.isoformat().replace("-", "") for date in sorted(dates, reverse=True)]


def status_with(status: str = "done", name: str = NAME, **about: Any) -> bytes:
    files = {name: {"size": 7, "url": "/elsewhere", "sha1": "a" * 40, "md5": "b" * 32} | about}
    return json.dumps({"jobs": {"namespaces": {"status": status, "files": files}}}).encode()


def test_finished_file_is_read() -> None:
    """A job that is done gives its file with size and checksums."""
    assert finished_file(status_with(), "namespaces", "enwiki") == (NAME, 7, "a" * 40, "b" * 32)


def test_missing_checksum_is_none() -> None:
    """A checksum that was not published is None."""
    assert finished_file(status_with(sha1=None), "namespaces", "enwiki") == DumpFile(NAME, 7, None, "b" * 32)


@pytest.mark.parametrize("status", ["in-progress", "waiting", "failed", "skipped", "Done", ""])
def test_unfinished_job_has_no_file(status: str) -> None:
    """Only "done" is done."""
    assert finished_file(status_with(status), "namespaces", "enwiki") is None


def test_unfinished_job_needs_no_files() -> None:
    """A job that is still running lists no files, and one that the wiki does not have is not listed at all."""
    running = b'{"jobs": {"namespaces": {"status": "in-progress"}}}'
    assert finished_file(running, "namespaces", "enwiki") is None
    assert finished_file(running, "pagetable", "enwiki") is None


@pytest.mark.parametrize(
    "name",
    [
        "dewiki-20240101-siteinfo.json.gz",
        "enwiki",
        "enwiki-../../../etc/passwd",
        "enwiki-a/b.gz",
        "/enwiki-a.gz",
        "enwiki-..gz",
        "enwiki-a.gz\n",
        "enwiki-%2e%2e.gz",
        "enwiki-a b.gz",
        "",
    ],
)
def test_strange_file_names_are_refused(name: str) -> None:
    """A name that is not of this database, or could leave its folder, is CorruptFile."""
    with pytest.raises(CorruptFile, match="enwiki"):
        finished_file(status_with(name=name), "namespaces", "enwiki")


@pytest.mark.parametrize("about", [{"size": -1}, {"size": "7"}, {"size": True}, {"sha1": "abc"}, {"md5": 5}])
def test_strange_sizes_and_checksums_are_refused(about: dict[str, Any]) -> None:
    """A size that is no number of bytes, or a checksum of another shape, is CorruptFile."""
    with pytest.raises(CorruptFile, match="sound"):
        finished_file(status_with(**about), "namespaces", "enwiki")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"jobs": []}',
        b'{"jobs": {"namespaces": 5}}',
        b'{"jobs": {"namespaces": {}}}',
        b'{"jobs": {"namespaces": {"status": "done"}}}',
        b'{"jobs": {"namespaces": {"status": "done", "files": {}}}}',
        b'{"jobs": {"namespaces": {"status": "done", "files": {"a": 1, "b": 2}}}}',
        b'{"jobs": {"namespaces": {"status": "done", "files": {"enwiki-a": null}}}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_broken_status_is_corrupt(text: bytes) -> None:
    """Whatever is no dump status is CorruptFile, never another error."""
    with pytest.raises(CorruptFile, match="cannot be read"):
        finished_file(text, "namespaces", "enwiki")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A source with the wiki's runs of January (finished) and February (not finished)."""
    write_run(tmp_path, "20240101", SITEINFO)
    write_run(tmp_path, "20240201", SITEINFO, status="in-progress")
    with serve(tmp_path) as running:
        yield running


def write_run(root: Path, run: str, text: bytes, *, status: str = "done", **about: Any) -> Path:
    folder, name, packed = root / "enwiki" / run, f"enwiki-{run}-siteinfo-namespaces.json.gz", gzip.compress(text)
    folder.mkdir(parents=True, exist_ok=True)
    real = {"size": len(packed), "sha1": hashlib.sha1(packed).hexdigest(), "md5": hashlib.md5(packed).hexdigest()}
    (folder / name).write_bytes(packed)
    (folder / "dumpstatus.json").write_bytes(status_with(status, name, **(real | about)))
    return folder / name


def ask(site: Site, database: str = "enwiki") -> tuple[bytes, dt.date] | None:
    return fetch_siteinfo(open_http(None, "0"), site.url, database, budget=contextlib.nullcontext, retries=QUICK)


JANUARY = (SITEINFO, dt.date(2024, 1, 1))


def test_newest_finished_run_is_taken(site: Site) -> None:
    """The unfinished February is passed over; the answer is January's text, unpacked, and its date."""
    assert ask(site) == JANUARY
    write_run(site.root, "20240201", b'{"newer": 1}')
    assert ask(site) == (b'{"newer": 1}', dt.date(2024, 2, 1))


def test_wiki_without_dumps_has_no_siteinfo(site: Site) -> None:
    """No folder, or a folder in which nothing is finished, is None."""
    assert ask(site, "dewiki") is None
    site.misbehave(Fault("enwiki/20240101/*", NotFound()))
    assert ask(site) is None


@pytest.mark.parametrize("missing", ["dumpstatus.json", "enwiki-20240201-siteinfo-namespaces.json.gz"])
def test_run_with_a_missing_file_is_passed_over(site: Site, missing: str) -> None:
    """When the newest run's status or file is not there, the run before it serves."""
    write_run(site.root, "20240201", SITEINFO)
    (site.root / "enwiki" / "20240201" / missing).unlink()
    assert ask(site) == JANUARY


@pytest.mark.parametrize(
    "about", [{"size": 1}, {"sha1": "0" * 40}, {"sha1": None, "md5": "0" * 32}], ids=["size", "sha1", "md5"]
)
def test_run_with_a_damaged_file_is_passed_over(site: Site, about: dict[str, Any]) -> None:
    """A file that has not the announced size or checksum is not used: the run before serves, or CorruptFile comes."""
    write_run(site.root, "20240201", b'{"newer": 1}', **about)
    assert ask(site) == JANUARY
    write_run(site.root, "20240101", SITEINFO, **about)
    with pytest.raises(CorruptFile, match="20240201"):
        ask(site)


def test_half_written_status_is_passed_over(site: Site) -> None:
    """A dumpstatus.json that is being rewritten, or an error page in its place, does not hide the older run."""
    site.misbehave(Fault("enwiki/20240201/dumpstatus.json", HtmlPage()))
    assert ask(site) == JANUARY


@pytest.mark.parametrize("damage", [b"\x1f\x8b", gzip.compress(SITEINFO)[:-4], gzip.compress(SITEINFO)[:-5] + b"abcde"])
def test_what_gzip_cannot_unpack_is_corrupt(site: Site, damage: bytes) -> None:
    """A cut or damaged gzip file is CorruptFile even when its checksum is the announced one."""
    file = write_run(site.root, "20240101", SITEINFO, size=len(damage), sha1=hashlib.sha1(damage).hexdigest())
    file.write_bytes(damage)
    with pytest.raises(CorruptFile, match="cannot be unpacked"):
        ask(site)


def test_unpacked_text_is_bounded(site: Site) -> None:
    """A small file that unpacks to more than 10 MiB is CorruptFile; exactly 10 MiB is had."""
    write_run(site.root, "20240101", b" " * dumps_site.MAX_DOCUMENT_BYTES)
    answer = ask(site)
    assert answer is not None
    assert len(answer[0]) == 10 * 2**20
    write_run(site.root, "20240101", b" " * (10 * 2**20 + 1))
    with pytest.raises(CorruptFile, match="more than 10 MiB"):
        ask(site)


def test_network_errors_are_raised(site: Site) -> None:
    """A source that is down is not a wiki without dumps."""
    site.misbehave(Fault("enwiki/*", Unavailable()))
    with pytest.raises(SourceUnreachable, match="503"):
        ask(site)


def test_endless_listing_is_not_followed_to_its_end(site: Site) -> None:
    """Of very many runs only the newest dozen are looked at."""
    for year in range(3000, 3100):
        (site.root / "enwiki" / f"{year}0101").mkdir()
    assert ask(site) is None
    assert sum(path.endswith("dumpstatus.json") for path in site.requests) == 12


def test_only_the_source_is_asked(site: Site) -> None:
    """The file is looked for by its name in the run's folder; the URL that the status gives is not followed."""
    ask(site)
    paths = [entry.path for entry in site.log]
    assert paths[-1] == f"enwiki/20240101/{NAME}"
