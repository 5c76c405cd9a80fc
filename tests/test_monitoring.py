"""Alerts and dashboard: they ask for what there is, fire when they should, and their runbook exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import promql_parser
import pytest
import redis
import servers
import yaml
from cli_process import environment, wikiq
from exporter import samples, value
from kustomized import pods, rendered, rendered_component, selects

from cli.demosite.server import serve
from cli.exposition import FAMILIES, text
from models.hour import hours_of
from worker.metrics import Observer
from worker.settings import read_settings

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "manifests" / "components" / "monitoring"
RULE = yaml.safe_load((FOLDER / "prometheus-rule.yaml").read_text())
ALERTS = [rule for group in RULE["spec"]["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
LABELS = {family.empty().name: set(family.labels) for family in FAMILIES}
SET_BY_PROMETHEUS = {"namespace"}
GROUPS_OF_QUEUES = 7


def queries():
    """Every query of the dashboard, as Grafana would send it with one namespace and project chosen, and its legend."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            plain = target["expr"].replace("$namespace", ".*").replace("$project", "en.wikipedia")
            assert "$" not in plain, plain
            yield plain, target["legendFormat"]


EXPRESSIONS = [*(query for query, _ in queries()), *(alert["expr"] for alert in ALERTS)]


def selectors(expression):
    """The parts of an expression that name a metric."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node):
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


@pytest.fixture(scope="module")
def scrape_text(tmp_path_factory, demo, demo_directory, redis_url):
    """A scrape after a day of the demo site was really fetched, counted, indexed and ranked."""
    surroundings = environment(tmp_path_factory.mktemp("scrape"))
    with closing(redis.Redis.from_url(redis_url, protocol=2)) as client:
        client.flushall()
    with serve(demo_directory) as site:
        surroundings |= {"WIKIQ_SOURCE": site.url}
        done = wikiq(surroundings, "enqueue", str(demo.first_day), "--quiet")
        assert done.code == 0, done.stderr
    return text(Observer(read_settings(surroundings | {"WIKIQ_BROKER_URL": redis_url})).look)


@pytest.fixture(scope="module")
def scrape(scrape_text):
    return samples(scrape_text)


def test_what_was_really_counted(scrape, demo, demo_directory):
    """After a day's work the figures are those of the site's files, and every phase took its time."""
    files = [demo_directory / hour.path for hour in hours_of(demo.first_day)]
    assert value(scrape, "wikiq_counted_files") == len(files) == 24
    assert value(scrape, "wikiq_counted_bytes") == sum(file.stat().st_size for file in files)
    assert value(scrape, "wikiq_counted_lines") > 24
    assert value(scrape, "wikiq_hour_files", project="en.wikipedia", state="counted") == 24
    day = {"project": "en.wikipedia", "universe": "articles"}
    assert value(scrape, "wikiq_answers", period="day", verdict="complete", **day) == 1
    assert value(scrape, "wikiq_answers", period="day", verdict="unranked", **day) == 0
    assert value(scrape, "wikiq_indexes", project="en.wikipedia", state="done") == 1
    assert value(scrape, "wikiq_index_bytes", project="en.wikipedia") > 0
    for phase in ("downloading", "counting", "storing"):
        assert value(scrape, "wikiq_phase_seconds", phase=phase) > 0
    assert value(scrape, "wikiq_phase_seconds", phase="waited") >= 0
    assert {dict(labels)["work"] for name, labels in scrape if name == "wikiq_last_done_timestamp_seconds"} == {
        "hour",
        "answer",
        "table",
        "index",
    }
    assert sum(name == "wikiq_in_flight_tasks" for name, _ in scrape) == GROUPS_OF_QUEUES


def test_every_metric_is_there(scrape):
    """What the exporter promises is in a real scrape, and all of it is shown or watched by somebody."""
    names = {name for name, _ in scrape}
    assert names == set(LABELS)
    assert {selector.name for expression in EXPRESSIONS for selector in selectors(expression)} == names


def test_queries_ask_for_what_there_is(scrape):
    """Each metric of a query exists, with each label that it names, and with each value that it wants."""
    for selector in (selector for expression in EXPRESSIONS for selector in selectors(expression)):
        there = [dict(labels) for name, labels in scrape if name == selector.name]
        assert there, selector.name
        for matcher in selector.matchers.matchers:
            if matcher.name not in SET_BY_PROMETHEUS:
                wanted = set(matcher.value.split("|"))
                assert wanted <= {labels[matcher.name] for labels in there}, (selector.name, matcher.name, wanted)


def test_legends_name_labels_that_are_left():
    """What a legend shows is a label that the query's outermost aggregation keeps."""
    for query, legend in queries():
        shown = set(re.findall(r"{{(\w+)}}", legend))
        kept = re.match(r"(?:time\(\) - )?(?:sum|max|min) by \(([^)]*)\)", query)
        assert shown <= set(re.split(r",\s*", kept[1]) if kept else []), query
        metrics = {selector.name for selector in selectors(query)}
        assert shown <= SET_BY_PROMETHEUS.union(*(LABELS[name] for name in metrics)), query


