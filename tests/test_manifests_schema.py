"""Every object is what its schema says, so an API server would take it."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from kustomized import OVERLAYS, ROOT, rendered

KEDA_CRDS = Path(os.environ.get("WIKIQ_KEDA_CRDS", ROOT.parent / "shared" / "data" / "keda-crds"))
CORE = ("ScaledObject", "TriggerAuthentication")
KUBERNETES = ("1.33", "1.37")
"""The oldest that KEDA 2.20 is tested on, and the newest whose schemas there are."""


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_objects_of_kubernetes(overlay, version):
    """Kubernetes' own objects have all fields they need and none that does not exist."""
    checked = 0
    for found in rendered(overlay):
        if found["kind"] not in CORE:
            kubernetes_validate.validate(found, version, strict=True)
            checked += 1
    assert checked > 10


def test_the_check_is_strict():
    """An object with a misspelt field does not pass, so the test above can fail."""
    broken = copy.deepcopy(next(found for found in rendered("local") if found["kind"] == "Deployment"))
    broken["spec"]["template"]["spec"]["terminationGraceSeconds"] = 90
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES[-1], strict=True)


@pytest.mark.skipif(
    not KEDA_CRDS.is_dir(), reason="KEDA's CRDs are neither where WIKIQ_KEDA_CRDS says nor in ../shared/data/keda-crds"
)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_objects_of_keda(overlay):
    """KEDA's objects are what its CustomResourceDefinitions say, with no field that those do not know."""
    schemas = {}
    for path in KEDA_CRDS.glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        (version,) = crd["spec"]["versions"]
        schemas[crd["spec"]["names"]["kind"]] = strict(version["schema"]["openAPIV3Schema"])
    assert set(schemas) == set(CORE)
    kinds = []
    for found in rendered(overlay):
        if found["kind"] in CORE:
            jsonschema.validate(found, schemas[found["kind"]])
            kinds.append(found["kind"])
    assert sorted(kinds) == ["ScaledObject"] * 3 + ["TriggerAuthentication"]


def strict(schema):
    """The same schema, but what it does not name is wrong; ``metadata`` is Kubernetes' own."""
    if not isinstance(schema, dict):
        return schema
    changed = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        changed["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        changed.setdefault("additionalProperties", False)
    return changed


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_known_kinds_have_other_schemas(overlay):
    """Whatever is not Kubernetes' own is KEDA's, so that nothing goes unchecked; both of version v1alpha1."""
    versions = {found["kind"]: found["apiVersion"] for found in rendered(overlay) if "." in found["apiVersion"]}
    third_party = {
        kind: version for kind, version in versions.items() if not version.partition("/")[0].endswith("k8s.io")
    }
    assert third_party == dict.fromkeys(CORE, "keda.sh/v1alpha1")
