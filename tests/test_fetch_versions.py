"""Never two versions in one file."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from fetch_samples import (  # noqa: F401 fixtures
    CONTENT,
    NAME,
    OTHER,
    QUICK,
    Answer,
    OnlyForRanges,
    WithHeaders,
    downloaded_file,
    folder_with,
    get,
    leave_first_thousand,
    leave_part,
    left_in,
    ranges,
    site_of_one_file,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.demosite.faults import (
    ChangingETag,
    Cut,
    Fault,
    Misbehaviour,
    OtherVersion,
    Together,
)
from cli.demosite.reply import Reply, Request
from cli.demosite.site import Site
from models.errors import CorruptFile, SourceError


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


ODD = ["\xa0Wed, 03 Jan 2024 02:00:00 GMT", "Wed\x00", "\x85x", "\xe9", "a\x7f", "a\tb"]


@pytest.mark.parametrize("odd", ODD)
def test_a_validator_that_cannot_be_sent_spoils_nothing(site: Site, into: Path, odd: str) -> None:
    """What could not stand in a request is not kept: the cut file is fetched anew, and told without it."""
    odd_headers = WithHeaders((("ETag", f'"{odd}"'), ("Last-Modified", odd)))
    site.misbehave(Fault("*", Together((odd_headers, Cut(1000))), times=1))
    done = get(site, into)
    assert ranges(site) == [None, None]
    assert into.read_bytes() == CONTENT
    site.misbehave(Fault("*", odd_headers))
    done = get(site, into)
    assert (done.etag, done.last_modified) == (None, None)


@pytest.mark.parametrize("odd", [*ODD, "", 5, ["x"]])
def test_a_part_with_such_a_validator_starts_over(site: Site, into: Path, odd: object) -> None:
    """A part that is there already is not asked for by what could not be sent."""
    leave_part(into, f"{site.url}/{NAME}", CONTENT[:1000])
    known = {"url": f"{site.url}/{NAME}", "etag": None, "last_modified": odd, "total": len(CONTENT)}
    Path(f"{into}.part.json").write_text(json.dumps(known))
    get(site, into)
    assert ranges(site) == [None]
    assert into.read_bytes() == CONTENT
