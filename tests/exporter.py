"""``wikiq metrics`` as a running exporter, and what it says."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cli_process import started, wait_until
from prometheus_client.parser import text_string_to_metric_families

Scrape = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter; ``said`` is the file that its stderr goes into."""

    url: str
    process: object
    log: object

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ask(self, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
        """Status, content type and body."""
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers["Content-Type"], answer.read().decode()

    def scrape(self) -> Scrape:
        status, _, body = self.ask()
        assert status == 200, body
        return samples(body)


@contextmanager
def exporting(surroundings: Mapping[str, str], log, *options: str) -> Iterator[Exporter]:
    """An exporter on a free port of loopback, once it serves."""
    with started(surroundings, "metrics", "--port", "0", "--bind", "127.0.0.1", *options, log=log) as process:
        wait_until(lambda: process.poll() is not None or "/metrics" in log.read_text())
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert found, log.read_text()
        yield Exporter(found[0], process, log)


def samples(text: str) -> Scrape:
    """Every sample of a scrape: (name, labels) -> value. A sample twice is an error."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found


def value(scrape: Scrape, name: str, **labels: str) -> float | None:
    """One sample, None where there is none."""
    return scrape.get((name, frozenset(labels.items())))
