"""The files that the demo site is written to."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re

import pytest
from demosite_samples import (  # noqa: F401 fixtures
    MONDAY,
    ROWS,
    digests,
    folder_of_one_file,
    lines_of,
    one_server,
    parsed,
    untroubled_site,
    written_site,
)
from hypothesis import given

from cli.demosite.content import Row, demo_site
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
from models.hour import Hour, hour_of_stamp


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
