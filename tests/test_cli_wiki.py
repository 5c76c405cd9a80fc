"""``wikiq wiki`` and the answers about categories, as a user sees them."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from cli_process import environment, wikiq
from demo_truth import ARTICLES, told, truth

from cli.demosite.faults import Corrupt, Fault, NotFound, Refused
from cli.demosite.server import serve

PASSWORD = "k33p-this-dark"


class Place:
    """Where a user works: an environment, and a site that can misbehave."""

    def __init__(self, directory, site):
        self.site = site
        self.environment = environment(directory, WIKIQ_SOURCE=site.url.replace("://", f"://me:{PASSWORD}@"))

    def __call__(self, *arguments):
        done = wikiq(self.environment, *arguments)
        assert "Traceback" not in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def document(self, *arguments):
        """What a command prints as JSON."""
        return json.loads(self(*arguments).stdout)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory, demo, demo_directory):
    """A place where one day is counted and ranked by articles; tests only look at it."""
    with serve(demo_directory) as site:
        place = Place(tmp_path_factory.mktemp("ranked"), site)
        done = place("enqueue", str(demo.first_day))
        assert (done.code, done.stdout) == (0, ""), done.stderr
        yield place


@pytest.fixture
def place(tmp_path, site):
    """A place where nothing was asked for."""
    return Place(tmp_path, site)


@pytest.fixture(scope="module")
def top(demo):
    """The ranked day's top categories."""
    return truth(demo.first_day).day(demo.first_day, universe=ARTICLES)["top_categories"]


class TestShow:
    def test_nothing_yet(self, place):
        """Where no wiki was asked for, that is said with the way to begin; as JSON it is an empty list."""
        done = place("wiki", "show")
        assert (done.code, done.stdout) == (0, "")
        assert "wikiq enqueue" in done.stderr
        assert place.document("wiki", "show", "--json") == []

    def test_in_words(self, ranked, demo):
        """The snapshot's date, age and figures, and what is odd in the dumps, by the truth's own numbers."""
        done = ranked("wiki", "show")
        assert (done.code, done.stderr) == (0, "")
        name, head, *lines = done.stdout.splitlines()
        age = f"{(dt.datetime.now(dt.UTC).date() - demo.run).days:,}"
        assert name == "en.wikipedia"
        assert re.fullmatch(rf"  snapshot {demo.run}, {age} days old, built .* UTC by wikiq .*, [\d.]+ MB stored", head)
        rows = (re.split(r"  +", line.strip()) for line in lines)
        figures = {row[0]: int(row[1].replace(",", "")) for row in rows if len(row) == 2}
        pages = truth(demo.first_day)._pages
        assert figures["articles"] == len(pages.articles)
        assert figures["redirects to themselves"] == 1
        assert "    found in the dumps:" in lines

    def test_as_json(self, ranked, demo):
        """The same as JSON, with every table and every figure."""
        [found] = ranked.document("wiki", "show", "en.wikipedia", "--json")
        [snapshot] = found["snapshots"]
        assert (found["project"], found["state"], found["pinned"]) == ("en.wikipedia", "done", None)
        assert (snapshot["snapshot"], snapshot["state"], snapshot["reason"]) == (str(demo.run), "done", None)
        assert snapshot["figures"]["articles"] == len(truth(demo.first_day)._pages.articles)
        assert set(snapshot["tables"]) == {"page", "redirect", "linktarget", "categorylinks", "page_props"}
        assert {table["state"] for table in snapshot["tables"].values()} == {"done"}

    def test_another_wiki(self, ranked):
        """A wiki that was not asked for is not shown; a name that is none is an error of usage."""
        done = ranked("wiki", "show", "de.wikipedia")
        assert (done.code, done.stdout) == (0, "")
        assert "de.wikipedia" in done.stderr
        assert ranked("wiki", "show", "no.such.wiki").code == 2

    def test_help_has_examples(self, place):
        """Each command's help has examples, one to a line."""
        for command in ("show", "refresh"):
            shown = place("wiki", command, "--help").stdout
            assert len(re.findall(rf"^ +wikiq wiki {command}", shown, re.MULTILINE)) >= 3


