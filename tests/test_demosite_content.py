"""What the demo site's hours hold, as values."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from demosite_samples import MONDAY, day_counts, demo_week, folder_of_one_file, one_server, title_hours, untroubled_site  # noqa: F401 fixtures

from cli.demosite.content import demo_site
from cli.demosite.titles import AUTOMATED_TITLE, BURST_TITLE
from models.hour import Hour, hours_of


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
