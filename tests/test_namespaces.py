"""What the wikis say of their namespaces: asked for once, kept, and done without where it cannot be had."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import logging
import shutil
import threading
from dataclasses import replace

import pytest
import servers
from conftest import HASTY
from store_samples import DE, EN, LOGGED, contents, count, in_utc, siteinfo_document

from cli.demosite.faults import Corrupt, Fault, HtmlPage, NotFound, Refused, Slow, Unavailable
from cli.demosite.server import serve
from models.answer import Period
from models.errors import SourceUnreachable
from models.hour import Hour
from models.project import parse_project
from models.siteinfo import CANONICAL
from models.tables import SiteinfoRow
from worker.answering import rank_period
from worker.any_source import SOURCE_TROUBLE_LASTS, note_trouble
from worker.namespaces import ensure_siteinfo
from worker.store.database import reading, writing
from worker.store.siteinfo import (
    forget_siteinfo_troubles,
    has_siteinfo,
    load_siteinfo,
    save_siteinfo,
    save_siteinfo_trouble,
    siteinfo_trouble,
)

pytest_plugins = ["store_fixtures"]
NOW = dt.datetime(2024, 1, 9, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
LONG_AGO = NOW - dt.timedelta(days=365)
RUN = dt.date(2024, 1, 1)
ABSENT = parse_project("nl.wikipedia")
PASSWORD = "k33p-this-dark"

LASTING = [
    pytest.param(Fault("*", NotFound()), "no finished siteinfo", id="404"),
    pytest.param(Fault("*", Refused()), "403", id="403"),
    pytest.param(Fault("*", Unavailable()), "503", id="503"),
    pytest.param(Fault("*.gz", Corrupt()), "not the file that was announced", id="checksum"),
    pytest.param(Fault("*.gz", NotFound()), "no finished siteinfo", id="no file"),
    pytest.param(Fault("*dumpstatus.json", HtmlPage()), "dump status", id="html"),
]
WRONG_DOCUMENTS = [
    pytest.param(b"[]", id="a list"),
    pytest.param(b"{}", id="nothing in it"),
    pytest.param(b"no JSON at all", id="no JSON"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(json.dumps({"query": {"general": {}, "namespaces": {}}}).encode(), id="half of it"),
]


def load(context, project=EN):
    with reading(context.engine) as session:
        return load_siteinfo(session, project)


def trouble(context, project=EN):
    with reading(context.engine) as session:
        return siteinfo_trouble(session, project, since=LONG_AGO)


def forget(context):
    with writing(context.engine) as session:
        forget_siteinfo_troubles(session)


def asked(site):
    """How many requests the server has seen."""
    return len(site.log)


def site_with(directory, content, *, database="enwiki", run="20240101"):
    """A source whose one run has this as its siteinfo, with the right size and checksum."""
    folder = directory / database / run
    folder.mkdir(parents=True)
    packed, name = gzip.compress(content), f"{database}-{run}-siteinfo-namespaces.json.gz"
    (folder / name).write_bytes(packed)
    about = {"size": len(packed), "url": f"/{name}", "sha1": hashlib.sha1(packed).hexdigest()}
    status = {"jobs": {"namespaces": {"status": "done", "files": {name: about}}}}
    (folder / "dumpstatus.json").write_text(json.dumps(status))
    return directory


def test_namespaces_are_fetched_once_and_kept(context, site, demo):
    """The second time nobody is asked; what is kept is what the wiki says."""
    ensure_siteinfo(context, [EN, DE], site.url)
    first = asked(site)
    assert first > 0
    kept = contents(context.engine)
    ensure_siteinfo(context, [EN, DE], site.url)
    assert asked(site) == first
    assert contents(context.engine) == kept
    assert load(context, DE).main_page == "Wikipedia:Hauptseite"
    assert {"benutzerin", "spezial", "bild", "user_talk"} <= load(context, DE).prefixes
    assert load(context, EN).main_page == "Main_Page"
    assert trouble(context) is None


def test_the_finished_run_is_taken(context, site, demo):
    """The newest run is not done; the names come from the one before, and bear its date."""
    ensure_siteinfo(context, [EN], site.url)
    assert demo.unfinished_run > demo.run
    assert load(context).origin == demo.run.isoformat()
    wanted = f"enwiki/{demo.run:%Y%m%d}/enwiki-{demo.run:%Y%m%d}-siteinfo-namespaces.json.gz"
    assert [entry.path for entry in site.log if entry.path.endswith(".gz")] == [wanted]


def test_only_what_lacks_is_fetched(context, site):
    """A wiki that is known is not asked for again for the sake of another."""
    ensure_siteinfo(context, [EN], site.url)
    site.forget()
    ensure_siteinfo(context, [EN, DE], site.url)
    assert {entry.path.partition("/")[0] for entry in site.log} == {"dewiki"}


@pytest.mark.parametrize(("fault", "reason"), LASTING)
def test_canonical_names_serve_where_there_are_no_others(context, site, caplog, fault, reason):
    """Whatever is wrong with the source, MediaWiki's names serve, and there is a reason and a warning."""
    site.misbehave(fault)
    ensure_siteinfo(context, [EN], site.url)
    assert load(context) == CANONICAL
    assert reason in trouble(context)
    warnings = [entry.message for entry in caplog.records if entry.name == "worker.namespaces"]
    assert any(EN.name in message and reason in message for message in warnings)