def test_three_alerts():
    """There are three alerts; each says what is wrong, what that means, how bad it is and where it is explained."""
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS) == 3
    for alert in ALERTS:
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}
        assert alert["labels"]["severity"] in ("critical", "warning")
        page, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert (page, anchor) == ("docs/operations.md", alert["alert"].lower())
        assert f"\n### {alert['alert']}\n" in OPERATIONS


def test_alerts_fire_when_they_should(tmp_path):
    """Prometheus' own tester finds that each alert fires when it should, ends, and is silent otherwise."""
    promtool = servers.program("promtool")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULE["spec"]))
    files = sorted(FOLDER.glob("prometheus-rule*.test.yaml"))
    for file in files:
        shutil.copy(file, tmp_path)
    tests = [test for file in files for test in yaml.safe_load(file.read_text())["tests"]]
    assert {case["alertname"] for test in tests for case in test["alert_rule_test"]} == {
        alert["alert"] for alert in ALERTS
    }
    command = [promtool, "test", "rules", *(file.name for file in files)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_approves_of_the_scrape(scrape_text):
    """Prometheus' own linter has nothing to say about names, units and help texts."""
    command = [servers.program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=scrape_text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_metric_is_explained():
    """Each metric stands in the operator's table, with its labels; the table has no other."""
    rows = dict(re.findall(r"^\| `(wikiq_\w+)`(?: `{([\w, ]+)}`)? \|", OPERATIONS, re.MULTILINE))
    assert {name: set(filter(None, labels.split(", "))) for name, labels in rows.items()} == LABELS


def test_the_exporter_is_found():
    """The monitor selects the exporter's pod alone, by a port that it has."""
    monitor = yaml.safe_load((FOLDER / "pod-monitor.yaml").read_text())["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    found = {
        name: pod for name, pod in pods(rendered("production")).items() if selects(monitor["selector"], pod.labels)
    }
    assert list(found) == ["wikiq-metrics"]
    assert endpoint["port"] in {port["name"] for port in found["wikiq-metrics"].container["ports"]}


def test_the_component():
    """An overlay that takes the component gets the monitor, the rule, and the dashboard where Grafana looks for one."""
    found = {each["kind"]: each for each in rendered_component("monitoring", "elsewhere")}
    assert set(found) == {"PodMonitor", "PrometheusRule", "ConfigMap"}
    assert {each["metadata"]["namespace"] for each in found.values()} == {"elsewhere"}
    assert found["PrometheusRule"]["spec"] == RULE["spec"]
    assert found["ConfigMap"]["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert json.loads(found["ConfigMap"]["data"]["wikiq.json"]) == DASHBOARD
