"""Real hour files and lines, where a folder ``shared`` with them lies beside the checkout."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path

import oracle
import pytest
from strategies import hourly, plain
from wiki_samples import read_index

from models.answer import Period
from models.dump_run import DumpTable
from models.hour import hour_of_stamp, hours_of
from models.project import Project, parse_project
from models.siteinfo import parse_siteinfo
from worker.day import slices_of
from worker.hour_file import read_blocks
from worker.pageviews import count_views
from worker.ranking.articles import rank_articles
from worker.ranking.counted import Counted, check_sums
from worker.ranking.logged_titles import rank_logged_titles
from worker.tally import merge, views_of
from worker.unpack import unpack
from worker.wiki.build import build_index
from worker.wiki.index import Part, WikiIndex
from worker.wiki.tables import table_columns

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SITE = DATA / "site"
PAGEVIEWS = sorted(SITE.glob("other/pageviews/*/*/pageviews-*.gz"))
LINES = sorted(DATA.glob("lines/*.txt"))
RUNS = [dt.date(2016, 7, 1), dt.date(2016, 7, 20), dt.date(2016, 8, 1)]
"""One for each schema of categorylinks."""

EN = parse_project("en.wikipedia")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data with real pageviews is not there")


def counted_day(day):
    hours = {}
    for hour in hours_of(day):
        if (SITE / hour.path).exists():
            hours[hour] = count_views(read_blocks(SITE / hour.path), [EN])
    tallies = {hour: count.tallies[EN] for hour, count in hours.items()}
    malformed = sum(count.malformed for count in hours.values())
    sources = [[hourly(tally, hour.hour)] for hour, tally in tallies.items()]
    return Counted(EN, Period(day), frozenset(tallies), malformed, lambda _: slices_of(sources))


def siteinfo(run=RUNS[-1]):
    packed = dump_of(run, "siteinfo-namespaces.json").read_bytes()
    return parse_siteinfo(gzip.decompress(packed), run.isoformat())


def dump_of(run, name):
    return SITE / f"enwiki/{run:%Y%m%d}/enwiki-{run:%Y%m%d}-{name}.gz"


def index_of(run, *, chunk_rows=1_000):
    """The index of a run's real dumps, read in chunks."""
    parts = {part: [] for part in Part}
    tables = {
        table: list(table_columns(table, unpack(dump_of(run, f"{table}.sql")), chunk_rows=chunk_rows))
        for table in DumpTable
    }
    figures = build_index(tables.__getitem__, siteinfo(run).main_page, lambda part, frame: parts[part].append(frame))
    return WikiIndex(run, siteinfo(run), figures, parts.__getitem__)


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_index_of_real_dumps(run):
    """Dumps by the real mysqldump, in each schema of categorylinks, give the wiki that was put into the database."""
    truth = json.loads(gzip.decompress((DATA / "site-truth.json.gz").read_bytes()))
    index = index_of(run)
    titles, members = read_index(index)
    articles = sorted(truth["articles"], key=str.encode)
    number = {title: place for place, title in enumerate(articles)}
    wanted = {title.encode(): (number[target], True) for title, target in truth["redirects"].items()}
    assert titles == wanted | {title.encode(): (place, False) for title, place in number.items()}
    of = {name.encode(): [] for names in truth["member"].values() for name in names}
    for title in articles:
        for name in truth["member"][title]:
            of[name.encode()].append(number[title])
    hidden = {name.encode() for name in truth["hidden"]}
    assert members == {name: (numbers, name in hidden) for name, numbers in of.items()}
    figures = index.figures
    assert (figures.articles, figures.redirects) == (len(articles), len(truth["redirects"]))
    assert (figures.categories, figures.hidden_categories) == (len(of.keys() - hidden), len(hidden))
    assert figures.hidden_memberships == sum(len(of[name]) for name in hidden)
    assert figures.memberships == sum(len(of[name]) for name in of.keys() - hidden)


