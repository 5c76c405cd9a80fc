"""The manifests as kubectl renders them, and how to find one's way in them.

local, production = rendered("local"), rendered("production")
named(local, "Deployment", "wikiq-count"); pods(local)["wikiq-count"].spec
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import servers
import yaml

ROOT = Path(__file__).resolve().parents[1]
MANIFESTS = ROOT / "manifests"
OVERLAYS = ("local", "production")
WORKERS = ("count", "rank", "index")

OWN = {
    "contact.env": "WIKIQ_CONTACT=you@example.org\n",
    "secret.env": (
        "broker-url=redis://:f00d@redis:6379/0\n"
        "database-url=postgresql://wikiq:beef@postgresql/wikiq\n"
        "redis-address=redis.wikiq.svc:6379\n"
        "redis-password=f00d\n"
        "postgresql-password=beef\n"
    ),
}
"""What is not in git and belongs to overlays/local, as docs/kubernetes.md has it made."""

UNITS = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod template: of what kind of object, with which labels, and what it says."""

    kind: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        (only,) = self.spec["containers"]
        return only

    @property
    def env(self) -> dict[str, Any]:
        return {entry["name"]: entry for entry in self.container.get("env", ())}


def kustomize(directory: Path) -> subprocess.CompletedProcess[str]:
    """What ``kubectl kustomize`` says of a directory; without kubectl the test is skipped by name."""
    command = [servers.program("kubectl"), "kustomize", str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copied(directory: Path, own: dict[str, str]) -> Path:
    """A copy of the manifests, as git has them, with somebody's own files in overlays/local."""
    manifests = directory / "manifests"
    shutil.copytree(MANIFESTS, manifests, ignore=shutil.ignore_patterns("*.env"))
    # Those that are in git are not named *.env by accident.
    for path in MANIFESTS.rglob("settings.env"):
        shutil.copy(path, manifests / path.relative_to(MANIFESTS))
    for name, text in own.items():
        (manifests / "overlays" / "local" / name).write_text(text)
    return manifests


def objects(text: str) -> list[Object]:
    return [found for found in yaml.safe_load_all(text) if found]


@cache
def rendered(overlay: str) -> tuple[Object, ...]:
    """All objects of an overlay; tests must not change them."""
    with tempfile.TemporaryDirectory(prefix="wikiq-manifests-") as directory:
        done = kustomize(copied(Path(directory), OWN) / "overlays" / overlay)
    assert done.returncode == 0, done.stderr
    return tuple(objects(done.stdout))


@cache
def rendered_component(name: str, namespace: str) -> tuple[Object, ...]:
    """The objects that an overlay gets by taking a component; tests must not change them."""
    with tempfile.TemporaryDirectory(prefix="wikiq-manifests-") as directory:
        overlay = copied(Path(directory), OWN) / "overlays" / "taking"
        overlay.mkdir()
        (overlay / "kustomization.yaml").write_text(f"namespace: {namespace}\ncomponents: [../../components/{name}]\n")
        done = kustomize(overlay)
    assert (done.returncode, done.stderr) == (0, "")
    return tuple(objects(done.stdout))


def of_kind(found: tuple[Object, ...], kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in found if each["kind"] == kind}


def named(found: tuple[Object, ...], kind: str, name: str) -> Object:
    return of_kind(found, kind)[name]


def pods(found: tuple[Object, ...]) -> dict[str, Pod]:
    """Every pod template by the name of its object."""
    templates = {}
    for each in found:
        if each["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            spec = each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]
            template = spec["template"]
            templates[each["metadata"]["name"]] = Pod(each["kind"], template["metadata"]["labels"], template["spec"])
    return templates


def ours(found: tuple[Object, ...]) -> dict[str, Pod]:
    """The pods that run wikiq."""
    return {name: pod for name, pod in pods(found).items() if pod.labels.get("app.kubernetes.io/name") == "wikiq"}


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector of Kubernetes selects what has these labels."""
    for name, value in selector.get("matchLabels", {}).items():
        if labels.get(name) != value:
            return False
    for term in selector.get("matchExpressions", ()):
        assert term["operator"] == "In", "a test that knows no other operator must be taught it"
        if labels.get(term["key"]) not in term["values"]:
            return False
    return True


def quantity(text: str | int) -> float:
    """A quantity of Kubernetes as a number: CPUs, or bytes."""
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    assert found is not None, text
    return float(found[1]) * UNITS[found[2]]


def walk(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in a tree of lists and mappings."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)
