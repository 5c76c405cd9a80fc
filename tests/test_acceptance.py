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


def expected_figures(day: str) -> dict[str, object]:
    """What other code computed for that day, under the names of the JSON contract."""
    known = json.loads((DATA / "expected" / f"{day}-log-titles.json").read_text())
    return {
        "missing_hours": [f"{day}T{hour:02d}:00Z" for hour in known["missing_hours"]],
        "verdict": "incomplete" if known["missing_hours"] else "complete",
        "project": known["project_views"],
        "article": known["article_views"],
        "excluded": known["excluded_views"],
        "malformed": known["malformed"],
        "requested": known["articles_requested"],
        "most": [(row["title"], row["views"], row["desktop"], row["mobile"]) for row in known["most"]],
        "least": (known["least"]["views"], known["least"]["tied"], known["least"]["titles"]),
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
        "most": [(row["title"], row["views"], row["desktop"], row["mobile"]) for row in document["most_requested"]],
        "least": (least["views"], least["tied"], [row["title"] for row in least["articles"]]),
    }


def test_two_days_of_real_views(database_url: str, tmp_path: Path) -> None:
    """Both days' answers are the known ones to the view; the second lacks an hour, names it, and exits with 3."""
    place = environment(tmp_path, WIKIQ_DATABASE_URL=database_url.replace("+psycopg", ""))
    with serve(DATA / "site") as site:
        done = wikiq(place, "enqueue", "2016-08-01", "2016-08-02", "--log-titles", "--source", site.url)
    assert (done.code, done.stdout) == (3, "")
    assert "23:00 missing" in done.stderr
    answers = {}
    for day, code in (("2016-08-01", 0), ("2016-08-02", 3)):
        found = wikiq(place, "results", day, "--format", "json", "--top", str(FIRST_ROWS))
        assert found.code == code
        answers[day] = json.loads(found.stdout)
    assert {day: figures(answer) for day, answer in answers.items()} == {day: expected_figures(day) for day in answers}
