"""Leases where Redis is away, comes late, or is no Redis; and what is told of it."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import redis
import servers
from lease_processes import passing_redis
from lease_samples import (
    EXPIRY,
    SOURCE,
    Contender,
    contending,
    count,
)

from models.errors import BrokerUnreachable, UsageError
from worker.app import make_app
from worker.budget import Budget
from worker.context import open_context
from worker.lease import KEY_PREFIX, hold_lease, open_leases
from worker.patience import Interrupted
from worker.settings import Settings

pytest_plugins = ["lease_fixtures"]


def test_absent_redis_is_an_error_after_a_while() -> None:
    """Who waits for a Redis that is away gets our error when patience ends, and never a connection without a lease."""
    url = f"redis://:secret@127.0.0.1:{servers.free_port()}/0"
    began = time.monotonic()
    refused = pytest.raises(BrokerUnreachable, match=r"dumps\.wikimedia\.org:443 is not asked")
    with open_leases(url) as client, refused as raised, hold_lease(client, SOURCE, away_seconds=0.5):
        pytest.fail("entered without a lease")
    assert 0.2 < time.monotonic() - began < 5
    assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_redis_may_come_late(tmp_path: Path) -> None:
    """Who waits for a Redis that is away gets its connection once Redis is there."""
    port = servers.free_port()
    with open_leases(f"redis://127.0.0.1:{port}/0") as client:
        first = Contender(client)
        assert not first.is_in(0.5)
        with passing_redis(tmp_path, port):
            assert first.is_in()
            first.leave()


def test_holder_without_redis_is_interrupted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When Redis stays away, a holder is told before its lease ends, and its block ends without another error."""
    port = servers.free_port()
    with open_leases(f"redis://127.0.0.1:{port}/0") as client:
        with passing_redis(tmp_path, port):
            first = Contender(client)
            assert first.is_in()
        assert not first.ends(EXPIRY / 4)
        assert first.ends(EXPIRY + 1)
    assert isinstance(first.error, Interrupted)


def test_passwords_stay_where_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither Redis' password nor the source's is in a key, a log line or an error."""
    caplog.set_level(logging.DEBUG)
    port = servers.free_port()
    with passing_redis(tmp_path, port) as opener:
        opener.config_set("requirepass", "hush-hush")
        source = "https://me:secret@dumps.wikimedia.org"
        with open_leases(f"redis://:hush-hush@127.0.0.1:{port}/0") as client, contending(client, source) as first:
            assert first.is_in()
            found = b" ".join(client.keys())
            assert found.startswith(KEY_PREFIX.encode())
            assert b"secret" not in found
            assert b"wikimedia" not in found
        refused = pytest.raises(BrokerUnreachable)
        with open_leases(f"redis://:hush-hush!@127.0.0.1:{port}/0") as client, refused as raised:
            hold_lease(client, source, away_seconds=0.3).__enter__()
    said = f"{caplog.text} {raised.value!r} {raised.value.__cause__!r}"
    assert "AuthenticationError" in said
    assert "hush" not in said
    assert "secret" not in said


def test_prefix_is_the_brokers(settings: Settings) -> None:
    """Everything that wikiq has in a Redis lies below one prefix."""
    with_redis = make_app(replace(settings, broker_url="redis://127.0.0.1:1/0"))
    assert with_redis.conf.broker_transport_options["global_keyprefix"] == KEY_PREFIX


def test_a_fleet_leases(client: redis.Redis, redis_url: str, settings: Settings) -> None:
    """A process with a broker takes its connections from the fleet's, one without from its machine's."""
    for broker, leased in ((redis_url, 1), (None, 0)):
        context = open_context(replace(settings, broker_url=broker))
        with context.budget(SOURCE)():
            assert count(client, "held") == leased
        assert count(client, "held") == 0
        context.engine.dispose()
        if context.leases is not None:
            context.leases.close()


def test_lease_is_a_budget() -> None:
    """What fetch is given is the lease with its source filled in; limits below one and no sources are refused."""
    with open_leases("redis://127.0.0.1:1/0") as client:
        for arguments, refused in (((SOURCE, 0), "at least one"), (("nowhere",), "A source is written like")):
            budget: Budget = partial(hold_lease, client, *arguments)
            with pytest.raises(UsageError, match=refused), budget():
                pass


@pytest.mark.parametrize(("name", "known"), [("CERT_NONE", "none"), ("CERT_REQUIRED", "required"), ("none", "none")])
def test_celerys_words_for_certificates_are_understood(name: str, known: str) -> None:
    """A URL that Celery accepts opens a client here, too."""
    with open_leases(f"rediss://127.0.0.1/0?ssl_cert_reqs={name}&db=2") as client:
        kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["ssl_cert_reqs"], kwargs["db"]) == (known, 2)


@pytest.mark.parametrize("url", ["memory://", "redis://:secret@127.0.0.1/0?protocol=secret"])
def test_no_redis_url_is_refused(url: str) -> None:
    """What is no URL of Redis is an error of ours that does not repeat it."""
    with pytest.raises(UsageError) as raised:
        open_leases(url)
    assert "secret" not in str(raised.value)