class TestRefresh:
    def test_a_run_that_is_not_finished(self, place, demo):
        """It is refused with exit code 3 and its reason, everywhere one looks; the answers by another run stay."""
        day = str(demo.first_day)
        assert place("enqueue", day, "--quiet").code == 0
        done = place("wiki", "refresh", "--snapshot", str(demo.unfinished_run), "--quiet")
        assert (done.code, done.stdout) == (3, "")
        why = f"{demo.unfinished_run:%Y%m%d} of enwiki is not finished: it lacks page, categorylinks, namespaces"
        assert why in done.stderr
        shown = place("wiki", "show")
        assert (shown.code, why in shown.stdout) == (3, True)
        assert f"pinned to {demo.unfinished_run}" in shown.stdout
        status = place("status")
        assert (status.code, why in status.stdout) == (3, True)
        assert "wikiq wiki refresh" in status.stdout
        stale = place("results", day, "--format", "json")
        assert told(stale.stdout) == truth(demo.first_day).day(demo.first_day, universe=ARTICLES)
        done = place("wiki", "refresh", "--snapshot", f"{demo.older_run:%Y%m%d}")
        assert (done.code, done.stdout) == (0, ""), done.stderr
        assert place.document("results", day, "--format", "json")["snapshot"] == str(demo.older_run)
        shown = place("wiki", "show")
        assert (shown.code, str(demo.unfinished_run) in shown.stdout) == (0, False)

    @pytest.mark.parametrize(
        ("fault", "code", "words"),
        [
            (Fault("*-linktarget.sql.gz", Corrupt()), 1, "is failed: linktarget: "),
            (Fault("enwiki/*", Refused()), 4, "is refused: "),
        ],
    )
    def test_an_index_that_cannot_be_had(self, place, fault, code, words):
        """The command says which index and why; so does ``wiki show``, and nothing is given out as complete."""
        place.site.misbehave(fault)
        done = place("wiki", "refresh", "en.wikipedia")
        assert (done.code, done.stdout) == (code, "")
        assert words in done.stderr
        shown = place("wiki", "show")
        assert shown.code == 3

    def test_what_is_no_run(self, place):
        """A run is named by a date; anything else is an error of usage."""
        assert place("wiki", "refresh", "--snapshot", "latest").code == 2


class TestCategories:
    def test_one_category(self, ranked, demo, top):
        """A category that is among the top ones has the same views there and here, however its name is written."""
        name = top[0]["category"]
        written = f"category: {name.replace('_', ' ')}"
        found = ranked.document("results", str(demo.first_day), "--category", written, "--format", "json")
        assert (found["category"], found["views"], found["snapshot"]) == (name, top[0]["views"], str(demo.run))
        assert found["articles_requested"] == top[0]["articles"]
        assert not found["hidden"]

    def test_excluded(self, ranked, demo, top):
        """What is excluded is not there, and those below move up."""
        done = ranked(
            *("results", str(demo.first_day), "--format", "json"),
            *("--exclude-category", top[0]["category"], "--exclude-category", "No such thing"),
        )
        assert (done.code, "No such thing" in done.stderr) == (0, True)
        found = json.loads(done.stdout)["top_categories"]
        assert [row["category"] for row in found[:4]] == [row["category"] for row in top[1:]]
        assert [row["rank"] for row in found] == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (("--category", "No such thing"), 2, "no category 'No_such_thing'"),
            (("--category", "A", "--log-titles"), 2, "--log-titles"),
            (("--category", "A", "--exclude-category", "B"), 2, "nothing to exclude"),
            (("--category", "A", "-p", "de.wikipedia"), 1, "wikiq enqueue"),
        ],
    )
    def test_errors(self, ranked, demo, arguments, code, words):
        """What cannot be answered is said in a sentence, with the code of its kind."""
        done = ranked("results", str(demo.first_day), *arguments)
        assert (done.code, done.stdout) == (code, "")
        assert words in done.stderr


def test_a_wiki_without_dumps(place, demo):
    """Its day is ranked by logged titles and says so; categories are answered with why there are none."""
    place.site.misbehave(Fault("enwiki/", NotFound()))
    day = str(demo.first_day)
    assert place("enqueue", day, "--quiet").code == 0
    assert place.document("results", day, "--format", "json")["universe"] == "logged titles"
    done = place("results", day, "--category", "Kettles")
    assert (done.code, done.stdout) == (1, "")
    assert "no dumps of en.wikipedia, so its categories are not known" in done.stderr
