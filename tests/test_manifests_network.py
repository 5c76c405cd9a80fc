"""Who may speak to whom, worked out from the NetworkPolicies as a network would."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

import pytest
from kustomized import OVERLAYS, of_kind, pods, rendered, selects

both_overlays = pytest.mark.parametrize("overlay", OVERLAYS)
NAMESPACE = "wikiq"
DNS = 53


@dataclass(frozen=True)
class Place:
    """A pod, or an address outside the cluster if it has no labels."""

    namespace: str = NAMESPACE
    labels: dict[str, str] = field(default_factory=dict)
    address: str = "10.1.2.3"
    ports: tuple[dict, ...] = ()


KEDA = Place("keda", {"app": "keda-operator", "app.kubernetes.io/name": "keda-operator"})
PROMETHEUS = Place("monitoring", {"app.kubernetes.io/name": "prometheus"})
NEIGHBOUR = Place("default", {"app.kubernetes.io/name": "wikiq"})
CLUSTER_DNS = Place("kube-system", {"k8s-app": "kube-dns"})
WIKIMEDIA = Place("", {}, "208.80.154.71")
METADATA = Place("", {}, "169.254.169.254")


def place_of(overlay, name):
    pod = pods(rendered(overlay))[name]
    return Place(NAMESPACE, pod.labels, ports=tuple(pod.container.get("ports", ())))


def may(overlay, sender, receiver, port, protocol="TCP"):
    """Whether a connection is let out and in: each side must be allowed by a policy, if any policy selects it."""
    out = one_side(overlay, sender, receiver, (port, protocol), "Egress", receiver)
    return out and one_side(overlay, receiver, sender, (port, protocol), "Ingress", receiver)


def one_side(overlay, here, there, wanted, direction, listener):
    if here.namespace != NAMESPACE:
        return True
    policies = [policy["spec"] for policy in of_kind(rendered(overlay), "NetworkPolicy").values()]
    chosen = [
        policy
        for policy in policies
        if direction in policy["policyTypes"] and selects(policy["podSelector"], here.labels)
    ]
    peers, rules = ("to", "egress") if direction == "Egress" else ("from", "ingress")
    return not chosen or any(
        any(is_peer(peer, there) for peer in rule[peers])
        and any(is_port(port, wanted, listener) for port in rule["ports"])
        for policy in chosen
        for rule in policy.get(rules, ())
    )


def is_peer(peer, place):
    if "ipBlock" in peer:
        block, address = peer["ipBlock"], ipaddress.ip_address(place.address)
        excepted = any(address in ipaddress.ip_network(each) for each in block.get("except", ()))
        return not place.labels and address in ipaddress.ip_network(block["cidr"]) and not excepted
    if not place.labels:
        return False
    if "namespaceSelector" in peer:
        of_namespace = {"kubernetes.io/metadata.name": place.namespace}
        if not selects(peer["namespaceSelector"], of_namespace):
            return False
    elif place.namespace != NAMESPACE:
        return False
    return "podSelector" not in peer or selects(peer["podSelector"], place.labels)


def is_port(port, wanted, listener):
    number = port["port"]
    if isinstance(number, str):
        number = next((each["containerPort"] for each in listener.ports if each["name"] == number), None)
    return (number, port["protocol"]) == wanted


ALL = {
    "wikiq-count",
    "wikiq-rank",
    "wikiq-index",
    "wikiq-metrics",
    "wikiq-migrate",
    "wikiq-enqueue-yesterday",
    "wikiq-resume",
}
STORES = {"redis", "postgresql"}


def reach(overlay, receiver, port, protocol="TCP"):
    """Those pods of the overlay that may reach a place."""
    senders = {name: place_of(overlay, name) for name in pods(rendered(overlay))}
    return {name for name, sender in senders.items() if may(overlay, sender, receiver, port, protocol)}


@both_overlays
def test_the_pods_are_these(overlay):
    """The tests below speak of all pods that there are."""
    assert pods(rendered(overlay)).keys() == ALL | (STORES if overlay == "local" else set())


@both_overlays
def test_out_of_the_cluster(overlay):
    """Only what downloads gets out, by https alone, and never to private networks or the cloud's metadata."""
    assert reach(overlay, WIKIMEDIA, 443) == {"wikiq-count", "wikiq-index"}
    assert reach(overlay, WIKIMEDIA, 80) == set()
    assert reach(overlay, METADATA, 80) == reach(overlay, METADATA, 443) == set()
    assert reach(overlay, Place("", {}, "10.0.0.1"), 443) == set()


@both_overlays
def test_names_are_resolved(overlay):
    """All of ours may ask the cluster's DNS and no other."""
    assert reach(overlay, CLUSTER_DNS, DNS, "UDP") == reach(overlay, CLUSTER_DNS, DNS) == ALL
    assert reach(overlay, CLUSTER_DNS, 443) == set()
    assert reach(overlay, WIKIMEDIA, DNS, "UDP") == set()
    assert reach(overlay, Place("", {}, "169.254.20.10"), DNS, "UDP") == ALL


def test_the_local_stores():
    """Ours reach Redis and PostgreSQL, KEDA's operator reaches Redis, and nobody else reaches either."""
    redis, postgresql = place_of("local", "redis"), place_of("local", "postgresql")
    assert reach("local", redis, 6379) == reach("local", postgresql, 5432) == ALL
    assert reach("local", redis, 5432) == reach("local", postgresql, 6379) == reach("local", redis, 22) == set()
    assert may("local", KEDA, redis, 6379)
    assert not may("local", KEDA, postgresql, 5432)
    for stranger in (NEIGHBOUR, PROMETHEUS, Place("keda", {"app": "another"})):
        assert not may("local", stranger, redis, 6379)
        assert not may("local", stranger, postgresql, 5432)


def test_managed_stores():
    """In production ours reach what speaks Redis or PostgreSQL in private networks, and nothing of that elsewhere."""
    for address in ("10.20.30.40", "172.16.0.9", "192.168.1.1"):
        private = Place("", {}, address)
        assert reach("production", private, 6379) == reach("production", private, 6380) == ALL
        assert reach("production", private, 5432) == ALL
        assert reach("production", private, 22) == set()
    assert reach("production", WIKIMEDIA, 6379) == reach("production", WIKIMEDIA, 5432) == set()


@both_overlays
def test_prometheus(overlay):
    """Prometheus reaches the exporter and nothing else; the exporter is all that listens."""
    assert may(overlay, PROMETHEUS, place_of(overlay, "wikiq-metrics"), 9464)
    for name in pods(rendered(overlay)):
        for stranger in (NEIGHBOUR, KEDA, place_of(overlay, "wikiq-count")):
            assert not may(overlay, stranger, place_of(overlay, name), 9464)
    assert not may(overlay, PROMETHEUS, place_of(overlay, "wikiq-count"), 9464)


@both_overlays
def test_a_pod_without_a_policy_is_shut_off(overlay):
    """Whatever else comes into the namespace reaches nobody, and nobody it."""
    stranger = Place(NAMESPACE, {"app.kubernetes.io/name": "another"})
    assert not any(
        may(overlay, stranger, place, 443) for place in (WIKIMEDIA, CLUSTER_DNS, place_of(overlay, "wikiq-metrics"))
    )
    assert not may(overlay, place_of(overlay, "wikiq-count"), stranger, 443)
