"""Messages are JSON: what is pickled is refused unread, whether it is a task or an order to the workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_process import wait_until
from kombu.serialization import disable_insecure_serializers, enable_insecure_serializers

from models.project import DEFAULT_PROJECT
from worker.app import make_app
from worker.embedded import embedded_worker


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


@pytest.fixture
def app(settings, context):
    app = make_app(settings)
    app._opened = (os.getpid(), context)
    return app


@pytest.fixture
def pickling():
    """Has this process able to pickle, and to unpickle where that is accepted."""
    enable_insecure_serializers()
    yield
    disable_insecure_serializers()


@pytest.fixture
def sprung(tmp_path):
    return tmp_path / "sprung"


def publish(app, body, **more):
    with app.connection_for_write() as connection, connection.Producer() as producer:
        producer.publish(body, serializer="pickle", **more)


@pytest.mark.usefixtures("pickling")
@pytest.mark.parametrize("version", [1, 2])
def test_a_pickled_task(app, sprung, version):
    """It is not unpickled, of whichever protocol; the worker goes on with what comes after it."""
    arguments = ([Trap(sprung)],)
    headers = {"task": "wikiq.fetch_siteinfo", "id": "1", "lang": "py"} if version == 2 else {}
    body = (arguments, {}, {}) if version == 2 else {"task": "wikiq.fetch_siteinfo", "id": "1", "args": arguments}
    with embedded_worker(app):
        publish(app, body, routing_key="count", headers=headers)
        next_one = app.send_task("wikiq.fetch_siteinfo", ([DEFAULT_PROJECT],))
        wait_until(next_one.ready)
        assert not sprung.exists()


@pytest.mark.usefixtures("pickling")
def test_a_pickled_order(app, sprung):
    """Neither is what is sent to all workers; they answer what comes after it."""
    order = {"method": "ping", "arguments": {"x": Trap(sprung)}}
    with embedded_worker(app):
        publish(app, order, exchange="celery.pidbox", routing_key="")
        assert app.control.ping(timeout=5, limit=1)
        assert not sprung.exists()


def test_json_alone_is_spoken(app):
    """Tasks, results and everything that is accepted."""
    conf = app.conf
    assert (conf.accept_content, conf.result_accept_content) == (["json"], None)
    assert (conf.task_serializer, conf.result_serializer, conf.event_serializer) == ("json",) * 3
