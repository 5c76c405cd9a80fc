"""Files that arrive cut, too long, in portions, or as something else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fetch_samples import (  # noqa: F401 fixtures
    CONTENT,
    Answer,
    InPortions,
    WithSurplus,
    downloaded_file,
    get,
    get_small,
    leave_first_thousand,
    left_in,
    ranges,
    site_of_one_file,
)

from cli.demosite.faults import (
    Cut,
    Fault,
    WrongLength,
)
from cli.demosite.site import Site
from models.errors import CorruptFile


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
