"""The demo site: its truth, the files it is written to, and the server that can misbehave."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import http.client
import json
import re
import socket
import threading
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cli.demosite import faults
from cli.demosite.content import DemoSite, Row, demo_site
from cli.demosite.faults import Fault
from cli.demosite.files import (
    MALFORMED_LINES,
    Era,
    hour_lines,
    malformed_hour,
    malformed_lines,
    projectviews_lines,
    quoted,
    write_site,
)
from cli.demosite.ledger import Ledger
from cli.demosite.server import serve
from cli.demosite.site import Site
from cli.demosite.titles import AUTOMATED_TITLE, BURST_TITLE
from models.hour import Hour, hour_of_stamp, hours_of

MONDAY = dt.date(2024, 1, 1)
AGENT = "test/1 (https://example.org; test@example.org) raw"
CONTENT = gzip.compress(bytes(range(256)) * 40, mtime=0) + b"tail" * 4000
NAME = "folder/file.gz"

VALUES = st.lists(
    st.one_of(st.sampled_from([b'"', b"\\", b'\\"', b'""', b"_", b"\x80", "\u2028".encode()]), st.binary(max_size=3)),
    max_size=8,
).map(lambda parts: b"".join(parts).replace(b" ", b"_").replace(b"\n", b"_"))
CODES = st.sampled_from(["", "en", "en.m", "commons.m.m", "de"])
ROWS = st.lists(st.builds(Row, CODES, VALUES, st.integers(1, 10**8)), max_size=20)


def unquoted(field: bytes) -> bytes:
    """Take one field's quotes off, a byte at a time."""
    if not field.startswith(b'"'):
        return field
    value, rest = bytearray(), list(field[1:])
    while (byte := rest.pop(0)) != ord('"'):
        value.append(rest.pop(0) if byte == ord("\\") else byte)
    assert not rest, field
    return bytes(value)


def parsed(lines: list[bytes]) -> list[Row]:
    rows = []
    for line in lines:
        code, title, views, zero = line.split(b" ")
        assert zero == b"0"
        rows.append(Row(unquoted(code).decode(), unquoted(title), int(views)))
    return rows


def lines_of(path: Path) -> list[bytes]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert text.endswith(b"\n")
    return text.split(b"\n")[:-1]


def digests(folder: Path) -> dict[str, tuple[str, float]]:
    return {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime)
        for path in folder.rglob("*")
        if path.is_file()
    }


def day_counts(site: DemoSite, day: dt.date, codes: tuple[str, ...]) -> Counter[bytes]:
    counts: Counter[bytes] = Counter()
    for hour in hours_of(day):
        for row in site.hours[hour]:
            if row.code in codes:
                counts[row.title] += row.views
    return counts


def title_hours(site: DemoSite, day: dt.date, title: bytes, codes: tuple[str, ...] = ("en", "en.m")) -> list[int]:
    return [
        sum(row.views for row in site.hours[hour] if row.title == title and row.code in codes) for hour in hours_of(day)
    ]


@pytest.fixture(scope="module")
def week() -> DemoSite:
    return demo_site(MONDAY)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoSite, Path]:
    """The four days before a year's end, and where they were written."""
    site = demo_site(dt.date(2023, 12, 28), days=4)
    folder = tmp_path_factory.mktemp("site")
    write_site(site, folder)
    return site, folder


