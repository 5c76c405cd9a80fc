"""A real redis-server with the arguments of overlays/local, and KEDA's sum beside a real worker."""

from __future__ import annotations

import shlex
from contextlib import closing

import pytest
import redis
import servers
import yaml
from cli_process import wait_until
from fleet import empty_broker, fleet_on_sqlite  # noqa: F401 fixtures
from kustomized import MANIFESTS, named, pods, quantity, rendered

from cli.demosite.faults import Fault, Slow
from models.hour import hours_of

pytestmark = pytest.mark.timeout(120)
PASSWORD = "f00d"


@pytest.fixture
def as_deployed(tmp_path):
    """Redis as the local overlay starts it, but on another port and in another directory."""
    arguments = pods(rendered("local"))["redis"].container["args"]
    ours = [argument.replace("$(REDIS_PASSWORD)", PASSWORD) for argument in arguments]
    port = servers.free_port()
    command = [servers.program("redis-server"), *ours, f"--port {port}", "--bind 127.0.0.1", f"--dir {tmp_path}"]
    client = redis.Redis(port=port, password=PASSWORD, protocol=2)
    with servers.running(command, client.ping), closing(client):
        yield client


def test_a_broker_forgets_nothing(as_deployed, tmp_path):
    """Redis in the namespace wants the password, writes all down, evicts nothing, and stays below its limit."""
    told = as_deployed.config_get("*")
    assert (told["maxmemory-policy"], told["appendonly"], told["requirepass"]) == ("noeviction", "yes", PASSWORD)
    container = pods(rendered("local"))["redis"].container
    # Half of the limit is left for a copy of what changes while the file is rewritten.
    assert 0 < int(told["maxmemory"]) <= quantity(container["resources"]["limits"]["memory"]) / 2
    as_deployed.set("wikiq:x", 1)
    assert list((tmp_path / "appendonlydir").glob("*.aof"))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=as_deployed.connection_pool.connection_kwargs["port"], protocol=2).ping()


def test_it_has_a_disk():
    """What Redis and PostgreSQL write lies on a volume that outlives their pods."""
    for name in ("redis", "postgresql"):
        (claim,) = named(rendered("local"), "StatefulSet", name)["spec"]["volumeClaimTemplates"]
        assert quantity(claim["spec"]["resources"]["requests"]["storage"]) >= 2**30
        mounts = pods(rendered("local"))[name].container["volumeMounts"]
        assert {"name": claim["metadata"]["name"], "mountPath": "/data"} in mounts


LENGTH = """
local asked = {list = 'LLEN', hash = 'HLEN', zset = 'ZCARD', set = 'SCARD', none = 'LLEN'}
return redis.call(asked[redis.call('TYPE', KEYS[1]).ok], KEYS[1])
"""
"""A key's length, whatever its type, asked as KEDA's scaler asks: in one script (its pkg/scalers/redis_scaler.go)."""


class Keda:
    """What KEDA would make of Redis now, by the very ScaledObject of a queue."""

    def __init__(self, broker, queue):
        path = MANIFESTS / "base" / "workers"
        spec = yaml.safe_load((path / f"{queue}.scaledobject.yaml").read_text())["spec"]
        common = yaml.safe_load((path / "scaledobject.yaml").read_text())["spec"]
        self._formula = shlex.split(common["advanced"]["scalingModifiers"]["formula"])
        self._keys = {trigger["name"]: trigger["metadata"]["listName"] for trigger in spec["triggers"]}
        self._broker = broker

    def metrics(self):
        return {name: self._broker.eval(LENGTH, 1, key) for name, key in self._keys.items()}

    def sum(self):
        first, plus, second = self._formula
        assert plus == "+"
        metrics = self.metrics()
        return metrics[first] + metrics[second]


def test_the_sum(fleet):
    """KEDA sees every task until it is done: all while they wait, the last one while it runs, none at the end."""
    *_, last = hours_of(fleet.day)
    fleet.site.misbehave(Fault(last.path, Slow(3_000)))
    counting, ranking = Keda(fleet.broker, "count"), Keda(fleet.broker, "rank")
    fleet.wikiq("enqueue", str(fleet.day))
    assert counting.metrics() == {"queued": 24, "inflight": 0}
    fleet.start("-c", "1", "-Q", "count")
    wait_until(lambda: len(fleet.counted()) == 23)
    wait_until(lambda: counting.metrics() == {"queued": 0, "inflight": 1})
    assert counting.sum() == 1
    assert ranking.sum() == 0
    fleet.site.behave()
    wait_until(lambda: counting.sum() == 0)
    assert len(fleet.counted()) == 24
    # The chord's callback now waits for a pod of its own kind.
    wait_until(lambda: ranking.metrics() == {"queued": 1, "inflight": 0})
