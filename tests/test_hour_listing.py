"""Reading a folder's listing, as several servers write it and as nobody should."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW

from cli.demosite.folder import listing
from models.hour import FIRST_DAY, Hour, hours_of
from worker.hour_listing import ListedFile, folder_of, listed_files

DAY = dt.date(2024, 1, 3)
NAME = "pageviews-20240103-010000.gz"
HOUR = Hour(DAY, 0)
MIB = 1 << 20

NGINX = f'<pre><a href="../">../</a>\r\n<a href="{NAME}">{NAME}</a>      03-Jan-2024 02:31            57362711\r\n'
NGINX_ROUNDED = f'<a href="{NAME}">{NAME}</a>      03-Jan-2024 02:31     55M\r\n'
APACHE = f'<img src="/x.gif" alt="[   ]"> <a href="{NAME}">pageviews-202401..&gt;</a> 2024-01-03 02:31   55M  \n'
APACHE_TABLE = (
    f'<tr><td valign="top"></td><td><A HREF="/mirror/other/{NAME}">{NAME}</A></td>'
    '<td align="right">2024-01-03 02:31  </td><td align="right">1.5G</td><td>&nbsp;</td></tr>'
)
LIGHTTPD = f"<tr><td class='n'><a href='{NAME}'>x</a></td><td class='m'>2024-Jan-03 02:31:07</td><td>800.5K</td></tr>"
BARE = f"<li><a href={NAME}>{NAME}</a></li>"


@pytest.mark.parametrize(
    ("html", "file"),
    [
        (NGINX, ListedFile(57_362_711, exact=True)),
        (NGINX_ROUNDED, ListedFile(55 * MIB, exact=False)),
        (APACHE, ListedFile(55 * MIB, exact=False)),
        (APACHE_TABLE, ListedFile(1536 * MIB, exact=False)),
        (LIGHTTPD, ListedFile(819_712, exact=False)),
        (BARE, ListedFile(None, exact=False)),
        (NGINX.replace("57362711", "-"), ListedFile(None, exact=False)),
        (NGINX.replace("57362711", "57362711 files"), ListedFile(57_362_711, exact=True)),
        (NGINX.replace("57362711", "9" * 15), ListedFile(None, exact=False)),
        (NGINX.replace("57362711", "9" * 500), ListedFile(None, exact=False)),
        (NGINX.replace("57362711", "\u0665"), ListedFile(None, exact=False)),
    ],
    ids=[
        "nginx",
        "nginx rounded",
        "apache",
        "table",
        "lighttpd",
        "bare",
        "no size",
        "more",
        "huge",
        "endless",
        "arabic",
    ],
)
def test_sizes(html, file):
    """A size in bytes is exact, one with a unit is rounded (1 K = 1,024), and one that cannot be is none."""
    assert listed_files(html.encode()) == {HOUR: file}


@pytest.mark.parametrize(
    "name",
    [
        "pageviews-20240103-010001.gz",
        "pageviews-20240103-250000.gz",
        "pageviews-20240230-010000.gz",
        "pageviews-20240103-010000.gz.part",
        "projectviews-20240103-010000",
        "xpageviews-20240103-010000.gz",
        "pageviews-20240103-010000.gz?x",
        "pageviews-\u0662\u0660240103-010000.gz",
        "pageviews-00010101-000000.gz",
        "\x1b]0;owned\x07",
        "",
    ],
)
def test_other_names_are_passed_over(name):
    """What is not exactly the name of an hour file is no hour file, and does not hide the one behind it."""
    html = f'<a href="{name}">{name}</a> 03-Jan-2024 02:31 1\n{NGINX}'
    assert listed_files(html.encode()) == {HOUR: ListedFile(57_362_711, exact=True)}


@pytest.mark.parametrize(
    "html",
    ["", NAME, f"<!-- {NAME} 02:31 5 -->", f'<a name="{NAME}">', f'<b href="{NAME}">', f'<a data-href="{NAME}">', "<a"],
)
def test_only_links_count(html):
    """A name that nothing links to is not there."""
    assert listed_files(html.encode()) == {}


def test_the_first_of_two_links_counts():
    """Of two sizes for one name the first is taken, and a size belongs to the link before it."""
    html = BARE + NGINX + NGINX.replace("57362711", "5")
    assert listed_files(html.encode()) == {HOUR: ListedFile(None, exact=False)}
    assert listed_files((NGINX + BARE).encode())[HOUR].size == 57_362_711


@LAW
@given(
    st.dictionaries(
        st.builds(Hour, st.dates(FIRST_DAY, dt.date(2099, 12, 30)), st.integers(0, 23)), st.integers(0, 2**40)
    ),
    st.binary(max_size=200),
)
def test_every_file_is_found(files, noise):
    """Whatever else a page holds, each file that is linked with its size is found with it, and no other."""
    lines = [f'<a href="{h.file_name}">x</a> 01-Jan-2024 02:31 {size}\n'.encode() for h, size in files.items()]
    page = noise.replace(b"pageviews", b"").join([b"", *(b">" + line for line in lines)])
    assert listed_files(page) == {hour: ListedFile(size, exact=True) for hour, size in files.items()}


@pytest.mark.parametrize(
    "piece", [b"<a href=", b"<a ", b"<a href='x' href=", b" href=href", b"<", b"0:00 " + b"9" * 300]
)
def test_a_hostile_page_takes_no_time(piece):
    """Two megabytes of anything are read in one pass: the test's own time limit would notice more."""
    assert listed_files(b"<a " + piece * (2_000_000 // len(piece))) == {}


def test_the_served_listing(tmp_path):
    """What a server like Wikimedia's lists is what lies there, to the byte."""
    hours = hours_of(DAY)[:3]
    for size, hour in enumerate(hours):
        (tmp_path / hour.file_name).write_bytes(bytes(1000 * size))
        (tmp_path / f"projectviews-{hour.stamp}").touch()
    found = listed_files(bytes(listing(tmp_path, folder_of(HOUR)).body))
    assert found == {hour: ListedFile(1000 * size, exact=True) for size, hour in enumerate(hours)}


def test_folders_follow_the_files_names():
    """The last hour of a year lies in the next year's folder."""
    assert folder_of(Hour(dt.date(2023, 12, 31), 22)) == "other/pageviews/2023/2023-12/"
    assert folder_of(Hour(dt.date(2023, 12, 31), 23)) == "other/pageviews/2024/2024-01/"
