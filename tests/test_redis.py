"""A real Redis, real ``wikiq worker`` processes, and the real program that gives them work."""

from __future__ import annotations

import signal

import pytest
from cli_process import environment, wait_until, wikiq
from fleet import empty_broker, fleet_on_sqlite  # noqa: F401 fixtures
from sqlalchemy import create_engine, text

pytestmark = pytest.mark.timeout(180)


def test_a_day_that_nobody_waits_for(fleet):
    """A day that was only enqueued is ranked by its chord, and anew by force; an idle worker then ends on SIGTERM."""
    worker, day = fleet.start(), str(fleet.day)
    fleet.wikiq("enqueue", day)
    wait_until(fleet.ranked)
    fleet.check()
    before = fleet.counted()
    fleet.wikiq("enqueue", day, "--wait", "--force")
    after = fleet.counted()
    assert before.keys() == after.keys()
    assert [hour for hour in before if before[hour] == after[hour]] == []
    wait_until(lambda: fleet.queued() == fleet.in_flight() == 0, seconds=20)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert "Traceback" not in fleet.said


def test_a_ranking_that_fails_elsewhere(fleet):
    """Where a worker's ranking fails, whoever waits for it is told so and does not wait for ever."""
    waiting = fleet.begin("enqueue", str(fleet.day), "--wait")
    wait_until(lambda: fleet.broker.llen("wikiq:count") == 24)
    with create_engine(fleet.database_url).begin() as connection:
        connection.execute(text("DROP TABLE ranked_article"))
    fleet.start()
    stdout, stderr = waiting.communicate(timeout=30)
    assert (waiting.returncode, stdout) == (1, b""), fleet.said
    assert b"wikiq resume" in stderr
    assert b"Traceback" not in stderr


def test_a_worker_without_a_broker(tmp_path):
    """A worker that was told of no broker says which variable is meant."""
    done = wikiq(environment(tmp_path), "worker")
    assert (done.code, done.stdout) == (2, "")
    assert "WIKIQ_BROKER_URL" in done.stderr
