"""What is put on which list of the broker, and what the database knows of it: fakeredis instead of a broker."""

from __future__ import annotations

import base64
import datetime as dt
import gc
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import replace

import polars as pl
import pytest
import redis
from cli_process import environment, wikiq
from fakeredis import TcpFakeServer
from servers import free_port

from models.answer import Period, Universe
from models.hour import Hour, hours_of, week_from
from models.project import parse_project
from worker.answering import rank_period
from worker.app import make_app
from worker.enqueue import missing_work, request, request_again, send
from worker.order import Order
from worker.store import ledger, tallies
from worker.store.database import writing
from worker.store.siteinfo import save_siteinfo
from worker.tally import SCHEMA

EN, DE = parse_project("en.wikipedia"), parse_project("de.wikipedia")
LOGGED = Universe.LOGGED_TITLES
DAY = dt.date(2024, 1, 3)
WEEK = week_from(dt.date(2024, 1, 1))
COUNT, RANK = "wikiq:count", "wikiq:rank"
NOW = dt.datetime(2024, 1, 9, tzinfo=dt.UTC)


class Broker:
    """A broker that only keeps what it is sent."""

    def __init__(self, port):
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis(port=port, protocol=2)

    def messages(self, key=COUNT):
        """The messages on a list, oldest first."""
        return [Message(raw) for raw in reversed(self.client.lrange(key, 0, -1))]

    def forget(self):
        self.client.flushall()

    @property
    def lists(self):
        return sorted(key.decode() for key in self.client.scan_iter() if self.client.type(key) == b"list")


class Message:
    """A message as it lies on its list (Celery's protocol 2)."""

    def __init__(self, raw):
        self.size = len(raw)
        self.text = raw.decode()
        envelope = json.loads(raw)
        self.content_type = envelope["content-type"]
        self.task = envelope["headers"]["task"]
        self.body = base64.b64decode(envelope["body"])
        self.arguments, self.options, self.canvas = json.loads(self.body)


@contextmanager
def fake_redis(port):
    server = TcpFakeServer(("127.0.0.1", port))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    found = Broker(port)
    try:
        yield found
    finally:
        found.client.close()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def broker():
    with fake_redis(free_port()) as found:
        yield found


@pytest.fixture
def app(settings, broker, context):
    """Wikiq with this broker and a database of its own."""
    app = make_app(replace(settings, broker_url=broker.url))
    app._opened = (os.getpid(), context)
    yield app
    # Results unsubscribe when they are collected, and would wait long for a server that is gone.
    for waiting in app.backend._pending_results:
        waiting.clear()
    gc.collect()
    app.backend.client.close()
    app.close()


def order(*days, projects=(EN,), **more):
    return Order(projects, days or (DAY,), LOGGED, **more)


def enqueue(app, wanted):
    """As ``wikiq enqueue`` does with a broker."""
    context = app.context()
    request(context, wanted)
    send(app, missing_work(context, wanted))


def count(context, *hours, project=EN, title=b"A"):
    """Have hours counted, with one title each."""
    tally = tallies.pack(pl.DataFrame({"title": [title], "desktop": [1], "mobile": [2]}, schema=SCHEMA))
    with writing(context.engine) as session:
        for hour in hours:
            facts = tallies.FileFacts("http://127.0.0.1/x.gz", 7, None, None, f"{hour}", 1, 0)
            tallies.record_counted(session, project, hour, facts, tally, now=NOW, version="0")


def rank(context, *periods, project=EN):
    for period in periods:
        rank_period(context, project, period, LOGGED)


def hours_on(broker):
    return [message.arguments[0] for message in broker.messages() if message.task == "wikiq.count_hour"]


def test_a_day_is_25_messages(app, broker):
    """A day is 24 hours and one look at the namespaces, all on the list ``wikiq:count`` and nothing elsewhere."""
    enqueue(app, order())
    tasks = [message.task for message in broker.messages()]
    assert sorted(tasks) == ["wikiq.count_hour"] * 24 + ["wikiq.fetch_siteinfo"]
    assert broker.lists == [COUNT]
    assert sorted(hours_on(broker)) == [f"2024-01-03T{hour:02d}:00Z" for hour in range(24)]


def test_messages_are_small_ids(app, broker):
    """A message is JSON of less than 4 kB that names an hour and projects, and nothing of settings or counts."""
    enqueue(app, order(projects=(EN, DE)))
    for message in broker.messages():
        assert message.content_type == "application/json"
        assert message.size < 4096
        assert not [secret for secret in (app.settings.database_url, app.settings.contact) if secret in message.text]
    [first, *_] = [message for message in broker.messages() if message.task == "wikiq.count_hour"]
    assert first.arguments == ["2024-01-03T00:00Z", ["de.wikipedia", "en.wikipedia"], None]
    assert first.options == {}


def test_each_day_has_its_own_chord(app, broker):
    """The callback of each day's messages ranks that day, with the ids in it."""
    enqueue(app, order(*WEEK[:2]))
    callbacks = [message.canvas["chord"] for message in broker.messages()]
    ranked = {(found["task"], found["kwargs"]["day"], *found["kwargs"]["projects"]) for found in callbacks}
    assert ranked == {("wikiq.rank_day", f"2024-01-0{day}", "en.wikipedia") for day in (1, 2)}
    assert {found["kwargs"]["universe"] for found in callbacks} == {"logged titles"}
    sizes = [broker.client.get(key) for key in broker.client.keys("wikiq:celery-taskset-meta-*.s")]
    assert sizes == [b"25", b"25"]


