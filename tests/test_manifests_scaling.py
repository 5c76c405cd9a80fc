"""What KEDA is told, against what the program really does."""

from __future__ import annotations

import math
import re

import pytest
from kustomized import OVERLAYS, OWN, WORKERS, named, of_kind, pods, rendered

from worker.app import SOFT_SHUTDOWN_SECONDS
from worker.budget import CONNECTIONS
from worker.health import ALIVE_SECONDS
from worker.queues import KEY_PREFIX, QUEUES, in_flight_keys
from worker.settings import read_settings

both_overlays = pytest.mark.parametrize("overlay", OVERLAYS)
each_queue = pytest.mark.parametrize("queue", WORKERS)


def scaled(overlay, queue):
    return named(rendered(overlay), "ScaledObject", f"wikiq-{queue}")["spec"]


def option(container, name):
    return container["args"][container["args"].index(name) + 1]


def settings_of(overlay):
    (found,) = of_kind(rendered(overlay), "ConfigMap").values()
    return read_settings(found["data"])


def test_every_queue_has_its_workers():
    """There are as many kinds of worker as the program has queues, under the same names."""
    assert set(WORKERS) == set(QUEUES)


@both_overlays
@each_queue
def test_the_target(overlay, queue):
    """Each ScaledObject scales the Deployment that takes from its queue alone, and that does not say how many."""
    assert scaled(overlay, queue)["scaleTargetRef"] == {"name": f"wikiq-{queue}"}
    deployment = named(rendered(overlay), "Deployment", f"wikiq-{queue}")
    assert "replicas" not in deployment["spec"]
    container = pods(rendered(overlay))[f"wikiq-{queue}"].container
    assert (container["args"][0], option(container, "--queues")) == ("worker", queue)


@both_overlays
@each_queue
def test_the_names_in_redis(overlay, queue):
    """KEDA counts the very list and hash that a worker of this queue uses."""
    wanted = {
        "queued": f"{KEY_PREFIX}{queue}",
        "inflight": KEY_PREFIX + in_flight_keys([queue])["unacked_key"],
    }
    triggers = scaled(overlay, queue)["triggers"]
    assert {trigger["name"]: trigger["metadata"]["listName"] for trigger in triggers} == wanted
    assert {trigger["type"] for trigger in triggers} == {"redis"}


@both_overlays
@each_queue
def test_the_formula(overlay, queue):
    """The formula adds up exactly the triggers, and asks for one pod per task that a pod works on at a time."""
    spec = scaled(overlay, queue)
    modifiers = spec["advanced"]["scalingModifiers"]
    assert set(modifiers["formula"].split(" + ")) == {trigger["name"] for trigger in spec["triggers"]}
    container = pods(rendered(overlay))[f"wikiq-{queue}"].container
    # KEDA takes a fallback for valid only if the target is a whole number above 0.
    assert int(modifiers["target"]) == int(option(container, "--concurrency")) > 0
    assert modifiers["activationTarget"] == "0"
    assert modifiers["metricType"] == "AverageValue"


@both_overlays
@each_queue
def test_to_none_and_back(overlay, queue):
    """A kind of worker goes from none to none: never a busy pod first, never at once, and not because Redis is away."""
    spec = scaled(overlay, queue)
    assert spec["minReplicaCount"] == 0
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"] == {"selectPolicy": "Disabled"}
    assert 2 * spec["pollingInterval"] < spec["cooldownPeriod"] == 180
    # With 0 replicas KEDA takes a Redis that is away for an empty one, and sends all pods away.
    assert spec["fallback"]["replicas"] == 1
    assert spec["fallback"]["failureThreshold"] >= 1
    assert "behavior" not in spec["fallback"]


@both_overlays
def test_how_many(overlay):
    """Counting pods suffice for all connections and are at most twice as many; dumps are never read on more."""
    connections = CONNECTIONS * len(settings_of(overlay).sources)
    assert connections <= scaled(overlay, "count")["maxReplicaCount"] <= 2 * connections
    assert scaled(overlay, "index")["maxReplicaCount"] <= CONNECTIONS
    # From the origin: what a pod does without a connection, for every 11 s with one, in pods.
    assert scaled(overlay, "count")["maxReplicaCount"] >= math.ceil(CONNECTIONS * (11 + 2.3) / 11)


@both_overlays
@each_queue
def test_the_broker_is_the_same(overlay, queue):
    """KEDA asks the database of the Redis server that the broker's URL names, with the same password."""
    own = dict(line.split("=", 1) for line in OWN["secret.env"].splitlines())
    password, host, port, database = re.fullmatch(r"redis://:(.*)@(.*):(\d+)/(\d+)", own["broker-url"]).groups()
    assert own["redis-address"] == f"{host}.wikiq.svc:{port}"
    assert own["redis-password"] == password
    for trigger in scaled(overlay, queue)["triggers"]:
        assert trigger["metadata"]["databaseIndex"] == database
        named(rendered(overlay), "TriggerAuthentication", trigger["authenticationRef"]["name"])


@each_queue
def test_tls_is_said_once(queue):
    """In production KEDA speaks TLS; said in a trigger and in its TriggerAuthentication it would be an error."""
    authentication = named(rendered("production"), "TriggerAuthentication", "wikiq-redis")["spec"]
    parameters = {each["parameter"] for each in authentication["secretTargetRef"]}
    assert {"address", "username", "password", "ca"} <= parameters
    assert "tls" not in parameters
    assert [trigger["metadata"]["enableTLS"] for trigger in scaled("production", queue)["triggers"]] == ["true", "true"]
    assert all("enableTLS" not in trigger["metadata"] for trigger in scaled("local", queue)["triggers"])


@both_overlays
@each_queue
def test_a_worker_has_time_to_end(overlay, queue):
    """A worker is not killed while it may still be ending, nor told to end by anything but SIGTERM."""
    pod = pods(rendered(overlay))[f"wikiq-{queue}"]
    assert pod.spec["terminationGracePeriodSeconds"] >= SOFT_SHUTDOWN_SECONDS + 15
    assert "--grace" not in pod.container["args"]
    assert "lifecycle" not in pod.container


@both_overlays
@each_queue
def test_the_probes(overlay, queue):
    """Probes ask for the heartbeat alone, which tells of ten minutes; none ends a worker that has yet to begin."""
    container = pods(rendered(overlay))[f"wikiq-{queue}"].container
    commands = {name: container[f"{name}Probe"]["exec"]["command"] for name in ("startup", "readiness", "liveness")}
    alive = ["wikiq", "health"]
    assert commands == {"startup": alive, "readiness": [*alive, "--ready"], "liveness": alive}
    assert ALIVE_SECONDS >= 600
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 300
    # A probe starts Python, on a pod that may have no CPU to spare; one second, the default, is too short.
    assert min(container[f"{name}Probe"]["timeoutSeconds"] for name in commands) >= 10


def test_a_worker_makes_way_but_not_its_node():
    """Workers stand behind whatever has no priority, and not below -10, where the cluster autoscaler overlooks pods."""
    (priority,) = of_kind(rendered("production"), "PriorityClass").values()
    assert -10 <= priority["value"] < 0
    for queue in WORKERS:
        assert pods(rendered("production"))[f"wikiq-{queue}"].spec["priorityClassName"] == priority["metadata"]["name"]
