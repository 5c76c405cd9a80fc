"""``wikiq enqueue`` and ``wikiq resume`` without a broker: exit codes, what is said where, what is asked for."""

from __future__ import annotations

import socket
import time
from contextlib import closing

import pytest
from cli_process import environment, left_behind, wikiq
from demo_truth import told, truth

from cli.demosite.faults import Corrupt, Fault, NotFound, Refused
from models.hour import hours_of


@pytest.fixture
def surroundings(tmp_path, site):
    return environment(tmp_path, WIKIQ_SOURCE=site.url)


def fetched(site):
    """The hour files that were fetched, in order."""
    return [entry.path for entry in site.log if "/pageviews-" in entry.path and entry.method == "GET"]


def silent_on_stdout(done, code):
    assert (done.code, done.stdout) == (code, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_complete_day(surroundings, site, demo):
    """A day that is complete ends with exit code 0; asked for again it is not fetched again, by force all of it is."""
    day = str(demo.first_day)
    done = silent_on_stdout(wikiq(surroundings, "enqueue", day), 0)
    assert f"en.wikipedia, {day} (UTC): 24 hour files to count; the dumps of en.wikipedia to look at." in done.stderr
    assert "1 of 1 days are complete." in done.stderr
    site.forget()
    silent_on_stdout(wikiq(surroundings, "enqueue", day), 0)
    assert site.log == ()
    done = silent_on_stdout(wikiq(surroundings, "enqueue", day, "--force", "--quiet"), 0)
    assert done.stderr == ""
    assert sorted(fetched(site)) == sorted(hour.path for hour in hours_of(demo.first_day))
    found = wikiq(surroundings, "results", day, "--format", "json")
    assert (found.code, found.stderr) == (0, "")
    assert told(found.stdout) == truth(demo.first_day).day(demo.first_day, universe="articles")


def test_an_hour_that_is_not_there(surroundings, site, demo):
    """A missing file makes exit code 3, from the run and from its results; later ``resume`` completes the day."""
    lacking, day = hours_of(demo.first_day)[23], str(demo.first_day)
    site.misbehave(Fault(lacking.path, NotFound()))
    done = silent_on_stdout(wikiq(surroundings, "enqueue", day), 3)
    assert f"{day} is incomplete, 23 of 24 hours are counted" in done.stderr
    assert "23:00 missing" in done.stderr
    found = wikiq(surroundings, "results", day, "--format", "json")
    expected = truth(demo.first_day).day(demo.first_day, missing=[lacking], universe="articles")
    assert (found.code, told(found.stdout)) == (3, expected)
    assert expected["missing_hours"] == [f"{day}T23:00Z"]
    site.behave()
    site.forget()
    silent_on_stdout(wikiq(surroundings, "resume"), 0)
    assert fetched(site) == [lacking.path]


def test_a_file_that_is_damaged_for_ever(surroundings, site, demo, tmp_path):
    """A file that never arrives whole makes exit code 1 and is named; the day is ranked without its hour."""
    broken, day = hours_of(demo.first_day)[7], str(demo.first_day)
    site.misbehave(Fault(broken.path, Corrupt()))
    done = silent_on_stdout(wikiq(surroundings, "enqueue", day), 1)
    assert "07:00 failed" in done.stderr
    assert broken.file_name in done.stderr
    assert fetched(site).count(broken.path) == 3
    assert left_behind(tmp_path / "data") == []


def test_a_source_that_refuses(surroundings, site, demo):
    """A 403 ends a whole week with exit code 4, one sentence that names WIKIQ_CONTACT, and a request or two."""
    site.misbehave(Fault("*", Refused()))
    week = ("--week", "--start", str(demo.first_day))
    done = silent_on_stdout(wikiq(surroundings, "enqueue", *week, "--quiet"), 4)
    assert done.stderr.count("\n") == done.stderr.count("WIKIQ_CONTACT") == 1
    assert len(site.log) <= 3


def test_a_source_that_refuses_in_the_middle(surroundings, site, demo):
    """Refused on the way, a week ends with exit code 4, few requests and few words; then a day is tried at once."""
    site.misbehave(Fault("*", Refused(), method="GET"))
    done = silent_on_stdout(wikiq(surroundings, "enqueue", "--week", "--start", str(demo.first_day)), 4)
    assert "WIKIQ_CONTACT" in done.stderr
    assert len(site.log) <= 15
    assert len(done.stderr.splitlines()) <= 60
    site.behave()
    silent_on_stdout(wikiq(surroundings, "enqueue", str(demo.days[1])), 0)


def test_nobody_answers(tmp_path):
    """A connection that is refused ends a week with exit code 4, one sentence, and within half a minute."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        week = ("--week", "--start", "2024-01-01", "--quiet")
        done = silent_on_stdout(wikiq(environment(tmp_path, WIKIQ_SOURCE=nowhere), "enqueue", *week), 4)
    assert time.monotonic() - began < 30
    assert done.stderr.count("\n") == 1
    assert "Connection refused" in done.stderr


def test_wikimedia_without_a_contact(tmp_path):
    """Wikimedia is not asked without a contact: exit code 4 and the variable's name, before anything is noted."""
    surroundings = environment(tmp_path)
    del surroundings["WIKIQ_CONTACT"]
    done = silent_on_stdout(wikiq(surroundings, "enqueue", "2024-01-03"), 4)
    assert done.stderr.count("\n") == 1
    assert "WIKIQ_CONTACT" in done.stderr
    assert not list((tmp_path / "data").glob("*.sqlite"))


def test_namespaces_that_come_later(surroundings, site, demo):
    """A day ranked by canonical names is ranked anew, before ``resume`` ends, when the wiki's own can be had."""
    day = str(demo.first_day)
    site.misbehave(Fault("enwiki/*", NotFound()))
    silent_on_stdout(wikiq(surroundings, "enqueue", day), 0)
    site.behave()
    silent_on_stdout(wikiq(surroundings, "resume"), 0)
    found = wikiq(surroundings, "results", day, "--format", "json")
    assert told(found.stdout) == truth(demo.first_day).day(demo.first_day, universe="articles")


def test_resume_goes_on_where_it_was(tmp_path, site, demo):
    """A run that was given its source by ``--source`` is resumed from that source."""
    surroundings = environment(tmp_path)
    del surroundings["WIKIQ_CONTACT"]
    lacking = hours_of(demo.first_day)[23]
    site.misbehave(Fault(lacking.path, NotFound()))
    silent_on_stdout(wikiq(surroundings, "enqueue", str(demo.first_day), "--source", site.url), 3)
    site.behave()
    silent_on_stdout(wikiq(surroundings, "resume"), 0)


def test_nothing_to_resume(surroundings, site):
    """Where nothing was asked for there is nothing to resume, and that is no failure."""
    silent_on_stdout(wikiq(surroundings, "resume"), 0)
    assert site.log == ()


def test_a_directory_that_cannot_be(surroundings, tmp_path):
    """A data directory that cannot be made ends in a sentence that names the variable, not in a traceback."""
    (tmp_path / "file").write_text("")
    surroundings |= {"WIKIQ_DATA_DIR": str(tmp_path / "file" / "data")}
    done = silent_on_stdout(wikiq(surroundings, "enqueue", "2024-01-03"), 1)
    assert done.stderr.count("\n") == 1
    assert "WIKIQ_DATA_DIR" in done.stderr