def test_a_week_is_seven_days(app, broker):
    """A week is seven times a day's messages; its own ranking is sent by its last day."""
    enqueue(app, order(*WEEK, week=True))
    assert len(broker.messages()) == 7 * 25
    assert sorted(hours_on(broker)) == [str(hour) for day in WEEK for hour in hours_of(day)]
    assert broker.lists == [COUNT]


def test_what_is_counted_and_ranked_is_not_sent(app, broker, context):
    """A complete day gives no message; with ``force`` it gives all of them, also to whoever resumes."""
    request(context, order())
    count(context, *hours_of(DAY))
    with_names(context)
    rank(context, Period(DAY))
    enqueue(app, order())
    assert broker.messages() == []
    enqueue(app, order(force=True))
    assert len(hours_on(broker)) == 24
    assert missing_work(context).hours == 24


def with_names(context):
    """Have the namespaces of the English Wikipedia at hand."""
    general = {"mainpage": "Main Page", "case": "first-letter"}
    document = json.dumps({"query": {"general": general, "namespaces": {}, "namespacealiases": []}})
    with writing(context.engine) as session:
        save_siteinfo(session, EN, DAY, document.encode(), now=NOW)


def test_only_missing_hours_are_sent(app, broker, context):
    """Of a day that is counted in part, only the other hours are sent."""
    request(context, order())
    count(context, *hours_of(DAY)[:22])
    rank(context, Period(DAY))
    enqueue(app, order())
    assert hours_on(broker) == ["2024-01-03T22:00Z", "2024-01-03T23:00Z"]


def test_a_day_that_only_lacks_its_ranking(app, broker, context):
    """A day whose hours are all counted is ranked without a single hour file."""
    request(context, order())
    count(context, *hours_of(DAY))
    enqueue(app, order())
    assert [message.task for message in broker.messages()] == ["wikiq.fetch_siteinfo"]


def test_a_week_that_only_lacks_its_ranking(app, broker, context):
    """A week whose days are all done is one message, on the list ``wikiq:rank``."""
    request(context, order(*WEEK, week=True))
    count(context, *(hour for day in WEEK for hour in hours_of(day)))
    with_names(context)
    rank(context, *map(Period, WEEK))
    enqueue(app, order(*WEEK, week=True))
    [message] = broker.messages(RANK)
    assert (message.task, message.arguments) == ("wikiq.rank_week", ["2024-01-01", "en.wikipedia", "logged titles"])
    assert broker.lists == [RANK]


def test_a_file_is_asked_for_once_for_all_projects(app, broker, context):
    """Several projects of a day make one message per hour file, also where one project has some hours already."""
    request(context, order(projects=(EN, DE)))
    count(context, *hours_of(DAY)[:20])
    enqueue(app, order(projects=(EN, DE)))
    assert hours_on(broker) == [str(hour) for hour in hours_of(DAY)]
    projects = [found.arguments[1] for found in broker.messages() if found.task == "wikiq.count_hour"]
    assert [sorted(names) for names in projects] == [["de.wikipedia", "en.wikipedia"]] * 24


def test_the_source_goes_along(app, broker):
    """A source that was named for this order is in each of its messages; otherwise the workers' own serves."""
    enqueue(app, order(source="https://mirror.example"))
    assert {found.arguments[-1] for found in broker.messages()} == {"https://mirror.example"}


def test_an_order_sends_nothing_else(app, broker, context):
    """What others asked for and is missing, too, is not sent along, but is found without an order."""
    request(context, order(WEEK[0]))
    enqueue(app, order(DAY))
    assert {hour[:10] for hour in hours_on(broker)} == {"2024-01-03"}
    assert {work.day for work in missing_work(context).days} == {WEEK[0], DAY}


def test_troubles_are_tried_again(app, broker, context):
    """Hours that could not be had are sent again when they are asked for again, and with everything else."""
    request(context, order())
    with writing(context.engine) as session:
        ledger.record_trouble(session, EN, Hour(DAY, 5), "missing", "404", url="http://127.0.0.1/x.gz", now=NOW)
    request_again(context)
    send(app, missing_work(context))
    assert len(hours_on(broker)) == 24


def test_the_program_enqueues(broker, tmp_path):
    """``wikiq enqueue DAY`` with a broker puts the day there, returns at once, and writes nothing on stdout."""
    done = wikiq(environment(tmp_path, WIKIQ_BROKER_URL=broker.url), "enqueue", "2024-01-03")
    assert (done.code, done.stdout) == (0, "")
    assert "24 hour files" in done.stderr
    assert sorted(hours_on(broker)) == [f"2024-01-03T{hour:02d}:00Z" for hour in range(24)]
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """What ``wikiq enqueue`` says with its broker down, and the environment and the port it was tried in."""
    port = free_port()
    surroundings = environment(
        tmp_path_factory.mktemp("refused"), WIKIQ_BROKER_URL=f"redis://:geheim@127.0.0.1:{port}/0"
    )
    return wikiq(surroundings, "enqueue", "2024-01-03", "--quiet"), surroundings, port


def test_a_broker_that_does_not_answer(refused):
    """With the broker down the command fails with one sentence, which names ``wikiq resume`` and no password."""
    done, *_ = refused
    assert (done.code, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("wikiq: The broker does not answer")
    assert done.stderr.count("\n") == 1
    assert "wikiq resume" in done.stderr
    assert "geheim" not in done.stderr


def test_what_a_broker_missed_is_resumed(refused):
    """What could not be sent is in the database: once the broker is there, ``wikiq resume`` sends all of it."""
    _, surroundings, port = refused
    with fake_redis(port) as broker:
        done = wikiq(surroundings | {"WIKIQ_BROKER_URL": broker.url}, "resume")
        assert (done.code, done.stdout) == (0, "")
        assert len(hours_on(broker)) == 24
