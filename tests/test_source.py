"""A source's URL: how it is read, shown and redirected."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SourceRefused, UsageError
from worker.source import is_wikimedia, origin, parse_source, redirected, without_credentials


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
