"""What every pod may do, needs and is given."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from kustomized import OVERLAYS, ROOT, named, of_kind, ours, pods, quantity, rendered, selects, walk

from worker.settings import read_settings

both_overlays = pytest.mark.parametrize("overlay", OVERLAYS)
RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
DECISION = ROOT / "docs" / "decisions" / "0017-kubernetes.md"
NOT_IN_GIT = {"WIKIQ_CONTACT"}
"""In production a user sets it, in the kustomization; a pod that lacks it does not start."""


@both_overlays
def test_restricted(overlay):
    """Every pod passes the restricted pod security standard.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    for name, pod in pods(rendered(overlay)).items():
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys(), name
        assert pod.spec["securityContext"]["runAsNonRoot"] is True, name
        assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod.spec["securityContext"].get("runAsUser") != 0, name
        assert "initContainers" not in pod.spec, "to be checked as well"
        for volume in pod.spec.get("volumes", ()):
            assert volume.keys() - {"name"} <= RESTRICTED_VOLUMES, name
        assert all("hostPort" not in port for port in pod.container.get("ports", ())), name
        assert pod.container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_the_local_namespace_enforces_it():
    """Where the namespace is ours, the API server turns away what is not restricted."""
    (namespace,) = of_kind(rendered("local"), "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"].get("namespace") for each in rendered("local") if each["kind"] != "Namespace"} == {"wikiq"}
    assert namespace["metadata"]["name"] == "wikiq"


