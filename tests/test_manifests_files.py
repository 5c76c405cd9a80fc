"""The manifests as files: what is in git, what is not, and what a user is told who has forgotten something."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from kustomized import MANIFESTS, OVERLAYS, OWN, ROOT, copied, kustomize, objects, of_kind, pods, rendered, selects

FILES = sorted(path for path in MANIFESTS.rglob("*.yaml") if "monitoring" not in path.parts)
names = pytest.mark.parametrize("name", sorted(OWN))


def test_one_object_each_and_short():
    """A file holds one object, and half of them are shorter than 25 lines."""
    assert len(FILES) > 30
    lengths = []
    for path in FILES:
        (_,) = yaml.safe_load_all(path.read_text())
        lengths.append(len(path.read_text().splitlines()))
    assert sorted(lengths)[len(lengths) // 2] < 25
    assert max(lengths) <= 80


def test_every_file_is_used():
    """Each file is named by the kustomization beside it, so none is forgotten or left over."""
    for path in FILES:
        if path.name != "kustomization.yaml":
            assert re.search(
                rf"\b{re.escape(path.name)}$", (path.parent / "kustomization.yaml").read_text(), re.MULTILINE
            )


def test_no_secret_in_git():
    """No file holds a Secret, and those that a user makes with passwords are ignored by git."""
    assert [path for path in FILES if "kind: Secret" in path.read_text().splitlines()] == []
    assert of_kind(rendered("production"), "Secret") == {}
    tracked = subprocess.run(["git", "ls-files", "manifests"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert [line for line in tracked.stdout.splitlines() if line.endswith(".env") and "settings" not in line] == []
    ignored = (MANIFESTS / "overlays" / "local" / ".gitignore").read_text().splitlines()
    assert "*.env" in ignored


@names
def test_a_file_that_is_not_there(name, tmp_path):
    """Who has not made a file of their own is told its name, and nothing is rendered."""
    own = {other: text for other, text in OWN.items() if other != name}
    done = kustomize(copied(tmp_path, own) / "overlays" / "local")
    assert (done.returncode, done.stdout) == (1, "")
    assert name in done.stderr


def test_the_base_cannot_run_alone(tmp_path):
    """Without an overlay there is no image, and what is there in its place says why."""
    done = kustomize(copied(tmp_path, {}) / "base")
    assert done.returncode == 0, done.stderr
    images = {pod.container["image"] for pod in pods(tuple(objects(done.stdout))).values()}
    assert images == {"wikiq:set-by-the-overlay"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images(overlay):
    """No image is "latest" or without a tag; ours is one and the same everywhere."""
    images = {name: pod.container["image"] for name, pod in pods(rendered(overlay)).items()}
    for image in images.values():
        tag = image.rpartition("/")[2].partition(":")[2]
        assert tag not in ("", "latest")
    assert len({image for image in images.values() if "wikiq" in image}) == 1


def test_production_must_be_set_first():
    """As it is in git, production names a registry that cannot exist and a digest that no image has."""
    (image,) = {pod.container["image"] for pod in pods(rendered("production")).values()}
    registry, digest = image.split("@")
    assert registry.split("/")[0].endswith(".invalid")
    assert digest == "sha256:" + 64 * "0"


def test_production_as_it_is_set(tmp_path):
    """Set as its comments say, it has the user's image, contact, namespace and number of workers, and still renders."""
    directory = copied(tmp_path, {}) / "overlays" / "production"
    path = directory / "kustomization.yaml"
    text = path.read_text()
    changes = {
        "namespace: wikiq # SET": "namespace: pageviews",
        "literals: []": "literals: [WIKIQ_CONTACT=ops@example.org]",
        "set-the-registry.invalid": "registry.example.org",
        "0" * 64: "a" * 64,
    }
    assert text.count("# SET") == len(changes)
    for before, after in changes.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    path.write_text(text)
    found = tuple(objects(kustomize(directory).stdout))
    assert {pod.container["image"] for pod in pods(found).values()} == {"registry.example.org/wikiq@sha256:" + "a" * 64}
    (settings,) = of_kind(found, "ConfigMap").values()
    assert settings["data"]["WIKIQ_CONTACT"] == "ops@example.org"
    assert {each["metadata"].get("namespace") for each in found if each["kind"] != "PriorityClass"} == {"pageviews"}


def test_monitoring_is_a_line_away(tmp_path):
    """With its line uncommented, production also has what the Prometheus operator reads, and it finds the exporter."""
    directory = copied(tmp_path, {}) / "overlays" / "production"
    path = directory / "kustomization.yaml"
    text, times = re.subn(r"# (- \.\./\.\./components/monitoring)", r"\1", path.read_text())
    assert times == 1
    path.write_text(text)
    found = tuple(objects(kustomize(directory).stdout))
    (monitor,) = of_kind(found, "PodMonitor").values()
    exporter = pods(found)["wikiq-metrics"]
    assert [name for name, pod in pods(found).items() if selects(monitor["spec"]["selector"], pod.labels)] == [
        "wikiq-metrics"
    ]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == exporter.container["ports"][0]["name"]
    assert of_kind(found, "PrometheusRule")


def test_settings_start_workers_anew(tmp_path):
    """A changed setting changes the name of the ConfigMap, and so every pod that reads it."""
    directory = copied(tmp_path, OWN | {"contact.env": "WIKIQ_CONTACT=another@example.org\n"}) / "overlays" / "local"
    changed = tuple(objects(kustomize(directory).stdout))
    (before,), (after,) = of_kind(rendered("local"), "ConfigMap"), of_kind(changed, "ConfigMap")
    assert before != after
    for name, pod in pods(changed).items():
        if "envFrom" in pod.container:
            assert pod.container["envFrom"] == [{"configMapRef": {"name": after}}], name


def test_the_copy_is_whole(tmp_path):
    """What these tests render is what lies in the repository: only *.env files of a user are left out."""
    manifests = copied(tmp_path, {})
    there = {path.relative_to(MANIFESTS) for path in MANIFESTS.rglob("*") if path.is_file()}
    copies = {path.relative_to(manifests) for path in manifests.rglob("*") if path.is_file()}
    assert {str(path) for path in there - copies} <= {f"overlays/local/{name}" for name in OWN}
