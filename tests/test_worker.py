"""``wikiq worker`` as a process: its queues, its log, its health, its end."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import servers
from cli_process import environment, kill, wait_until, wikiq
from fleet import empty_broker, fleet_on_sqlite, open_fleet  # noqa: F401 the fixtures `broker_url` and `fleet`

from cli.demosite.faults import Fault, Stall
from worker.queues import QUEUES, in_flight_keys

pytestmark = pytest.mark.timeout(120)


def test_queues_scaled_apart(fleet):
    """Workers of one queue take only from it, and note what is in flight under a name of their own."""
    fleet.site.misbehave(Fault("*/pageviews-*.gz", Stall(60)))
    fleet.wikiq("enqueue", str(fleet.day))
    ranking = fleet.start("-c", "1", "-Q", "rank", "--name", "rank")
    counting = fleet.start("-c", "1", "-Q", "count", "--name", "count")
    wait_until(lambda: fleet.broker.hlen("wikiq:unacked.count") == 1)
    assert fleet.broker.zcard("wikiq:unacked_index.count") == 1
    assert fleet.broker.llen("wikiq:count") == 23
    wait_until((fleet.data / "health" / "rank.ready").exists)
    assert fleet.broker.exists("wikiq:unacked", "wikiq:unacked.rank") == 0
    kill(counting)
    fleet.site.behave()
    fleet.start("-c", "1", "-Q", "index", "--name", "index")
    fleet.start("-c", "1", "-Q", "count", "--name", "count")
    fleet.resume()
    assert ranking.poll() is None
    # The killed worker's task stays noted, and brings a pod of its kind back, until its time has come.
    assert fleet.broker.hlen("wikiq:unacked.count") == 1
    fleet.check(lost=1, interrupted=1)


def test_keys_are_told_apart():
    """Each set of queues has keys of its own; all queues together have the transport's own."""
    sets = [QUEUES, *((queue,) for queue in QUEUES), QUEUES[:2]]
    assert len({in_flight_keys(queues)["unacked_key"] for queues in sets}) == len(sets)
    assert in_flight_keys(QUEUES)["unacked_key"] == "unacked"
    assert in_flight_keys(("count",))["unacked_index_key"] == "unacked_index.count"


def test_a_json_log(fleet):
    """Every line of the log is a JSON object, and one of each counted hour names task, hour and projects."""
    fleet.start("-c", "1", "--log-format", "json")
    fleet.wikiq("enqueue", str(fleet.day), "--wait")
    records = [json.loads(line) for line in fleet.said.splitlines()]
    told = [(record["hour"], record["projects"]) for record in records if record["logger"] == "worker.counting"]
    assert sorted(told) == [(f"{fleet.day}T{hour:02}:00Z", ["en.wikipedia"]) for hour in range(24)]
    assert {record["level"] for record in records} <= {"INFO", "WARNING"}
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(record) for record in records))


POOL_THAT_HAS_ENDED = """
import os, sys
os.environ["REMAP_SIGTERM"] = "SIGQUIT"
from celery.concurrency.prefork import TaskPool

def num_processes(pool):
    return (None if sys._getframe(1).f_code.co_name == "can_consume" else pool._pool)._processes

TaskPool.num_processes = property(num_processes)
"""
"""What Celery's pool says of itself to a message that arrives in the moment in which the worker is told to stop."""


def test_a_broker_that_is_away(tmp_path, site, demo):
    """While the broker is away a worker is alive but not ready; once it is back, it takes tasks; it leaves no file.

    Whatever arrives while it stops, it ends with 0: it does not ask a pool that is no more.
    """
    (tmp_path / "sitecustomize.py").write_text(POOL_THAT_HAS_ENDED)
    port = servers.free_port()
    with servers.redis_server(tmp_path, port) as url, open_fleet(tmp_path, site, demo, url) as fleet:
        worker = fleet.start("-c", "1", "--name", "one", PYTHONPATH=str(tmp_path))
        ready, alive = (Path(fleet.data / "health" / f"one.{kind}") for kind in ("ready", "alive"))
        wait_until(ready.exists)
        assert wikiq(fleet.environment, "health", "--name", "one", "--ready").code == 0
        fleet.broker.shutdown(nosave=True)
        wait_until(lambda: not ready.exists())
        assert alive.exists()
        assert wikiq(fleet.environment, "health", "--name", "one").code == 0
        with servers.redis_server(tmp_path, port):
            wait_until(ready.exists)
            assert worker.poll() is None
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0, fleet.said
    assert (ready.exists(), alive.exists()) == (False, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("-Q", "count,mail"), "'mail'"), (("--loglevel", "loud"), "log level"), (("--name", "../one"), "--name")],
)
def test_what_cannot_be_asked(tmp_path, arguments, said):
    """An unknown queue, level or name is a usage error, before anything is begun."""
    done = wikiq(environment(tmp_path, WIKIQ_BROKER_URL="redis://127.0.0.1:9/0"), "worker", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