def test_the_image_runs_as_a_number():
    """Kubernetes can tell that the image's user is not root: it is a number, and not 0."""
    (user,) = re.findall(r"^USER (\d+)(?::\d+)?$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert int(user) > 0
    for pod in ours(rendered("local")).values():
        assert "runAsUser" not in pod.spec["securityContext"]


@both_overlays
def test_nothing_speaks_to_the_cluster(overlay):
    """No pod gets a token, nor variables that are called like settings but come from a Service."""
    for name, pod in pods(rendered(overlay)).items():
        assert pod.spec["automountServiceAccountToken"] is False, name
        assert pod.spec["enableServiceLinks"] is False, name
    for name, pod in ours(rendered(overlay)).items():
        account = named(rendered(overlay), "ServiceAccount", pod.spec["serviceAccountName"])
        assert account["automountServiceAccountToken"] is False, name


@both_overlays
def test_resources(overlay):
    """Every container asks for CPU and memory, and is limited in both."""
    for name, pod in pods(rendered(overlay)).items():
        for resource, least in (("cpu", 0.01), ("memory", 2**20)):
            asked, most = (quantity(pod.container["resources"][side][resource]) for side in ("requests", "limits"))
            assert least <= asked <= most, (name, resource)


class Measured(NamedTuple):
    """A row of the decision's table, in bytes: a pod's highest peak, that of its usual work, and what it is given."""

    peak: float
    usual: float
    request: float
    limit: float


def measured():
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", DECISION.read_text(), re.MULTILINE)
    assert len(dict(rows)) == len(rows)
    return {name: columns(row) for name, row in rows}


def columns(row):
    _, peak, usual, _, _, request, limit = row.split(" | ")
    return Measured(megabytes(peak), megabytes(usual), quantity(request), quantity(limit))


def megabytes(text):
    return int(text.replace(",", "")) * 10**6


def test_every_container_was_measured():
    """The table has a row for each pod of each overlay, all of which have one container, and no other row."""
    there = {name: pod for overlay in OVERLAYS for name, pod in pods(rendered(overlay)).items()}
    assert measured().keys() == there.keys()
    assert {len(pod.spec["containers"]) for pod in there.values()} == {1}


@both_overlays
def test_memory_is_what_was_measured(overlay):
    """Each pod asks for the memory that it usually has, and its limit is above the highest peak by a fifth at least."""
    table = measured()
    for name, pod in pods(rendered(overlay)).items():
        found, resources = table[name], pod.container["resources"]
        asked, most = (quantity(resources[side]["memory"]) for side in ("requests", "limits"))
        assert (asked, most) == (found.request, found.limit), f"{name}: the table says otherwise"
        assert asked >= found.usual, name
        assert most >= 1.2 * found.peak, name


@both_overlays
def test_files(overlay):
    """All that can be written lies in volumes of limited size, and every mount has its volume."""
    for name, pod in pods(rendered(overlay)).items():
        volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", ())}
        claims = {"data"} if pod.kind == "StatefulSet" else set()
        mounts = {mount["name"] for mount in pod.container["volumeMounts"]}
        assert mounts == volumes.keys() | claims, name
        for volume in volumes.values():
            assert "secret" in volume or quantity(volume["emptyDir"]["sizeLimit"]) > 0, name
    (settings,) = of_kind(rendered(overlay), "ConfigMap").values()
    for name, pod in ours(rendered(overlay)).items():
        writable = {mount["mountPath"] for mount in pod.container["volumeMounts"] if not mount.get("readOnly")}
        assert writable == {settings["data"]["WIKIQ_DATA_DIR"], "/tmp"}, name


class Recorder(Mapping):
    """An environment that is empty and notes what is asked for."""

    def __init__(self):
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


@both_overlays
def test_every_variable_is_read(overlay):
    """No pod of ours gets a variable that the program does not read, as a misspelt one would be."""
    environment = Recorder()
    read_settings(environment)
    (settings,) = of_kind(rendered(overlay), "ConfigMap").values()
    assert settings["data"].keys() <= environment.asked
    read_settings(settings["data"])
    for name, pod in ours(rendered(overlay)).items():
        assert pod.env.keys() <= environment.asked, name
        needed = {"WIKIQ_DATABASE_URL"} | (set() if name == "wikiq-migrate" else {"WIKIQ_BROKER_URL"})
        assert needed <= pod.env.keys(), name


@both_overlays
def test_references(overlay):
    """Every ConfigMap and Secret, and every key, that a pod or KEDA names is there or is documented as to be made."""
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    there = {
        (kind, name): set(found.get("data", {}))
        for kind in ("ConfigMap", "Secret")
        for name, found in of_kind(rendered(overlay), kind).items()
    }
    made = {("Secret", "wikiq"): set(re.findall(r"--from-(?:literal|file)=([a-z.-]+)=", text))}
    assert len(made["Secret", "wikiq"]) >= 6
    known = there if overlay == "local" else there | made
    for (kind, name), keys in references(overlay):
        assert keys - known[kind, name] <= NOT_IN_GIT, (name, keys)


def references(overlay):
    for pod in pods(rendered(overlay)).values():
        for part in walk(pod.spec):
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if key in part:
                    yield (kind, part[key]["name"]), {part[key]["key"]}
            if "configMapRef" in part:
                yield ("ConfigMap", part["configMapRef"]["name"]), set()
            if "secretName" in part:
                yield ("Secret", part["secretName"]), {item["key"] for item in part["items"]}
    for authentication in of_kind(rendered(overlay), "TriggerAuthentication").values():
        for target in authentication["spec"]["secretTargetRef"]:
            yield ("Secret", target["name"]), {target["key"]}


@both_overlays
def test_a_worker_needs_a_contact(overlay):
    """A worker does not start before somebody has said whom Wikimedia may write to."""
    for queue in ("count", "rank", "index"):
        reference = pods(rendered(overlay))[f"wikiq-{queue}"].env["WIKIQ_CONTACT"]["valueFrom"]["configMapKeyRef"]
        assert (reference["key"], reference.get("optional")) == ("WIKIQ_CONTACT", None)


@both_overlays
def test_labels(overlay):
    """Each workload selects its own pods and nobody else's; the Service the exporter; the budget the workers."""
    found = rendered(overlay)
    templates = pods(found)
    selectors = {
        each["metadata"]["name"]: each["spec"]["selector"]
        for each in found
        if each["kind"] in ("Deployment", "StatefulSet")
    }
    for (name, selector), (other, pod) in itertools.product(selectors.items(), templates.items()):
        assert selects(selector, pod.labels) == (name == other), (name, other)
    service = named(found, "Service", "wikiq-metrics")["spec"]
    chosen = {name for name, pod in templates.items() if selects({"matchLabels": service["selector"]}, pod.labels)}
    assert chosen == {"wikiq-metrics"}
    (port,) = templates["wikiq-metrics"].container["ports"]
    assert service["ports"] == [{"name": "metrics", "port": port["containerPort"], "targetPort": port["name"]}]
    args = templates["wikiq-metrics"].container["args"]
    assert args[args.index("--port") + 1] == str(port["containerPort"])
    budget = named(found, "PodDisruptionBudget", "wikiq-workers")["spec"]
    assert {name for name, pod in templates.items() if selects(budget["selector"], pod.labels)} == {
        "wikiq-count",
        "wikiq-rank",
        "wikiq-index",
    }
    # A budget that allows none to go would keep its node from being drained for ever.
    assert budget["maxUnavailable"] >= 1
