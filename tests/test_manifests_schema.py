"""Every object is what its schema says, so an API server would take it."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import jsonschema
import kubernetes_validate
import pydantic
import pytest
import yaml
from kustomized import OVERLAYS, ROOT, of_kind, rendered, rendered_component

KEDA_CRDS = Path(os.environ.get("WIKIQ_KEDA_CRDS", ROOT.parent / "shared" / "data" / "keda-crds"))
CORE = ("ScaledObject", "TriggerAuthentication")
MONITORING = ("PodMonitor", "PrometheusRule")
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


def kubernetes_own(version):
    group = version.rpartition("/")[0]
    return "." not in group or group.endswith("k8s.io")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_known_kinds_have_other_schemas(overlay):
    """Whatever is not Kubernetes' own is KEDA's, so that nothing goes unchecked; both of version v1alpha1."""
    versions = {found["kind"]: found["apiVersion"] for found in rendered(overlay) if "." in found["apiVersion"]}
    third_party = {kind: version for kind, version in versions.items() if not kubernetes_own(version)}
    assert third_party == dict.fromkeys(CORE, "keda.sh/v1alpha1")


@pytest.fixture(scope="module")
def operator():
    """Each kind of the Prometheus operator, as a model made from its CustomResourceDefinition."""
    # Not at the top: it makes hundreds of classes, some five seconds that the tests above need not wait for.
    from cloudcoil.models.prometheus_operator import v1

    return {kind: getattr(v1, kind) for kind in MONITORING}


def kept(model: type[pydantic.BaseModel], found):
    """What an API server would store: wrong values are refused, and what the schema does not name is dropped."""
    return model.model_validate(found).model_dump(mode="json", by_alias=True, exclude_unset=True)


def test_objects_of_the_prometheus_operator(operator):
    """The component's monitor and rule are what their schemas say, and nothing of them would be dropped."""
    found = rendered_component("monitoring", "wikiq")
    assert {each["kind"] for each in found if not kubernetes_own(each["apiVersion"])} == set(MONITORING)
    for kind, model in operator.items():
        for name, each in of_kind(found, kind).items():
            assert kept(model, each) == each, name
    for each in of_kind(found, "ConfigMap").values():
        kubernetes_validate.validate(each, KUBERNETES[-1], strict=True)


BROKEN = (
    ("PodMonitor", ("spec", "selector"), {"matchLabel": {"app.kubernetes.io/name": "wikiq"}}),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "intervall"), "30s"),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "scrapeTimeout"), "10 s"),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "port"), 9464),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "honorLabels"), "true"),
    ("PodMonitor", ("apiVersion",), "monitoring.coreos.com/v1alpha1"),
    ("PrometheusRule", ("spec", "group"), []),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "annotation"), {"summary": "x"}),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "for"), "2 minutes"),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "labels", "severity"), 1),
)


@pytest.mark.parametrize(("kind", "path", "value"), BROKEN, ids=str)
def test_a_mistake_for_the_prometheus_operator_is_noticed(operator, kind, path, value):
    """A misspelt field, or a value of another form, does not come through, so the test above can fail."""
    (found,) = of_kind(rendered_component("monitoring", "wikiq"), kind).values()
    broken = copy.deepcopy(found)
    *way, last = path
    place = broken
    for step in way:
        place = place[step]
    place[last] = value
    try:
        stored = kept(operator[kind], broken)
    except pydantic.ValidationError:
        return
    assert stored != broken


def test_a_rule_without_an_expression_is_refused(operator):
    """A field that must be there and is not is noticed as well."""
    (found,) = of_kind(rendered_component("monitoring", "wikiq"), "PrometheusRule").values()
    broken = copy.deepcopy(found)
    del broken["spec"]["groups"][0]["rules"][0]["expr"]
    with pytest.raises(pydantic.ValidationError):
        kept(operator["PrometheusRule"], broken)