@pytest.mark.parametrize(("fault", "reason"), LASTING)
def test_names_that_become_available_are_fetched(context, site, demo, fault, reason):
    """After a trouble was forgotten the wiki's own names are fetched, and the reason is gone."""
    site.misbehave(fault)
    ensure_siteinfo(context, [EN], site.url)
    site.behave()
    forget(context)
    assert trouble(context) is None
    ensure_siteinfo(context, [EN], site.url)
    assert load(context).origin == demo.run.isoformat()
    assert trouble(context) is None


def test_a_source_in_trouble_is_spared(context, site, demo):
    """After a trouble the source is not asked again for some minutes, and then it is."""
    site.misbehave(Fault("*", Refused()))
    ensure_siteinfo(replace(context, now=lambda: NOW), [EN], site.url)
    site.behave()
    first = asked(site)
    ensure_siteinfo(replace(context, now=lambda: NOW + SOURCE_TROUBLE_LASTS), [EN], site.url)
    assert asked(site) == first
    ensure_siteinfo(replace(context, now=lambda: NOW + SOURCE_TROUBLE_LASTS + SECOND), [EN], site.url)
    assert load(context).origin == demo.run.isoformat()


@pytest.mark.parametrize("doubtful", [False, True])
def test_a_silent_source_is_not_waited_for_long(context, site, doubtful):
    """A source that did not answer for an hour file a moment ago is asked once more, not as often as any other."""
    site.misbehave(Fault("*", Unavailable()))
    note_trouble(context, site.url, SourceUnreachable("silence"), doubtful=doubtful)
    ensure_siteinfo(context, [EN], site.url)
    assert asked(site) == 2 < HASTY.attempts


def test_a_source_without_the_wiki(context, site):
    """A wiki that the source has no dumps of has its reason; the others are fetched all the same."""
    ensure_siteinfo(context, [ABSENT, EN], site.url)
    assert ABSENT.database in trouble(context, ABSENT)
    assert load(context, ABSENT) == CANONICAL
    assert load(context, EN) != CANONICAL


def test_nobody_listens(context):
    """An unreachable source is a reason like any other."""
    ensure_siteinfo(context, [EN], f"http://127.0.0.1:{servers.free_port()}")
    assert trouble(context)
    assert load(context) == CANONICAL


@pytest.mark.parametrize("content", WRONG_DOCUMENTS)
def test_a_document_that_is_none_is_not_kept(context, tmp_path, content):
    """A sound file with the wrong thing in it is a trouble, not what a day would later be ranked by."""
    with serve(site_with(tmp_path / "wrong", content)) as site:
        ensure_siteinfo(context, [EN], site.url)
    assert trouble(context)
    assert load(context) == CANONICAL
    assert rank_period(context, EN, Period(RUN), LOGGED).namespaces == "canonical"


@pytest.mark.parametrize("name", ["\ud800", "\0", ""])
def test_a_name_that_is_no_text_does_no_harm(context, tmp_path, name):
    """JSON can name a namespace by what no title can hold; whether it is kept or not, days are ranked."""
    with serve(site_with(tmp_path / "odd", siteinfo_document(name, "Themen"))) as site:
        ensure_siteinfo(context, [EN], site.url)
    count(context.engine, Hour(RUN, 0), {b"A": (1, 0), b"Talk:B": (1, 1)})
    answer = rank_period(context, EN, Period(RUN), LOGGED)
    assert [row.title for row in answer.most_requested] == ["A"]


