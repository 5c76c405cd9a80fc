"""``wikiq plan`` as a user runs it, on the generated site: what it says beforehand is what happens then."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import sys
from contextlib import closing

import pytest
import servers
from cli_process import environment, wikiq

from cli.demosite.faults import Fault, HtmlPage, NotFound, Refused
from cli.demosite.server import serve
from cli.main import main
from models.hour import Hour, hours_of, week_from

MISSING = 7


def plan(surroundings, *arguments):
    done = wikiq(surroundings, "plan", *arguments)
    assert "Traceback" not in done.stderr
    return done


def document(surroundings, *arguments):
    done = plan(surroundings, *arguments, "--format", "json", "--quiet")
    return done, json.loads(done.stdout)


def week_of(demo):
    return "--week", "--start", str(demo.first_day)


def rows_of(database):
    """Everything that is in a SQLite database, as SQL."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def fetched(site):
    """Bytes of the hour files and SQL dumps that were fetched."""
    paths = [entry.path for entry in site.log if entry.method == "GET" and entry.path.endswith(".gz")]
    return sum((site.root / path).stat().st_size for path in paths if "siteinfo" not in path)


@pytest.fixture(scope="module")
def told(tmp_path_factory, demo, demo_directory):
    """A week's plan before anything, what enqueueing its first day fetched, and the plan after that.

    One hour of the second day is not at the source.
    """
    directory, seen = tmp_path_factory.mktemp("plan"), {}
    with serve(demo_directory) as site:
        surroundings = environment(directory, WIKIQ_SOURCE=site.url.replace("://", "://me:geheim@"))
        seen["table"] = plan(surroundings, *week_of(demo))
        seen["before"] = document(surroundings, *week_of(demo))
        seen["asked"] = [entry.path for entry in site.log]
        seen["left"] = sorted(path.name for path in (directory / "data").rglob("*") if path.suffix != ".lock")
        seen["day"] = document(surroundings, str(demo.first_day))
        site.forget()
        enqueued = wikiq(surroundings, "enqueue", str(demo.first_day), "--quiet")
        assert (enqueued.code, enqueued.stdout) == (0, ""), enqueued.stderr
        seen["fetched"] = fetched(site)
        rows = rows_of(directory / "data" / "wikiq.sqlite")
        seen["after"] = document(surroundings, *week_of(demo))
        seen["day after"] = document(surroundings, str(demo.first_day))
        seen["changed"] = rows_of(directory / "data" / "wikiq.sqlite") != rows
        yield seen


def size_of(demo_directory, days):
    return sum((demo_directory / hour.path).stat().st_size for day in days for hour in hours_of(day))


def test_a_week(told, demo, demo_directory):
    """All 168 hours are to be fetched, in the bytes that lie at the source, under the names of their ends."""
    done, found = told["before"]
    first, last = Hour(demo.first_day, 0), Hour(demo.first_day + dt.timedelta(days=6), 23)
    assert (done.code, done.stderr) == (0, "")
    assert found["schema"] == 1
    assert found["hours"] == {
        "wanted": 168,
        "counted": 0,
        "to_fetch": 168,
        "at_source": 168,
        "missing": [],
        "not_over": [],
    }
    assert found["bytes"]["hour_files"] == size_of(demo_directory, week_from(demo.first_day))
    assert found["bytes"]["to_fetch"] == found["bytes"]["hour_files"] + found["bytes"]["dumps"]
    assert (found["first_file"], found["last_file"]) == (first.path, last.path)
    assert (found["from"], found["to"]) == ("2023-12-28T00:00Z", "2024-01-04T00:00Z")
    assert [index["snapshot"] for index in found["indexes"]] == [str(demo.run)]
    assert found["connections"] == 3
    assert 0 < found["seconds"]["floor"] <= found["seconds"]["expected"]


def test_only_small_documents_were_asked_for(told):
    """Listings and the status of dump runs, each once for a plan; nothing else, and nothing is left behind."""
    assert {path.rpartition("/")[2] for path in told["asked"]} == {"", "dumpstatus.json"}
    assert len(told["asked"]) == 2 * len(set(told["asked"]))
    assert told["left"] == ["connections"]


