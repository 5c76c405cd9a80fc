"""A wiki's siteinfo, from the newest run of the site that has it whole."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from typing import Any

import pytest
from dumps_samples import (
    NAME,
    SITEINFO,
    ask,
    site_of_runs,  # noqa: F401 fixtures
    write_run,
)

from cli.demosite.faults import Fault, HtmlPage, NotFound, Unavailable
from cli.demosite.site import Site
from models.errors import CorruptFile, SourceUnreachable
from worker import dumps_site

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


@pytest.mark.parametrize(
    "damage",
    [b"\x1f\x8b", gzip.compress(SITEINFO)[:-4], gzip.compress(SITEINFO)[:-5] + b"abcde"],
    # gzip writes the time into its head, so these bytes differ from process to process.
    ids=["head", "short trailer", "wrong trailer"],
)
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