def test_a_document_after_a_wrong_one_is_fetched(context, tmp_path):
    """When the source has mended its document, it is fetched after asking again."""
    with serve(site_with(tmp_path / "wrong", b"[]")) as site:
        ensure_siteinfo(context, [EN], site.url)
    forget(context)
    shutil.rmtree(tmp_path / "wrong")
    with serve(site_with(tmp_path / "right", siteinfo_document("Themen"))) as site:
        ensure_siteinfo(context, [EN], site.url)
    assert load(context).origin == "2024-01-01"
    assert "themen" in load(context).prefixes


@pytest.mark.parametrize("fault", [None, Fault("*.gz", Corrupt()), Fault("*", Refused()), Fault("*", Unavailable())])
def test_messages_hold_no_credentials(context, site, caplog, fault):
    """A mirror's password stands in no row and no line of the log."""
    caplog.set_level(logging.DEBUG)
    site.misbehave(*([fault] if fault else []))
    ensure_siteinfo(context, [EN], site.url.replace("http://", f"http://me:{PASSWORD}@"))
    assert asked(site) > 0
    assert PASSWORD not in repr(contents(context.engine))
    assert PASSWORD not in caplog.text


def test_all_days_ask_at_once(context, site):
    """Every day's work begins with this; of seven threads one fetches, and the others wait for it."""
    site.misbehave(Fault("*.gz", Slow(rate=5_000)))
    threads = [threading.Thread(target=ensure_siteinfo, args=[context, [EN], site.url]) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(site.requests.values()) == {1}
    assert load(context) != CANONICAL


def test_a_directory_that_cannot_be_written(context):
    """Where no lock can be held the reason is noted, and the day is still ranked."""
    context.settings.downloads_dir.write_text("in the way")
    ensure_siteinfo(context, [EN], context.settings.source)
    assert trouble(context)


def test_what_is_saved_is_loaded(engine):
    """A document with anything in its names is kept on either database, with its run; the next replaces it."""
    text = siteinfo_document("Themen").decode().replace("Themen", "Ämter\U0001fad6'; --")
    with writing(engine) as session:
        save_siteinfo(session, EN, dt.date(2023, 12, 1), b'{"query": {}}', now=NOW)
        save_siteinfo(session, EN, RUN, text.encode(), now=NOW)
    with reading(engine) as session:
        found = load_siteinfo(session, EN)
        assert found.origin == "2024-01-01"
        assert "ämter\U0001fad6';_--" in found.prefixes
        assert has_siteinfo(session, EN)
        assert not has_siteinfo(session, DE)
        assert load_siteinfo(session, DE) == CANONICAL
        assert in_utc(session.get_one(SiteinfoRow, EN.name).fetched_at) == NOW


def test_a_trouble_never_undoes_what_is_kept(engine):
    """A failure after a success, of a worker without luck, leaves the wiki's own names where they are."""
    with writing(engine) as session:
        save_siteinfo(session, EN, RUN, siteinfo_document("Themen"), now=NOW)
    before = contents(engine)
    with writing(engine) as session:
        save_siteinfo_trouble(session, EN, "no luck", now=NOW)
        forget_siteinfo_troubles(session)
    assert contents(engine) == before


def test_troubles_are_recent_and_can_be_forgotten(engine):
    """A trouble is known from its own time on, the latest reason counts, and forgetting spares what was fetched."""
    with writing(engine) as session:
        save_siteinfo(session, DE, RUN, siteinfo_document("Themen"), now=NOW)
        save_siteinfo_trouble(session, EN, "first", now=NOW - SECOND)
        save_siteinfo_trouble(session, EN, "second", now=NOW)
    with reading(engine) as session:
        assert siteinfo_trouble(session, EN, since=NOW) == "second"
        assert siteinfo_trouble(session, EN, since=NOW + SECOND) is None
        assert siteinfo_trouble(session, DE, since=LONG_AGO) is None
        assert load_siteinfo(session, EN) == CANONICAL
        assert not has_siteinfo(session, EN)
    with writing(engine) as session:
        forget_siteinfo_troubles(session)
    with reading(engine) as session:
        assert siteinfo_trouble(session, EN, since=LONG_AGO) is None
        assert has_siteinfo(session, DE)


def test_a_fetch_ends_a_trouble(engine):
    """Once the wiki's own names are there, no reason is left."""
    with writing(engine) as session:
        save_siteinfo_trouble(session, EN, "early", now=NOW)
        save_siteinfo(session, EN, RUN, siteinfo_document("Themen"), now=NOW)
    with reading(engine) as session:
        assert siteinfo_trouble(session, EN, since=LONG_AGO) is None
        assert load_siteinfo(session, EN).origin == "2024-01-01"