def test_it_is_what_is_fetched_then(told):
    """A day's plan says, to the byte, what enqueueing it fetches; after that nothing is left to fetch."""
    assert told["day"][1]["bytes"]["to_fetch"] == told["fetched"] > 0
    done, found = told["day after"]
    assert (done.code, found["bytes"]["to_fetch"], found["hours"]["at_source"]) == (0, 0, None)
    assert [index["state"] for index in found["indexes"]] == ["done"]


def test_a_week_that_is_partly_counted(told, demo, demo_directory):
    """What is counted is told, and only the rest is to be fetched; the database is as it was."""
    _, found = told["after"]
    assert (found["hours"]["counted"], found["hours"]["to_fetch"]) == (24, 144)
    assert found["bytes"]["hour_files"] == size_of(demo_directory, week_from(demo.first_day)[1:])
    assert (found["bytes"]["dumps"], [index["state"] for index in found["indexes"]]) == (0, ["done"])
    assert not told["changed"]


def test_for_people(told, demo):
    """The table says the same in words; what goes on is said beside it; no password is in either."""
    done = told["table"]
    assert (done.code, done.stderr.count("\n")) == (0, 1)
    assert "nothing is fetched" in done.stderr
    assert f"en.wikipedia · {demo.first_day} to " in done.stdout
    assert "pageviews-20231228-010000.gz to pageviews-20240104-000000.gz" in done.stdout
    wanted, counted, to_fetch = (line.split()[-1] for line in done.stdout.splitlines()[5:8])
    assert (wanted, counted) == ("168", "0")
    assert to_fetch == "MB"
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "geheim" not in str(told)


def test_a_source_that_is_away(tmp_path):
    """What is known without it is printed, marked as assumed; the next step is named; exit code 4."""
    surroundings = environment(tmp_path, WIKIQ_SOURCE=f"http://127.0.0.1:{servers.free_port()}")
    done, found = document(surroundings, "2024-01-03")
    assert done.code == 4
    assert done.stderr.count("\n") == 1
    assert "Connection refused. Try again later, or name a mirror: --source URL." in done.stderr
    assert (found["hours"]["wanted"], found["hours"]["to_fetch"], found["hours"]["at_source"]) == (24, 24, None)
    assert (found["bytes"]["exact"], found["bytes"]["hour_files"]) == (False, 24 * 57_600_000)
    assert [source["state"] for source in found["sources"]] == ["unreachable"]


def test_a_mirror_that_is_away(tmp_path, site, demo):
    """One of two sources that does not answer is told of; the plan stands, by the other's connections."""
    dead = f"http://127.0.0.1:{servers.free_port()}"
    done, found = document(environment(tmp_path, WIKIQ_SOURCES=f"{site.url} {dead}"), str(demo.first_day))
    assert (done.code, found["connections"], found["bytes"]["exact"]) == (0, 3, True)
    assert done.stderr.endswith("Connection refused. Planned with the other sources.\n")
    assert [source["state"] for source in found["sources"]] == ["answered", "unreachable"]


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [(Refused(), 4, "asks to set WIKIQ_CONTACT"), (HtmlPage(), 1, "is no listing of hour files")],
)
def test_a_source_that_does_not_tell(tmp_path, site, demo, fault, code, words):
    """A refusal, or a page that is no listing, is told once, with what to do."""
    site.misbehave(Fault("other/*", fault))
    done = plan(environment(tmp_path, WIKIQ_SOURCE=site.url), str(demo.first_day), "--quiet")
    assert (done.code, done.stderr.count("\n"), done.stderr.count(words)) == (code, 1, 1)
    assert "--source URL" in done.stderr
    assert "it could not be asked" in done.stdout


def test_hours_that_are_not_there(tmp_path, site):
    """Hours of today are missing at the source or not over yet, each told of; exit code 3."""
    before = dt.datetime.now(dt.UTC).date()
    done, found = document(environment(tmp_path, WIKIQ_SOURCE=site.url), str(before))
    assert done.code == 3
    hours = found["hours"]
    assert (hours["counted"], hours["to_fetch"], len(hours["missing"]) + len(hours["not_over"])) == (0, 0, 24)
    assert hours["not_over"] or dt.datetime.now(dt.UTC).date() != before