@pytest.mark.parametrize("run", RUNS, ids=str)
@pytest.mark.parametrize("day", ["2016-08-01", "2016-08-02"])
def test_articles_of_real_days(day, run):
    """Two days of real views, with the index of any run, give the answers that other code computed."""
    wanted = json.loads((DATA / "expected" / f"{day}.json").read_text())
    counted = counted_day(dt.date.fromisoformat(day))
    answer = rank_articles(counted, index_of(run), computed_at=dt.datetime.now(dt.UTC), version="0.1.0")
    check_sums(answer, views_of(merge(counted.totals())))
    ranked = answer.top_categories[: len(wanted["categories"])]
    categories = [{"category": row.category, "views": row.views, "articles": row.articles} for row in ranked]
    assert _answer(answer, wanted) | {"categories": categories} == wanted


@pytest.mark.parametrize("day", ["2016-08-01", "2016-08-02"])
def test_logged_titles_of_real_days(day):
    """Two days of real views give the answers that other code computed."""
    wanted = json.loads((DATA / "expected" / f"{day}-log-titles.json").read_text())
    counted = counted_day(dt.date.fromisoformat(day))
    answer = rank_logged_titles(counted, siteinfo(), computed_at=dt.datetime.now(dt.UTC), version="0.1.0")
    assert _answer(answer, wanted) == {key: value for key, value in wanted.items() if key != "categories"}


def test_the_real_siteinfo():
    """English Wikipedia's siteinfo gives its main page, its treatment of first letters and its aliases."""
    site = siteinfo()
    assert (site.main_page, site.first_letter, site.origin) == ("Main_Page", True, "2016-08-01")
    assert {"wikipedia_talk", "wp", "wt", "mos", "draft", "timedtext_talk", "image"} <= site.prefixes
    assert "" not in site.prefixes


@pytest.mark.parametrize("path", PAGEVIEWS, ids=lambda path: path.stem)
def test_real_hour_files_have_their_announced_sums(path):
    """Each file lies where its hour says, and its views per code are those of the projectviews file beside it."""
    hour = hour_of_stamp(path.stem.removeprefix("pageviews-"))
    assert SITE / hour.path == path
    announced = path.with_name(path.stem.replace("pageviews", "projectviews")).read_text().splitlines()
    wanted = {code: int(views) for code, _, views, _ in map(str.split, announced)}
    codes = [Project(code, (code,), (), "") for code in wanted]
    count = count_views(read_blocks(path), codes)
    assert {project.name: views_of(tally) for project, tally in count.tallies.items()} == wanted
    assert count.malformed == 0


@pytest.mark.parametrize("path", LINES, ids=lambda path: path.stem)
def test_real_lines_are_read_alike(path):
    """Every line with the odd things that occur is read by the oracle and the product alike, for every code."""
    text = path.read_bytes().removesuffix(b"\n") + b"\n"
    written = {line.split(b" ")[0] for line in oracle.lines_of(text)} - {b"", b'""'}
    codes = ["", *sorted(oracle.unquote(code).decode() for code in written)]
    count = count_views([text], [Project(code, (code,), (), "") for code in codes])
    assert {each.name: plain(tally) for each, tally in count.tallies.items()} == {
        code: oracle.count(text, [code], []) for code in codes
    }
    assert (count.lines, count.malformed) == (len(oracle.lines_of(text)), oracle.malformed(text))
    assert len(codes) > 40


def _answer(answer, wanted):
    """The answer under the names of the expected one, with as many rows as that has."""
    least = answer.least_requested
    return {
        "day": str(answer.period),
        "missing_hours": [hour.hour for hour in answer.missing_hours],
        "malformed": answer.malformed_lines,
        "project_views": answer.project_views,
        "article_views": answer.article_views,
        "articles_requested": answer.articles_requested,
        "excluded_views": {str(row.rule): row.views for row in answer.excluded},
        "most": [_row(row) for row in answer.most_requested[: len(wanted["most"])]],
        "least": {
            "views": least.views,
            "tied": least.tied,
            "titles": [row.title for row in least.articles[: len(wanted["least"]["titles"])]],
            "unrequested": least.unrequested,
        },
    }


def _row(row):
    return {
        "title": row.title,
        "views": row.views,
        "desktop": row.desktop,
        "mobile": row.mobile,
        "redirect_views": row.through_redirects,
    }
