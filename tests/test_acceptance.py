"""The whole program on real view counts: from ``wikiq enqueue`` against a server to the JSON of ``wikiq results``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_process import environment, wikiq

from cli.demosite.server import serve

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FIRST_ROWS = 20

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data with real pageviews is not there")


def expected_figures(day: str, variant: str = "") -> dict[str, object]:
    """What other code computed for that day, under the names of the JSON contract."""
    known = json.loads((DATA / "expected" / f"{day}{variant}.json").read_text())
    return {
        "missing_hours": [f"{day}T{hour:02d}:00Z" for hour in known["missing_hours"]],
        "verdict": "incomplete" if known["missing_hours"] else "complete",
        "project": known["project_views"],
        "article": known["article_views"],
        "excluded": known["excluded_views"],
        "malformed": known["malformed"],
        "requested": known["articles_requested"],
        "most": [
            (row["title"], row["views"], row["desktop"], row["mobile"], row.get("redirect_views", 0))
            for row in known["most"]
        ],
        "least": (known["least"]["views"], known["least"]["tied"], known["least"]["titles"]),
        "unrequested": known["least"]["unrequested"],
        "categories": [(row["category"], row["views"], row["articles"]) for row in known["categories"]],
    }


def figures(document: dict) -> dict[str, object]:
    """The same of an answer's document."""
    views, least = document["views"], document["least_requested"]
    return {
        "missing_hours": document["missing_hours"],
        "verdict": document["verdict"],
        "project": views["project"],
        "article": views["article"],
        "excluded": {row["rule"]: row["views"] for row in views["excluded"]},
        "malformed": views["malformed_lines"],
        "requested": document["articles_requested"],
        "most": [
            (row["title"], row["views"], row["desktop"], row["mobile"], row["through_redirects"])
            for row in document["most_requested"]
        ],
        "least": (least["views"], least["tied"], [row["title"] for row in least["articles"]]),
        "unrequested": least["unrequested"],
        "categories": [(row["category"], row["views"], row["articles"]) for row in document["top_categories"] or ()],
    }


def answers(place: dict, *options: str) -> dict[str, dict]:
    """Both days as JSON; the second lacks an hour, so it exits with 3."""
    found = {}
    for day, code in (("2016-08-01", 0), ("2016-08-02", 3)):
        done = wikiq(place, "results", day, "--format", "json", "--top", str(FIRST_ROWS), *options)
        assert done.code == code, done.stderr
        found[day] = json.loads(done.stdout)
    return found


def test_two_days_of_real_views(database_url: str, tmp_path: Path) -> None:
    """Both days' answers by logged titles are the known ones to the view; the second names the hour it lacks."""
    place = environment(tmp_path, WIKIQ_DATABASE_URL=database_url.replace("+psycopg", ""))
    with serve(DATA / "site") as site:
        done = wikiq(place, "enqueue", "2016-08-01", "2016-08-02", "--log-titles", "--source", site.url)
    assert (done.code, done.stdout) == (3, "")
    assert "23:00 missing" in done.stderr
    found = answers(place, "--log-titles")
    # By the contract there are no categories without a page table, though that file has some.
    assert {day: figures(answer) for day, answer in found.items()} == {
        day: expected_figures(day, "-log-titles") | {"categories": []} for day in found
    }
    assert [answer["top_categories"] for answer in found.values()] == [None, None]


def test_articles_and_categories_of_every_schema(database_url: str, tmp_path: Path) -> None:
    """Both days' articles and categories are the known ones with every run, chosen by itself or by --snapshot.

    The three runs have categorylinks' three schemas; a fourth is not finished.
    """
    place = environment(tmp_path, WIKIQ_DATABASE_URL=database_url.replace("+psycopg", ""))
    expected = {day: expected_figures(day) for day in ("2016-08-01", "2016-08-02")}
    with serve(DATA / "site") as site:
        for option, run in (
            ((), "2016-08-01"),
            (("--snapshot", "20160701"), "2016-07-01"),
            (("--snapshot", "2016-07-20"), "2016-07-20"),
        ):
            done = wikiq(place, "enqueue", "2016-08-01", "2016-08-02", "--source", site.url, *option)
            assert (done.code, done.stdout) == (3, ""), done.stderr
            found = answers(place)
            assert {day: figures(answer) for day, answer in found.items()} == expected
            assert {(answer["universe"], answer["snapshot"]) for answer in found.values()} == {("articles", run)}
        refused = wikiq(place, "enqueue", "2016-08-01", "--snapshot", "20160820", "--source", site.url)
    assert refused.code == 3
    assert "20160820 of enwiki is not finished: it lacks page, categorylinks" in refused.stderr