def test_a_wiki_without_dumps(tmp_path, site, demo):
    """It is planned by logged titles, as it would be ranked; that is no failure."""
    site.misbehave(Fault("enwiki/", NotFound()))
    done = plan(environment(tmp_path, WIKIQ_SOURCE=site.url), str(demo.first_day))
    assert (done.code, "no dumps: ranked by logged titles" in done.stdout) == (0, True)


@pytest.fixture
def small(tmp_path):
    """A site with one folder of hour files of no content."""
    folder = tmp_path / "site" / "other" / "pageviews" / "2024" / "2024-01"
    folder.mkdir(parents=True)
    for hour in hours_of(dt.date(2024, 1, 3)):
        (folder / hour.file_name).touch()
    with serve(tmp_path / "site") as site:
        yield site, folder


def test_too_little_room(tmp_path, small):
    """What cannot fit is said plainly, with what to do, and ends with exit code 1."""
    site, folder = small
    for hour in hours_of(dt.date(2024, 1, 3)):
        os.truncate(folder / hour.file_name, 1 << 40)
    done, found = document(environment(tmp_path, WIKIQ_SOURCE=site.url), "2024-01-03", "--log-titles")
    assert done.code == 1
    assert "Too little room" in done.stderr
    assert str(tmp_path / "data" / "wikiq.sqlite") in done.stderr
    assert "WIKIQ_DATA_DIR" in done.stderr
    assert found["bytes"]["to_fetch"] == 24 << 40


def test_hostile_names(tmp_path, small):
    """Whatever else the source lists, with sequences for the terminal or markup, does not get into the plan."""
    site, folder = small
    names = (
        "\x1b]0;owned\x07",
        'x" href="pageviews-20240103-990000.gz',
        "<script>",
        "\u202egz.",
        "a\nb",
        "-rf",
        "%2e%2e",
    )
    for name in names:
        (folder / name).touch()
        (folder / f"pageviews-20240103-010000.gz{name}").touch()
    done = plan(environment(tmp_path, WIKIQ_SOURCE=site.url), "2024-01-03", "--log-titles")
    assert done.code == 0
    assert "wanted                         24\n" in done.stdout
    text = done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "script" not in text


def test_a_file_to_write_to(tmp_path, small):
    """With -o the plan goes into a file, and stdout stays empty."""
    site, _ = small
    path = tmp_path / "plan.json"
    done = plan(
        environment(tmp_path, WIKIQ_SOURCE=site.url), "2024-01-03", "--log-titles", "-f", "json", "-o", str(path)
    )
    assert (done.code, done.stdout) == (0, "")
    assert json.loads(path.read_text())["hours"]["to_fetch"] == 24


@pytest.mark.parametrize(
    "line",
    [
        "",
        "2024-02-30",
        "2015-04-30",
        "2999-01-01",
        "2024-01-03 --week",
        "2024-01-03 --format xml",
        "2024-01-03 --log-titles --snapshot 2024-01-01",
        "2024-01-03 --source http://me:geheim@mirror.example",
        "2024-01-03 -p de.wikipeda",
    ],
)
def test_wrong_usage(monkeypatch, capsys, tmp_path, line):
    """What cannot be asked ends with exit code 2 and a sentence, and leaves nothing behind."""
    code, stdout, stderr = run_here(monkeypatch, capsys, tmp_path, line)
    assert (code, stdout) == (2, "")
    assert stderr.strip()
    assert "geheim" not in stderr
    assert not (tmp_path / "data").exists()


def test_help_has_examples(monkeypatch, capsys, tmp_path):
    """Its help shows how it is used."""
    code, stdout, stderr = run_here(monkeypatch, capsys, tmp_path, "-h")
    assert (code, stderr) == (0, "")
    assert stdout.count("\n    wikiq plan ") >= 3


def run_here(monkeypatch, capsys, tmp_path, line):
    """The command in this process: exit code, stdout, stderr."""
    for name in [name for name in os.environ if name.startswith("WIKIQ_")]:
        monkeypatch.delenv(name)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["wikiq", "plan", *line.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capsys.readouterr()