class TestContent:
    def test_same_arguments_give_the_same_site(self):
        """Nothing but the first day, the number of days and the seed decides what a site holds."""
        assert demo_site(MONDAY, days=1) == demo_site(MONDAY, days=1)

    def test_another_seed_gives_other_articles(self):
        """The seed decides which articles are popular."""
        one, other = (day_counts(demo_site(MONDAY, 1, seed), MONDAY, ("en", "en.m")) for seed in (1, 2))
        assert one.most_common(10) != other.most_common(10)

    def test_a_day_does_not_depend_on_its_followers(self, week):
        """The first day of a week is the whole of a one-day site."""
        alone = demo_site(MONDAY, days=1)
        assert alone.hours == {hour: week.hours[hour] for hour in hours_of(MONDAY)}

    def test_no_two_days_are_alike(self, week):
        """Each day has its own order at the top."""
        tops = [day_counts(week, day, ("en", "en.m")).most_common(20) for day in week.days]
        assert len({tuple(title for title, _ in top) for top in tops}) == 7

    def test_rows_are_in_the_order_of_the_real_files(self, week):
        """Rows go by code, then title bytes; no pair occurs twice; every count is positive; no title breaks a line."""
        for rows in week.hours.values():
            keys = [(row.code.encode(), row.title) for row in rows]
            assert keys == sorted(set(keys))
            assert all(row.views > 0 and row.title and not set(b" \n") & set(row.title) for row in rows)

    def test_hours_cover_the_days(self, week):
        """Each of the seven days has its 24 hours and nothing else."""
        assert list(week.hours) == [Hour(MONDAY + dt.timedelta(days=n // 24), n % 24) for n in range(168)]

    def test_english_hours_hold_hundreds_of_titles(self, week):
        """An hour of the English Wikipedia has 400 to 800 titles, more than any other wiki's."""
        for rows in week.hours.values():
            titles = {row.title for row in rows if row.code in ("en", "en.m")}
            german = {row.title for row in rows if row.code in ("de", "de.m")}
            assert 400 <= len(titles) <= 800
            assert len(german) < len(titles)

    def test_every_domain_code_occurs_each_day(self, week):
        """Four wikis under two codes each, and Wikifunctions under the empty one."""
        codes = {"", "commons.m", "commons.m.m", "de", "de.m", "en", "en.d", "en.m", "en.m.d"}
        for day in week.days:
            assert {row.code for hour in hours_of(day) for row in week.hours[hour]} == codes

    def test_counts_have_a_heavy_head_and_a_long_tail(self, week):
        """Ten titles have a third of a day's views, and most titles have fewer than ten."""
        counts = day_counts(week, MONDAY, ("en", "en.m"))
        assert sum(views for _, views in counts.most_common(10)) > counts.total() / 3
        assert sum(views < 10 for views in counts.values()) > len(counts) / 2
        assert sum(views == 1 for views in counts.values()) > 500

    def test_days_have_a_rhythm(self, week):
        """The evening of a popular title is at least half as high again as its morning."""
        for day in week.days:
            hourly = title_hours(week, day, b"Main_Page")
            assert sum(hourly[17:21]) > 1.5 * sum(hourly[6:10])

    def test_mobile_is_on_par_with_desktop(self, week):
        """Of a wiki's day, mobile readers make up 40 to 60 percent."""
        for desktop, mobile in (("en", "en.m"), ("de", "de.m"), ("commons.m", "commons.m.m"), ("en.d", "en.m.d")):
            share = day_counts(week, MONDAY, (mobile,)).total() / day_counts(week, MONDAY, (desktop, mobile)).total()
            assert 0.4 < share < 0.6

    def test_one_title_bursts(self, week):
        """One hour of the first day holds more than half of at least 10,000 views of one title, and of no other."""
        bursting = [
            title
            for title, views in day_counts(week, MONDAY, ("en", "en.m")).items()
            if views >= 10_000 and max(title_hours(week, MONDAY, title)) > views / 2
        ]
        hourly = title_hours(week, MONDAY, BURST_TITLE.encode())
        assert bursting == [BURST_TITLE.encode()]
        assert hourly.index(max(hourly)) == week.burst_hour.hour
        assert week.burst_hour.day == MONDAY

    def test_one_title_has_hardly_any_mobile_readers(self, week):
        """Each day one title with at least 1,000 views has a mobile share under 5 percent, and none over 95."""
        for day in week.days:
            both, mobile = day_counts(week, day, ("en", "en.m")), day_counts(week, day, ("en.m",))
            shares = {title: mobile[title] / views for title, views in both.items() if views >= 1000}
            assert [title for title, share in shares.items() if share < 0.05] == [AUTOMATED_TITLE.encode()]
            assert max(shares.values()) <= 0.95

    def test_unknown_titles_and_the_main_page_are_at_the_top(self, week):
        """The unknown title and the main page are among the five top rows of each day."""
        for day in week.days:
            top = [title for title, _ in day_counts(week, day, ("en", "en.m")).most_common(5)]
            assert {b"-", b"Main_Page"} <= set(top)

    @pytest.mark.parametrize(
        "oddity",
        [
            rb"Talk:.", rb"User:.", rb"Special:Search$", rb"File:.", rb"category:lower", rb"WP:.", rb"Help!$",
            rb"Mission:_Unlikely$", rb'"Strange_Al"_', rb'"', rb'[^"\\]*\\[^"\\]*$', rb'.*\\.*"', rb"C\+\+$",
            rb"100%_wool$", ".*\u00a0".encode(), ".*\u3000".encode(), ".*\u0085".encode(), ".*\u2028".encode(),
            ".*\U0001fad6".encode(), ".*\u0301".encode(), ".*\u9285".encode(), ".*\u0627".encode(),
            rb"[a-z][^:]*_[A-Z]", rb".*[^_]__[^_]", rb".*[^_]_$", rb".{490,512}$", rb"=", rb"\+", rb"@",
            rb".*\x1b\[31m", rb".*\[bold\].*\[/bold\]",
        ],
    )  # fmt: skip
    def test_oddities_occur(self, week, oddity):
        """Every oddity of real titles is requested in the English Wikipedia within the week."""
        assert any(re.match(oddity, row.title) for rows in week.hours.values() for row in rows if row.code == "en")

    def test_some_titles_are_no_utf8(self, week):
        """Raw invalid bytes occur, in a few titles only."""
        titles = {row.title for rows in week.hours.values() for row in rows}
        assert 0 < sum("\ufffd" in title.decode(errors="replace") for title in titles) < 10
        assert sum(b"\xef\xbf\xbd" in title for title in titles) == 0

    def test_wikis_describe_themselves(self, week):
        """Names, main pages and the case of first letters are those of the real wikis."""
        infos = {wiki.project.database: wiki.siteinfo for wiki in week.wikis}
        german = {space.id: space.name for space in infos["dewiki"].namespaces}
        assert (german[1], german[2], german[-1]) == ("Diskussion", "Benutzer", "Spezial")
        assert infos["dewiki"].main_page == "Wikipedia:Hauptseite"
        assert {name for name, info in infos.items() if info.case == "case-sensitive"} == {"enwiktionary"}
        cases = {space.canonical: space.case for space in infos["enwiktionary"].namespaces}
        assert (cases[""], cases["User"]) == ("case-sensitive", "first-letter")


class TestFiles:
    def test_two_generations_are_identical(self, tmp_path):
        """The same site is written with the same bytes and the same modification times."""
        for name in ("one", "two"):
            write_site(demo_site(MONDAY, days=1), tmp_path / name)
        assert digests(tmp_path / "one") == digests(tmp_path / "two")
        hours, with_tables, without = 2 * 24, 7 + 7 + 4, 2 + 2 + 1
        assert len(digests(tmp_path / "one")) == hours + 4 * with_tables + without

    def test_files_are_stamped_with_the_end_of_their_hour(self, written):
        """The last hour of 31 December lies in the next year's January folder."""
        site, folder = written
        last = folder / "other/pageviews/2024/2024-01/pageviews-20240101-000000.gz"
        assert tuple(parsed(lines_of(last))) == site.hours[Hour(dt.date(2023, 12, 31), 23)]
        stamps = [path.name[10:25] for path in folder.glob("other/pageviews/*/*/pageviews-*.gz")]
        assert sorted(hour_of_stamp(stamp) for stamp in stamps) == sorted(site.hours)

    def test_files_parse_back_to_the_truth(self, written):
        """Every hour file but the one with malformed lines holds exactly the truth."""
        site, folder = written
        for hour, rows in site.hours.items():
            if hour != malformed_hour(site):
                assert tuple(parsed(lines_of(folder / hour.path))) == rows

    def test_projectviews_total_each_code(self, written):
        """The plain file beside an hour file holds the hour's views per domain code, sorted by code."""
        site, folder = written
        for hour, rows in site.hours.items():
            totals = parsed(lines_of((folder / hour.path).with_name(f"projectviews-{hour.stamp}")))
            expected = {code: sum(row.views for row in rows if row.code == code) for code in {row.code for row in rows}}
            assert [(row.code, row.views) for row in totals] == sorted(expected.items())
            assert {row.title for row in totals} == {b"-"}

    def test_malformed_lines_are_where_they_are_said_to_be(self, written):
        """One hour's file has its malformed lines among the English ones and is otherwise the truth."""
        site, folder = written
        lines = lines_of(folder / malformed_hour(site).path)
        broken = [line for line in lines if not re.fullmatch(rb"\S+ [^ ]+ \d+ 0", line)]
        assert broken == list(malformed_lines(MALFORMED_LINES))
        assert tuple(parsed([line for line in lines if line not in broken])) == site.hours[malformed_hour(site)]

    @pytest.mark.parametrize("count", [0, 9])
    def test_malformed_lines_are_as_many_as_asked(self, tmp_path, count):
        """None are written when none are asked for, and more than four repeat the four shapes."""
        site = demo_site(MONDAY, days=1)
        write_site(site, tmp_path, malformed=count)
        lines = lines_of(tmp_path / malformed_hour(site).path)
        assert len(lines) == len(site.hours[malformed_hour(site)]) + count

    def test_malformed_lines_have_four_shapes(self):
        """Three fields, five fields, a word for a count, and a blank line."""
        three, five, word, blank = (line.split(b" ") for line in malformed_lines(4))
        assert (len(three), len(five), len(word), blank) == (3, 5, 4, [b""])
        assert not word[2].isdigit()

    @given(ROWS)
    def test_quoting_round_trips(self, rows):
        """Whatever bytes a title has, the written lines parse back to the rows."""
        assert parsed(hour_lines(rows)) == rows

    @pytest.mark.parametrize(
        ("value", "field"),
        [
            (b'"Weird_Al"_Yankovic', rb'"\"Weird_Al\"_Yankovic"'),
            (rb"AC\DC", rb"AC\DC"),
            (rb"a\"b", rb'"a\\\"b"'),
            (b"", b'""'),
            (b"Teapot", b"Teapot"),
        ],
    )
    def test_quoting_is_sparks(self, value, field):
        """Only a quotation mark calls for quotes, and an empty value is a pair of them."""
        assert quoted(value) == field

    def test_old_files_quote_nothing(self, tmp_path):
        """In the files of before 2023 every value stands as it is, and an empty code is an empty field."""
        rows = [Row("", b"Z1", 2), Row("en", b'"Heroes"', 3), Row("en", rb"a\"b", 1)]
        assert hour_lines(rows, era=Era.UNQUOTED) == [b" Z1 2 0", b'en "Heroes" 3 0', rb"en a\"b 1 0"]
        assert projectviews_lines(rows, era=Era.UNQUOTED) == [b" - 2 0", b"en - 4 0"]
        site = demo_site(MONDAY, days=1)
        write_site(site, tmp_path, era=Era.UNQUOTED)
        assert any(
            b' "Strange_Al"_Fictional ' in line for hour in site.hours for line in lines_of(tmp_path / hour.path)
        )

    def test_siteinfo_has_mediawikis_shape(self, written):
        """The namespaces file says what the API says: names by id, aliases, the main page and the case."""
        site, folder = written
        run = f"{site.run:%Y%m%d}"
        text = gzip.decompress((folder / f"dewiki/{run}/dewiki-{run}-siteinfo-namespaces.json.gz").read_bytes())
        query = json.loads(text)["query"]
        assert query["general"]["mainpage"] == "Wikipedia:Hauptseite"
        assert query["general"]["case"] == "first-letter"
        assert query["namespaces"]["1"] == {"id": 1, "case": "first-letter", "canonical": "Talk", "*": "Diskussion"}
        assert query["namespaces"]["0"] == {"id": 0, "case": "first-letter", "*": ""}
        assert {"id": 6, "*": "Bild"} in query["namespacealiases"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory to serve, with a neighbour that must stay private."""
    root = tmp_path_factory.mktemp("served") / "root"
    (root / "folder" / "zoo").mkdir(parents=True)
    (root / NAME).write_bytes(CONTENT)
    (root / "folder" / 'odd "name" & more.txt').write_bytes(b"")
    (root.parent / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    return root


@pytest.fixture(scope="module")
def server(folder: Path):
    with serve(folder) as site:
        yield site


@pytest.fixture
def site(server: Site) -> Site:
    """The running server, honest and with an empty log."""
    server.behave()
    server.forget()
    return server


def connected(site: Site) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", int(site.url.rpartition(":")[2]), timeout=5)


def ask(site: Site, path: str = NAME, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connected(site)) as connection:
        connection.request(method, f"/{path}", headers={"User-Agent": AGENT} | names)
        response = connection.getresponse()
        return response, response.read()


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


class SlowLedger(Ledger):
    """A ledger that takes its time to count a transfer out."""

    def dismiss(self) -> None:
        time.sleep(0.05)
        super().dismiss()


class TestTransfers:
    @staticmethod
    def ask_at_once(site: Site, readers: int) -> list[int]:
        with ThreadPoolExecutor(readers) as pool:
            return sorted(pool.map(lambda _: ask(site)[0].status, range(readers)))

    def test_the_most_at_once_is_counted(self, site):
        """Four slow readers are four transfers at once, and one after the other they are one."""
        site.misbehave(Fault("*", faults.Slow(len(CONTENT) / 0.3)))
        assert self.ask_at_once(site, 4) == [200] * 4
        site.behave()
        ask(site)
        assert site.most_at_once == 4
        site.forget()
        for _ in range(3):
            ask(site)
        assert site.most_at_once == 1

    def test_only_transfers_count(self, site):
        """HEAD and errors are no transfers, however slowly they are answered."""
        site.misbehave(Fault("*", faults.Together((faults.NotFound(), faults.Stall(0.05)))))
        self.ask_at_once(site, 3)
        ask(site, method="HEAD")
        assert site.most_at_once == 0

    def test_past_the_limit_is_503(self, site):
        """Of five readers at once three are served and two are turned away; afterwards there is room again."""
        site.misbehave(Fault("*", faults.Together((faults.Slow(len(CONTENT) / 0.5), faults.AtMost(3, retry_after=1)))))
        assert self.ask_at_once(site, 5) == [200, 200, 200, 503, 503]
        assert site.most_at_once == 3
        site.misbehave(Fault("*", faults.AtMost(3)))
        assert self.ask_at_once(site, 3) == [200, 200, 200]

    def test_the_limit_may_answer_429(self, site):
        """Past the limit the status and Retry-After are the ones asked for."""
        site.misbehave(Fault("*", faults.AtMost(0, HTTPStatus.TOO_MANY_REQUESTS, retry_after=9)))
        response, _ = ask(site)
        assert (response.status, response.headers["Retry-After"]) == (429, "9")

    def test_a_polite_client_is_never_past_the_limit(self, folder):
        """A reader who has the last byte of one transfer never finds it still counted at the next."""
        with serve(folder, [Fault("*", faults.AtMost(1))]) as site:
            site.ledger = SlowLedger()
            assert [ask(site)[0].status for _ in range(3)] == [200, 200, 200]
            assert site.most_at_once == 1

    def test_a_client_that_leaves_gives_its_place_back(self, folder, capsys):
        """A reader that hangs up in the middle frees its transfer without a word on stderr."""
        with serve(folder, [Fault("*", faults.Together((faults.Slow(20_000), faults.AtMost(1))))]) as site:
            connection = connected(site)
            connection.request("GET", f"/{NAME}", headers={"User-Agent": AGENT})
            begun = connection.getresponse()
            begun.read(1)
            assert ask(site)[0].status == 503
            begun.close()
            connection.close()
            site.misbehave(Fault("*", faults.AtMost(1)))
            deadline = time.monotonic() + 5
            while (status := ask(site)[0].status) == 503 and time.monotonic() < deadline:
                time.sleep(0.02)
        assert status == 200
        assert capsys.readouterr().err == ""
