"""PostgreSQL goes down in the middle of a commit, in good order or by a crash, and comes back."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from cli_process import wait_until
from fleet import empty_broker, open_fleet  # noqa: F401 a fixture
from restarted import own_postgresql

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def postgresql():
    """A cluster of this test's own."""
    with own_postgresql() as server:
        yield server


@pytest.fixture
def fleet(tmp_path, site, demo, broker_url, postgresql):
    with open_fleet(tmp_path, site, demo, broker_url, postgresql.url) as fleet:
        yield fleet


def stopped_while_they_wait_for(table, fleet, server, mode, workers):
    """Stop the server when so many workers have an open transaction that is about to write into the table."""
    with closing(psycopg.connect(fleet.database_url)) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        wait_until(lambda: len(fleet.waiting_for_locks()) == workers)
        server.stop(mode)


def test_restarted_in_mid_commit(fleet, postgresql):
    """Restarted under the commits of two hours and crashed under a ranking's: nobody has to do anything."""
    workers = [fleet.start(), fleet.start()]
    waiting = fleet.begin("enqueue", str(fleet.day), "--wait")
    stopped_while_they_wait_for("hour_tally", fleet, postgresql, "fast", workers=2)
    postgresql.start()
    stopped_while_they_wait_for("ranked_article", fleet, postgresql, "immediate", workers=1)
    postgresql.start()
    fleet.see_end_well(waiting)
    fleet.check(interrupted=2)
    assert "Traceback" not in fleet.said
    assert [worker.poll() for worker in workers] == [None, None]
